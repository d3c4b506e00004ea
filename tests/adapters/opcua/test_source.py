"""An OPC UA link and a server with its own ideas."""

import asyncio
import gc

import pytest
from asyncua import ua

from mes_adapters.opcua import ADAPTER
from mes_adapters.opcua.connection import limit_node
from mes_engine.conformance.hearing import life, listening, shows
from mes_engine.conformance.network import relaying
from mes_engine.core.errors import SourceLost, SourceMisconfigured
from mes_engine.core.samples import LinkReport, LinkState, Quality
from tests.adapters.opcua.conftest import URI, Line

pytestmark = pytest.mark.asyncio(loop_scope="session")

BAD_COMMUNICATION = ua.StatusCodes.BadCommunicationError


async def test_the_present_values_come_first(line: Line) -> None:
    """From the namespace of that name, not from the decoy with the lower index."""
    async with listening(line.link("good", "state")) as heard:
        await heard.until(lambda h: len(h.samples) == 2)
    first, *samples = heard.all
    assert isinstance(first, LinkReport)
    assert first.state is LinkState.CONNECTED
    assert {s.tag: s.value for s in heard.samples} == {"good": 10, "state": 4}
    assert len(samples) == 2


async def test_every_change_arrives_in_order_with_the_servers_time(line: Line) -> None:
    async with listening(line.link("good")) as heard:
        await heard.until(shows("good", 10))
        for count in range(11, 311):
            await line.write("good", count)
        await heard.until(shows("good", 310))
    assert heard.values("good") == list(range(10, 311))


async def test_a_slow_engine_loses_nothing(line: Line) -> None:
    """The server keeps what we do not ask for yet."""
    slow = line.link("good", lifetime_s=20)  # longer than the engine takes for it all
    async with listening(slow, emit_delay_s=0.02) as heard:
        await heard.until(shows("good", 10))
        for count in range(11, 91):
            await line.write("good", count)
            await asyncio.sleep(0)
        await heard.until(shows("good", 90))
    assert heard.values("good") == list(range(10, 91))


async def test_a_bad_value_is_no_reset_of_the_counter(line: Line) -> None:
    async with listening(line.link("good")) as heard:
        await heard.until(shows("good", 10))
        await line.write("good", 0, status=BAD_COMMUNICATION)
        await heard.until(lambda h: h.of("good")[-1].quality is Quality.BAD)
        await line.write("good", 11)
        await heard.until(shows("good", 11))
    assert heard.values("good") == [10, None, 11]


async def test_a_node_that_is_not_there_is_bad_alone(line: Line) -> None:
    """And found as soon as it appears."""
    async with listening(line.link("good", "late")) as heard:
        await heard.until(lambda h: h.of("good") and h.of("late"))
        assert heard.of("late")[0].quality is Quality.BAD
        await line.write("good", 12)
        await heard.until(shows("good", 12))
        await line.add("late", 77)
        await heard.until(shows("late", 77))
        await line.write("late", 78)
        await heard.until(shows("late", 78))
    assert heard.end is None


# asyncua does not await what it means to report here, so nothing is reported.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_node_that_is_removed_without_a_word_is_found_again(
    line: Line,
) -> None:
    """As when a PLC is loaded: seen by reading, and watched anew when it is back."""
    await line.add("gone", 5)
    async with listening(line.link("good", "gone")) as heard:
        await heard.until(shows("gone", 5))
        await line.remove("gone")
        await heard.until(lambda h: h.of("gone")[-1].quality is Quality.BAD)
        await line.add("gone", 6)
        await heard.until(shows("gone", 6))
        await line.write("good", 11)
        await heard.until(shows("good", 11))
        gc.collect()
    assert heard.end is None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_node_that_is_exchanged_between_two_checks_is_watched_anew(
    line: Line,
) -> None:
    """It answers when read, and its changes are not reported: the old one's were."""
    await line.add("new", 5)
    async with listening(line.link("new")) as heard:
        await heard.until(shows("new", 5))
        await line.remove("new")
        await line.add("new", 6)
        await heard.until(shows("new", 6))
        await line.write("new", 7)
        await heard.until(shows("new", 7))
        gc.collect()
    assert heard.end is None


async def test_a_server_with_none_of_the_nodes_is_misconfigured(line: Line) -> None:
    heard, error = await life(line.link("nope", "neither", settle_s=0))
    assert isinstance(error, SourceMisconfigured)
    assert "none of the 2 nodes" in str(error)
    assert heard.all == []


async def test_a_link_that_no_signal_uses_still_tells_whether_it_is_up(
    line: Line,
) -> None:
    async with listening(line.link(settle_s=0)) as heard:
        await heard.until(lambda h: h.reports)
    assert heard.end is None


async def test_a_server_may_take_its_time_to_have_its_nodes(line: Line) -> None:
    async with listening(line.link("late")) as heard:
        async with asyncio.timeout(5):
            while not line.subscriptions:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await line.add("late", 3)
        await heard.until(shows("late", 3))
    assert len(heard.reports) == 1
    assert heard.all[0] == heard.reports[0]


