"""Messages of a machine: none is missing that its server has, and none doubled."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.core.samples import Origin
from tests.adapters.opcua.ground import MACHINE, Peers
from tests.adapters.opcua.judge import Watched, supervised
from tests.adapters.opcua.peer import URI, require_peer
from tests.adapters.opcua.telling import (
    CYCLE,
    CYCLE_TYPE,
    JAM,
    Stage,
    events,
    gaps,
    listening_link,
    refreshes,
    telling,
)

Fault = Callable[[Stage], Awaitable[None]]


@pytest.fixture(scope="session")
def peers() -> Iterator[Peers]:
    require_peer()
    with Peers() as running:
        yield running


async def nothing(stage: Stage) -> None:
    await stage.more()


async def drop(stage: Stage) -> None:
    stage.relay.cut()


async def reset(stage: Stage) -> None:
    for _ in range(3):
        stage.relay.reset()
        await stage.more()


async def partition(stage: Stage) -> None:
    stage.relay.part()
    await until_lost(stage.heard)
    stage.relay.join_again()


async def stall(stage: Stage) -> None:
    stage.relay.hold()
    await until_lost(stage.heard)
    stage.relay.release()


async def sessions_killed(stage: Stage) -> None:
    await stage.peer.do("killSessions")


async def subscriptions_killed(stage: Stage) -> None:
    await stage.peer.do("killSubscriptions")


async def busy_loop(stage: Stage) -> None:
    await stage.peer.do("freeze", ms=4500)
    await until_lost(stage.heard)
    await stage.peer.do("told", machine=MACHINE)


async def until_lost(heard: Watched) -> None:
    await heard.until(lambda h: h.reports[-1].state.value == "disconnected")


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    "fault",
    [
        nothing,
        drop,
        reset,
        partition,
        stall,
        sessions_killed,
        subscriptions_killed,
        busy_loop,
    ],
    ids=lambda one: one.__name__,
)
async def test_no_message_is_missing_that_the_server_still_has(
    fault: Fault, peers: Peers
) -> None:
    async with telling(peers) as stage:
        await fault(stage)
        found = await stage.end()
        assert (found.missing, found.doubled, found.out_of_order) == (0, 0, 0), found
        assert "none" not in gaps(stage.heard)
        if "killed" in fault.__name__:
            assert gaps(stage.heard) == ["all"]
            assert any(one.origin is Origin.BACKFILL for one in events(stage.heard))


@pytest.mark.timeout(90)
async def test_beyond_the_lifetime_of_the_subscription_history_has_them(
    peers: Peers,
) -> None:
    async with telling(peers, lifetime_s=3) as stage:
        stage.relay.part()
        await until_lost(stage.heard)
        await asyncio.sleep(4)  # what lasts, is: the server has to forget
        stage.relay.join_again()
        found = await stage.end()
        assert (found.missing, found.doubled) == (0, 0), found
        assert gaps(stage.heard) == ["all"]


@pytest.mark.timeout(90)
async def test_what_is_nowhere_any_more_is_told_as_a_gap(peers: Peers) -> None:
    async with telling(peers, machine={"keepsEvents": False}) as stage:
        await stage.peer.do("killSessions")
        found = await stage.end()
        assert found.doubled == 0
        assert gaps(stage.heard) == ["none"]


@pytest.mark.timeout(90)
async def test_a_server_that_is_replaced_has_forgotten_and_that_is_told(
    peers: Peers,
) -> None:
    async with telling(peers, server={}) as stage:
        told = await stage.peer.do("told", machine=MACHINE)
        stage.peer.kill()
        stage.relay.cut()
        machine = {"name": MACHINE, "keepsEvents": True, "events": told + 30}
        peer = peers.start(machines=[machine], decoys=["urn:peer:decoy"])
        await peer.do("tell", machine=MACHINE, everyMs=20)
        stage.peer, stage.relay.target = peer, peer.port
        found = await stage.end()
        assert found.doubled == 0
        assert found.missing >= 30
        assert gaps(stage.heard) in (["part"], ["none"])


@pytest.mark.timeout(90)
async def test_after_a_restart_of_ours_what_was_told_meanwhile_is_fetched(
    peers: Peers,
) -> None:
    async with telling(peers) as stage:
        stage.relay.part()
        await until_lost(stage.heard)
        keys = {one.key for one in events(stage.heard)}
        at = events(stage.heard)[-1].received_at
        stage.relay.join_again()
        link = listening_link(stage.relay.port)
        link.resume_from(at)
        async with supervised(link) as heard:
            await stage.peer.do("tell", machine=MACHINE, everyMs=0)
            last = await stage.peer.do("told", machine=MACHINE)
            await heard.until(lambda h: events(h) and int(events(h)[-1].key) == last)  # type: ignore[arg-type]
            again = [one.key for one in events(heard)]
            assert keys | set(again) == {str(n) for n in range(1, last + 1)}
            assert len(again) == len(set(again))
            assert "part" in gaps(heard)  # it cannot know that this is all


@pytest.mark.timeout(90)
async def test_dropped_messages_are_fetched(peers: Peers) -> None:
    async with telling(peers, every_ms=0, queue=5, publish_ms=400) as stage:
        await stage.peer.do("tellCycles", machine=MACHINE, count=50, overflows=True)
        await stage.peer.do("tell", machine=MACHINE, everyMs=100)
        found = await stage.end()
        assert (found.missing, found.doubled) == (0, 0), found
        assert gaps(stage.heard)


async def test_a_message_says_what_was_asked_of_it(peers: Peers) -> None:
    severe = {**CYCLE, "severity_min": 500, "key": None}
    asked = {"cycle": severe, "every": {"type": {"path": CYCLE_TYPE}}}
    async with telling(peers, every_ms=0, events=asked) as stage:
        for serial, severity in (("a", 499), ("b", 500)):
            how = {"serial": serial, "scrap": True, "severity": severity}
            await stage.peer.do("cycle", machine=MACHINE, **how)
        await stage.heard.until(lambda h: len(events(h, "every")) == 2)  # type: ignore[arg-type]
        (only,) = events(stage.heard)
        assert only.fields == {"serial": "b", "scrap": True, "source": MACHINE}
        assert (only.severity, only.text) == (500, "cycle complete")
        assert only.key == events(stage.heard, "every")[1].key
        assert only.source_at is not None


@pytest.mark.timeout(90)
@pytest.mark.parametrize("is_jammed", [True, False])
async def test_an_alarm_is_right_in_the_end_whatever_was_missed_of_it(
    peers: Peers,
    is_jammed: bool,  # noqa: FBT001
) -> None:
    async with telling(peers, every_ms=0, lifetime_s=3) as stage:
        before = len(refreshes(stage.heard))
        how = {"machine": MACHINE, "text": "stuck"}
        await stage.peer.do("jam", **{"is": not is_jammed}, **how)
        await stage.heard.until(lambda h: events(h, "jam"))  # type: ignore[arg-type]
        stage.relay.part()
        await until_lost(stage.heard)
        await stage.peer.do("jam", **{"is": is_jammed}, **how)
        await asyncio.sleep(4)  # what lasts, is: the server has to forget
        stage.relay.join_again()
        await stage.heard.until(lambda h: len(refreshes(h)) > max(before, 1))  # type: ignore[arg-type]
        last = refreshes(stage.heard)[-1]
        assert last.kind == "jam"
        assert [one.fields["on"] for one in last.standing] == [True] * is_jammed
        assert {one.condition for one in last.standing} <= {
            f"nsu={URI};s={MACHINE}.Jammed"
        }


async def test_what_cannot_be_listened_for_is_named_and_the_rest_goes_on(
    peers: Peers,
) -> None:
    asked: dict[str, Any] = {
        "cycle": CYCLE,
        "untyped": {"type": {"ns": URI, "id": "s=LateEventType"}},
        "strange": {"type": {"ns": URI, "id": f"s={MACHINE}"}},
        "unfielded": {**CYCLE, "fields": {"x": f"{{{URI}}}Nothing"}, "key": None},
        "mute": {**CYCLE, "notifier": {"ns": URI, "id": f"s={MACHINE}.GoodCount"}},
        "nowhere": {**CYCLE, "notifier": {"ns": "urn:none", "id": "s=x"}},
    }
    async with telling(peers, server={}, events=asked) as stage:
        named = {f"event {name}" for name in asked if name != "cycle"}
        assert set(stage.heard.reports[-1].missing) == named
        reason = stage.heard.reports[-1].reason
        for text in ("no field", "no type of events", "tells no events", "no node"):
            assert text in reason
        await stage.peer.do("addEventType", name="LateEventType")
        await stage.heard.until(
            lambda h: "event untyped" not in h.reports[-1].missing, within_s=20
        )
        found = await stage.end()
        assert (found.missing, found.doubled) == (0, 0)


async def test_a_plan_and_a_probe_show_them() -> None:
    require_peer()
    asked = {"cycle": CYCLE, "jam": JAM, "none": {"type": {"ns": URI, "id": "s=No"}}}
    with Peers() as peers:
        peer = peers.start(machines=[{"name": MACHINE, "keepsEvents": True}])
        url = f"opc.tcp://127.0.0.1:{peer.port}/line"
        settings = ADAPTER.settings.model_validate({"url": url, "events": asked})
        assert ADAPTER.probe is not None
        assert ADAPTER.plan is not None
        of_server, cycle, jam, none = await ADAPTER.probe("line", settings, {}, ())
        assert of_server.tag is None
        assert (cycle.tag, cycle.told["history"]) == ("event cycle", "kept")
        assert (jam.told["kind"], jam.problem) == ("condition", "")
        assert "no type" in none.problem
        planned = ADAPTER.plan(settings, {})
        assert [line.tags for line in planned] == [
            ("event cycle",),
            ("event jam",),
            ("event none",),
        ]
        assert planned[0].what["type"] == CYCLE_TYPE
