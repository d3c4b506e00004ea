"""Machines that run job orders themselves: what they say is what everybody says."""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.machine_jobs import (
    ANSWER_WITHIN_S,
    JobMachine,
    MachineJob,
    MachineJobList,
    StartsOn,
    ToldJob,
    wanted,
)
from mes_engine.core.machine_jobs import JobVerb as V
from mes_engine.core.machine_jobs import MachineJobState as M
from mes_engine.core.runs import HoldScope, Lane
from tests.core.plants import JOB_LINK, a_routing
from tests.core.shop import Shop


class Booth:
    """A job order of ten on the painting booth, which runs it by itself."""

    def __init__(self) -> None:
        self.shop = Shop(a_routing("paint", "pack"))
        self.shop.make(10)
        self.job = self.shop.load("paint")

    def says(self, state: M | None, good: int = 0, scrap: int = 0) -> None:
        """The machine's list: with our job order in ``state``, or without it."""
        told = () if state is None else (self._told(state, good, scrap),)
        self.shop.hear(MachineJobList(jobs=told, at=self.shop.at), link=JOB_LINK)

    def _told(self, state: M, good: int, scrap: int) -> ToldJob:
        return ToldJob(
            job_order=self.job, state=state, good=Decimal(good), scrap=Decimal(scrap)
        )

    def asked(self, verb: V) -> None:
        """It is about to be asked."""
        self.answers(verb, status=None)

    def answers(self, verb: V, status: int | None = 1, problem: str = "") -> None:
        self.shop.ok(
            m.RecordMachineJob(
                job_order=self.job,
                link=JOB_LINK,
                verb=verb,
                status=status,
                problem=problem,
                sent="as it was",
            )
        )

    @property
    def known(self) -> MachineJob:
        self.shop.commit()
        found = self.shop.state.machine_job.get((self.job, JOB_LINK))
        assert found is not None
        return found

    @property
    def ours(self) -> JobOrder:
        self.shop.commit()
        return self.shop.by_id(self.job)

    def is_in(self, state: S) -> bool:
        return self.ours.state is state

    def wants(
        self, *, sent: str = "as it was", starts: StartsOn = StartsOn.LOADED
    ) -> V | None:
        self.shop.commit()
        job = self.shop.by_id(self.job)
        run = None if job.run is None else self.shop.state.run.get(job.run)
        known = self.shop.state.machine_job.get((self.job, JOB_LINK))
        serving = JobMachine(link=JOB_LINK, starts=starts)
        return wanted(job, run, serving, known, sent=sent)


def test_a_whole_job_is_run_by_the_machine() -> None:
    booth = Booth()
    assert booth.wants() is V.STORE_AND_START
    booth.answers(V.STORE_AND_START)
    assert booth.wants() is None
    booth.says(M.ALLOWED_TO_START)
    assert booth.is_in(S.ALLOWED_LOADED)
    booth.says(M.RUNNING)
    assert booth.is_in(S.RUNNING_PROCESSING)
    booth.says(M.RUNNING, good=4, scrap=1)
    booth.says(M.INTERRUPTED, good=4, scrap=1)
    assert booth.is_in(S.INTERRUPTED_SUSPENDED)
    assert booth.wants() is None
    booth.says(M.RUNNING, good=6, scrap=1)
    booth.says(M.ENDED, good=9, scrap=1)
    job = booth.ours
    assert job.state is S.ENDED_COMPLETED
    assert (job.good, job.scrap) == (Decimal(9), Decimal(1))
    assert booth.known.problem == ""
    assert booth.wants() is V.CLEAR
    booth.answers(V.CLEAR)
    assert booth.wants() is None
    booth.says(None)
    assert booth.known.state is M.GONE
    assert booth.wants() is None


def test_what_is_told_again_is_booked_once() -> None:
    booth = Booth()
    booth.says(M.RUNNING, good=4)
    before = booth.ours.last_report
    for _ in range(3):
        booth.says(M.RUNNING, good=4)
    assert booth.ours.last_report == before
    assert booth.ours.good == 4


def test_an_end_that_was_missed_in_between_is_worked_off() -> None:
    booth = Booth()
    booth.answers(V.STORE_AND_START)
    booth.says(M.ENDED, good=10)
    assert booth.is_in(S.ENDED_COMPLETED)
    assert booth.shop.at_step("pack") == {"queued": 10}


def test_an_end_with_too_few_is_for_a_person() -> None:
    booth = Booth()
    booth.says(M.ENDED, good=7)
    assert booth.is_in(S.RUNNING_PROCESSING)
    assert "'complete'" in booth.known.problem
    assert booth.wants() is None
    stop = m.StopJobOrder(
        job_order=booth.job, remainder=m.Remainder.QUEUE, reason="no more paint"
    )
    booth.shop.ok(stop)
    assert booth.wants() is V.CLEAR


def test_more_than_there_is_stays_visible() -> None:
    booth = Booth()
    booth.says(M.RUNNING, good=12)
    assert booth.ours.good == 10
    assert booth.known.good == 10
    assert booth.known.problem == "it made 12 good, and 10 are booked"


