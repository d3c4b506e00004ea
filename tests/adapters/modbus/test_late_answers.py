"""An answer that comes late is never taken for the answer to another question.

Scenario 18. Each register holds its own address: one wrong value is a failure.
"""

import asyncio

import pytest

from mes_engine.conformance.hearing import Heard, supervised
from tests.adapters.modbus.faults import (
    Fault,
    Way,
    delays,
    repeats,
    serial_pair,
    serial_server,
)
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import Peer, libmodbus

PLACES = (20, 40, 60, 80)
TAGS = {str(at): {"address": at, "type": "u32", "order": "ABCD"} for at in PLACES}


def holding_addresses(peer: Peer) -> None:
    peer.set(0, *range(200))


def wrong(heard: Heard) -> list[tuple[str, object]]:
    return [
        (sample.tag, sample.value)
        for sample in heard.samples
        if sample.value is not None
        and sample.value != int(sample.tag) * 65_536 + int(sample.tag) + 1
    ]


def has_all(heard: Heard) -> bool:
    return all(heard.of(tag) and heard.last(tag) is not None for tag in TAGS)


async def listen(
    url: str, way: Way, peer: Peer, *, latency_s: float, during_s: float, quiet_s: float
) -> Heard:
    """Hear a device that is slow for a while; return all of it, wrong or right."""
    link = open_link(
        url, TAGS, timeout_s=0.2, quiet_s=quiet_s, max_hole=0, heartbeat_s=0.01
    )
    async with supervised(link) as heard:
        await heard.until(has_all)
        peer.rules({"latency_s": latency_s, "share": 0.7})
        await asyncio.sleep(during_s)
        peer.rules()
        news = len(heard.all)
        await heard.until(
            lambda h: (
                all(
                    any(s.value is not None for s in h.samples[-60:] if s.tag == tag)
                    for tag in TAGS
                )
                and len(h.all) > news + 60
            )
        )
    return heard


@pytest.mark.parametrize(
    ("latency_s", "quiet_s"),
    [(0.28, 0.4), (0.35, 0.1)],
    ids=["as-declared", "later-than-declared"],
)
async def test_on_a_serial_line(latency_s: float, quiet_s: float) -> None:
    async with serial_pair() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            holding_addresses(peer)
            heard = await listen(
                way.url,
                way,
                peer,
                latency_s=latency_s,
                during_s=4,
                quiet_s=quiet_s,
            )
    assert wrong(heard) == []


async def test_on_a_serial_line_behind_a_device_server() -> None:
    """It delivers a late answer to the connection after the one that asked."""
    async with serial_server() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            holding_addresses(peer)
            heard = await listen(
                way.url,
                way,
                peer,
                latency_s=0.3,
                during_s=4,
                quiet_s=0.05,
            )
    assert wrong(heard) == []


@pytest.mark.parametrize(
    "always",
    [repeats(0.02), repeats(0.1), delays(0, 0.25), delays(4, 0.22)],
    ids=["doubled", "doubled-later", "late", "half-late"],
)
async def test_on_a_line_that_repeats_or_delays_every_answer(always: Fault) -> None:
    async with serial_pair() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            holding_addresses(peer)
            link = open_link(
                way.url,
                TAGS,
                timeout_s=0.2,
                quiet_s=0.1,
                max_hole=0,
                heartbeat_s=0.01,
            )
            async with supervised(link) as heard:
                await heard.until(has_all)
                way.always = always
                answers = way.answers
                async with asyncio.timeout(20):
                    while way.answers < answers + 12:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                way.always = lambda answer: [(0, answer)]
                news = len(heard.all)
                await heard.until(lambda h: len(h.all) > news + 40)
    assert wrong(heard) == []


@pytest.mark.slow
async def test_as_measured_with_other_libraries() -> None:
    """A device that takes 700 ms, asked with a patience of 500."""
    async with serial_pair() as way:
        with libmodbus("--rtu", way.theirs, tcp=None) as peer:
            holding_addresses(peer)
            peer.rules({"latency_s": 0.7})
            link = open_link(
                way.url,
                TAGS,
                timeout_s=0.5,
                quiet_s=1.0,
                max_hole=0,
                poll_s=0.1,
            )
            async with supervised(link) as heard:
                await asyncio.sleep(45)
                assert wrong(heard) == []
                peer.rules()
                await heard.until(has_all, within_s=15)
            assert wrong(heard) == []
