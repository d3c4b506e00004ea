"""Values of one moment: read in one call, told as one, or named as what cannot be."""

from collections.abc import Iterator

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.conformance.hearing import Heard, listening
from mes_engine.core.samples import Quality, Sample, SampleGroup
from mes_engine.ports import TagGroup
from tests.adapters.opcua.ground import MACHINE, Peers
from tests.adapters.opcua.peer import URI, Peer, require_peer
from tests.adapters.opcua.press import NAME, RULE, OpcUaPress
from tests.core.handshakes import tag

GROUP = TagGroup(
    gate=RULE.request, tags=RULE.read_together, steady_s=0.05, also=(RULE.ack,)
)


@pytest.fixture(scope="module")
def peers() -> Iterator[Peers]:
    require_peer()
    with Peers() as some:
        yield some


@pytest.fixture(scope="module")
def shared(peers: Peers) -> Peer:
    return peers.start(presses=[{"name": NAME}])


def groups(heard: Heard) -> list[SampleGroup]:
    return [one for one in heard.all if isinstance(one, SampleGroup)]


def values(group: SampleGroup) -> dict[str, object]:
    return {one.tag.partition(".")[2]: one.value for one in group.samples}


def is_steady(group: SampleGroup) -> bool:
    return group.at - group.since >= GROUP.steady_s * 1_000_000


def has_told(heard: Heard, **wanted: object) -> bool:
    """Whether it was told as what is the same for long enough."""
    return any(
        is_steady(one) and wanted.items() <= values(one).items()
        for one in groups(heard)
    )


async def test_a_group_is_told_as_one_and_once_more_when_it_is_steady(
    shared: Peer,
) -> None:
    press = OpcUaPress(shared, shared.port)
    async with listening(press.link((GROUP,))) as heard:
        await heard.until(lambda h: has_told(h, request=False))
        before = len(groups(heard))
        await press.do("asks", key=7, good=5, scrap=2)
        await heard.until(lambda h: has_told(h, request=True))
        *_, first, last = groups(heard)[before:]
    alone = {one.tag for one in heard.all if isinstance(one, Sample)}
    assert alone == {RULE.result}, "the others are told by their group only"
    asked = {"request": True, "key": 7, "boot": 1, "good_made": 5, "scrap_made": 2}
    assert asked.items() <= values(first).items()
    assert (first.since, is_steady(first)) == (last.since, False)
    assert {one.received_at for one in last.samples} == {last.at}
    await press.do("givesUp")


async def test_a_gate_that_changes_while_it_is_read_is_read_again(
    shared: Peer,
) -> None:
    press = OpcUaPress(shared, shared.port)
    async with listening(press.link((GROUP,))) as heard:
        await heard.until(lambda h: has_told(h, request=False))
        before = len(groups(heard))
        # The first Read sees it up, and down at its end; so does the second.
        await press.do("flap", name="Request", times=4)
        await press.do("put", name="Key", value=99)
        await heard.until(lambda h: has_told(h, key=99))
        assert {values(one)["request"] for one in groups(heard)[before:]} == {False}


async def test_more_than_the_server_takes_in_a_call_is_named_and_others_go_on(
    peers: Peers,
) -> None:
    peer = peers.start(presses=[{"name": NAME}], limits={"maxNodesPerRead": 5})
    press = OpcUaPress(peer, peer.port)
    async with listening(press.link((GROUP,))) as heard:
        await heard.until(lambda h: h.reports and h.reports[-1].missing)
        await heard.until(lambda h: h.last(tag("result")) == 0)
        await heard.until(
            lambda h: (
                {one.tag for one in h.samples if one.quality is Quality.BAD}
                >= set(RULE.read_together)
            )
        )
        report = heard.reports[-1]
    assert set(report.missing) == set(RULE.read_together)
    assert "6 values are to be read in one call with cut-1.request" in report.reason
    assert "(it states 5)" in report.reason
    assert groups(heard) == []


async def test_a_tag_that_goes_away_is_named_and_the_group_comes_back_with_it(
    peers: Peers,
) -> None:
    peer = peers.start(presses=[{"name": NAME}], machines=[{"name": MACHINE}])
    press = OpcUaPress(peer, peer.port)
    async with listening(press.link((GROUP,))) as heard:
        await heard.until(lambda h: has_told(h, request=False))
        await press.do("removeNode", name="Key")
        await heard.until(lambda h: h.reports[-1].missing == (tag("key"),))
        before = len(groups(heard))
        await press.do("addNode", name="Key")
        await heard.until(lambda h: h.reports[-1].missing == ())
        await press.do("asks", key=8)
        await heard.until(lambda h: has_told(h, request=True, key=8), within_s=20)
        assert all(values(one)["key"] is not None for one in groups(heard)[before:])


def test_no_call_has_room_for_a_group_of_hundreds() -> None:
    settings = ADAPTER.settings.model_validate({"url": "opc.tcp://127.0.0.1:4840"})
    tags = {f"t{n}": ADAPTER.tag(ns=URI, id=f"s={n}") for n in range(500)}

    def unfit(count: int) -> list[tuple[str | None, str]]:
        group = TagGroup(gate="t0", tags=tuple(tags)[:count], steady_s=0)
        assert ADAPTER.check_groups is not None
        return [
            (one.tag, one.key) for one in ADAPTER.check_groups(settings, tags, (group,))
        ]

    assert unfit(499) == []
    assert unfit(500) == [("t0", "id")]
