"""Scheduled work: the scheduler only wakes; a row (job, slot) says who does it.

A slot is a time that follows from the clock alone, so that two schedulers, a restart or
a clock that was set back find the same slot, and only one of them claims it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Connection, delete, update

from mes_engine.core.errors import MesError
from mes_engine.ports import StoreUnavailable
from mes_engine.runtime.pace import Clock
from mes_engine.runtime.tables import job_slot
from mes_engine.storage.database import Database
from mes_engine.storage.dialect import insert

log = structlog.stdlib.get_logger()

SECOND = 1_000_000
SLOTS_KEPT_S = 7 * 86_400
"""How long it is remembered who did what; a clock is set back by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that is done once a slot.

    Attributes:
        slot_at: The slot that a moment belongs to; both in microseconds of UTC.
        wake_s: How often to look whether a new slot has begun.
        work: What to do in it.
    """

    name: str
    slot_at: Callable[[int], int]
    wake_s: float
    work: Callable[[int], Awaitable[None]]


def every(seconds: int) -> Callable[[int], int]:
    """Return slots of ``seconds`` each, counted from 1970.

    >>> every(60)(90_000_000)
    60000000
    """
    return lambda now: now // (seconds * SECOND) * (seconds * SECOND)


def daily(at: time, zone: str) -> Callable[[int], int]:
    """Return slots that begin each day at ``at``, in the local time of ``zone``.

    One slot a local day, whatever the clocks do in it: a time that does not exist on
    it is taken as if they had not been changed yet, one that comes twice is the first.
    """
    place = ZoneInfo(zone)

    def slot_at(now: int) -> int:
        today = datetime.fromtimestamp(now / SECOND, place).date()
        for day in (today, today - timedelta(days=1)):
            begins = datetime.combine(day, at, tzinfo=place).astimezone(UTC)
            slot = int(begins.timestamp()) * SECOND
            if slot <= now:
                return slot
        raise AssertionError("yesterday has begun")

    return slot_at


class Jobs:
    """Runs each job once a slot, one slot at a time.

    Attributes:
        wake_ups: How often the scheduler had to be woken.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        database: Database,
        *,
        clock: Clock,
        partition: str = "main",
    ) -> None:
        self.wake_ups = 0
        self._jobs = jobs
        self._database = database
        self._clock = clock
        self._partition = partition
        self._woken = {job.name: asyncio.Event() for job in jobs}
        self._ticked = asyncio.Event()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={
                "misfire_grace_time": None,
                "coalesce": True,
                "max_instances": 1,
            },
        )
        for job in jobs:
            self._scheduler.add_job(
                self._wake,
                IntervalTrigger(seconds=job.wake_s, timezone=UTC),
                args=[job.name],
                id=job.name,
            )

    async def run(self) -> None:
        """Wake and work for as long as the task lives."""
        self._scheduler.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for job in self._jobs:
                    self._woken[job.name].set()
                    tasks.create_task(self._serve(job))
                if self._jobs:
                    tasks.create_task(self._watch())
        finally:
            self._scheduler.shutdown(wait=False)
            await asyncio.sleep(0)  # It stops its timer in a callback of the loop.

    async def _wake(self, name: str) -> None:
        self._ticked.set()
        self._woken[name].set()

    async def _watch(self) -> None:
        """Wake the scheduler, and its jobs, if it has not ticked for two periods."""
        longest_s = 2 * min(job.wake_s for job in self._jobs)
        while True:
            self._ticked.clear()
            try:
                async with asyncio.timeout(longest_s):
                    await self._ticked.wait()
            except TimeoutError:
                self.wake_ups += 1
                log.warning("scheduler_overslept", seconds=longest_s)
                self._scheduler.wakeup()
                for woken in self._woken.values():
                    woken.set()

    async def _serve(self, job: Job) -> None:
        woken = self._woken[job.name]
        last: int | None = None
        with structlog.contextvars.bound_contextvars(job=job.name):
            while True:
                await woken.wait()
                woken.clear()
                slot = job.slot_at(self._clock())
                if slot == last:
                    continue
                try:
                    await self._work(job, slot)
                except (MesError, StoreUnavailable) as down:
                    log.warning("job_not_claimed", reason=str(down))
                else:
                    last = slot

    async def _work(self, job: Job, slot: int) -> None:
        """Do the work of a slot, unless somebody has claimed it."""
        if not await self._is_claimed_by_us(job, slot):
            return
        failure = ""
        try:
            await job.work(slot)
        except Exception as error:
            log.exception("job_failed", slot_at=slot)
            failure = f"{type(error).__name__}: {error}"
        await self._end(job, slot, failure)

    async def _is_claimed_by_us(self, job: Job, slot: int) -> bool:
        claim = (
            insert(job_slot)
            .values(
                partition=self._partition,
                job=job.name,
                slot_at=slot,
                claimed_at=self._clock(),
                failure="",
            )
            .on_conflict_do_nothing()
            .returning(job_slot.c.slot_at)
        )
        return await self._database.write(
            lambda connection: connection.execute(claim).first() is not None
        )

    async def _end(self, job: Job, slot: int, failure: str) -> None:
        done = (
            update(job_slot)
            .where(
                job_slot.c.partition == self._partition,
                job_slot.c.job == job.name,
                job_slot.c.slot_at == slot,
            )
            .values(ended_at=self._clock(), failure=failure)
        )

        old = delete(job_slot).where(
            job_slot.c.partition == self._partition,
            job_slot.c.job == job.name,
            job_slot.c.slot_at < slot - SLOTS_KEPT_S * SECOND,
        )

        def work(connection: Connection) -> None:
            connection.execute(done)
            connection.execute(old)

        await self._database.write(work)
