"""Methods are called once, with the arguments that the server says they take."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from asyncua import ua

from mes_adapters.opcua import ADAPTER
from mes_adapters.opcua.calling import Argument, to_variants
from mes_adapters.opcua.source import OpcUaLink
from mes_engine.conformance.hearing import listening
from mes_engine.conformance.network import relaying
from mes_engine.core.errors import Malformed, OutcomeUnknown, Refused, SourceLost
from mes_engine.core.machine_calls import Given
from mes_engine.ports import Calls
from tests.adapters.opcua.ground import FAST, MACHINE, Peers
from tests.adapters.opcua.peer import URI, Peer, require_peer

METHODS: dict[str, Any] = {
    name.lower(): {
        "object": {"ns": URI, "id": f"s={MACHINE}"},
        "method": {"path": f"/Objects/{{{URI}}}{MACHINE}/{{{URI}}}{name}"},
    }
    for name in ("Reset", "Move", "Slow", "Nothing", "GoodCount")
}
A_MOVE: dict[str, Given] = {
    "Axis": "X",
    "Position": "1.5",
    "Fast": True,
    "Steps": (1, -2, 3),
    "When": "2026-11-23T04:00:00Z",
}


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    require_peer()
    with Peers() as peers:
        yield peers.start(machines=[{"name": MACHINE}])


def settings_for(port: int, **more: Any) -> Any:
    url = f"opc.tcp://127.0.0.1:{port}/line"
    given = {"url": url, **FAST, "methods": METHODS, **more}
    return ADAPTER.settings.model_validate(given)


def link_to(port: int, **more: Any) -> OpcUaLink:
    tags = {"good": ADAPTER.tag(ns=URI, id=f"s={MACHINE}.GoodCount")}
    link = ADAPTER.open("line", settings_for(port, **more), tags)
    assert isinstance(link, OpcUaLink)
    assert isinstance(link, Calls)
    return link


async def calls_of(peer: Peer) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = await peer.do("calls", machine=MACHINE)
    return told


async def test_a_method_is_called_with_what_it_takes_and_answers(peer: Peer) -> None:
    link = link_to(peer.port)
    with pytest.raises(SourceLost):
        await link.call("move", A_MOVE)
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
        before = await calls_of(peer)
        told = await link.call("move", A_MOVE)
        assert told == {"Reached": "0.75", "Log": "X", "All": (1, -2, 3)}
        (call,) = (await calls_of(peer))[len(before) :]
        assert call == {
            "axis": "X",
            "position": 1.5,
            "fast": True,
            "steps": [1, -2, 3],
            "when": "2026-11-23T04:00:00.000Z",
        }
        assert await link.call("reset", {"Count": 7}) == {"Before": 0}
        await heard.until(lambda h: h.last("good") == 7)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Axis": 1}, "argument 'Axis' of move cannot be 1: it is a text"),
        ({"Position": "far"}, "argument 'Position' of move cannot be 'far'"),
        ({"Position": True}, "argument 'Position' of move .* it is a number"),
        ({"Fast": 1}, "argument 'Fast' of move .* true or false"),
        ({"Steps": 1}, "argument 'Steps' of move .* it is a list"),
        ({"Steps": (1, 2)}, "argument 'Steps' of move .* it has 3 elements"),
        ({"Steps": (1, 2, 40_000)}, "argument 'Steps' of move cannot be"),
        ({"When": "soon"}, "argument 'When' of move cannot be 'soon'"),
        ({"Axes": "X"}, "move has no argument 'Axes'"),
        ({"Axis": ("X",)}, "argument 'Axis' of move .* it is a single value"),
        ({"Axis": None}, "move needs the argument 'Axis'"),
    ],
)
async def test_an_argument_that_does_not_fit_is_named_and_nothing_is_called(
    peer: Peer, changed: dict[str, Any], expected: str
) -> None:
    link = link_to(peer.port)
    given = {name: of for name, of in (A_MOVE | changed).items() if of is not None}
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
        before = await calls_of(peer)
        with pytest.raises(Malformed, match=expected):
            await link.call("move", given)
        assert await calls_of(peer) == before


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("erase", "no method that may be called"),
        ("nothing", "there is no method /Objects/"),
        ("goodcount", "is no method"),
    ],
)
async def test_only_what_is_declared_and_there_can_be_called(
    peer: Peer, method: str, expected: str
) -> None:
    link = link_to(peer.port)
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
        with pytest.raises(Refused, match=expected):
            await link.call(method, {})


async def test_a_machine_may_say_no(peer: Peer) -> None:
    link = link_to(peer.port)
    async with listening(link) as heard:
        await heard.until(lambda h: h.samples)
        with pytest.raises(Refused, match="BadInvalidState"):
            await link.call("move", {**A_MOVE, "Axis": "locked"})


@pytest.mark.parametrize("fault", ["cut", "part", "late", "killed"])
async def test_a_lost_answer_is_unknown_and_nothing_is_called_twice(
    peer: Peer, fault: str
) -> None:
    number = {"cut": 11, "part": 12, "late": 13, "killed": 14}[fault]
    async with relaying(peer.port) as relay:
        link = link_to(relay.port, request_timeout_s=1)
        async with listening(link) as heard:
            await heard.until(lambda h: h.samples)
            after_ms = 30_000 if fault == "late" else 1500
            calling = asyncio.ensure_future(
                link.call("slow", {"Id": number, "AfterMs": after_ms})
            )
            while {"id": number} not in await calls_of(peer):
                assert not calling.done()
            if fault == "cut":
                relay.cut()
            elif fault == "part":
                relay.part()
            elif fault == "killed":
                await peer.do("killSessions")
            with pytest.raises(OutcomeUnknown, match="slow was called"):
                await calling
    assert (await calls_of(peer)).count({"id": number}) == 1


async def test_a_probe_shows_what_each_method_takes(peer: Peer) -> None:
    assert ADAPTER.probe is not None
    lines = await ADAPTER.probe("line", settings_for(peer.port), {}, ())
    found = {line.tag: line for line in lines}
    assert found["method move"].told == {
        "takes": "Axis: String, Position: Double, Fast: Boolean, Steps: Int16[3], "
        "When: DateTime",
        "returns": "Reached: Double, Log: String, All: Int16[]",
    }
    assert "no method" in found["method nothing"].problem


def test_arguments_of_other_types_fit_or_are_refused() -> None:
    def one(kind: ua.VariantType | None, value: Given, rank: int = -1) -> Any:
        takes = (Argument(name="a", kind=kind, rank=rank),)
        return to_variants("m", takes, {"a": value})[0].Value

    assert one(ua.VariantType.ByteString, "00ff") == b"\x00\xff"
    assert one(ua.VariantType.LocalizedText, "so").Text == "so"
    assert one(ua.VariantType.Float, 2) == 2.0
    assert one(ua.VariantType.Int32, (), rank=1) == []
    wrong: list[tuple[ua.VariantType | None, Given, int]] = [
        (None, 1, -1),
        (ua.VariantType.NodeId, "i=1", -1),
        (ua.VariantType.UInt16, -1, -1),
        (ua.VariantType.Int32, (1,), 2),
        (ua.VariantType.Guid, "x", -1),
        (ua.VariantType.Double, "1e999", -1),
    ]
    for kind, value, rank in wrong:
        with pytest.raises(Malformed, match="argument 'a' of m"):
            one(kind, value, rank)
