"""The link against a broker and an edge node of other makers, over sockets."""

import asyncio
import json
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mes_adapters.sparkplug import ADAPTER
from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag
from mes_adapters.sparkplug.source import SparkplugLink, heed_cancelling
from mes_engine.conformance.hearing import Heard, life, listening, shows, supervised
from mes_engine.conformance.network import relaying
from mes_engine.core.errors import (
    Malformed,
    OutcomeUnknown,
    Overloaded,
    Refused,
    SourceLost,
    SourceMisconfigured,
    SourceRefused,
)
from mes_engine.core.samples import LinkState, Origin, Quality, Recovered, Report
from tests.adapters.sparkplug.peers import (
    GOOD,
    OFFSET,
    ORDER,
    STATE,
    TAGS,
    TEMPERATURE,
    UPTIME,
    Peer,
    a_certificate,
    a_link,
    broker,
    edge_node,
)

HOST_TOPIC, CLIENT = "spBv1.0/STATE/mes-1", "mes-press-link"


def connected(heard: Heard) -> bool:
    return bool(heard.reports) and heard.reports[-1].state is LinkState.CONNECTED


def has_all(heard: Heard) -> bool:
    return {one.tag for one in heard.samples} == set(TAGS)


@pytest.mark.parametrize("options", [(), ("--aliases",), ("--compress",)])
async def test_a_birth_tells_everything_and_data_what_changes(options: Any) -> None:
    with broker() as mqtt, edge_node(mqtt.port, *options, "--start", "41") as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            assert heard.reports[0].state is LinkState.CONNECTED
            assert {one.origin for one in heard.samples} == {Origin.INITIAL}
            assert heard.last(GOOD) == 41
            assert heard.last(OFFSET) == -5
            assert heard.last(UPTIME) == 12
            assert heard.last(TEMPERATURE) == 21.5

            node.tell("set", name="Good/Count", value=42)
            await heard.until(shows(GOOD, 42))

            last = heard.of(GOOD)[-1]
            assert last.origin is Origin.LIVE
            assert last.quality is Quality.GOOD
            assert last.source_at is not None
            assert last.source_at <= last.received_at + 1000


async def test_every_count_comes_once_and_in_order() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            node.tell("count", name="Good/Count", every_s=0.002)
            await heard.until(lambda one: len(one.of(GOOD)) > 600)
            truth = node.tell("halt")["Good/Count"]
            await heard.until(shows(GOOD, truth))

            assert heard.counts(GOOD) == list(range(truth + 1))
            assert heard.gaps == []


async def test_a_lost_message_is_told_and_a_birth_asked_for() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        async with listening(a_link(mqtt.port, reorder_s=0.3)) as heard:
            await heard.until(has_all)
            births = node.tell("births")
            mqtt.tell("lose", topic="DDATA", times=2)
            for value in range(1, 6):
                node.tell("set", name="Good/Count", value=value)
            await heard.until(lambda one: one.gaps and shows(GOOD, 5)(one))

            (gap,) = heard.gaps
            assert gap.recovered is Recovered.NONE
            assert "2 messages" in gap.reason
            await heard.until(lambda one: one.of(GOOD)[-1].origin is Origin.INITIAL)
            assert node.tell("births") == births + 1
            assert sorted(heard.counts(GOOD)) == heard.counts(GOOD)


async def test_a_node_that_is_killed_is_disconnected_until_it_is_born_again() -> None:
    with broker() as mqtt:
        async with listening(a_link(mqtt.port)) as heard:
            with edge_node(mqtt.port) as node:
                await heard.until(has_all)
                node.kill()
                await heard.until(lambda one: not connected(one))
                assert "has died" in heard.reports[-1].reason
            with edge_node(mqtt.port, "--start", "7"):
                await heard.until(lambda one: connected(one) and shows(GOOD, 7)(one))

            assert [one.recovered for one in heard.gaps] == [Recovered.NONE]


