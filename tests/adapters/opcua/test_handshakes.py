"""Handshakes over OPC UA, judged by the machine: cut, killed, torn between phases."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from mes_engine.conformance.network import Relay, relaying
from mes_engine.core.errors import OutcomeUnknown, SourceLost
from mes_engine.core.signals import HandshakePhase
from mes_engine.migrations import upgrade
from mes_engine.storage.database import Database
from tests.adapters.handshaking import at_work, until
from tests.adapters.opcua.peer import Peer, require_peer, running_peer
from tests.adapters.opcua.press import NAME, OpcUaPress
from tests.core.handshakes import a_handshake
from tests.core.shop import SECOND
from tests.databases import url_in

CYCLES = 12


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = url_in(tmp_path)
    upgrade(url)
    opened = Database.open(url)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    require_peer()
    with running_peer() as running:
        yield running


@pytest.fixture
async def relay(peer: Peer) -> AsyncIterator[Relay]:
    async with relaying(peer.port) as between:
        yield between


@pytest.fixture
async def press(peer: Peer, relay: Relay) -> AsyncIterator[OpcUaPress]:
    await peer.do("addPress", name=NAME)
    yield OpcUaPress(peer, relay.port)
    await peer.do("removeMachine", machine=NAME)


def cycles(count: int = CYCLES, *, first: int = 1) -> list[dict[str, int]]:
    return [{"key": key, "good": 2, "scrap": 1} for key in range(first, first + count)]


def once(count: int = CYCLES, *, boot: int = 1) -> dict[str, int]:
    return {f"{boot}/{key}": 1 for key in range(1, count + 1)}


async def test_cycle_after_cycle_each_is_booked_and_acknowledged_once(
    database: Database, press: OpcUaPress
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        await press.do("cycles", cycles=cycles())
        told = await press.until_done()
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert shop.good == 2 * CYCLES
        assert told["acks"] == once()
        assert told["results"] == [1] * CYCLES


@pytest.mark.parametrize("seed", [1, 2])
async def test_cut_between_phases_each_is_booked_and_acknowledged_once(
    database: Database, press: OpcUaPress, relay: Relay, seed: int
) -> None:
    chance = Random(seed)
    async with at_work(database, press) as shop:
        await shop.prepare()
        await press.do("cycles", cycles=cycles())
        for _ in range(6):
            await asyncio.sleep(chance.uniform(0.02, 0.4))  # any phase
            chance.choice([relay.cut, relay.reset])()
        told = await press.until_done(within_s=60)
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert (shop.good, told["acks"]) == (2 * CYCLES, once())


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_between_phases_each_is_booked_and_acknowledged_once(
    database: Database, press: OpcUaPress, seed: int
) -> None:
    chance = Random(seed)
    async with at_work(database, press) as shop:
        await shop.prepare()
    await press.do("cycles", cycles=cycles())
    for _ in range(5):
        async with at_work(database, press):
            await asyncio.sleep(chance.uniform(0.1, 0.6))  # any phase
    async with at_work(database, press) as shop:
        told = await press.until_done(within_s=60)
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert (shop.good, told["acks"]) == (2 * CYCLES, once())


async def test_the_engine_is_killed_between_commit_and_ack(
    database: Database, press: OpcUaPress
) -> None:
    async with at_work(database, press, writes=False) as shop:
        await shop.prepare()
        await press.do("asks", key=7, good=5)
        await until(lambda: shop.phase() is HandshakePhase.ACKNOWLEDGING)
        assert (await press.truth())["acks"] == {}
    async with at_work(database, press) as shop:
        await press.until_acked()
        assert shop.good == 5
        await press.do("givesUp")
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert shop.good == 5
        assert (await press.truth())["acks"] == {"1/7": 1}


async def test_the_engine_is_killed_between_the_write_and_its_word(
    database: Database, press: OpcUaPress
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        shop.devices.wrong = [SourceLost("gone")] * 1000
        await press.do("asks", key=7, good=5)
        await press.until_acked()
    await press.do("givesUp")
    async with at_work(database, press) as shop:
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        told = await press.truth()
        assert (shop.good, told["acks"]) == (5, {"1/7": 1})
        assert told["values"]["Ack"] is False


async def test_an_ack_that_timed_out_and_was_written_is_one_ack(
    database: Database, press: OpcUaPress
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        shop.devices.wrong = [OutcomeUnknown("no answer"), TimeoutError()]
        await press.do("cycles", cycles=cycles(1))
        told = await press.until_done()
        assert (shop.good, told["acks"]) == (2, once(1))


async def test_a_request_that_rises_while_the_network_is_down_is_done_once(
    database: Database, press: OpcUaPress, relay: Relay
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        await press.do("cycles", cycles=cycles(1))
        await press.until_done()
        relay.part()
        await press.do("cycles", cycles=cycles(1, first=2))
        await press.until(lambda told: told["values"]["Request"])
        relay.join_again()
        told = await press.until_done()
        assert (shop.good, told["acks"]) == (4, once(2))


async def test_a_payload_that_comes_after_its_request_is_booked_whole(
    database: Database, press: OpcUaPress
) -> None:
    """Within the debounce: what was read first is not what is booked."""
    press.rule = a_handshake(debounce_us=SECOND // 2)
    async with at_work(database, press) as shop:
        await shop.prepare()
        for key in range(1, 4):
            await press.do("asksTorn", key=key, good=key, tornMs=250)
            await press.until_acked()
            await press.do("givesUp")
            await press.until(lambda told: not told["values"]["Ack"])
        told = await press.truth()
        assert (shop.good, told["acks"]) == (1 + 2 + 3, once(3))


async def test_a_plc_that_restarts_in_mid_request_is_answered_afresh(
    database: Database, press: OpcUaPress
) -> None:
    async with at_work(database, press, writes=False) as shop:
        await shop.prepare()
        await press.do("asks", key=1, good=5)
        await until(lambda: shop.phase() is HandshakePhase.ACKNOWLEDGING)
        await press.do("restarts")
        await until(lambda: shop.phase() is HandshakePhase.CLEARING)
        await press.do("asks", key=1, good=6)
        shop.devices.may_write.set()
        await press.until_acked()
        told = await press.truth()
        assert (shop.good, told["acks"]) == (11, {"2/1": 1})


async def test_a_refusal_reaches_the_machine(
    database: Database, press: OpcUaPress
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare(begins=False)
        await press.do("asks", key=7, good=5)
        await press.until_acked()
        assert (await press.truth())["results"] == [2]
        assert shop.alarms() == ["request_refused"]
