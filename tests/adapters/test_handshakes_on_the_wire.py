"""Handshakes over Modbus: the engine killed, writes lost, the PLC restarted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mes_engine.core.errors import OutcomeUnknown, SourceLost
from mes_engine.core.signals import HandshakePhase
from mes_engine.migrations import upgrade
from mes_engine.storage.database import Database
from tests.adapters.handshaking import ACK, BOOT, KEY, REQUEST, Press, at_work, until
from tests.databases import url_in


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = url_in(tmp_path)
    upgrade(url)
    opened = Database.open(url)
    yield opened
    await opened.close()


@pytest.fixture
async def press() -> AsyncIterator[Press]:
    device = Press()
    await device.start()
    yield device
    await device.stop()


async def test_cycle_after_cycle_each_is_booked_and_acknowledged_once(
    database: Database, press: Press
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        for key in range(1, 11):
            await press.cycle(key, good=2, scrap=1)
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert shop.good == 20
        assert press.acks == {(1, key): 1 for key in range(1, 11)}
        assert press.results == [1] * 10


async def test_the_engine_is_killed_between_commit_and_ack(
    database: Database, press: Press
) -> None:
    async with at_work(database, press, writes=False) as shop:
        await shop.prepare()
        press.asks(7, good=5)
        await until(lambda: shop.phase() is HandshakePhase.ACKNOWLEDGING)
        assert not press.is_acked
    async with at_work(database, press) as shop:
        await until(lambda: press.is_acked)
        assert shop.good == 5
        press.gives_up()
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert shop.good == 5
        assert press.acks == {(1, 7): 1}


async def test_the_engine_is_killed_between_the_write_and_its_word(
    database: Database, press: Press
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        shop.devices.wrong = [SourceLost("gone")] * 1000
        press.asks(7, good=5)
        await until(lambda: press.is_acked)
    press.gives_up()
    async with at_work(database, press) as shop:
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert (shop.good, press.acks) == (5, {(1, 7): 1})
        assert not press.is_acked


async def test_an_ack_that_timed_out_and_was_written_is_one_ack(
    database: Database, press: Press
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        shop.devices.wrong = [OutcomeUnknown("no answer"), TimeoutError()]
        await press.cycle(7, good=5)
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert (shop.good, press.acks) == (5, {(1, 7): 1})


async def test_a_request_that_rises_while_the_engine_is_down_is_done_once_it_is_up(
    database: Database, press: Press
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
    press.asks(7, good=5)
    async with at_work(database, press) as shop:
        await until(lambda: press.is_acked)
        assert (shop.good, press.acks) == (5, {(1, 7): 1})


async def test_a_plc_that_waits_for_long_gets_its_ack_after_many_restarts(
    database: Database, press: Press
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
    press.asks(7, good=5)
    for _ in range(3):
        async with at_work(database, press) as shop:
            await until(lambda: press.is_acked)
            await until(lambda: shop.phase() is HandshakePhase.ACKNOWLEDGED)
    assert (shop.good, press.acks) == (5, {(1, 7): 1})


async def test_a_glitch_does_nothing(database: Database, press: Press) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        for _ in range(5):
            press.asks(7, good=5)
            await asyncio.sleep(0.02)  # shorter than the debounce of 50 ms
            press.gives_up()
            await asyncio.sleep(0.06)
        await press.cycle(8, good=1)
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert (shop.good, press.acks) == (1, {(1, 8): 1})


async def test_a_plc_that_restarts_may_use_its_numbers_again(
    database: Database, press: Press
) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare()
        await press.cycle(1, good=5)
        press.registers[BOOT] += 1
        await press.cycle(1, good=6)
        assert shop.good == 11
        assert press.acks == {(1, 1): 1, (2, 1): 1}


async def test_a_plc_that_restarts_in_mid_request_is_answered_afresh(
    database: Database, press: Press
) -> None:
    async with at_work(database, press, writes=False) as shop:
        await shop.prepare()
        press.asks(1, good=5)
        await until(lambda: shop.phase() is HandshakePhase.ACKNOWLEDGING)
        press.registers[BOOT] += 1
        press.registers[REQUEST] = press.registers[ACK] = press.registers[KEY] = 0
        await until(lambda: shop.phase() is HandshakePhase.CLEARING)
        press.asks(1, good=6)
        shop.devices.may_write.set()
        await until(lambda: press.is_acked)
        assert (shop.good, press.acks) == (11, {(2, 1): 1})


async def test_a_refusal_reaches_the_machine(database: Database, press: Press) -> None:
    async with at_work(database, press) as shop:
        await shop.prepare(begins=False)
        press.asks(7, good=5)
        await until(lambda: press.is_acked)
        assert press.results == [2]
        assert shop.alarms() == ["request_refused"]
        press.gives_up()
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert shop.alarms() == []


async def test_a_device_that_is_gone_gets_its_ack_when_it_is_back(
    database: Database, press: Press
) -> None:
    async with at_work(database, press, writes=False) as shop:
        await shop.prepare()
        press.asks(7, good=5)
        await until(lambda: shop.phase() is HandshakePhase.ACKNOWLEDGING)
        await press.stop()
        shop.devices.may_write.set()
        await press.start()
        await until(lambda: press.is_acked)
        press.gives_up()
        await until(lambda: shop.phase() is HandshakePhase.IDLE)
        assert (shop.good, press.acks) == (5, {(1, 7): 1})
