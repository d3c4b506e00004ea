"""Job orders as they are stored: one for a visit, or for each lot that comes to it."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import limits
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.starting import open_lots, planned_of
from mes_engine.core.job_order import (
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.means import needs_of
from mes_engine.core.readiness import (
    routing_of,
    visit_of,
)
from mes_engine.core.requests import Visit, WorkRequest, visit_id
from mes_engine.core.steps import ConnectionKind, JobPer, Step
from mes_engine.core.whereabouts import (
    Stack,
    here,
    rework_at,
    visit_at,
)

replace = msgspec.structs.replace


def visit_to(
    draft: Draft, request: WorkRequest, step: str, rework: Stack = ()
) -> Visit:
    """Return the request's visit to ``step`` in this pass, opened if it is the first.

    One whose work was over is open again: more has come to it.
    """
    visit = visit_at(draft.state, request.id, step, rework)
    if visit is None:
        number = 1
        if rework:
            visits = draft.state.visit.find("step", (request.id, step))
            number = 2 + sum(1 for one in visits if one.rework)
        visit = Visit(
            id=visit_id(request.id, step, number),
            request=request.id,
            step=step,
            pass_number=number,
            rework=rework,
        )
        draft.emit(f.VisitOpened(visit=visit))
    return visit


def live_job(draft: Draft, visit: str, lot: str | None = None) -> JobOrder | None:
    """Return the visit's job order of the lot, or of all, that is not over.

    Of several that share pieces, the one that has not begun.
    """
    jobs = draft.state.job_order.find("visit", visit)
    live = [job for job in jobs if not job.is_over and job.lot == lot]
    waiting = (job for job in live if job.begun_at is None and job.run is None)
    return next(waiting, live[0] if live else None)


def store(
    draft: Draft,
    request: WorkRequest,
    step: str,
    *,
    planned: Decimal | None = None,
    follows: JobOrder | None = None,
    is_released: bool | None = None,
    rework: Stack = (),
    lot: str | None = None,
    split_of: str | None = None,
) -> JobOrder:
    """Store a job order of the request at ``step``.

    Args:
        draft: The decision.
        request: Whose pieces.
        step: Where.
        planned: The request's quantity, unless it is the rest of another job order.
        follows: That other one.
        is_released: Whether it may start; by the request's own rule if not said.
        rework: The pass.
        lot: The only lot that it works on, if it is of one.
        split_of: What it and its siblings were split of, if they were.
    """
    state = draft.state
    routing = state.routing.get((request.routing, request.revision))
    if routing is None:
        raise LookupError(f"{request.id} names a routing revision that is not there")
    visit = visit_to(draft, request, step, rework)
    number = state.last_number("job_order") + 1
    detail = routing.step(step)
    job = JobOrder(
        id=f"JO-{number:06}",
        number=number,
        request=request.id,
        visit=visit.id,
        step=step,
        routing=routing.id,
        revision=routing.revision,
        work_center=detail.work_center,
        equipment_class=detail.equipment_class,
        unit=request.unit,
        planned=request.quantity if planned is None else planned,
        due_at=request.due_at,
        priority=request.priority,
        stored_at=draft.at,
        expects_pieces=routing.holds_pieces(step),
        materials=tuple(one.material for one in detail.consumes),
        needs=needs_of(detail),
        follows=None if follows is None else follows.id,
        lot=lot,
        split_of=split_of,
    )
    draft.emit(f.JobOrderStored(job_order=job))
    draft.touch(job.id)
    if queued := here(state, job).queued:
        limits.came(draft, job, queued)  # They lay there with nobody to count them.
    may_start = request.releases_job_orders if is_released is None else is_released
    if may_start and request.is_released:
        row_state = JobOrderState.ALLOWED_WAITING
        return draft.move_state(job, JobOrderTrigger.RELEASE, row_state)
    return job


def stored_first(draft: Draft, request: WorkRequest, step: Step) -> JobOrder:
    """Store what begins the request: for all of it, or for each of its lots."""
    if step.job_per is not JobPer.LOT:
        return store(draft, request, step.id)
    planned = planned_of(request, open_lots(draft, request))
    jobs = [
        store(draft, draft.request(request.id), step.id, planned=amount, lot=lot)
        for lot, amount in planned.items()
    ]
    return jobs[0]


def look_ahead(draft: Draft, job: JobOrder) -> None:
    """Store what comes after the job order, so that it can be seen waiting."""
    routing = routing_of(draft.state, job)
    request = draft.request(job.request)
    for one in routing.leaving(job.step):
        per_lot = routing.step(one.target).job_per is JobPer.LOT
        if one.kind is ConnectionKind.ALTERNATIVE or (per_lot and job.lot is None):
            continue
        if routing.step(one.target).may_be_skipped:
            continue  # Whether there will be work is known when pieces come.
        lot = job.lot if per_lot else None
        visit = visit_to(draft, request, one.target, rework_to(draft, job, one.target))
        stored = draft.state.job_order.find("visit", visit.id)
        if not any(other.lot == lot for other in stored):
            store(
                draft,
                request,
                one.target,
                planned=job.planned if per_lot or visit.rework else None,
                rework=visit.rework,
                lot=lot,
            )


def rework_to(draft: Draft, job: JobOrder, step: str) -> Stack:
    """Return the rework loops that the job order's pieces are in when they reach it."""
    rework = visit_of(draft.state, job).rework
    return rework_at(routing_of(draft.state, job), rework, step) if rework else ()