def test_an_abort_is_signed_by_the_machine() -> None:
    booth = Booth()
    booth.says(M.RUNNING, good=2)
    booth.says(M.ABORTED, good=2)
    assert booth.is_in(S.ABORTED)
    assert "signed paint-1" in booth.ours.reason


def test_a_persons_pause_goes_to_the_machine_and_a_resume_too() -> None:
    booth = Booth()
    booth.says(M.RUNNING)
    booth.shop.ok(m.PauseJobOrder(job_order=booth.job, reason="lunch"))
    assert booth.wants() is V.PAUSE
    booth.answers(V.PAUSE)
    assert booth.wants() is None  # It has taken it; its list will tell.
    booth.says(M.INTERRUPTED)
    assert booth.is_in(S.INTERRUPTED_SUSPENDED)
    booth.shop.ok(m.ResumeJobOrder(job_order=booth.job))
    assert booth.wants() is V.RESUME
    booth.answers(V.RESUME)
    booth.says(M.RUNNING)
    assert booth.is_in(S.RUNNING_PROCESSING)
    booth.shop.ok(m.PauseJobOrder(job_order=booth.job, reason="tea"))
    assert booth.wants() is V.PAUSE


def test_a_pause_whose_answer_was_lost_is_resumed_all_the_same() -> None:
    booth = Booth()
    booth.says(M.RUNNING)
    booth.shop.ok(m.PauseJobOrder(job_order=booth.job, reason="lunch"))
    booth.says(M.INTERRUPTED)  # It was asked, and we were killed before we knew.
    booth.shop.ok(m.ResumeJobOrder(job_order=booth.job))
    assert booth.wants() is V.RESUME


def test_an_echo_of_our_own_pause_does_not_pause_again() -> None:
    booth = Booth()
    booth.says(M.RUNNING)
    booth.shop.ok(m.PauseJobOrder(job_order=booth.job, reason="lunch"))
    booth.answers(V.PAUSE)
    booth.shop.ok(m.ResumeJobOrder(job_order=booth.job))  # before its list has told
    booth.says(M.INTERRUPTED)
    assert booth.is_in(S.RUNNING_PROCESSING)
    assert booth.wants() is V.RESUME


def lost_pause() -> Booth:
    """A pause of which nobody knows what came, and a person who has resumed since."""
    booth = Booth()
    booth.says(M.RUNNING)
    booth.shop.ok(m.PauseJobOrder(job_order=booth.job, reason="lunch"))
    booth.asked(V.PAUSE)
    assert booth.wants() is V.PAUSE
    booth.shop.ok(m.ResumeJobOrder(job_order=booth.job))
    return booth


@pytest.mark.parametrize("is_said", [True, False], ids=["said", "never said"])
def test_a_pause_whose_answer_was_lost_is_an_echo_too(*, is_said: bool) -> None:
    booth = lost_pause()
    if is_said:
        booth.answers(V.PAUSE, status=0, problem="not answered")
    booth.says(M.INTERRUPTED)
    assert booth.is_in(S.RUNNING_PROCESSING)
    assert booth.wants() is V.RESUME


def test_what_stops_long_after_a_lost_pause_has_stopped_by_itself() -> None:
    booth = lost_pause()
    booth.shop.at += (ANSWER_WITHIN_S + 1) * 1_000_000
    booth.says(M.INTERRUPTED)
    assert booth.is_in(S.INTERRUPTED_SUSPENDED)


def test_what_stops_after_a_refused_pause_has_stopped_by_itself() -> None:
    booth = lost_pause()
    booth.answers(V.PAUSE, status=8, problem="not now")
    booth.says(M.INTERRUPTED)
    assert booth.is_in(S.INTERRUPTED_SUSPENDED)


def test_a_lost_pause_stands_for_one_stop_only() -> None:
    booth = lost_pause()
    booth.says(M.INTERRUPTED)
    booth.answers(V.RESUME)
    booth.says(M.RUNNING)
    booth.says(M.INTERRUPTED)
    assert booth.is_in(S.INTERRUPTED_SUSPENDED)


def test_what_stopped_by_itself_is_not_started_from_here() -> None:
    booth = Booth()
    booth.says(M.RUNNING)
    booth.says(M.INTERRUPTED)
    booth.shop.ok(m.ResumeJobOrder(job_order=booth.job))
    assert booth.wants() is None


def test_a_hold_stops_the_machine_and_it_cannot_go_on_alone() -> None:
    booth = Booth()
    booth.says(M.RUNNING)
    hold = m.OpenHold(
        scope=HoldScope.JOB_ORDER, target=booth.job, reason="wrong colour"
    )
    booth.shop.ok(hold)
    assert booth.wants() is V.PAUSE
    booth.answers(V.PAUSE)
    booth.says(M.INTERRUPTED)
    booth.says(M.RUNNING)
    assert booth.is_in(S.INTERRUPTED_HELD)
    assert "'resume'" in booth.known.problem
    assert booth.wants() is V.PAUSE