async def test_a_server_that_worked_before_is_not_given_up(line: Line) -> None:
    await line.add("soon", 1)
    link = line.link("soon", settle_s=0)
    async with listening(link) as heard:
        await heard.until(shows("soon", 1))
    await line.remove("soon")
    _, error = await life(link)
    assert isinstance(error, SourceLost)


async def test_a_namespace_that_is_not_there_is_misconfigured(line: Line) -> None:
    settings = {"url": f"opc.tcp://127.0.0.1:{line.port}/line", "settle_s": 0}
    tag = ADAPTER.tag.model_validate({"ns": f"{URI}:other", "id": "s=good"})
    link = ADAPTER.open("x", ADAPTER.settings.model_validate(settings), {"t": tag})
    _, error = await life(link)
    assert isinstance(error, SourceMisconfigured)


async def test_no_session_is_left_behind(line: Line) -> None:
    """A PLC has few: not when told to end, and not when misconfigured."""
    async with listening(line.link("good")) as heard:
        await heard.until(lambda h: h.samples)
        assert line.subscriptions == 1
    await line.until_forgotten()
    await life(line.link("nope", settle_s=0))
    await line.until_forgotten()


async def test_a_report_that_cannot_be_read_starts_afresh(line: Line) -> None:
    """asyncua logs and drops it; the gap in the numbers gives it away."""
    mark = b"\x07\x0f\x27\x00\x00"  # a UInt32 of 9999, on the wire
    async with relaying(line.port) as relay:
        link = line.link("good", port=relay.port)
        async with listening(link) as heard:
            await heard.until(shows("good", 10))
            relay.answers = lambda data: data.replace(mark, b"\x3f" + mark[1:])
            await line.write("good", 9999)
            await heard.until(lambda h: h.end, within_s=10)
        assert isinstance(heard.end, SourceLost)
        assert heard.values("good") == [10]
        relay.answers = bytes
        async with listening(link) as heard:
            await heard.until(shows("good", 9999))


async def test_a_server_whose_clock_stands_still_is_lost(line: Line) -> None:
    """It still sends keep-alives: connected, and silent."""
    clock = line.server.iserver.time_task
    assert clock is not None
    link = line.link("good", silent_s=1.5)
    async with listening(link) as heard:
        await heard.until(shows("good", 10))
        clock.cancel()
        try:
            await heard.until(lambda h: h.end, within_s=5)
        finally:
            loop = asyncio.get_running_loop()
            line.server.iserver.time_task = loop.create_task(
                line.server.iserver._set_current_time_loop()  # noqa: SLF001
            )
    assert isinstance(heard.end, SourceLost)
    assert "has said nothing" in str(heard.end)


async def test_a_stall_shorter_than_the_silence_loses_nothing(line: Line) -> None:
    async with relaying(line.port) as relay:
        async with listening(line.link("good", port=relay.port)) as heard:
            await heard.until(shows("good", 10))
            relay.hold()
            for count in range(11, 51):
                await line.write("good", count)
            await relay.until_holding()
            relay.release()
            await heard.until(shows("good", 50))
        assert heard.values("good") == list(range(10, 51))
        assert heard.end is None


async def test_ten_lives_in_a_row_leave_nothing_behind(line: Line) -> None:
    """Cut each time: the count is right each time, and the server forgets us."""
    async with relaying(line.port) as relay:
        link = line.link("good", port=relay.port, lifetime_s=1)
        for count in range(100, 110):
            await line.write("good", count)
            has_shown = False
            while not has_shown:  # this server once takes a transfer, and is silent
                async with listening(link) as heard:
                    await heard.until(lambda h: h.end or h.last("good") == count)  # noqa: B023
                    has_shown = heard.last("good") == count
                    relay.cut()
                    await heard.until(lambda h: h.end, within_s=5)
    await line.until_forgotten()


async def test_more_nodes_than_the_server_takes_at_a_time(line: Line) -> None:
    names = [f"n{number}" for number in range(25)]
    for number, name in enumerate(names):
        await line.add(name, number)
    limit = line.server.get_node(limit_node("items"))
    before = await limit.read_value()
    await limit.write_value(ua.Variant(10, ua.VariantType.UInt32))
    try:
        async with listening(line.link(*names)) as heard:
            await heard.until(lambda h: len(h.samples) == 25)
    finally:
        await limit.write_value(ua.Variant(before, ua.VariantType.UInt32))
    told = {sample.tag: sample.value for sample in heard.samples}
    assert told == {name: number for number, name in enumerate(names)}


async def test_a_server_that_is_none_is_lost_in_bounded_time() -> None:
    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = {"url": f"opc.tcp://127.0.0.1:{port}", "request_timeout_s": 0.5}
        tag = ADAPTER.tag.model_validate({"ns": URI, "id": "s=x"})
        link = ADAPTER.open("x", ADAPTER.settings.model_validate(settings), {"t": tag})
        _, error = await life(link, within_s=10)
    assert isinstance(error, SourceLost)
