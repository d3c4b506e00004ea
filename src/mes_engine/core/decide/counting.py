"""Counts: whose the pieces are that a machine has counted, and why if nobody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import windows
from mes_engine.core.decide.claims import open_run
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.job_orders import begin
from mes_engine.core.decide.late_counts import book_late, late_run
from mes_engine.core.decide.production import keep_unassigned
from mes_engine.core.decide.reporting import book, can_take, count_report
from mes_engine.core.guards import claims_of, unmet_guards
from mes_engine.core.holding import lot_not_held
from mes_engine.core.job_order import AT_WORK, JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.messages import BeginJobOrder
from mes_engine.core.plant import BatchCount, Signal, SignalMeaning, WorkUnit
from mes_engine.core.production import (
    MachineTally,
    UnassignedProduction,
    UnassignedReason,
)
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import step_of
from mes_engine.core.runs import Lane, Run
from mes_engine.core.steps import BeginOn

replace = msgspec.structs.replace


def book_count(
    draft: Draft, signal: Signal, pieces: Decimal, doubt: UnassignedReason | None
) -> None:
    """Book what a counter has counted on the run that is active, or on nobody."""
    role = "good" if signal.means is SignalMeaning.GOOD_COUNT else "scrap"
    unit = draft.state.site.work_unit(signal.work_unit)
    counted = counted_for(draft, unit)
    jobs, late = counted.jobs, counted.late
    if doubt is not None:
        booked, reason = ZERO, doubt
    elif late is not None:
        booked, reason = book_late(draft, late, role, pieces)
    elif len(jobs) > 1:
        pieces, booked, reason = _book_shared(draft, unit, jobs, role, pieces)
    else:
        booked, reason = _book(draft, jobs, role, pieces)
    known = draft.state.machine_tally.get((unit.id, role)) or MachineTally(
        work_unit=unit.id, role=role, counted=ZERO, booked=ZERO, unassigned=ZERO
    )
    stretch = None
    if booked < pieces:
        production = UnassignedProduction(
            seq=draft.next_seq,
            work_unit=unit.id,
            tag=signal.tag,
            role=role,
            quantity=pieces - booked,
            reason=reason,
            at=draft.at,
            until=draft.at,
            job_order=jobs[0].id if len(jobs) == 1 else None,
        )
        stretch = keep_unassigned(
            draft, replace(known, stretch=None) if booked else known, production
        )
    draft.emit(
        f.MachineCounted(
            tally=replace(
                known,
                counted=known.counted + pieces,
                booked=known.booked + booked,
                unassigned=known.unassigned + pieces - booked,
                stretch=stretch,
            )
        )
    )


def _book(
    draft: Draft, jobs: Sequence[JobOrder], role: str, pieces: Decimal
) -> tuple[Decimal, UnassignedReason]:
    """Book what the job order can take of ``pieces``; say why not the rest."""
    if not jobs:
        return ZERO, UnassignedReason.NO_ACTIVE_RUN
    if not _has_begun(draft, jobs):
        return ZERO, UnassignedReason.BEFORE_BEGIN
    job = draft.job(jobs[0].id)
    if role == "scrap" and not job.expects_pieces:
        return ZERO, UnassignedReason.PAST_QUANTITY
    if not lot_not_held(draft.state, job).is_met:
        return ZERO, UnassignedReason.LOT_HELD
    booked = min(pieces, can_take(draft, job))
    if booked > ZERO:
        book(draft, job, count_report(job, role, booked), source="machine")
    return booked, UnassignedReason.PAST_QUANTITY


def _book_shared(
    draft: Draft, unit: WorkUnit, jobs: Sequence[JobOrder], role: str, pieces: Decimal
) -> tuple[Decimal, Decimal, UnassignedReason]:
    """Book a count of a run of several: on nobody, unless it stands for all of them.

    Returns:
        How many pieces it stands for, how many of them are booked, why not the rest.
    """
    rule = draft.state.site.batch_rule(unit)
    if not _has_begun(draft, jobs):
        return pieces, ZERO, UnassignedReason.BEFORE_BEGIN
    if rule is None or rule.counts is not BatchCount.WHOLE or role != "good":
        return pieces, ZERO, UnassignedReason.SHARED_RUN
    booked = ZERO
    for one in jobs:
        job = draft.job(one.id)
        takes = can_take(draft, job)
        if takes > ZERO:
            book(draft, job, count_report(job, role, takes), source="machine")
            booked += takes
    return booked or pieces, booked, UnassignedReason.PAST_QUANTITY


def _has_begun(draft: Draft, jobs: Sequence[JobOrder]) -> bool:
    """Whether a count of now is of the run, which it may be what begins."""
    begin_if(draft, jobs, BeginOn.FIRST_COUNT, BeginOn.EXECUTING)
    begun_at = begun_at_of(draft, jobs)
    is_at_work = draft.job(jobs[0].id).state in AT_WORK
    return is_at_work and begun_at is not None and draft.told_at >= begun_at


def begin_if(draft: Draft, jobs: Sequence[JobOrder], *occasions: BeginOn) -> None:
    """Begin a loaded run whose steps say that this is what begins it."""
    for job in jobs:
        is_loaded = job.state in {
            JobOrderState.ALLOWED_LOADED,
            JobOrderState.RUNNING_SETUP,
        }
        if not is_loaded or step_of(draft.state, job).begin_on not in occasions:
            return
        windows.catch_up(draft, job)
        if unmet_guards(draft.state, job, JobOrderTrigger.BEGIN, draft.asker):
            return
    if jobs:
        begin(draft, BeginJobOrder(job_order=jobs[0].id))


def active_jobs(draft: Draft, unit: WorkUnit) -> list[JobOrder]:
    """Return the job orders of the run that a count of ``unit`` belongs to now.

    A counter counts for one active run at a time: where the unit works on several, for
    the one that was begun first. What is staged is next, if nothing is active.
    """
    claims = claims_of(draft.state, unit)
    runs = claims[Lane.ACTIVE] or claims[Lane.STAGED]
    begun = sorted(
        runs, key=lambda one: (one.begun_at is None, one.begun_at or one.opened_at)
    )
    return [draft.job(one) for one in begun[0].job_orders] if begun else []


@dataclass(frozen=True, slots=True)
class CountedFor:
    """Whose a count is.

    Attributes:
        jobs: The job orders of its run; none if nobody's.
        begun_at: When that run was begun; None before that.
        late: That run, if it is over.
    """

    jobs: list[JobOrder]
    begun_at: int | None
    late: Run | None = None


def counted_for(draft: Draft, unit: WorkUnit) -> CountedFor:
    """Return the run that a count of the message's time belongs to."""
    jobs = active_jobs(draft, unit)
    begun_at = begun_at_of(draft, jobs)
    late = late_run(draft, unit, begun_at)
    if late is None:
        return CountedFor(jobs, begun_at)
    known = (draft.state.job_order.get(name) for name in late.job_orders)
    its_jobs = [one for one in known if one is not None]
    return CountedFor(its_jobs, late.begun_at, late)


def begun_at_of(draft: Draft, jobs: Sequence[JobOrder]) -> int | None:
    """Return when the run of the job orders was begun; None before that."""
    run = open_run(draft, jobs[0]) if jobs else None
    return None if run is None else run.begun_at
