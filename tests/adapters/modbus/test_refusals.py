"""Devices that say no, busy, or are slow in places. Scenario 21, on two stacks."""

import asyncio
from collections import Counter

import pytest

from mes_engine.conformance.hearing import Heard, supervised
from mes_engine.core.samples import LinkState, Quality
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import STACKS, Peer, libmodbus, running_peer

ILLEGAL_ADDRESS, BUSY = 2, 6


def url(peer: Peer) -> str:
    return f"tcp://127.0.0.1:{peer.port}"


def address_of(tag: str) -> int:
    return int(tag)


def wrong(heard: Heard) -> list[object]:
    return [
        (sample.tag, sample.value)
        for sample in heard.samples
        if sample.value is not None and sample.value != int(sample.tag) % 1000
    ]


def tags(*places: int) -> dict[str, dict[str, object]]:
    return {str(at): {"address": at} for at in places}


@pytest.mark.parametrize("stack", STACKS)
async def test_a_device_that_is_often_busy_gives_no_wrong_value(stack: str) -> None:
    with running_peer(stack) as peer:
        peer.set(0, *range(300))
        peer.rules({"exception": BUSY, "share": 0.3})
        link = open_link(url(peer), tags(1, 100, 200), heartbeat_s=0.01)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.of("100")) > 40)
    assert wrong(heard) == []
    assert len(heard.reports) == 2


@pytest.mark.parametrize("stack", STACKS)
async def test_a_device_that_is_busy_for_a_while_is_waited_for(stack: str) -> None:
    with running_peer(stack) as peer:
        peer.set(0, *range(300))
        peer.rules({"exception": BUSY, "times": 3})
        async with supervised(open_link(url(peer), tags(1, 2))) as heard:
            await heard.until(lambda h: h.of("2"))
        assert len(peer.asked()) >= 4
    assert [sample.quality for sample in heard.samples[:2]] == [Quality.GOOD] * 2


@pytest.mark.parametrize("stack", STACKS)
async def test_refused_registers_amid_a_block_cost_only_their_own(stack: str) -> None:
    with running_peer(stack) as peer:
        peer.set(0, *range(300))
        peer.rules({"first": 200, "last": 209, "exception": ILLEGAL_ADDRESS})
        wanted = tags(190, 196, 199, 205, 210, 215)
        link = open_link(url(peer), wanted, refused_s=0.8, heartbeat_s=0.05)
        async with supervised(link) as heard:
            await heard.until(lambda h: h.of("215") and h.of("190"))
            await heard.until(lambda h: h.of("205"))
            assert heard.of("205")[-1].quality is Quality.BAD
            degraded = heard.reports[-1]
            assert degraded.missing == ("205",)
            assert degraded.state is LinkState.CONNECTED
            peer.asked()
            peer.rules()
            await heard.until(lambda h: h.last("205") == 205)
    assert wrong(heard) == []
    assert {s.tag for s in heard.samples if s.quality is Quality.BAD} == {"205"}
    assert heard.reports[-1].missing == ()


async def test_a_hole_that_is_refused_is_read_around_from_then_on() -> None:
    with libmodbus() as peer:
        peer.set(0, *range(300))
        peer.rules({"first": 205, "last": 205, "exception": ILLEGAL_ADDRESS})
        async with supervised(open_link(url(peer), tags(200, 210))) as heard:
            await heard.until(lambda h: h.of("200") and h.of("210"))
            peer.asked()
            await asyncio.sleep(0.3)
            asked = Counter((at, count) for _, _, _, at, count in peer.asked())
    assert set(asked) == {(200, 1), (210, 1)}
    assert wrong(heard) == []
    assert heard.reports[-1].missing == ()


@pytest.mark.parametrize("stack", STACKS)
async def test_a_slow_window_does_not_stop_the_others(stack: str) -> None:
    """They share a unit with registers that take longer than anybody waits."""
    with running_peer(stack) as peer:
        peer.set(0, *range(500))
        peer.rules({"first": 400, "last": 409, "latency_s": 0.5})
        link = open_link(url(peer), tags(1, 100, 400), timeout_s=0.3, heartbeat_s=0.01)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.of("1")) > 60 and len(h.of("100")) > 60)
            peer.rules()
            await heard.until(lambda h: h.last("400") == 400, within_s=5)
    assert wrong(heard) == []


@pytest.mark.parametrize("stack", STACKS)
async def test_a_slow_window_is_waited_for_with_enough_patience(stack: str) -> None:
    with running_peer(stack) as peer:
        peer.set(0, *range(500))
        peer.rules({"first": 400, "last": 409, "latency_s": 0.5})
        link = open_link(url(peer), tags(1, 400), timeout_s=1.5, heartbeat_s=0.01)
        async with supervised(link) as heard:
            await heard.until(lambda h: len(h.of("400")) >= 3)
    assert wrong(heard) == []
    assert len(heard.reports) == 2
