"""Run the links of the plant, each supervised, and what changes of them."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import structlog

from mes_engine.core.errors import SettingsError
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_calls import Given
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.core.samples import (
    DataGap,
    LinkReport,
    LinkState,
    Recovered,
    Report,
    Sample,
)
from mes_engine.gateway.aside import Fate, belated, hindrance, read_back
from mes_engine.gateway.blame import AT_WORK, Marks, blaming, left_alone_until
from mes_engine.gateway.keeping import Keeping, received_at
from mes_engine.gateway.recording import Recorder
from mes_engine.gateway.spool import Decided, Life, Thinned
from mes_engine.ports import (
    AdapterSpec,
    Emit,
    JobAnswer,
    Link,
    Recalls,
    Resumes,
    WriteResult,
)
from mes_engine.runtime.devices import LinkDevices, open_link
from mes_engine.runtime.numbering import Numbering
from mes_engine.runtime.pace import Clock
from mes_engine.runtime.supervise import supervise
from mes_engine.settings import LinkFile, LinkPlan
from mes_engine.wire import Value, sensed_decoder

log = structlog.stdlib.get_logger()

TELL_EVERY_S = 1.0


@dataclass(slots=True)
class _Running:
    """A link that runs, and the numbering of what it says, which outlives it."""

    plan: LinkPlan
    link: Link
    task: asyncio.Task[None]


class Links:
    """The links that this gateway runs; its :class:`~mes_engine.ports.Devices` too.

    Attributes:
        digest: Of the ``plant.yaml`` that they are of.
        left_alone: Until when, of those that have ended the gateway too often.

    Args:
        keeping: Keeps what they say.
        life: Of the gateway.
        adapters: By name.
        chosen: Which links; None for all of the plant.
        clock: Microseconds of UTC.
        recorder: Writes down what they say; None for nobody.
        marks: Where it is marked which of them is at work; None for nowhere.
    """

    def __init__(
        self,
        keeping: Keeping,
        life: Life,
        *,
        adapters: Mapping[str, AdapterSpec],
        chosen: Collection[str] | None,
        clock: Clock,
        recorder: Recorder | None = None,
        marks: Marks | None = None,
    ) -> None:
        self._marks = marks
        self.digest = ""
        self.left_alone: dict[str, int] = {}
        self._keeping = keeping
        self._life = life
        self._adapters = adapters
        self._chosen = chosen
        self._clock = clock
        self._sense = (
            keeping.keep if recorder is None else recorder.before(keeping.keep)
        )
        self._running: dict[str, _Running] = {}
        self._numbering: dict[str, Numbering] = {}

    def names(self) -> tuple[str, ...]:
        """Return the links that run here."""
        return tuple(sorted(self._running))

    async def write(
        self, link: str, tag: str, value: Value, *, expect: Value | None = None
    ) -> WriteResult:
        """Write over a link that runs here; see `ports.Devices`."""
        return await self._devices().write(link, tag, value, expect=expect)

    async def ask_job(self, link: str, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask a machine over a link that runs here; see `ports.JobMachines`."""
        return await self._devices().ask_job(link, verb, order)

    async def call_method(
        self, link: str, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        """Call a method over a link that runs here; see `ports.MachineMethods`."""
        return await self._devices().call_method(link, method, arguments)

    def _devices(self) -> LinkDevices:
        return LinkDevices({name: one.link for name, one in self._running.items()})

    async def use(self, file: LinkFile, tasks: asyncio.TaskGroup) -> None:
        """Run the links as ``file`` has them; those that are as before run on.

        Raises:
            SettingsError: A link that was chosen is not of the plant.
        """
        if unknown := sorted(set(self._chosen or ()) - file.links.keys()):
            raise SettingsError(
                f"There is no link '{unknown[0]}' in the plant.",
                hint=f"Known: {', '.join(sorted(file.links)) or 'none'}.",
            )
        wanted = {
            name: plan
            for name, plan in file.links.items()
            if self._chosen is None or name in self._chosen
        }
        self._keeping.measurements = measurements_of(file)
        changed = [
            name for name, one in self._running.items() if wanted.get(name) != one.plan
        ]
        for name in changed:
            gone = self._running.pop(name)
            gone.task.cancel()
            await asyncio.wait([gone.task])
            log.info("link_changed" if name in wanted else "link_removed", link=name)
        for name, plan in wanted.items():
            if name not in self._running:
                self._running[name] = self._start(name, plan, tasks)
        self.digest = file.digest

    async def carry_out_fates(self) -> None:
        """Do what persons decide of reports that were set aside, each once."""
        while True:
            for one in await self._keeping.decided():
                told = log.bind(place=one.seq, link=one.source, person=one.person)
                if one.what == Fate.DROP:
                    await self._keeping.drop(one.seq)
                    told.info("report_dropped")
                elif one.source in self._running and await self._put_back(one):
                    told.info("report_put_back")
            await asyncio.sleep(TELL_EVERY_S)

    async def _put_back(self, one: Decided) -> bool:
        """Put a report back, if what it was decided on still holds."""
        sensed = read_back(one.body)
        report = None if sensed is None else sensed.report
        why = hindrance(
            report, self._keeping.measurements, is_elsewhere=one.is_elsewhere
        )
        if report is None or why:
            log.debug("report_not_put_back", place=one.seq, reason=why)
            return False
        again = self._numbered(one.source).number(belated(report))
        await self._keeping.keep(again, aside=one.seq)
        return True

    async def tell_thinned(self) -> None:
        """Tell of measurements that were left out, for as long as the gateway works."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            for source, some in _by_source(await self._keeping.take_thinned()).items():
                await self._numbered(source).emit(gap_of(some))

    def _start(self, name: str, plan: LinkPlan, tasks: asyncio.TaskGroup) -> _Running:
        spec = self._adapters[plan.adapter]
        link = open_link(
            spec, name, plan.settings, plan.tags, plan.groups, pulses=plan.pulses
        )
        is_new = name not in self._numbering
        emit: Emit = self._numbered(name).emit
        life = self._life
        if is_new and life.lost_at is not None:
            last_at = life.last_at.get(name)
            told = told_before(life.told.get(name, ()))
            if told and isinstance(link, Recalls):
                link.recall(told)
            else:
                emit = telling_gap(emit, since=last_at)
            if last_at is not None and isinstance(link, Resumes):
                link.resume_from(last_at)
        deaths = life.deaths.get(name, []) if is_new else []
        context = copy_context()
        context.run(AT_WORK.set, name)
        task = tasks.create_task(
            self._live(
                name, link, emit, deaths, lost_at=life.lost_at if is_new else None
            ),
            name=f"link {name}",
            context=context,
        )
        return _Running(plan, link, task)

    async def _live(
        self,
        name: str,
        link: Link,
        emit: Emit,
        deaths: Sequence[int],
        *,
        lost_at: int | None,
    ) -> None:
        """Run a link; later, if it has ended the lives before again and again."""
        now, until = self._clock(), left_alone_until(deaths)
        if until is not None and until > now:
            told = datetime.fromtimestamp(until / 1_000_000, UTC)
            reason = (
                f"What its device sends has ended the gateway {len(deaths)} times:"
                f" it is left alone until {told:%Y-%m-%d %H:%M:%S} UTC."
            )
            log.error("link_left_alone", link=name, deaths=len(deaths), until=str(told))
            await emit(LinkReport(state=LinkState.DISCONNECTED, at=now, reason=reason))
            await emit(
                DataGap(
                    tags=(),
                    since=self._life.last_at.get(name),
                    until=now,
                    recovered=Recovered.NONE,
                    reason=reason,
                )
            )
            self.left_alone[name] = until
            await asyncio.sleep((until - now) / 1_000_000)
            del self.left_alone[name]
            lost_at = None
        with nullcontext() if self._marks is None else blaming(self._marks, name):
            await supervise(name, link, emit, clock=self._clock, lost_at=lost_at)

    def _numbered(self, source: str) -> Numbering:
        if source not in self._numbering:
            self._numbering[source] = Numbering(
                source, self._sense, epoch=self._life.epoch
            )
        return self._numbering[source]


def told_before(bodies: Sequence[bytes]) -> list[Sample]:
    """Return the values that were kept; without those of another version."""
    found: list[Sample] = []
    for body in bodies:
        try:
            report = sensed_decoder.decode(body).report
        except msgspec.DecodeError as error:
            log.warning("value_unreadable", reason=str(error))
            continue
        if isinstance(report, Sample):
            found.append(report)
    return found


def measurements_of(file: LinkFile) -> frozenset[str]:
    """Return the tags that may be thinned: values of which the newest counts."""
    return frozenset(
        one.tag for one in file.plant.signals if one.means == "measurement"
    )


def telling_gap(emit: Emit, *, since: int | None) -> Emit:
    """Return ``emit``, telling of the gap before the first value that comes.

    Args:
        emit: Where to.
        since: When the last value before was received; None if there was none.
    """
    is_told = False

    async def tell(report: Report) -> None:
        nonlocal is_told
        at = received_at(report)
        if not is_told and at is not None and since is not None:
            is_told = True
            await emit(
                DataGap(
                    tags=(),
                    since=since,
                    until=at,
                    recovered=Recovered.NONE,
                    reason="the gateway was started again",
                )
            )
        await emit(report)

    return tell


def gap_of(some: Sequence[Thinned]) -> DataGap:
    """Return the gap that was made by leaving measurements of a source out."""
    count = sum(one.count for one in some)
    return DataGap(
        tags=tuple(one.tag for one in some),
        since=min(one.since for one in some),
        until=max(one.until for one in some),
        recovered=Recovered.PART,
        reason=f"the gateway's disk was full: {count} values were left out",
    )


def _by_source(thinned: Sequence[Thinned]) -> dict[str, list[Thinned]]:
    found: dict[str, list[Thinned]] = {}
    for one in thinned:
        found.setdefault(one.source, []).append(one)
    return found


Reader = Callable[[], LinkFile]
"""Reads ``plant.yaml`` anew."""
