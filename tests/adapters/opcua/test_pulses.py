"""A pulse that the server looks for too seldom is named, with the rule in need."""

from collections.abc import Iterator

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.conformance.hearing import listening
from mes_engine.core.samples import LinkReport
from mes_engine.ports import Link, Pulse
from mes_engine.runtime.devices import open_link
from tests.adapters.opcua.ground import FAST, MACHINE
from tests.adapters.opcua.peer import URI, Peer, require_peer, running_peer

LOOKS_EVERY_MS = 100


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    require_peer()
    machine = {"name": MACHINE, "samplingMs": LOOKS_EVERY_MS}
    with running_peer(machines=[machine]) as one:
        yield one


def link_to(peer: Peer, *pulses: Pulse, own_ms: float | None = None) -> Link:
    given = {"url": f"opc.tcp://127.0.0.1:{peer.port}/line", **FAST}
    # Seldom, unless something needs more.
    settings = ADAPTER.settings.model_validate({**given, "sampling_ms": 5000})
    tags = {
        name: ADAPTER.tag.model_validate(
            {"ns": URI, "id": f"s={MACHINE}.{node}", **more}
        )
        for name, node, more in (
            ("jam", "StateCurrent", {} if own_ms is None else {"pulse_ms": own_ms}),
            ("good", "GoodCount", {}),
        )
    }
    return open_link(ADAPTER, "line", settings, tags, (), pulses=pulses)


def edge(shortest_ms: float) -> Pulse:
    return Pulse(tag="jam", shortest_s=shortest_ms / 1000, rule="cut-1.jammed")


async def first_report(link: Link) -> LinkReport:
    async with listening(link) as heard:
        await heard.until(lambda h: h.reports)
        return heard.reports[0]


async def test_a_pulse_of_an_edge_that_cannot_be_seen_is_named(peer: Peer) -> None:
    report = await first_report(link_to(peer, edge(150)))
    assert report.missing == ("jam",)
    assert (
        "jam: a pulse of 150 ms of edge cut-1.jammed cannot be seen: the server looks "
        "every 100 ms"
    ) in report.reason


async def test_the_server_is_asked_to_look_as_often_as_an_edge_needs(
    peer: Peer,
) -> None:
    report = await first_report(link_to(peer, edge(250)))
    assert report.missing == ()


async def test_the_shorter_one_counts_of_the_tag_and_its_edge(peer: Peer) -> None:
    report = await first_report(link_to(peer, edge(250), own_ms=120))
    assert "jam: a pulse of 120 ms cannot be seen" in report.reason
    report = await first_report(link_to(peer, edge(130), own_ms=250))
    assert "a pulse of 130 ms of edge cut-1.jammed cannot be seen" in report.reason


async def test_a_probe_tells_it_too(peer: Peer) -> None:
    assert ADAPTER.probe is not None
    settings = ADAPTER.settings.model_validate(
        {"url": f"opc.tcp://127.0.0.1:{peer.port}/line"}
    )
    tags = {"jam": ADAPTER.tag(ns=URI, id=f"s={MACHINE}.StateCurrent")}
    lines = await ADAPTER.probe("line", settings, tags, (edge(150),))
    assert "of edge cut-1.jammed cannot be seen" in lines[-1].problem
