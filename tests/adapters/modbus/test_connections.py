"""Connections that end, in every way. Scenarios 1, 4, 5, 11, 24, 25, on two stacks."""

import asyncio
from contextlib import ExitStack
from itertools import pairwise

import pytest

from mes_engine.conformance.hearing import Heard, supervised
from mes_engine.conformance.network import relaying
from mes_engine.core.samples import DataGap, LinkState
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import STACKS, Peer, libmodbus, running_peer

MADE = {"made": {"address": 300, "type": "u32", "order": "CDAB"}}
RECOVERED_S = 5


def counting(peer: Peer, *, start: int = 0) -> None:
    peer.count("made", 300, order="CDAB", every_s=0.01, start=start)


def states(heard: Heard) -> list[LinkState]:
    return [report.state for report in heard.reports]


async def shows_the_end(heard: Heard, peer: Peer) -> None:
    """The last count that is told is the machine's own."""
    made = peer.halt()["made"]
    await heard.until(lambda h: h.last("made") == made, within_s=RECOVERED_S)


def never_back(heard: Heard) -> bool:
    return all(after >= before for before, after in pairwise(heard.counts("made")))


@pytest.mark.parametrize("stack", STACKS)
async def test_a_connection_is_cut_amid_a_batch(stack: str) -> None:
    with running_peer(stack) as peer:
        counting(peer)
        async with relaying(peer.port) as relay:
            link = open_link(f"tcp://127.0.0.1:{relay.port}", MADE)
            async with supervised(link) as heard:
                for _ in range(4):
                    seen = len(heard.samples)
                    await heard.until(
                        lambda h, seen=seen: len(h.samples) > seen + 3,  # type: ignore[misc]
                        within_s=RECOVERED_S,
                    )
                    relay.cut()
                await shows_the_end(heard, peer)
    assert never_back(heard)


@pytest.mark.parametrize("stack", STACKS)
async def test_a_network_holds_everything_back_and_lets_it_go(stack: str) -> None:
    """The held answers come after all, to questions that were given up."""
    with running_peer(stack) as peer:
        counting(peer)
        async with relaying(peer.port) as relay:
            link = open_link(f"tcp://127.0.0.1:{relay.port}", MADE)
            async with supervised(link) as heard:
                for _ in range(2):
                    seen = len(heard.samples)
                    await heard.until(lambda h, seen=seen: len(h.samples) > seen + 3)  # type: ignore[misc]
                    relay.hold()
                    await asyncio.sleep(1.0)
                    relay.release()
                await shows_the_end(heard, peer)
    assert never_back(heard)


@pytest.mark.parametrize("stack", STACKS)
async def test_a_device_is_frozen_and_thaws(stack: str) -> None:
    with running_peer(stack) as peer:
        counting(peer)
        link = open_link(f"tcp://127.0.0.1:{peer.port}", MADE, gap_s=0.5)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.samples) > 3)
            peer.freeze()
            await heard.until(lambda h: states(h)[-1] is LinkState.DISCONNECTED)
            await asyncio.sleep(1)
            peer.thaw()
            seen = len(heard.samples)
            await heard.until(lambda h: len(h.samples) > seen, within_s=RECOVERED_S)
            await shows_the_end(heard, peer)
    assert never_back(heard)
    (gap,) = [one for one in heard.all if isinstance(one, DataGap)]
    assert gap.tags == ("made",)
    assert gap.since is not None
    assert gap.until - gap.since > 1_000_000


@pytest.mark.parametrize("stack", STACKS)
async def test_a_device_is_switched_off_and_on_and_counts_from_0(stack: str) -> None:
    """What that means is the engine's business; the values are told as they are."""
    with ExitStack() as devices:
        peer = devices.enter_context(running_peer(stack))
        counting(peer, start=1000)
        link = open_link(f"tcp://127.0.0.1:{peer.port}", MADE)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.samples) > 5)
            peer.kill()
            await heard.until(lambda h: states(h)[-1] is LinkState.DISCONNECTED)
            again = devices.enter_context(running_peer(stack, tcp=peer.port))
            counting(again)
            await heard.until(lambda h: h.counts("made")[-1] < 1000, within_s=5)
            await shows_the_end(heard, again)
    counts = heard.counts("made")
    falls = [pair for pair in pairwise(counts) if pair[1] < pair[0]]
    assert len(falls) == 1


@pytest.mark.parametrize("stack", STACKS)
async def test_a_counter_rolls_over_also_while_nobody_looks(stack: str) -> None:
    with running_peer(stack) as peer:
        peer.count("made", 300, words=1, start=65_500, every_s=0.01)
        async with relaying(peer.port) as relay:
            tag = {"made": {"address": 300}}
            link = open_link(f"tcp://127.0.0.1:{relay.port}", tag)
            async with supervised(link) as heard:
                await heard.until(lambda h: h.of("made"))
                relay.hold()
                await heard.until(lambda h: states(h)[-1] is LinkState.DISCONNECTED)
                async with asyncio.timeout(10):
                    while peer.tell("counts")["made"] > 60_000:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                relay.release()
                await shows_the_end(heard, peer)
    assert max(heard.counts("made")) >= 65_500


async def test_a_device_that_takes_one_connection_only_is_held_by_one() -> None:
    with libmodbus("--most", "1") as peer:
        counting(peer)
        async with relaying(peer.port) as relay:
            link = open_link(f"tcp://127.0.0.1:{relay.port}", MADE)
            async with supervised(link) as heard:
                for _ in range(3):
                    seen = len(heard.samples)
                    await heard.until(
                        lambda h, seen=seen: len(h.samples) > seen + 3,  # type: ignore[misc]
                        within_s=RECOVERED_S,
                    )
                    relay.cut()
                await shows_the_end(heard, peer)
    assert never_back(heard)


async def test_a_device_that_closes_idle_connections_is_not_an_outage() -> None:
    with libmodbus("--idle-close", "1.2") as peer:
        peer.set(300, 7)
        tag = {"made": {"address": 300}}
        url = f"tcp://127.0.0.1:{peer.port}"
        link = open_link(url, tag, poll_s=1.9, heartbeat_s=0.1)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.of("made")) >= 4)
    assert states(heard) == [LinkState.DISCONNECTED, LinkState.CONNECTED]
    assert heard.counts("made") == [7, 7, 7, 7]


@pytest.mark.parametrize(
    "absent_s", [2, pytest.param(60, marks=pytest.mark.slow)], ids=["short", "long"]
)
@pytest.mark.parametrize("stack", STACKS)
async def test_a_device_that_is_absent_at_first_is_found(
    stack: str, absent_s: float
) -> None:
    with running_peer(stack) as there:
        port = there.port
        there.kill()
    link = open_link(f"tcp://127.0.0.1:{port}", MADE)
    async with supervised(link, longest_s=2) as heard:
        await asyncio.sleep(absent_s)
        assert heard.samples == []
        with running_peer(stack, tcp=port) as peer:
            counting(peer)
            await heard.until(lambda h: h.samples, within_s=RECOVERED_S)
            await shows_the_end(heard, peer)
