"""Servers that choose no messages: all of them come, and those asked for are told."""

from collections.abc import Iterator

import pytest

from tests.adapters.opcua.ground import MACHINE, Peers
from tests.adapters.opcua.peer import require_peer
from tests.adapters.opcua.telling import (
    CYCLE,
    JAM,
    Stage,
    events,
    gaps,
    refreshes,
    telling,
)

CHOOSES_NOTHING = {"choosesNothing": True}
REFUSED = "BadMonitoredItemFilterUnsupported"


@pytest.fixture(scope="session")
def peers() -> Iterator[Peers]:
    require_peer()
    with Peers() as running:
        yield running


def is_degraded(stage: Stage) -> bool:
    """Whether it is told of whom the server does not choose."""
    told = stage.heard.reports[-1]
    names = {"event cycle", "event jam"}
    return names <= set(told.missing) and REFUSED in told.reason


@pytest.mark.timeout(60)
async def test_messages_are_chosen_here_by_type_and_none_is_lost(peers: Peers) -> None:
    async with telling(peers, server=CHOOSES_NOTHING) as stage:
        assert is_degraded(stage)
        await stage.peer.do("jam", machine=MACHINE, **{"is": True, "text": "stuck"})
        await stage.heard.until(lambda h: events(stage.heard, "jam"))
        found = await stage.end()
        assert (found.missing, found.doubled, found.out_of_order) == (0, 0, 0), found
        assert {one.text for one in events(stage.heard, "jam")} == {"stuck"}
        assert {one.text for one in events(stage.heard)} == {"cycle complete"}
        assert all(one.kind == "jam" for one in refreshes(stage.heard))


@pytest.mark.timeout(60)
async def test_those_that_are_not_severe_enough_are_left_out(peers: Peers) -> None:
    severe = {**CYCLE, "severity_min": 500}
    settings = {"events": {"cycle": severe, "jam": JAM}}
    async with telling(peers, every_ms=0, server=CHOOSES_NOTHING, **settings) as stage:
        for serial, severity in (("1", 499), ("2", 500)):
            how = {"serial": serial, "scrap": False, "severity": severity}
            await stage.peer.do("cycle", machine=MACHINE, **how)
        await stage.heard.until(lambda h: events(stage.heard))
        assert [one.key for one in events(stage.heard)] == ["2"]


@pytest.mark.timeout(60)
async def test_what_was_missed_is_chosen_from_the_history_too(peers: Peers) -> None:
    async with telling(peers, server=CHOOSES_NOTHING) as stage:
        await stage.peer.do("jam", machine=MACHINE, **{"is": True, "text": "stuck"})
        await stage.peer.do("killSubscriptions")
        found = await stage.end()
        assert (found.missing, found.doubled, found.out_of_order) == (0, 0, 0), found
        assert gaps(stage.heard) == ["all"]
        assert {one.text for one in events(stage.heard)} == {"cycle complete"}
        assert is_degraded(stage)
