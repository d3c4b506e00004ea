"""The end of a job order: complete, stop, abort, cancel, and what follows from it."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide import windows
from mes_engine.core.decide.chart import check
from mes_engine.core.decide.claims import close_run, end_run, in_run_with, open_run
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.flow import transfer
from mes_engine.core.decide.moving import move
from mes_engine.core.decide.parallel import hand_over, release_idle
from mes_engine.core.decide.pool_jobs import leave_the_rest
from mes_engine.core.decide.posting import raise_posting
from mes_engine.core.decide.stock import consume, end_if_empty
from mes_engine.core.decide.storing import store
from mes_engine.core.decide.visits import is_to_post, settle_afterwards, settle_visit
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import (
    AT_WORK,
    JOB_ORDER_CHART,
    JobOrder,
    JobOrderTrigger,
)
from mes_engine.core.messages import AbortJobOrder, Remainder, StopJobOrder
from mes_engine.core.quantity import ZERO, checked_quantity, floored
from mes_engine.core.readiness import (
    is_fed,
    is_per_run,
    own_part,
    remaining,
    routing_of,
    visit_of,
)
from mes_engine.core.siblings import siblings
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_ledger import Bucket


def complete(draft: Draft, job: JobOrder, reason: str = "") -> JobOrder:
    """End a job order whose every piece is accounted for, and all in its run with it.

    A person who says why may leave out a few: they are missing then, and booked so, if
    the routing tolerates as many.
    """
    if reason.strip():
        _miss_the_rest(draft, job, reason)
        job = draft.job(job.id)
    together = in_run_with(draft, job)
    for one in together:
        windows.catch_up(draft, one)
    after = check(draft, job, JobOrderTrigger.COMPLETE)
    for one in together:
        leave_the_rest(draft, one)
    together = tuple(draft.job(one.id) for one in together)
    for one in together:
        transfer(draft, one, is_ending=True)
    run = open_run(draft, job)
    if run is not None:
        end_run(draft, run)
    for one in together:
        consume(draft, one, pieces=one.worked)
        draft.move_state(draft.job(one.id), JobOrderTrigger.COMPLETE, after)
    last_at = {one.visit: one.id for one in together}
    for one in together:
        is_done = settle_visit(draft, one)
        is_last = last_at[one.visit] == one.id
        raise_posting(draft, one.id, is_final=is_done and is_last)
        release_idle(draft, one)
    return draft.job(job.id)


def stop(draft: Draft, command: StopJobOrder) -> JobOrder:
    """End a job order early; its remainder is scrapped or goes to a follow-on."""
    job = draft.job(command.job_order)
    _check_reason(job, command.reason)
    after = check(draft, job, JobOrderTrigger.STOP)
    worked = job.worked
    if command.remainder is Remainder.SCRAP:
        worked += _scrap_the_rest(draft, job, command.reason)
    is_per = is_per_run(draft.state, job)
    leave_the_rest(draft, draft.job(job.id))
    transfer(draft, job, is_ending=True)
    close_run(draft, job)
    job = draft.job(job.id)
    consume(draft, job, pieces=worked)
    draft.move_state(job, JobOrderTrigger.STOP, after, reason=command.reason)
    if not is_per and command.remainder is not Remainder.SCRAP:
        is_released = command.remainder is Remainder.FOLLOW_ON
        _store_follow_on(draft, job, is_released=is_released)
    is_done = settle_visit(draft, job)
    raise_posting(draft, job.id, is_final=is_done)
    release_idle(draft, job)
    return draft.job(job.id)


def abort(draft: Draft, command: AbortJobOrder) -> JobOrder:
    """End a job order at once: what is in process becomes suspect."""
    job = draft.job(command.job_order)
    _check_reason(job, command.reason)
    after = check(draft, job, JobOrderTrigger.ABORT)
    touched = checked_quantity(command.in_process, unit=job.unit, of="in process")
    there = here(draft.state, job)
    others = siblings(draft.state, job)
    if is_per_run(draft.state, job):
        others = [one for one in others if one.state in AT_WORK]
    is_shared = bool(others)
    # Of a pool, nobody but the person knows whose pieces are at work.
    begun = min(touched, there.in_process) if is_shared else ZERO
    touched -= begun
    if touched > there.queued:
        raise Refused(
            f"{job.id} has {there.queued} queued, so {touched} cannot be at work."
        )
    at_work = touched + (begun if is_shared else there.in_process)
    if (at_work or job.worked) and not command.signature.strip():
        raise Refused(
            f"Aborting {job.id} touches material: {at_work} at work, "
            f"{job.worked} reported.",
            hint="Sign with the name of who answers for it, in 'signature'.",
        )
    if touched:
        move(draft, job, touched, Bucket.QUEUED, Bucket.IN_PROCESS)
    if at_work:
        reason = command.reason
        move(draft, job, at_work, Bucket.IN_PROCESS, Bucket.SUSPECT, reason=reason)
    leave_the_rest(draft, job)
    transfer(draft, job, is_ending=True)
    close_run(draft, job)
    consume(draft, draft.job(job.id), pieces=job.worked, takes_less=True)
    told = command.reason
    if command.signature:
        told = f"{told} (signed {command.signature})"
    job = draft.move_state(draft.job(job.id), JobOrderTrigger.ABORT, after, reason=told)
    if not is_per_run(draft.state, job):
        _store_follow_on(draft, job, is_released=False)
    is_done = settle_visit(draft, job)
    if is_to_post(job):
        raise_posting(draft, job.id, is_final=is_done)
    release_idle(draft, job)
    return draft.job(job.id)


def cancel(draft: Draft, job: JobOrder, reason: str) -> JobOrder:
    """Give up one job order; a step that holds no pieces is skipped with it."""
    job = give_up(draft, job, reason)
    visit = draft.state.visit.get(job.visit)
    is_shared = job.split_of is not None
    if visit is not None and (is_shared or not job.expects_pieces):
        settle_afterwards(draft, visit)
    for lot in draft.state.lot.find("request", job.request):
        end_if_empty(draft, lot.id)  # One that was to be, and never was begun.
    return draft.job(job.id)


def give_up(draft: Draft, job: JobOrder, reason: str) -> JobOrder:
    """Give up a job order on which nothing was booked."""
    after = check(draft, job, JobOrderTrigger.CANCEL)
    close_run(draft, job)
    hand_over(draft, job)
    job = draft.job(job.id)
    return draft.move_state(job, JobOrderTrigger.CANCEL, after, reason=reason)


def _check_reason(job: JobOrder, reason: str) -> None:
    if not reason.strip():
        raise Malformed(f"Ending {job.id} needs a reason.", hint="Say why in 'reason'.")


def _scrap_the_rest(draft: Draft, job: JobOrder, reason: str) -> Decimal:
    """Scrap what is left; return how much of it had been worked on."""
    before, left = here(draft.state, job), own_part(draft.state, job)
    worked = scrapped = ZERO
    for bucket in (Bucket.IN_PROCESS, Bucket.QUEUED, Bucket.SUSPECT):
        there = min(before.of(bucket), left - scrapped)
        if there > ZERO:
            move(draft, job, there, bucket, Bucket.SCRAP, reason=reason)
            scrapped += there
            worked += ZERO if bucket is Bucket.QUEUED else there
    if scrapped:
        _report(draft, job, reason, scrap=scrapped)
    return worked


def _miss_the_rest(draft: Draft, job: JobOrder, reason: str) -> None:
    if is_per_run(draft.state, job):
        return  # What it leaves is for the next run.
    missing = min(here(draft.state, job).queued, own_part(draft.state, job))
    tolerance = routing_of(draft.state, job).under_tolerance
    allowed = floored(job.planned * tolerance, unit=job.unit) - job.lost
    is_running = JOB_ORDER_CHART.row(job.state, JobOrderTrigger.COMPLETE) is not None
    if is_running and ZERO < missing <= allowed:
        move(draft, job, missing, Bucket.QUEUED, Bucket.LOST, reason=reason)
        _report(draft, job, reason, lost=missing)


def _report(
    draft: Draft,
    job: JobOrder,
    reason: str,
    *,
    scrap: Decimal = ZERO,
    lost: Decimal = ZERO,
) -> None:
    draft.emit(
        f.QuantityReported(
            job_order=job.id,
            run=job.run,
            good=ZERO,
            scrap=scrap,
            suspect=ZERO,
            lost=lost,
            tested=ZERO,
            good_total=job.good,
            scrap_total=job.scrap + scrap,
            lost_total=job.lost + lost,
            tested_total=job.tested,
            at=draft.at,
            person=draft.person,
            source="person",
            reason=reason,
            previous=job.last_report,
        )
    )


def _store_follow_on(draft: Draft, job: JobOrder, *, is_released: bool) -> None:
    """Store the job order that takes over what is left at the visit, if anything is."""
    left = own_part(draft.state, job)
    if not is_fed(draft.state, job):
        # Pieces that were never started, and confirmations never given, are left too.
        left = max(left, remaining(job))
    if left > ZERO:
        store(
            draft,
            draft.request(job.request),
            job.step,
            planned=left,
            follows=job,
            is_released=is_released,
            rework=visit_of(draft.state, job).rework,
            lot=job.lot,
            split_of=job.split_of,
        )
