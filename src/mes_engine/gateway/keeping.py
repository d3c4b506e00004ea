"""Keep what links say on the gateway's disk: everything that came while it wrote.

A link waits until its report is on the disk, so that a device's own buffer is told of
nothing that could still be lost.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from msgspec.structs import replace

from mes_engine.core.messages import Sensed
from mes_engine.core.samples import (
    EventSample,
    Quality,
    Report,
    Sample,
    SampleGroup,
)
from mes_engine.gateway.spool import (
    Decided,
    Kept,
    Life,
    Refusal,
    Spool,
    SpoolFull,
    Thinned,
)
from mes_engine.runtime.pace import BackOff, Clock
from mes_engine.wire import SpoolStatus, sensed_encoder

log = structlog.stdlib.get_logger()
T = TypeVar("T")

MOST_AT_ONCE = 500
ALIVE_EVERY_S = 1.0
LEVELS = ((1.0, "full"), (0.8, "nearly full"), (0.5, "half"))


class Keeping:
    """A spool on a thread of its own, and what waits to be written to it.

    Args:
        spool: Used by nobody else.
        measurements: The tags that may be thinned when the spool is full.
        clock: Microseconds of UTC.
        most_age_us: Older measurements are thinned too.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        measurements: Iterable[str],
        clock: Clock,
        most_age_us: int,
    ) -> None:
        self.arrived = asyncio.Event()
        self.measurements = frozenset(measurements)
        self._spool = spool
        self._clock = clock
        self._most_age_us = most_age_us
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._pending: list[tuple[Kept, asyncio.Future[None]]] = []
        self._wanted = asyncio.Event()
        self._room = asyncio.Event()
        self._back_off = BackOff(first_s=0.05, longest_s=5.0)
        self._is_stuck = False
        self._level = "ok"

    async def begin_life(self, *, blamed: str | None = None) -> Life:
        """Begin a life of the gateway, the one before having been ended by a link."""
        return await self._do(
            lambda: self._spool.begin_life(now=self._clock(), blamed=blamed)
        )

    async def keep(self, sensed: Sensed, *, aside: int | None = None) -> None:
        """Return once ``sensed`` is on the disk, behind all that was kept before.

        Args:
            sensed: What to keep.
            aside: The number that it had among those set aside, where it then is not.
                It is old: it is neither the last that was told, nor may it take the
                place of newer ones.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        kept = self._kept(sensed)
        if aside is not None:
            kept = dataclasses.replace(
                kept, aside=aside, tag=None, told_of=None, is_sample=False
            )
        self._pending.append((kept, done))
        self._wanted.set()
        await done

    async def run(self) -> None:
        """Write, for as long as the gateway works."""
        alive_at = self._clock()
        while True:
            try:
                async with asyncio.timeout(ALIVE_EVERY_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            if self._clock() - alive_at >= ALIVE_EVERY_S * 1_000_000:
                alive_at = self._clock()
                await self._stay_alive(alive_at)
            if self._pending:
                await self._write()
            else:
                self._wanted.clear()

    async def head(self, at_most: int, most_bytes: int) -> list[tuple[int, bytes]]:
        """Return the first reports that wait, with their places."""
        self.arrived.clear()
        return await self._do(lambda: self._spool.head(at_most, most_bytes))

    async def forget(self, until: int, *, refused: Sequence[Refusal] = ()) -> None:
        """Forget all up to a place, and put aside what was refused."""
        try:
            await self._do(lambda: self._spool.forget(until, refused=refused))
        except self._spool.unwritable as error:
            log.warning("spool_not_emptied", reason=str(error))
        self._room.set()
        self._tell_level()

    async def decided(self) -> list[Decided]:
        """Return what persons have decided of reports that were set aside."""
        try:
            return await self._do(self._spool.decided)
        except self._spool.unwritable as error:
            log.debug("spool_not_asked", reason=str(error))
            return []

    async def drop(self, seq: int) -> None:
        """Forget a report that was set aside."""
        try:
            await self._do(lambda: self._spool.drop(seq))
        except self._spool.unwritable as error:
            log.debug("report_not_dropped", reason=str(error))

    async def take_thinned(self) -> list[Thinned]:
        """Return what was left out and is to be told, once there is room again."""
        if self._spool.is_full:
            return []
        return await self._do(self._spool.take_thinned)

    async def status(self) -> SpoolStatus:
        """Return how the spool stands."""
        return await self._do(self._status)

    def close(self) -> None:
        """End the thread, and close the file."""
        self._thread.submit(self._spool.close).result()
        self._thread.shutdown()

    async def _write(self) -> None:
        batch = self._pending[:MOST_AT_ONCE]
        kept = [one for one, _ in batch]
        try:
            await self._do(lambda: self._spool.append(kept))
        except self._spool.unwritable as error:
            if not self._is_stuck:
                self._is_stuck = True
                why = "its limit is reached" if isinstance(error, SpoolFull) else error
                log.error("spool_full", reason=str(why))
            self._room.clear()
            await self._wait_for_room()
            return
        del self._pending[: len(batch)]
        if self._is_stuck:
            self._is_stuck = False
            log.info("spool_writable")
        self._back_off.reset()
        for _, done in batch:
            if not done.done():
                done.set_result(None)
        self.arrived.set()
        self._tell_level()

    async def _wait_for_room(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            pause = tasks.create_task(self._back_off.wait())
            room = tasks.create_task(self._room.wait())
            await asyncio.wait([pause, room], return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
            room.cancel()

    async def _stay_alive(self, now: int) -> None:
        try:
            await self._do(lambda: self._spool.live(now=now))
            await self._do(lambda: self._spool.thin_older(now - self._most_age_us))
        except self._spool.unwritable as error:
            log.debug("spool_not_marked", reason=str(error))

    def _kept(self, sensed: Sensed) -> Kept:
        report = sensed.report
        try:
            body = sensed_encoder.encode(sensed)
        except (UnicodeEncodeError, OverflowError):
            log.warning("value_unkeepable", source=sensed.source)
            report = keepable(report)
            body = sensed_encoder.encode(replace(sensed, report=report))
        tag = report.tag if isinstance(report, Sample) else None
        at = received_at(report)
        return Kept(
            source=sensed.source,
            tag=tag if tag in self.measurements else None,
            at=self._clock() if at is None else at,
            is_sample=at is not None,
            body=body,
            told_of=told_of(report),
        )

    def _status(self) -> SpoolStatus:
        spool = self._spool
        set_aside, reason = spool.set_aside()
        return SpoolStatus(
            waiting=spool.waiting,
            bytes=spool.bytes,
            limit_bytes=spool.limit_bytes,
            oldest_at=spool.oldest_at(),
            thinned=spool.thinned_total(),
            set_aside=set_aside,
            last_set_aside=reason,
            level=self._level,
        )

    def _tell_level(self) -> None:
        share = self._spool.bytes / self._spool.limit_bytes
        level = next((name for least, name in LEVELS if share >= least), "ok")
        if self._spool.is_full or self._is_stuck:
            level = "full"
        if level != self._level:
            tell = log.info if level == "ok" else log.warning
            tell("spool_level", level=level, bytes=self._spool.bytes)
            self._level = level

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def received_at(report: Report) -> int | None:
    """Return when a value or a message was received; None for what is neither."""
    if isinstance(report, SampleGroup | EventSample):
        return report.at
    return report.received_at if isinstance(report, Sample) else None


def told_of(report: Report) -> str | None:
    """Return the tag of a value whose device can be asked what came after it."""
    is_dated = isinstance(report, Sample) and report.source_at is not None
    return report.tag if is_dated and isinstance(report, Sample) else None


def keepable(report: Report) -> Report:
    """Return a report without the values that cannot be written down."""
    match report:
        case Sample():
            return replace(report, value=None, quality=Quality.BAD)
        case SampleGroup():
            some = tuple(
                replace(one, value=None, quality=Quality.BAD) for one in report.samples
            )
            return replace(report, samples=some)
    return report
