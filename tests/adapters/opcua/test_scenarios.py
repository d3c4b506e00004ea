"""No part is missing, doubled or wrong, whatever happens between us and a machine."""

from collections.abc import Iterator

import pytest

from tests.adapters.opcua import scenarios
from tests.adapters.opcua.ground import Peers
from tests.adapters.opcua.judge import Figures
from tests.adapters.opcua.peer import require_peer
from tests.adapters.opcua.scenarios import Scenario

BACK_WITHIN_S = 5
OUTAGES = {"partition", "partition_beyond_lifetime", "busy_loop", "stopped"}
"""Those that last longer than the silence that is allowed."""


@pytest.fixture(scope="session")
def peers() -> Iterator[Peers]:
    require_peer()
    with Peers() as running:
        yield running


def is_never_wrong(figures: Figures) -> None:
    assert (figures.doubled, figures.out_of_order, figures.wrong) == (0, 0, 0), figures
    assert figures.is_count_right, figures
    if figures.recovered_s is not None:
        assert figures.recovered_s < BACK_WITHIN_S, figures


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scenario", scenarios.LOSSLESS, ids=lambda one: one.__name__)
async def test_nothing_is_missing_that_the_server_still_has(
    scenario: Scenario, peers: Peers
) -> None:
    figures = await scenario(peers)
    is_never_wrong(figures)
    assert figures.missing == 0, figures
    if scenario.__name__ in OUTAGES:
        assert figures.shown == "disconnected", figures


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scenario", scenarios.LOSSY, ids=lambda one: one.__name__)
async def test_what_is_lost_for_good_is_told_and_the_count_is_right(
    scenario: Scenario, peers: Peers
) -> None:
    figures = await scenario(peers)
    is_never_wrong(figures)
    if scenario is not scenarios.gateway_killed:  # which remembers nothing
        assert "part" in figures.gaps or "none" in figures.gaps, figures


@pytest.mark.slow
@pytest.mark.parametrize("scenario", scenarios.SLOW, ids=lambda one: one.__name__)
async def test_nothing_is_missing_after_long_outages(
    scenario: Scenario, peers: Peers
) -> None:
    figures = await scenario(peers)
    is_never_wrong(figures)
    assert figures.missing == 0, figures


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario", scenarios.SLOW_AND_LOSSY, ids=lambda one: one.__name__
)
async def test_the_count_is_right_after_outages_beyond_what_a_server_keeps(
    scenario: Scenario, peers: Peers
) -> None:
    is_never_wrong(await scenario(peers))
