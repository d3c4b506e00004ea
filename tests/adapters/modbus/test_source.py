"""A Modbus link and a device with its own ideas."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mes_adapters.modbus import ADAPTER
from mes_engine.conformance.hearing import Heard, life, listening, shows
from mes_engine.conformance.network import relaying
from mes_engine.core.errors import SourceLost, SourceMisconfigured
from mes_engine.core.samples import Quality
from tests.adapters.modbus.device import Device, running_device

ILLEGAL_ADDRESS, DEVICE_FAILURE, BUSY, NO_PATH = 2, 4, 6, 11


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    async with running_device() as running:
        yield running


async def test_a_value_is_told_when_it_changes(device: Device) -> None:
    link = device.link({"good": {"address": 0}}, heartbeat_s=1000)
    async with listening(link) as heard:
        for count in (0, 5, 9):
            device.registers[1][0] = count
            await heard.until(shows("good", count))
    assert heard.values("good") == [0, 5, 9]


async def test_an_unchanged_value_is_told_again_now_and_then(device: Device) -> None:
    """So that a reader can tell unchanged from unheard."""
    link = device.link({"good": {"address": 0}}, heartbeat_s=0.05)
    async with listening(link) as heard:
        await heard.until(lambda h: len(h.of("good")) == 4)
    assert heard.values("good") == [0] * 4
    assert len(device.requests) >= 10


async def test_every_table_and_type_is_read(device: Device) -> None:
    device.registers[1][:8] = [0xFFFF, 1, 2, 0x4049, 0x0FDB, 0, 0, 7]
    device.registers[2][0] = 1
    link = device.link(
        {
            "i16": {"address": 0, "type": "i16"},
            "u32": {"address": 1, "type": "u32", "order": "ABCD"},
            "swapped": {"address": 1, "type": "u32", "order": "CDAB"},
            "f32": {"address": 3, "type": "f32", "order": "ABCD"},
            "u64": {"address": 4, "type": "u64", "order": "ABCD"},
            "input": {"address": 7, "table": "input"},
            "coil": {"unit": 2, "address": 0, "table": "coil", "type": "bool"},
            "discrete": {"unit": 2, "address": 1, "table": "discrete", "type": "bool"},
        }
    )
    async with listening(link) as heard:
        await heard.until(lambda h: len(h.samples) >= 8)
    told = {sample.tag: sample.value for sample in heard.samples}
    assert told.pop("f32") == pytest.approx(3.14159, abs=1e-5)
    assert told == {
        "i16": -1,
        "u32": 65_538,
        "swapped": 131_073,
        "u64": 0x0FDB_0000_0000_0007,
        "input": 7,
        "coil": True,
        "discrete": False,
    }


async def test_it_never_writes(device: Device) -> None:
    link = device.link({"a": {"address": 0}, "b": {"address": 1, "table": "input"}})
    async with listening(link) as heard:
        await heard.until(lambda h: len(h.samples) >= 4)
    assert {function for function, _, _ in device.requests} <= {1, 2, 3, 4}


async def test_a_refused_address_is_bad_alone(device: Device) -> None:
    """Found in the middle of a block; the rest of it goes on."""
    device.refuse = lambda unit, address, count: (
        ILLEGAL_ADDRESS if address <= 3 < address + count else 0
    )
    link = device.link({f"t{n}": {"address": n} for n in range(6)}, refused_s=0.3)
    async with listening(link) as heard:
        await heard.until(lambda h: len(h.samples) >= 6)
        assert heard.of("t3")[0].quality is Quality.BAD
        assert heard.of("t3")[0].value is None
        device.registers[1][4] = 44
        await heard.until(lambda h: h.last("t4") == 44)
        device.refuse = lambda unit, address, count: 0
        await heard.until(lambda h: h.last("t3") == 0)
    assert {s.tag for s in heard.samples if s.quality is Quality.BAD} == {"t3"}


async def test_a_refused_tag_is_asked_for_seldom(device: Device) -> None:
    device.refuse = lambda unit, address, count: ILLEGAL_ADDRESS if address else 0
    tags = {"a": {"address": 0}, "b": {"address": 30}}
    link = device.link(tags, refused_s=0.4, heartbeat_s=0.6)
    async with listening(link) as heard:
        await heard.until(lambda h: len(h.of("a")) == 2)
    asked = [address for _, address, _ in device.requests]
    assert asked.count(30) <= 6
    assert asked.count(0) >= 20


async def test_a_hole_that_cannot_be_read_costs_no_tag(device: Device) -> None:
    device.refuse = lambda unit, address, count: (
        ILLEGAL_ADDRESS if address <= 5 < address + count else 0
    )
    device.registers[1][9] = 99
    link = device.link({"a": {"address": 0}, "b": {"address": 9}})
    async with listening(link) as heard:
        await heard.until(lambda h: h.last("b") == 99 and h.last("a") == 0)
    assert all(sample.quality is Quality.GOOD for sample in heard.samples)


async def test_a_busy_device_is_asked_again(device: Device) -> None:
    moods = iter([BUSY, BUSY])
    device.refuse = lambda unit, address, count: next(moods, 0)
    device.registers[1][0] = 7
    async with listening(device.link({"good": {"address": 0}})) as heard:
        await heard.until(lambda h: h.samples)
    assert heard.values("good")[0] == 7


@pytest.mark.parametrize("exception", [BUSY, DEVICE_FAILURE, NO_PATH])
async def test_a_unit_in_trouble_is_bad_and_the_others_go_on(
    device: Device, exception: int
) -> None:
    device.refuse = lambda unit, address, count: exception if unit == 2 else 0
    tags = {"one": {"unit": 1, "address": 0}, "two": {"unit": 2, "address": 0}}
    units = {2: {"breaker": {"probe_s": 0.1}}}
    async with listening(device.link(tags, units=units)) as heard:
        await heard.until(lambda h: h.of("two"))
        assert heard.of("two")[0].quality is Quality.BAD
        device.registers[1][0] = 3
        await heard.until(lambda h: h.last("one") == 3)
        device.refuse = lambda unit, address, count: 0
        await heard.until(lambda h: h.last("two") == 0)


async def test_a_device_that_refuses_everything_is_misconfigured(
    device: Device,
) -> None:
    device.refuse = lambda unit, address, count: ILLEGAL_ADDRESS
    heard, error = await life(device.link({"good": {"address": 0}}, settle_s=0))
    assert isinstance(error, SourceMisconfigured)
    assert heard.all == []


async def test_a_link_that_no_signal_uses_is_misconfigured(device: Device) -> None:
    _, error = await life(device.link({}))
    assert isinstance(error, SourceMisconfigured)


async def test_a_device_may_take_its_time_to_start(device: Device) -> None:
    device.refuse = lambda unit, address, count: ILLEGAL_ADDRESS
    async with listening(device.link({"good": {"address": 0}})) as heard:
        async with asyncio.timeout(10):
            while len(device.requests) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert heard.all == []
        device.refuse = lambda unit, address, count: 0
        await heard.until(lambda h: h.last("good") == 0)


async def test_a_device_that_worked_before_is_not_given_up(device: Device) -> None:
    """It may be being loaded: a retry can help."""
    link = device.link({"good": {"address": 0}}, settle_s=0)
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
    device.refuse = lambda unit, address, count: ILLEGAL_ADDRESS
    _, error = await life(link)
    assert isinstance(error, SourceLost)


async def test_a_gateway_without_a_way_to_any_unit_is_lost(device: Device) -> None:
    device.refuse = lambda unit, address, count: NO_PATH
    _, error = await life(device.link({"good": {"address": 0}}))
    assert isinstance(error, SourceLost)


async def test_a_restarted_device_tells_where_its_counter_is(device: Device) -> None:
    link = device.link({"good": {"address": 0}})
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
        await device.stop()
        await heard.until(lambda h: h.end)
    assert isinstance(heard.end, SourceLost)
    device.registers[1][0] = 321
    await device.start()
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
    assert heard.values("good")[0] == 321


async def test_a_late_answer_is_never_another_ones(device: Device) -> None:
    """The answer to the request before comes once more, ahead of the right one."""
    device.registers[1][0], device.registers[1][10] = 11, 22
    before = b""

    def late(data: bytes) -> bytes:
        nonlocal before
        both, before = before + data, data
        return both

    async with relaying(device.port) as relay:
        relay.answers = late
        device.port = relay.port
        link = device.link(
            {"a": {"address": 0}, "b": {"address": 10}}, max_hole=0, heartbeat_s=0.001
        )
        async with listening(link) as heard:
            await heard.until(lambda h: len(h.samples) >= 30)
    assert set(heard.values("a")) == {11}
    assert set(heard.values("b")) == {22}


async def test_answers_of_the_wrong_length_are_refused() -> None:
    """One register where two were asked for: half a counter."""
    is_closed = asyncio.Event()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = await reader.readexactly(12)
        short = bytes([3, 2, 0, 9])
        writer.write(request[:4] + bytes([0, 1 + len(short)]) + request[6:7] + short)
        await reader.read()
        writer.close()
        is_closed.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        settings = ADAPTER.settings.model_validate(
            {"url": f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
        )
        tag = {"table": "holding", "address": 0, "type": "u32", "order": "ABCD"}
        link = ADAPTER.open("x", settings, {"good": ADAPTER.tag.model_validate(tag)})
        heard, error = await life(link)
        async with asyncio.timeout(5):
            await is_closed.wait()
    assert isinstance(error, SourceLost)
    assert heard.all == []


async def test_noise_for_an_answer_is_lost_in_bounded_time(device: Device) -> None:
    async with relaying(device.port) as relay:
        relay.answers = lambda data: bytes(reversed(data)) * 3
        device.port = relay.port
        heard, error = await life(device.link({"good": {"address": 0}}), within_s=5)
    assert isinstance(error, SourceLost)
    assert heard.samples == []


async def test_a_slow_engine_is_waited_for(device: Device) -> None:
    """Values are absolute, so that leaving polls out loses nothing."""
    link = device.link({"good": {"address": 0}})
    async with listening(link, emit_delay_s=0.2) as heard:
        await heard.until(lambda h: h.samples)
        polls = len(device.requests)
        device.registers[1][0] = 8
        await heard.until(lambda h: h.last("good") == 8)
    assert len(device.requests) - polls < 15


async def test_the_time_of_a_sample_is_between_request_and_answer(
    device: Device,
) -> None:
    def told(heard: Heard) -> bool:
        return len(heard.samples) >= 3

    async with listening(
        device.link({"good": {"address": 0}}, heartbeat_s=0.001)
    ) as heard:
        await heard.until(told)
    times = [sample.received_at for sample in heard.samples]
    assert times == sorted(times)
    assert all(sample.source_at is None for sample in heard.samples)
    assert heard.reports[0].at >= times[0]
