"""Scheduled work: each slot once, whoever wakes and whatever the clock does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from structlog.testing import LogCapture

from mes_engine.runtime.jobs import SECOND, Job, Jobs, daily, every
from mes_engine.runtime.tables import job_slot
from mes_engine.storage.database import Database
from tests.runtime.builders import NOW
from tests.runtime.stand_ins import until, until_so

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Wall:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Worker:
    """Notes the slots that it was asked to work in."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.slots: list[int] = []
        self.failure = failure
        self.looks = 0

    async def work(self, slot: int) -> None:
        self.slots.append(slot)
        if self.failure is not None:
            raise self.failure

    def job(self) -> Job:
        return Job(name="sync", slot_at=self.slot_at, wake_s=0.01, work=self.work)

    def slot_at(self, now: int) -> int:
        self.looks += 1
        return every(60)(now)


@asynccontextmanager
async def scheduling(*many: Jobs) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(jobs.run()) for jobs in many]
        yield
        for task in running:
            task.cancel()


async def ended(database: Database) -> list[tuple[int, str]]:
    query = select(job_slot).order_by(job_slot.c.slot_at)
    rows = await database.read(lambda connection: connection.execute(query).all())
    return [(row.slot_at, row.failure) for row in rows if row.ended_at is not None]


async def wait_until_ended(database: Database, slots: int) -> list[tuple[int, str]]:
    async def are_ended() -> bool:
        return len(await ended(database)) >= slots

    await until_so(are_ended)
    return await ended(database)


async def test_two_schedulers_claim_each_slot_once(database: Database) -> None:
    wall, one, two = Wall(), Worker(), Worker()
    first = every(60)(NOW)
    async with scheduling(
        Jobs([one.job()], database, clock=wall),
        Jobs([two.job()], database, clock=wall),
    ):
        for minute in range(5):
            wall.now = NOW + minute * MINUTE
            await wait_until_ended(database, minute + 1)

    worked = sorted([*one.slots, *two.slots])
    assert worked == [first + minute * MINUTE for minute in range(5)]


async def test_a_restart_does_not_repeat_a_slot(database: Database) -> None:
    wall, worker = Wall(), Worker()
    for _ in range(2):
        async with scheduling(Jobs([worker.job()], database, clock=wall)):
            await wait_until_ended(database, 1)
    wall.now += MINUTE
    async with scheduling(Jobs([worker.job()], database, clock=wall)):
        await wait_until_ended(database, 2)

    assert len(worker.slots) == 2


async def test_slots_that_were_slept_through_are_done_once_together(
    database: Database,
) -> None:
    wall, worker = Wall(), Worker()
    async with scheduling(Jobs([worker.job()], database, clock=wall)):
        await wait_until_ended(database, 1)
        wall.now += 7 * HOUR
        await wait_until_ended(database, 2)

    assert worker.slots[1] - worker.slots[0] == 7 * HOUR


async def test_a_clock_that_is_set_back_repeats_nothing(database: Database) -> None:
    wall, worker = Wall(), Worker()
    async with scheduling(Jobs([worker.job()], database, clock=wall)):
        await wait_until_ended(database, 1)
        wall.now += MINUTE
        await wait_until_ended(database, 2)
        wall.now -= MINUTE
        looks = worker.looks
        await until(lambda: worker.looks > looks + 2)
        wall.now += 2 * MINUTE
        await wait_until_ended(database, 3)

    assert len(worker.slots) == len(set(worker.slots)) == 3


async def test_slots_of_long_ago_are_forgotten(database: Database) -> None:
    wall, worker = Wall(), Worker()
    async with scheduling(Jobs([worker.job()], database, clock=wall)):
        await wait_until_ended(database, 1)
        wall.now += HOUR
        await wait_until_ended(database, 2)
        wall.now += 7 * 24 * HOUR

        async def is_first_forgotten() -> bool:
            rows = await ended(database)
            return [slot for slot, _ in rows] == worker.slots[1:3]

        await until_so(is_first_forgotten)

    assert len(worker.slots) == 3


async def test_work_that_fails_is_noted_and_the_next_slot_is_tried(
    database: Database, logs: LogCapture
) -> None:
    wall, worker = Wall(), Worker(failure=ZeroDivisionError("a bug"))
    async with scheduling(Jobs([worker.job()], database, clock=wall)):
        rows = await wait_until_ended(database, 1)
        worker.failure = None
        wall.now += MINUTE
        rows = await wait_until_ended(database, 2)

    assert [failure for _, failure in rows] == ["ZeroDivisionError: a bug", ""]
    assert [entry["event"] for entry in logs.entries].count("job_failed") == 1


@pytest.mark.parametrize("broken", ["_start_timer", "_process_jobs"])
async def test_work_is_done_though_the_scheduler_sleeps(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    logs: LogCapture,
    broken: str,
) -> None:
    """It never sets its timer again, or finds nothing due: its clock was set back."""
    monkeypatch.setattr(AsyncIOScheduler, broken, lambda *_: None)
    wall, worker = Wall(), Worker()
    jobs = Jobs([worker.job()], database, clock=wall)
    async with scheduling(jobs):
        await wait_until_ended(database, 1)
        wall.now += MINUTE
        await wait_until_ended(database, 2)

    assert jobs.wake_ups >= 1
    assert "scheduler_overslept" in [entry["event"] for entry in logs.entries]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_a_day_that_lacks_the_hour_has_its_slot_all_the_same() -> None:
    """In Berlin, 02:30 did not exist on 29 March 2026: it is 01:30 of UTC."""
    slot_at = daily(time(2, 30), "Europe/Berlin")

    assert slot_at(at("2026-03-29T01:29")) == at("2026-03-28T01:30")
    assert slot_at(at("2026-03-29T01:30")) == at("2026-03-29T01:30")
    assert slot_at(at("2026-03-30T00:29")) == at("2026-03-29T01:30")
    assert slot_at(at("2026-03-30T00:30")) == at("2026-03-30T00:30")


def test_a_day_that_has_the_hour_twice_has_one_slot() -> None:
    """In Berlin, 02:30 came twice on 25 October 2026: at 00:30 and 01:30 of UTC."""
    slot_at = daily(time(2, 30), "Europe/Berlin")

    assert slot_at(at("2026-10-25T00:30")) == at("2026-10-25T00:30")
    assert slot_at(at("2026-10-25T01:30")) == at("2026-10-25T00:30")
    assert slot_at(at("2026-10-26T01:30")) == at("2026-10-26T01:30")


@given(
    days=st.integers(0, 700),
    minute=st.integers(0, 1439),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
def test_every_moment_is_in_a_slot_of_a_day_that_has_begun(
    days: int, minute: int, hour: int, zone: str
) -> None:
    slot_at = daily(time(hour, 30), zone)
    now = at("2026-01-02T00:00") + days * 24 * HOUR + minute * MINUTE

    slot = slot_at(now)

    assert slot <= now < slot + 26 * HOUR
    assert slot_at(slot) == slot
