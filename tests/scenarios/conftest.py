"""What every scenario here has: a site that runs, and work of its own in it."""

from collections.abc import Iterator

import pytest

from tests.commands import compiled_once, mes
from tests.scenarios.shop import Shop
from tests.scenarios.site import Site, running_site

__all__ = ["compiled_once"]


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory, compiled_once: None
) -> Iterator[Site]:
    """``mes run`` as a process; at its end everything in it has to be verified."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running
        assert running.stop() == 0, running.tail()
    found = mes(
        *("verify", "--database", running.database_url),
        *("--key-file", str(running.key_file)),
        *("--anchors", f"{running.folder / 'mes.db.anchors'}"),
    )
    assert found.code == 0, found.out
    assert "not held against" not in found.out
    assert " with 0 anchors" not in found.out


@pytest.fixture
def shop(site: Site) -> Iterator[Shop]:
    """Work requests, routings and materials that no other test has."""
    opened = Shop(site)
    yield opened
    opened.clear()
