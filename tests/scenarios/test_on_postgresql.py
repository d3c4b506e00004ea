"""A whole plant on PostgreSQL: stories that touch most of its tables and pages.

All of them run there with MES_TESTS_ON=postgresql in the environment.
"""

from collections.abc import Callable, Iterator
from inspect import signature

import pytest

from tests.commands import mes
from tests.databases import on_postgresql
from tests.scenarios import test_carriers_over_http as carriers
from tests.scenarios import test_corrections_over_http as corrections
from tests.scenarios import test_lots_over_http as lots
from tests.scenarios import test_serials_over_http as serials
from tests.scenarios import test_tools_in_genealogy_over_http as tools
from tests.scenarios.shop import Shop
from tests.scenarios.site import Site, running_site

pallet, moulds = carriers.pallet, tools.moulds
"""What two of the stories are given."""

STORIES = (
    carriers.test_a_recall_names_the_pallets_on_which_a_suppliers_lot_was_shipped,
    corrections.test_unscrap_goes_up_to_the_ledger_and_work_goes_on,
    lots.test_30_and_20_are_split_and_merged_to_50,
    serials.test_serials_are_traced_and_recalled_and_shipped_by_serial,
    tools.test_a_recall_by_mould_names_what_was_worked_with_it_and_what_that_is_in,
)


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, compiled_once: None
) -> Iterator[Site]:
    """``mes run`` on a server; at its end everything in it has to be verified."""
    folder = tmp_path_factory.mktemp("server")
    on_postgresql(folder)
    with running_site(folder) as running:
        yield running
        assert running.stop() == 0, running.tail()
    found = mes(
        *("verify", "--database", running.database_url),
        *("--key-file", str(running.key_file)),
    )
    assert found.code == 0, found.out
    assert "not held against" not in found.out


@pytest.mark.timeout(180)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_story_goes_as_on_sqlite(
    story: Callable[..., None], shop: Shop, request: pytest.FixtureRequest
) -> None:
    wanted = signature(story).parameters
    story(**{name: request.getfixturevalue(name) for name in wanted})


def test_every_list_is_read(site: Site) -> None:
    for path in ("/job-orders", "/work-requests", "/lots", "/facts", "/postings"):
        assert site.get(path)["items"] is not None, path
