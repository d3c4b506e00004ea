"""Late counts: made in a run that is over, and heard of only now.

A count belongs to the run whose interval holds its source's time, whichever is active
when it is heard.
"""

from decimal import Decimal

from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.production import supplement
from mes_engine.core.decide.reporting import book, can_take, count_report
from mes_engine.core.errors import Refused
from mes_engine.core.holding import lot_not_held
from mes_engine.core.job_order import AT_WORK, JobOrder, JobOrderState
from mes_engine.core.plant import WorkUnit
from mes_engine.core.production import UnassignedReason
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import Run
from mes_engine.core.whereabouts import here


def late_run(draft: Draft, unit: WorkUnit, begun_at: int | None) -> Run | None:
    """Return the run that is over and that a count of the message's time is of.

    Args:
        draft: The decision.
        unit: Which counted.
        begun_at: When the run was begun that is active there now; None if none was.
    """
    at = draft.told_at
    if begun_at is not None and at >= begun_at:
        return None
    for run in draft.state.run.find("closed_at", unit.id):
        if run.begun_at is None or run.closed_at is None:
            continue
        if run.begun_at <= at <= run.closed_at:
            return run
    return None


def book_late(
    draft: Draft, run: Run, role: str, pieces: Decimal
) -> tuple[Decimal, UnassignedReason]:
    """Book what the run's job order can take yet of ``pieces``; say why not the rest.

    One that has ended gets a supplementary booking; one that the ledger has closed, or
    that was given up, gets none.
    """
    jobs = [draft.state.job_order.get(name) for name in run.job_orders]
    if len(jobs) > 1:
        return ZERO, UnassignedReason.SHARED_RUN
    job = jobs[0]
    is_open = job is not None and (
        job.state in AT_WORK or job.state is JobOrderState.ENDED_COMPLETED
    )
    if job is None or not is_open:
        return ZERO, UnassignedReason.TOO_LATE
    if role == "scrap" and not job.expects_pieces:
        return ZERO, UnassignedReason.PAST_QUANTITY
    if not lot_not_held(draft.state, job).is_met:
        return ZERO, UnassignedReason.LOT_HELD
    booked = min(pieces, _left_for(draft, job))
    if booked <= ZERO:
        return ZERO, UnassignedReason.PAST_QUANTITY
    report = count_report(job, role, booked)
    if not job.is_over:
        book(draft, job, report, source="machine", run=run.id)
        return booked, UnassignedReason.PAST_QUANTITY
    kept = len(draft.records)
    try:
        with draft.state.attempt():
            supplement(draft, job, report, run=run.id)
    except Refused:  # What it would have to consume is not there, for one.
        del draft.records[kept:]
        return ZERO, UnassignedReason.TOO_LATE
    return booked, UnassignedReason.PAST_QUANTITY


def _left_for(draft: Draft, job: JobOrder) -> Decimal:
    """Return how many pieces are left that it could have made; not those at work."""
    if job.is_over and job.expects_pieces:
        return here(draft.state, job).queued
    return can_take(draft, job)