async def test_a_dead_device_leaves_its_tags_unknown_and_the_node_connected() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            node.tell("lose_device")
            await heard.until(lambda one: one.reports[-1].missing)

            assert set(heard.reports[-1].missing) == TAGS.keys() - {UPTIME}
            assert connected(heard)
            assert heard.of(GOOD)[-1].quality is Quality.BAD
            assert heard.last(UPTIME) == 12
            node.tell("bear_device")
            await heard.until(lambda one: not one.reports[-1].missing)
            assert heard.last(GOOD) == 0


async def test_a_tag_that_was_not_born_degrades_the_link_alone() -> None:
    tags = {**TAGS, "press.speed": SparkplugTag(device="press", metric="Speed")}
    with broker() as mqtt, edge_node(mqtt.port) as node:
        async with listening(a_link(mqtt.port, tags=tags)) as heard:
            await heard.until(lambda one: one.reports and one.reports[-1].missing)
            assert heard.reports[-1].missing == ("press.speed",)
            assert heard.of("press.speed")[-1].quality is Quality.BAD
            node.tell("set", name="Good/Count", value=3)
            await heard.until(shows(GOOD, 3))


async def test_bad_quality_has_no_value() -> None:
    with broker() as mqtt, edge_node(mqtt.port, "--start", "9") as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            node.tell("bad", name="Good/Count")
            await heard.until(lambda one: one.of(GOOD)[-1].quality is Quality.BAD)
            assert heard.last(GOOD) is None


async def test_what_a_node_kept_comes_as_history() -> None:
    with broker() as mqtt, edge_node(mqtt.port, "--start", "9") as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            node.tell("history", name="Good/Count", values=[[7, 1000], [8, 2000]])
            await heard.until(lambda one: len(one.of(GOOD)) >= 3)

            late = heard.of(GOOD)[-2:]
            assert [one.origin for one in late] == [Origin.BACKFILL] * 2
            assert [one.source_at for one in late] == [1_000_000, 2_000_000]


async def test_a_metric_that_nobody_was_born_with_asks_for_a_birth() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            births = node.tell("births")
            node.tell("unknown_metric")
            await heard.until(lambda one: len(one.of(UPTIME)) > 1)
            assert node.tell("births") == births + 1


