"""A value is written once, and read back; against a device that is not ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from mes_adapters.modbus.source import ModbusLink
from mes_engine.conformance.hearing import listening
from mes_engine.core.errors import Malformed, OutcomeUnknown, Refused, SourceLost
from tests.adapters.modbus.faults import serial_pair
from tests.adapters.modbus.links import open_link
from tests.adapters.modbus.peers import STACKS, Peer, libmodbus, running_peer

TAGS: dict[str, dict[str, Any]] = {
    "ack": {"address": 71, "writable": True},
    "count": {"address": 80, "type": "u32", "order": "CDAB", "writable": True},
    "lot": {"address": 90, "type": "string", "count": 4, "writable": True},
    "flag": {"address": 100, "type": "bool", "bit": 3, "writable": True},
    "lamp": {"table": "coil", "address": 5, "type": "bool", "writable": True},
    "read": {"address": 110},
}
WRITES = {5, 6, 15, 16}


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[ModbusLink]:
    link = open_link(url, TAGS)
    assert isinstance(link, ModbusLink)
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
        yield link


@pytest.fixture(params=["tcp", "rtu"])
async def peer_and_link(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[Peer, ModbusLink]]:
    async with AsyncExitStack() as stack:
        if request.param == "tcp":
            peer = stack.enter_context(libmodbus())
            url = f"tcp://127.0.0.1:{peer.port}"
        else:
            way = await stack.enter_async_context(serial_pair())
            peer = stack.enter_context(libmodbus("--rtu", way.theirs, tcp=None))
            url = way.url
        yield peer, await stack.enter_async_context(writing(url))


def writes(peer: Peer) -> int:
    return sum(function in WRITES for _, _, function, *_ in peer.asked())


async def test_values_of_all_kinds_are_written_and_read_back(
    peer_and_link: tuple[Peer, ModbusLink],
) -> None:
    peer, link = peer_and_link
    peer.set(100, 0b0101)
    values: dict[str, Any] = {"ack": 7, "count": 65_538, "lot": "LOT-42"}
    values |= {"flag": True, "lamp": True}
    for tag, value in values.items():
        result = await link.write(tag, value)
        assert (result.value, result.is_verified) == (value, True)
    assert writes(peer) == len(values)
    assert peer.get(71) == [7]
    assert peer.get(80, 2) == [2, 1]
    assert peer.get(90, 4) == [0x4C4F, 0x542D, 0x3432, 0]
    assert peer.get(100) == [0b1101]


async def test_it_is_written_only_over_what_is_expected(
    peer_and_link: tuple[Peer, ModbusLink],
) -> None:
    peer, link = peer_and_link
    peer.set(71, 5)
    with pytest.raises(Refused, match="holds 5, and not 4"):
        await link.write("ack", 6, expect=4)
    assert writes(peer) == 0
    assert (await link.write("ack", 6, expect=5)).is_verified


@pytest.mark.parametrize(
    ("tag", "value", "error"),
    [
        ("read", 1, Refused),
        ("nothing", 1, Refused),
        ("ack", 70_000, Malformed),
        ("lot", "TOO LONG A LOT", Malformed),
    ],
)
async def test_what_cannot_be_written_is_not(
    tag: str, value: Any, error: type[Exception]
) -> None:
    with libmodbus() as peer:
        async with writing(f"tcp://127.0.0.1:{peer.port}") as link:
            with pytest.raises(error):
                await link.write(tag, value)
            assert writes(peer) == 0


@pytest.mark.parametrize("stack", STACKS)
async def test_a_device_that_says_no_is_not_asked_again(stack: str) -> None:
    with running_peer(stack) as peer:
        peer.rules({"function": 6, "exception": 3})
        async with writing(f"tcp://127.0.0.1:{peer.port}") as link:
            with pytest.raises(Refused, match="exception 3"):
                await link.write("ack", 1)
        assert writes(peer) == 1


async def test_a_write_that_was_done_and_not_answered_is_found_out(
    peer_and_link: tuple[Peer, ModbusLink],
) -> None:
    peer, link = peer_and_link
    peer.rules({"function": 6, "silent": True, "applied": True})
    result = await link.write("ack", 9)
    assert (result.value, result.is_verified) == (9, True)
    assert writes(peer) == 1


async def test_a_write_that_was_not_answered_and_not_done_is_unknown(
    peer_and_link: tuple[Peer, ModbusLink],
) -> None:
    """It may still be done: the telegram may be on its way."""
    peer, link = peer_and_link
    peer.rules({"function": 6, "silent": True})
    with pytest.raises(OutcomeUnknown):
        await link.write("ack", 9)
    assert writes(peer) == 1


async def test_a_device_that_takes_back_what_was_written_is_told() -> None:
    with libmodbus() as peer:
        async with writing(f"tcp://127.0.0.1:{peer.port}") as link:
            peer.count("count", 80, every_s=0.01)
            peer.rules({"function": 3, "first": 80, "last": 81, "latency_s": 0.1})
            result = await link.write("count", 4_000_000_000)
            assert not result.is_verified


async def test_without_a_connection_nothing_is_written() -> None:
    with libmodbus() as peer:
        async with writing(f"tcp://127.0.0.1:{peer.port}") as link:
            pass
        with pytest.raises(SourceLost):
            await link.write("ack", 1)
        await asyncio.sleep(0)
        assert writes(peer) == 0
