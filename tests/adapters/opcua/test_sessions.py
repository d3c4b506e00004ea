"""How many sessions a link has on a server: few while it is cut, none afterwards."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random

import pytest

from mes_engine.conformance.hearing import Heard
from mes_engine.core.samples import LinkState
from tests.adapters.opcua.ground import Ground, Peers, figures, playing
from tests.adapters.opcua.peer import Peer, require_peer
from tests.faults.harness import until

OURS = "MES engine"
FLAPS = 12
MOST = {None: 2, 0.6: 6}
"""While it is cut before it is up again, they add up; that server has ten."""


@pytest.fixture(scope="session")
def peers() -> Iterator[Peers]:
    require_peer()
    with Peers() as running:
        yield running


async def count(peer: Peer) -> int:
    """Return how many sessions of ours the server has, by its own account.

    One that was never activated does not count: the answer to its begin was lost, and
    nobody but the server knows its name, so that it can only be forgotten.
    """
    return sum(
        one["name"].startswith(OURS) and one["isActivated"]
        for one in await peer.do("sessions")
    )


@asynccontextmanager
async def counting(peer: Peer) -> AsyncIterator[list[int]]:
    """Count again and again beside the test."""
    counts: list[int] = []

    async def watch() -> None:
        while True:
            counts.append(await count(peer))
            await asyncio.sleep(0.005)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watch())
        yield counts
        task.cancel()


async def is_one(peer: Peer) -> bool:
    return await count(peer) == 1


async def flap(ground: Ground, *, waits_s: float | None) -> None:
    """Cut the connection again and again: once it is up, or at any moment."""
    chance = Random(4)
    for _ in range(FLAPS):
        before = len(ground.heard.reports)
        ground.relay.cut()
        if waits_s is not None:
            await asyncio.sleep(chance.uniform(0, waits_s))
            continue
        await ground.heard.until(partial(is_up_again, before))


def is_up_again(before: int, heard: Heard) -> bool:
    return any(one.state is LinkState.CONNECTED for one in heard.reports[before:])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("waits_s", [None, 0.6], ids=["when_up", "at_any_moment"])
async def test_however_often_it_is_cut_a_server_has_few_and_then_none(
    peers: Peers, waits_s: float | None
) -> None:
    peer = peers.shared()
    assert await count(peer) == 0
    async with counting(peer) as counts:
        async with playing(peers) as ground:
            await flap(ground, waits_s=waits_s)
            assert (await figures(ground)).is_lossless
            assert max(counts) <= MOST[waits_s], counts
            await until(partial(is_one, peer))
        assert await count(peer) == 0
