"""From a link to the engine, by way of the disk: in order, and each once in effect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from mes_engine.core.errors import OutcomeUnknown, Overloaded, Refused, SourceLost
from mes_engine.core.samples import DataGap, Quality, Recovered, Sample
from mes_engine.gateway.delivering import Delivering
from mes_engine.gateway.keeping import Keeping
from mes_engine.gateway.links import gap_of, telling_gap
from mes_engine.gateway.spool import Spool, Thinned
from mes_engine.runtime.gateways import Gateways
from mes_engine.runtime.pace import BackOff
from mes_engine.wire import Delivered
from tests.gateway.builders import PLANT, DirectUplink, gateways_of, sensed
from tests.runtime.builders import NOW, a_sample, clock
from tests.runtime.stand_ins import Bench, no_pause, running, until, until_so

MB = 1024 * 1024


@dataclass
class AtWork:
    """A gateway at work in this process, and the engine that it delivers to."""

    bench: Bench
    gateways: Gateways
    keeping: Keeping
    uplink: DirectUplink
    answers: list[Delivered] = field(default_factory=list)

    @property
    def heard(self) -> list[str]:
        return [one for one in self.bench.decide.decided if one.startswith("plc")]

    async def is_empty(self) -> bool:
        return (await self.keeping.status()).waiting == 0


@asynccontextmanager
async def at_work(
    folder: Path, *, uplink: DirectUplink | None = None, limit: int = MB
) -> AsyncIterator[AtWork]:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        keeping = Keeping(
            Spool(folder / "spool.db", limit_bytes=limit),
            measurements=["m1.temp"],
            clock=clock,
            most_age_us=10**12,
        )
        work = AtWork(bench, gateways, keeping, uplink or DirectUplink(gateways))
        delivering = Delivering(
            keeping,
            work.uplink,
            instance=1,
            links=lambda: ("plc",),
            plant=lambda: PLANT,
            heard=work.answers.append,
            back_off=BackOff(first_s=1, longest_s=1, sleep=no_pause),
        )
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(keeping.run()),
                tasks.create_task(delivering.run()),
            ]
            yield work
            for one in parts:
                one.cancel()
        keeping.close()


async def emptied(work: AtWork) -> None:
    await until_so(work.is_empty)


async def test_what_is_kept_reaches_the_engine_in_order(tmp_path: Path) -> None:
    async with at_work(tmp_path) as work:
        for n in range(1, 60):
            await work.keeping.keep(sensed(n))
        await emptied(work)
    assert work.heard == [f"plc/1/{n}" for n in range(1, 60)]
    assert work.answers[-1].committed["plc"].n == 59


@pytest.mark.parametrize(
    "failure", [SourceLost("cut"), Overloaded("busy"), OutcomeUnknown("who knows")]
)
async def test_a_delivery_without_an_answer_is_made_again_and_counts_once(
    tmp_path: Path, failure: Exception
) -> None:
    async with at_work(tmp_path) as work:
        work.uplink.fails += [failure] * 2
        work.uplink.loses += [failure] * 3
        for n in range(1, 30):
            await work.keeping.keep(sensed(n))
        await emptied(work)
    assert work.heard == [f"plc/1/{n}" for n in range(1, 30)]
    assert work.bench.engine.counts.repeats > 0


async def test_what_the_engine_will_never_take_is_put_aside(tmp_path: Path) -> None:
    """The queue goes on."""
    async with at_work(tmp_path) as work:
        await work.keeping.keep(sensed(1))
        await work.keeping.keep(sensed(1, source="elsewhere"))
        await work.keeping.keep(sensed(2))
        await emptied(work)
        status = await work.keeping.status()
        await until(lambda: work.gateways.views()[0].spool.set_aside == 1, seconds=20)
    assert work.heard == ["plc/1/1", "plc/1/2"]
    assert status.set_aside == 1
    assert "no link 'elsewhere'" in status.last_set_aside


async def test_a_report_that_the_engine_cannot_handle_does_not_stop_the_rest(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path) as work:
        poison = a_sample("poison")
        for n, report in enumerate([a_sample(), poison, a_sample()], start=1):
            await work.keeping.keep(sensed(n, report))
        await emptied(work)
    assert work.bench.engine.counts.set_aside == 1
    assert work.answers[-1].committed["plc"].n == 3


async def test_who_is_fenced_off_ends(tmp_path: Path) -> None:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        keeping = Keeping(
            Spool(tmp_path / "spool.db", limit_bytes=MB),
            measurements=(),
            clock=clock,
            most_age_us=10**12,
        )
        south = DirectUplink(gateways, name="south")
        north = DirectUplink(gateways, name="north")

        def delivering(uplink: DirectUplink) -> Delivering:
            return Delivering(
                keeping,
                uplink,
                instance=1,
                links=lambda: ("plc",),
                plant=lambda: PLANT,
                heard=lambda _: None,
            )

        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(delivering(south).run())
            await until(lambda: bool(gateways.views()))
            with pytest.raises(Refused, match="'plc' is fed by gateway 'south'"):
                await delivering(north).run()
            first.cancel()
        keeping.close()


async def test_a_value_that_cannot_be_written_down_is_a_bad_one(tmp_path: Path) -> None:
    async with at_work(tmp_path) as work:
        await work.keeping.keep(sensed(1, replace(a_sample(), value="\ud800")))
        await work.keeping.keep(sensed(2, replace(a_sample(), value=2**70)))
        await work.keeping.keep(sensed(3))
        await emptied(work)
    assert work.heard == ["plc/1/1", "plc/1/2", "plc/1/3"]


async def test_a_full_spool_holds_a_link_up_until_there_is_room(tmp_path: Path) -> None:
    async with running(Bench()) as bench:
        uplink = DirectUplink(gateways_of(bench))
        uplink.fails += [SourceLost("cut")] * 500
        async with at_work(tmp_path, uplink=uplink, limit=20_000) as work:
            told = 0

            async def tell() -> None:
                nonlocal told
                for n in range(1, 300):
                    await work.keeping.keep(sensed(n))
                    told = n

            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(tell())
                await until(lambda: not uplink.fails or telling.done(), seconds=20)
            await emptied(work)
    assert told == 299
    decided = [one for one in bench.decide.decided if one.startswith("plc")]
    assert decided == [f"plc/1/{n}" for n in range(1, 300)]


async def test_thinned_measurements_are_told_once_there_is_room(tmp_path: Path) -> None:
    async with running(Bench()) as bench:
        uplink = DirectUplink(gateways_of(bench))
        uplink.fails += [SourceLost("cut")] * 10**6
        async with at_work(tmp_path, uplink=uplink) as work:
            long = "a text of four thousand" * 170
            for n in range(1, 300):
                one = replace(a_sample("m1.temp"), value=f"{n} {long}")
                await work.keeping.keep(sensed(n, one))
            status = await work.keeping.status()
            assert status.level == "full"
            assert status.thinned > 20
            assert await work.keeping.take_thinned() == []
            uplink.fails.clear()
            await emptied(work)
            (left_out,) = await work.keeping.take_thinned()
    assert left_out.tag == "m1.temp"
    taken = bench.engine.counts.messages - bench.engine.counts.repeats
    assert left_out.count + taken == 299


def test_a_gap_says_what_was_left_out() -> None:
    some = [
        Thinned(source="plc", tag=tag, since=NOW + k, until=NOW + 9 - k, count=3)
        for k, tag in enumerate(["m1.bar", "m1.temp"])
    ]
    gap = gap_of(some)
    assert (gap.tags, gap.since, gap.until) == (("m1.bar", "m1.temp"), NOW, NOW + 9)
    assert "6 values were left out" in gap.reason


async def test_the_gap_of_a_restart_comes_before_the_first_value() -> None:
    said: list[object] = []

    async def emit(report: object) -> None:
        said.append(report)

    tell = telling_gap(emit, since=NOW - 5)
    first = a_sample(value=1)
    await tell(first)
    await tell(first)
    gap, one, two = said
    assert isinstance(gap, DataGap)
    assert (gap.since, gap.until) == (NOW - 5, first.received_at)
    assert gap.recovered is Recovered.NONE
    assert one == two == first
    assert isinstance(one, Sample)
    assert one.quality is Quality.GOOD
