"""The clock of the time windows: silent while nothing is due, and never too late."""

from mes_engine.core.messages import Answer, CheckTimeWindows, Commanded, Outcome
from mes_engine.core.state import State
from mes_engine.core.time_windows import TimeWindow, WindowPoint
from mes_engine.runtime.jobs import SECOND, Job
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.time_windows import next_due_at, time_windows_job
from tests.runtime.builders import NOW


def a_window(number: int, closes_at: int) -> TimeWindow:
    return TimeWindow(
        id=f"TW-{number}",
        number=number,
        request="WR-1",
        lot="L-1",
        source="cut",
        target="mill",
        pass_number=1,
        starts_at=WindowPoint.ENDED,
        ends_at=WindowPoint.BEGUN,
        armed_at=NOW - SECOND,
        last_at=NOW - SECOND,
        closes_at=closes_at,
    )


class Works:
    """A clock that the test sets, and an engine that notes what it is told."""

    def __init__(self) -> None:
        self.now = NOW
        self.state = State()
        self.told: list[Commanded] = []

    async def submit(self, commanded: Commanded) -> Answer:
        self.told.append(commanded)
        return Answer(outcome=Outcome.ACCEPTED)

    def job(self) -> Job:
        return time_windows_job(
            self.state,
            self.submit,
            clock=lambda: self.now,
            patience=lambda: BackOff(first_s=0.0, longest_s=0.0),
        )


async def test_what_is_due_is_told_with_its_slot_as_key_and_the_moment_as_time() -> (
    None
):
    works = Works()
    job = works.job()
    works.state.time_window.put(a_window(1, NOW - 1))

    slot = job.slot_at(works.now)
    await job.work(slot)

    [told] = works.told
    assert told.command == CheckTimeWindows()
    assert (told.key, told.at) == (f"time-windows/{slot}", NOW)
    assert slot == NOW // SECOND * SECOND


async def test_nothing_due_is_no_new_slot_and_no_command() -> None:
    works = Works()
    job = works.job()
    works.state.time_window.put(a_window(1, NOW + 10 * SECOND))
    first = job.slot_at(works.now)
    works.now += 5 * SECOND

    assert job.slot_at(works.now) == first
    await job.work(first)  # Any scheduler works in the first slot that it sees.
    assert works.told == []

    works.now += 5 * SECOND
    assert job.slot_at(works.now) == first, "at that very moment it is in time"
    works.now += SECOND
    assert job.slot_at(works.now) == works.now // SECOND * SECOND


async def test_what_falls_due_in_a_second_that_was_worked_in_has_the_next() -> None:
    works = Works()
    job = works.job()
    works.state.time_window.put(a_window(1, NOW - 1))
    first = job.slot_at(works.now)
    works.now += 1
    assert job.slot_at(works.now) == first
    works.now += SECOND
    assert job.slot_at(works.now) > first


def test_a_clock_that_is_set_back_finds_no_earlier_slot() -> None:
    works = Works()
    job = works.job()
    works.state.time_window.put(a_window(1, NOW - 100 * SECOND))
    slot = job.slot_at(works.now)

    assert job.slot_at(works.now - 50 * SECOND) == slot


def test_the_earliest_of_all_is_due_next() -> None:
    state = State()
    assert next_due_at(state) is None
    for number, closes_at in ((1, NOW + 5), (2, NOW + 3)):
        state.time_window.put(a_window(number, closes_at))

    assert next_due_at(state) == NOW + 4
