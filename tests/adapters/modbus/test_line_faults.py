"""A line that once does something to an answer, at any of its bytes. Scenario 20.

Registers hold their address, a counter only grows: one wrong value is a failure.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise

import pytest

from mes_engine.conformance.hearing import Heard, supervised
from tests.adapters.modbus.faults import (
    Fault,
    Way,
    corrupts,
    delays,
    doubles,
    litters,
    loses,
    repeats,
    serial_pair,
    serial_server,
    swallows,
    tcp_way,
    trickles,
    truncates,
)
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import Peer, libmodbus

TAGS = {
    "10": {"address": 10, "type": "u32", "order": "ABCD"},
    "50": {"address": 50, "type": "u32", "order": "ABCD"},
    "made": {"address": 300, "type": "u32", "order": "ABCD"},
}
SETTINGS = {"timeout_s": 0.12, "quiet_s": 0.1, "max_hole": 0, "heartbeat_s": 0.001}
LONGEST = 3 + 2 * 4 + 2
"""Bytes of the longest serial answer: the third block is made the longest."""
FAULTS: dict[str, Callable[[int], Fault]] = {
    "corrupts": corrupts,
    "doubles": doubles,
    "truncates": truncates,
    "litters": litters,
    "loses": loses,
    "delays": lambda at: delays(at, 0.05),
    "delays past the time-out": lambda at: delays(at, 0.15),
}
WHOLE = {
    "swallows": swallows(0),
    "repeats": repeats(0.0),
    "repeats later": repeats(0.05),
}


@asynccontextmanager
async def over_serial() -> AsyncIterator[tuple[Way, Peer]]:
    async with serial_pair() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            yield way, peer


@asynccontextmanager
async def over_a_server() -> AsyncIterator[tuple[Way, Peer]]:
    async with serial_server() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            yield way, peer


@asynccontextmanager
async def over_tcp() -> AsyncIterator[tuple[Way, Peer]]:
    with libmodbus() as peer:
        async with tcp_way(peer.port) as way:
            yield way, peer


def wrong(heard: Heard) -> list[object]:
    """All that is not what the device has; and a count that goes back."""
    good = [sample for sample in heard.samples if sample.value is not None]
    addresses = [
        (sample.tag, sample.value)
        for sample in good
        if sample.tag != "made"
        and sample.value != int(sample.tag) * 65_536 + int(sample.tag) + 1
    ]
    made = heard.counts("made")
    back = [pair for pair in pairwise(made) if pair[1] < pair[0]]
    return [*addresses, *back]


async def tried(
    over: Callable[[], AbstractAsyncContextManager[tuple[Way, Peer]]],
    faults: list[Fault],
) -> None:
    """Do each fault once, and each time wait until all is read again."""

    def is_fresh(heard: Heard) -> bool:
        late = [sample.tag for sample in heard.samples[news:] if sample.value]
        return all(late.count(tag) >= 2 for tag in TAGS)

    async with over() as (way, peer):
        peer.set(0, *range(100))
        peer.count("made", 300, every_s=0.005)
        async with supervised(open_link(way.url, TAGS, **SETTINGS)) as heard:
            news = 0
            await heard.until(is_fresh)
            for fault in faults:
                way.faults.append(fault)
                async with asyncio.timeout(5):
                    while way.faults:  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
                news = len(heard.samples)
                await heard.until(is_fresh, within_s=5)
        made = peer.halt()["made"]
    assert wrong(heard) == []
    assert heard.counts("made")[-1] <= made


def at_each(places: range) -> list[Fault]:
    return [fault(at) for at in places for fault in FAULTS.values()]


@pytest.mark.parametrize("over", [over_serial, over_a_server, over_tcp])
async def test_a_fault_now_and_then_costs_no_value(
    over: Callable[[], AbstractAsyncContextManager[tuple[Way, Peer]]],
) -> None:
    """Over TCP a changed byte of the data itself cannot be seen: none there."""
    await tried(over, [*WHOLE.values(), *at_each(range(0, 7, 3))])


@pytest.mark.slow
@pytest.mark.parametrize("over", [over_serial, over_a_server])
async def test_a_fault_at_any_byte_costs_no_value(
    over: Callable[[], AbstractAsyncContextManager[tuple[Way, Peer]]],
) -> None:
    """Each byte is hit often enough to be one of each block."""
    await tried(over, [*WHOLE.values(), *at_each(range(LONGEST - 4))] * 3)


@pytest.mark.parametrize("over", [over_serial, over_tcp])
async def test_answers_that_come_byte_by_byte_are_read(
    over: Callable[[], AbstractAsyncContextManager[tuple[Way, Peer]]],
) -> None:
    async with over() as (way, peer):
        peer.set(0, *range(100))
        way.always = trickles(0.004)
        settings = {**SETTINGS, "timeout_s": 0.8}
        async with supervised(open_link(way.url, TAGS, **settings)) as heard:
            await heard.until(lambda h: len(h.of("10")) > 5 and len(h.of("50")) > 5)
    assert wrong(heard) == []
    assert len(heard.reports) == 2  # not connected yet, and connected
