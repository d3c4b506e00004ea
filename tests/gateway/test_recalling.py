"""A gateway that was away asks the device's history for what it has not kept."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.core.samples import DataGap, Origin, Recovered, Report, Sample
from mes_engine.gateway.keeping import Keeping, told_of
from mes_engine.gateway.links import Links, told_before
from mes_engine.gateway.spool import Spool
from mes_engine.settings import LinkFile, LinkPlan
from mes_engine.wire import sensed_decoder
from tests.adapters.opcua.ground import FAST, MACHINE, TAGS
from tests.adapters.opcua.peer import URI, Peer, require_peer, running_peer
from tests.core.plants import a_plant
from tests.gateway.builders import kept, sensed
from tests.plant import now
from tests.runtime.builders import NOW, a_sample

SERIAL = f"{MACHINE}.serial"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    require_peer()
    with running_peer() as running:
        yield running


def file_for(peer: Peer) -> LinkFile:
    settings = {"url": f"opc.tcp://127.0.0.1:{peer.port}/line", **FAST}
    plan = LinkPlan(
        adapter="opcua",
        settings=ADAPTER.settings.model_validate(settings),
        tags={
            f"{MACHINE}.{tag}": ADAPTER.tag(ns=URI, id=f"s={MACHINE}.{name}")
            for tag, name in TAGS.items()
        },
    )
    return LinkFile(plant=a_plant(), links={"plc": plan}, digest="")


async def a_life(
    folder: Path, peer: Peer, is_over: Callable[[list[Report]], bool]
) -> list[Report]:
    """Run a gateway's links until it ``is_over``; return what it keeps of all lives."""
    spool = Spool(folder / "spool.db", limit_bytes=2**26)
    keeping = Keeping(spool, measurements=(), clock=now, most_age_us=2**60)
    life = await keeping.begin_life()
    links = Links(keeping, life, adapters={"opcua": ADAPTER}, chosen=None, clock=now)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(keeping.run())
            await links.use(file_for(peer), tasks)

    task = asyncio.create_task(run())
    try:
        async with asyncio.timeout(20):
            while not is_over(found := await kept_of(keeping)):
                await keeping.arrived.wait()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        keeping.close()
    return found


async def kept_of(keeping: Keeping) -> list[Report]:
    rows = await keeping.head(10_000, 2**40)
    return [sensed_decoder.decode(body).report for _, body in rows]


def serials(reports: list[Report]) -> list[object]:
    return [
        one.value for one in reports if isinstance(one, Sample) and one.tag == SERIAL
    ]


def has_last(serial: int) -> Callable[[list[Report]], bool]:
    return lambda found: serials(found)[-1:] == [serial]


def has_come_to(serial: int, before: list[Report]) -> Callable[[list[Report]], bool]:
    """Whether it has told all, and then what was missing."""
    return lambda found: (
        serials(found)[-1:] == [serial]
        and any(isinstance(one, DataGap) for one in found[len(before) :])
    )


async def test_what_came_while_the_gateway_was_away_is_fetched_once(
    peer: Peer, tmp_path: Path
) -> None:
    """Several in one tick of the device's clock, before and after."""
    await peer.do("addMachine", name=MACHINE, hasHistory=True)
    await peer.do("make", machine=MACHINE, count=7)
    before = await a_life(tmp_path, peer, has_last(7))
    for count in (5, 1, 20):
        await peer.do("make", machine=MACHINE, count=count)
    found = (await a_life(tmp_path, peer, has_come_to(33, before)))[len(before) :]
    await peer.do("removeMachine", machine=MACHINE)
    assert serials(found) == list(range(8, 34))
    made = [one for one in found if isinstance(one, Sample) and one.tag == SERIAL]
    assert {one.origin for one in made} == {Origin.BACKFILL}
    (gap,) = [one for one in found if isinstance(one, DataGap)]
    assert gap.recovered is Recovered.ALL
    assert SERIAL in gap.tags
    times = [one.source_at or 0 for one in made]
    assert all(first <= second for first, second in pairwise(times))


async def test_what_a_device_does_not_keep_is_told_as_a_gap(
    peer: Peer, tmp_path: Path
) -> None:
    await peer.do("addMachine", name=MACHINE, hasHistory=False)
    await peer.do("make", machine=MACHINE, count=7)
    before = await a_life(tmp_path, peer, has_last(7))
    await peer.do("make", machine=MACHINE, count=1)
    found = (await a_life(tmp_path, peer, has_come_to(8, before)))[len(before) :]
    await peer.do("removeMachine", machine=MACHINE)
    assert serials(found) == [8]
    (gap,) = [one for one in found if isinstance(one, DataGap)]
    assert (gap.recovered, gap.since is not None) == (Recovered.NONE, True)
    changed = {f"{MACHINE}.good", SERIAL}
    assert set(gap.tags) == changed, "what has not changed has no gap"


def test_the_last_value_with_a_time_of_its_own_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db", limit_bytes=2**20)
    spool.begin_life(now=NOW)
    for n in (1, 2):
        report = msgspec.structs.replace(a_sample(value=n), source_at=NOW + n)
        body = msgspec.msgpack.encode(sensed(n, report))
        spool.append([replace(kept(n), body=body, told_of=told_of(report))])
    spool.append([kept(3)])
    life = spool.begin_life(now=NOW)
    (told,) = told_before(life.told["plc"])
    assert (told.value, told.source_at) == (2, NOW + 2)
    assert told_before([b"of another version"]) == []
    spool.close()