BOMB = zlib.compress(b"\0" * 50_000_000)
LENGTH = bytes([len(BOMB) & 0x7F | 0x80, len(BOMB) >> 7 & 0x7F | 0x80, len(BOMB) >> 14])
HOSTILE = {
    "no payload": b"\xff\xff\xff\xff",
    "a bomb": b"\x22\x12SPBV1.0_COMPRESSED\x2a" + LENGTH + BOMB,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
async def test_what_cannot_be_read_stops_nothing(raw: bytes) -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        async with listening(a_link(mqtt.port)) as heard:
            await heard.until(has_all)
            node.publish("spBv1.0/line/DDATA/cell/press", raw)
            node.tell("set", name="Good/Count", value=5)
            await heard.until(shows(GOOD, 5))
            assert heard.end is None


async def test_writes_once_and_tells_what_the_node_has() -> None:
    with broker() as mqtt, edge_node(mqtt.port, "--aliases") as node:
        link = a_link(mqtt.port)
        async with listening(link) as heard:
            await heard.until(has_all)
            result = await link.write(OFFSET, -7, expect=-5)

            assert result.is_verified
            assert result.value == -7
            assert node.tell("commanded") == [["Offset", -7]]
            await heard.until(shows(OFFSET, -7))
            again = await link.write(OFFSET, -7)
            assert again.is_verified


async def test_refuses_to_write_what_it_should_not() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        link = a_link(mqtt.port)
        with pytest.raises(SourceLost):
            await link.write(ORDER, "WR-1")
        async with listening(link) as heard:
            await heard.until(has_all)
            with pytest.raises(Refused, match="not a tag to be written"):
                await link.write(GOOD, 3)
            with pytest.raises(Refused, match="holds -5, not 4"):
                await link.write(OFFSET, 3, expect=4)
            with pytest.raises(Malformed, match="does not fit INT16"):
                await link.write(OFFSET, 40_000)
            with pytest.raises(Malformed, match="does not fit STRING"):
                await link.write(ORDER, 4)
            assert node.tell("commanded") == []


async def test_a_node_that_does_not_answer_leaves_the_outcome_unknown() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        link = a_link(mqtt.port, answer_s=0.3)
        async with listening(link) as heard:
            await heard.until(has_all)
            node.tell("deaf", is_deaf=True)
            with pytest.raises(OutcomeUnknown):
                await link.write(ORDER, "WR-1")
            assert node.tell("commanded") == [["Order", "WR-1"]]


async def test_a_broker_that_goes_ends_the_life_and_the_next_tells_the_gap() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        link = a_link(mqtt.port)
        async with listening(link) as heard:
            await heard.until(has_all)
            mqtt.tell("throw", client="mes-press-link")
            await heard.until(lambda one: one.end)
            assert isinstance(heard.end, SourceLost)
        node.tell("set", name="Good/Count", value=3)
        async with listening(link) as heard:
            await heard.until(shows(GOOD, 3))
            assert connected(heard)
            assert [one.recovered for one in heard.gaps] == [Recovered.NONE]


async def test_a_broker_that_falls_silent_counts_as_lost() -> None:
    with broker() as mqtt, edge_node(mqtt.port):
        link = a_link(mqtt.port, keepalive_s=1)
        async with relaying(mqtt.port) as relay:
            link = a_link(relay.port, keepalive_s=1, connect_s=2)
            async with listening(link) as heard:
                await heard.until(has_all)
                relay.part()
                await heard.until(lambda one: one.end)
                assert isinstance(heard.end, SourceLost)


async def test_slow_listeners_lose_nothing_that_they_are_not_told_of() -> None:
    with broker() as mqtt, edge_node(mqtt.port) as node:
        link = a_link(mqtt.port, queue=10, reorder_s=0.2)
        async with listening(link, emit_delay_s=0.02) as heard:
            await heard.until(has_all)
            node.tell("count", name="Good/Count", every_s=0.001)
            await heard.until(lambda one: one.gaps, within_s=30)
            truth = node.tell("halt")["Good/Count"]
            await heard.until(shows(GOOD, truth), within_s=30)

            live = [one for one in heard.of(GOOD) if one.origin is Origin.LIVE]
            values = [one.value for one in live]
            assert len(set(values)) == len(values)


async def test_tells_the_host_state_and_that_it_is_gone() -> None:
    with broker() as mqtt, edge_node(mqtt.port):
        async with listening(a_link(mqtt.port, host="mes-1")) as heard:
            await mqtt.until_seen("STATE/mes-1", '"online": true')
            mqtt.tell("throw", client="mes-press-link")
            await heard.until(lambda one: one.end)
        await mqtt.until_seen("STATE/mes-1", '"online": false')


def states(mqtt: Peer) -> list[tuple[bool, int]]:
    """Return what was said of the host: whether it is online, and since when."""
    said = [json.loads(one) for one in mqtt.tell("seen", topic=HOST_TOPIC)]
    return [(one["online"], one["timestamp"]) for one in said]


async def test_an_orderly_end_is_told_once_and_leaves_no_will() -> None:
    with broker() as mqtt:
        async with listening(a_link(mqtt.port, host="mes-1")):
            await mqtt.until_seen(HOST_TOPIC, '"online": true')
            await mqtt.until_seen("NCMD")
            await asyncio.sleep(0.01)  # a birth and a death have times of their own
        assert await asyncio.to_thread(mqtt.tell, "until_left", client=CLIENT)
        (is_born, born_at), (is_alive, died_at) = states(mqtt)
        assert (is_born, is_alive) == (True, False)
        assert died_at > born_at


async def test_a_broken_connection_leaves_the_will_with_the_time_of_the_birth() -> None:
    with broker() as mqtt:
        async with supervised(a_link(mqtt.port, host="mes-1")):
            await mqtt.until_seen(HOST_TOPIC, '"online": true')
            mqtt.tell("throw", client=CLIENT)
            await until(lambda: len(states(mqtt)) >= 3)
            (_, born_at), will, (is_back, again_at) = states(mqtt)
            assert will == (False, born_at)
            assert is_back
            assert again_at > born_at


async def test_the_will_of_an_earlier_connection_is_contradicted() -> None:
    with broker() as mqtt:
        async with listening(a_link(mqtt.port, host="mes-1")) as heard:
            await mqtt.until_seen(HOST_TOPIC, '"online": true')
            ((_, born_at),) = states(mqtt)
            late = json.dumps({"online": False, "timestamp": born_at - 1})
            for text in ("what?", "[]", late):
                mqtt.tell("say", topic=HOST_TOPIC, text=text)
            told = [*("what?", "[]", late)]
            await until(
                lambda: len(mqtt.tell("seen", topic=HOST_TOPIC)) > len(told) + 1
            )
            last = mqtt.tell("seen", topic=HOST_TOPIC)[-1]
            assert json.loads(last) == {"online": True, "timestamp": born_at}
            assert heard.end is None


async def test_two_hosts_of_one_name_do_not_take_turns_for_ever() -> None:
    with broker() as mqtt:
        async with listening(a_link(mqtt.port, host="mes-1")) as heard:
            await mqtt.until_seen(HOST_TOPIC, '"online": true')
            ((_, born_at),) = states(mqtt)
            dead = json.dumps({"online": False, "timestamp": born_at + 1000})
            mqtt.tell("say", topic=HOST_TOPIC, text=dead)
            await heard.until(lambda one: one.end)
            assert "Somebody else" in str(heard.end)
        assert await asyncio.to_thread(mqtt.tell, "until_left", client=CLIENT)
        assert len(states(mqtt)) == 2, "what it has said itself would end the other one"


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 of another program
            await asyncio.sleep(0.02)


async def test_a_wrong_password_is_refused_and_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BROKER_PW", "wrong")
    with broker("--user", "mes:secret") as mqtt:
        link = a_link(mqtt.port, login={"user": "mes", "password_env": "BROKER_PW"})
        _, end = await life(link)
        assert isinstance(end, SourceRefused)
        assert mqtt.tell("logins") == 1
        monkeypatch.setenv("BROKER_PW", "secret")
        async with listening(link) as heard:
            await mqtt.until_seen("NCMD")
            assert heard.end is None


# paho-mqtt leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_a_certificate_is_known_by_who_signed_it(
    tmp_path: Path,
) -> None:
    made = a_certificate(tmp_path)
    with broker("--key", str(made.key), "--cert", str(made.certificate)) as mqtt:
        url = f"mqtts://127.0.0.1:{mqtt.port}"
        trusting = a_link(mqtt.port, url=url, tls={"ca": str(made.certificate)})
        async with listening(trusting):
            await mqtt.until_seen("NCMD")

        _, end = await life(a_link(mqtt.port, url=url))
        assert isinstance(end, SourceRefused)
        assert "certificate" in str(end)