def test_taken_back_before_it_began_is_cancelled_there() -> None:
    booth = Booth()
    booth.answers(V.STORE_AND_START)
    booth.says(M.ALLOWED_TO_START)
    booth.shop.fire_of(booth.job, T.UNLOAD)
    assert booth.wants() is V.CANCEL
    booth.answers(V.CANCEL)
    assert booth.wants() is None
    booth.says(None)
    assert booth.known.state is M.GONE
    assert booth.known.problem == ""


@pytest.mark.parametrize("is_listed", [True, False])
def test_what_is_taken_back_while_it_is_being_stored_is_cancelled(
    *, is_listed: bool
) -> None:
    booth = Booth()
    booth.shop.fire_of(booth.job, T.UNLOAD)
    if is_listed:
        booth.says(M.ALLOWED_TO_START)
    else:
        booth.answers(V.STORE_AND_START)
    assert booth.wants() is V.CANCEL


@pytest.mark.parametrize("is_listed", [True, False])
def test_what_was_taken_back_can_be_stored_again(*, is_listed: bool) -> None:
    booth = Booth()
    booth.answers(V.STORE_AND_START)
    if is_listed:
        booth.says(M.ALLOWED_TO_START)
    booth.shop.fire_of(booth.job, T.UNLOAD)
    booth.answers(V.CANCEL)
    booth.says(None)
    booth.shop.load("paint")
    assert booth.wants() is V.STORE_AND_START
    booth.answers(V.STORE_AND_START)
    assert booth.wants() is None


def test_it_is_never_stored_twice() -> None:
    booth = Booth()
    booth.answers(V.STORE_AND_START)
    booth.says(M.RUNNING, good=3)
    booth.says(None)
    assert booth.known.problem == "the machine has it no longer"
    assert booth.wants() is None


def test_what_is_refused_is_kept_and_stays_wanted() -> None:
    booth = Booth()
    booth.answers(V.STORE_AND_START, status=16, problem="full (16)")
    assert booth.known.refusal == "StoreAndStart: full (16)"
    assert booth.known.status == 16
    assert booth.wants() is V.STORE_AND_START
    booth.answers(V.STORE_AND_START)
    assert booth.known.refusal == ""


def test_another_due_date_is_sent_until_it_runs() -> None:
    booth = Booth()
    booth.answers(V.STORE)
    booth.says(M.NOT_ALLOWED_TO_START)
    assert booth.wants(sent="another") is V.UPDATE
    assert booth.wants() is V.START
    assert booth.wants(starts=StartsOn.BEGUN) is None
    booth.says(M.RUNNING)
    assert booth.wants(sent="another") is None


def test_a_machine_that_waits_for_begin_is_started_with_it() -> None:
    booth = Booth()
    assert booth.wants(starts=StartsOn.BEGUN) is V.STORE
    booth.answers(V.STORE)
    booth.says(M.NOT_ALLOWED_TO_START)
    booth.shop.ok(m.BeginJobOrder(job_order=booth.job))
    assert booth.wants(starts=StartsOn.BEGUN) is V.START


def test_what_is_staged_is_stored_and_not_started() -> None:
    shop = Shop(a_routing("paint"))
    for name in ("WR-1", "WR-2"):
        shop.make(1, request=name)
        job = shop.job("paint", name)
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="paint-1"))
    staged = shop.job("paint", "WR-2")
    run = shop.state.run.get(staged.run or "")
    assert run is not None
    assert run.lane is Lane.STAGED
    machine = JobMachine(link=JOB_LINK)
    assert wanted(staged, run, machine, None, sent="") is V.STORE


def test_a_machine_of_another_link_says_nothing_of_ours() -> None:
    booth = Booth()
    told = ToldJob(job_order=booth.job, state=M.RUNNING)
    booth.shop.hear(MachineJobList(jobs=(told,), at=booth.shop.at))
    assert booth.is_in(S.ALLOWED_LOADED)
    answer = m.RecordMachineJob(
        job_order=booth.job, link="other", verb=V.STORE, status=1
    )
    refused = booth.shop.refused(answer)
    assert "nothing to do with a machine of link other" in refused.message


@pytest.mark.parametrize("state", [M.RUNNING, M.INTERRUPTED])
def test_what_is_over_here_is_stopped_there(state: M) -> None:
    booth = Booth()
    booth.says(M.RUNNING, good=10)
    booth.says(state, good=10)
    if state is M.INTERRUPTED:
        booth.shop.ok(m.ResumeJobOrder(job_order=booth.job))
    booth.shop.fire_of(booth.job, T.COMPLETE)
    assert booth.wants() is V.STOP


def test_an_abort_here_is_one_there() -> None:
    booth = Booth()
    booth.says(M.RUNNING)
    abort = m.AbortJobOrder(job_order=booth.job, reason="fire", signature="M")
    booth.shop.ok(abort)
    assert booth.wants() is V.ABORT