async def test_a_password_that_is_not_set_is_a_mistake_of_ours() -> None:
    login = {"user": "mes", "password_env": "MES_TEST_NOT_SET"}
    _, end = await life(a_link(1, login=login))
    assert isinstance(end, SourceMisconfigured)


async def test_a_broker_that_is_not_there_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
    _, end = await life(a_link(port))
    assert isinstance(end, SourceLost)
    assert str(port) in str(end)


def test_two_tags_of_one_metric_do_not_go_together() -> None:
    assert ADAPTER.check is not None
    tags = {"a.x": TAGS[STATE], "b.x": TAGS[STATE]}
    settings = SparkplugSettings(url="mqtt://broker", group="line", node="cell")
    (found,) = ADAPTER.check(settings, tags)
    assert (found.tag, found.key) == ("b.x", "metric")
    assert isinstance(ADAPTER.open("x", settings, tags), SparkplugLink)


async def test_an_engine_that_takes_no_more_is_heard_of_as_that() -> None:
    async def emit(_report: Report) -> None:
        raise Overloaded("full")

    with broker() as mqtt, edge_node(mqtt.port), pytest.raises(Overloaded):
        await a_link(mqtt.port).run(emit)


async def test_a_cancellation_that_the_library_swallows_is_heeded() -> None:
    """As by ``asyncio.wait_for`` in Python 3.11, when the answer has just come."""
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    went_on = False

    async def link() -> None:
        nonlocal went_on
        with suppress(asyncio.CancelledError):
            await answered
        heed_cancelling()
        went_on = True

    task = asyncio.create_task(link())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert not went_on
    heed_cancelling()  # Nobody cancels this one.
