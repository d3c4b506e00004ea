"""How pieces get about: stored, started, moved on to the next step, finished."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import (
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.lots import MaterialLot
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.readiness import position_of, routing_of
from mes_engine.core.requests import Visit, WorkRequest, visit_id
from mes_engine.core.routing import Connection, ConnectionKind, Routing
from mes_engine.core.wip_ledger import Bucket, Move

replace = msgspec.structs.replace


def visit_of(draft: Draft, request: WorkRequest, step: str) -> Visit:
    """Return the request's visit to ``step``, opened if it is the first."""
    name = visit_id(request.id, step)
    visit = draft.state.visit.get(name)
    if visit is None:
        visit = Visit(id=name, request=request.id, step=step, pass_number=1)
        draft.emit(f.VisitOpened(visit=visit))
    return visit


def live_job(draft: Draft, visit: str) -> JobOrder | None:
    """Return the visit's job order that is not over, if there is one."""
    jobs = draft.state.job_order.find("visit", visit)
    return next((job for job in jobs if not job.is_over), None)


def store(
    draft: Draft,
    request: WorkRequest,
    step: str,
    *,
    planned: Decimal | None = None,
    follows: JobOrder | None = None,
    is_released: bool | None = None,
) -> JobOrder:
    """Store a job order of the request at ``step``.

    Args:
        draft: The decision.
        request: Whose pieces.
        step: Where.
        planned: The request's quantity, unless it is the rest of another job order.
        follows: That other one.
        is_released: Whether it may start; by the request's own rule if not said.
    """
    state = draft.state
    routing = state.routing.get((request.routing, request.revision))
    if routing is None:
        raise LookupError(f"{request.id} names a routing revision that is not there")
    visit = visit_of(draft, request, step)
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
        follows=None if follows is None else follows.id,
    )
    draft.emit(f.JobOrderStored(job_order=job))
    draft.touch(job.id)
    may_start = request.releases_job_orders if is_released is None else is_released
    if may_start and request.is_released:
        row_state = JobOrderState.ALLOWED_WAITING
        return draft.move_state(job, JobOrderTrigger.RELEASE, row_state)
    return job


def look_ahead(draft: Draft, request: WorkRequest, routing: Routing, step: str) -> None:
    """Store what comes after ``step``, so that it can be seen waiting."""
    for one in routing.leaving(step):
        if one.kind is ConnectionKind.ALTERNATIVE:
            continue
        visit = visit_of(draft, request, one.target)
        if not draft.state.job_order.find("visit", visit.id):
            store(draft, request, one.target)


def start_pieces(draft: Draft, job: JobOrder) -> None:
    """Bring the job order's pieces onto the floor, where its routing begins with it."""
    routing = routing_of(draft.state, job)
    if not job.expects_pieces or any(routing.reaching(job.step)):
        return
    request = draft.request(job.request)
    if request.lot is None:
        number = draft.state.last_number("lot") + 1
        lot = MaterialLot(
            id=f"L-{number:06}",
            number=number,
            material=request.material,
            unit=request.unit,
            created_at=draft.at,
            request=request.id,
        )
        draft.emit(f.LotCreated(lot=lot))
        draft.emit(
            f.WorkRequestChanged(
                work_request=request.id, state=request.state, lot=lot.id
            )
        )
    position = position_of(draft.state, job)
    here = ZERO if position is None else position.queued + position.in_process
    here += ZERO if position is None else position.suspect
    if job.planned > here + job.worked:
        missing = job.planned - here - job.worked
        move(draft, job, missing, Bucket.STARTED, Bucket.QUEUED)


def move(
    draft: Draft,
    job: JobOrder,
    quantity: Decimal,
    bucket: Bucket,
    to_bucket: Bucket,
    *,
    to_place: str | None = None,
    reason: str = "",
    connection: str = "",
    place: str | None = None,
) -> None:
    """Move ``quantity`` of the job order's lot; at its own visit, unless said."""
    request = draft.request(job.request)
    if request.lot is None:
        raise LookupError(f"{request.id} has no lot to move")
    here = job.visit if place is None else place
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=request.lot,
                material=request.material,
                unit=request.unit,
                quantity=quantity,
                place=here,
                bucket=bucket,
                to_place=here if to_place is None else to_place,
                to_bucket=to_bucket,
                request=request.id,
                job_order=job.id,
                run=job.run,
                at=draft.at,
                person=draft.person,
                reason=reason,
                connection=connection,
            )
        )
    )


def transfer(draft: Draft, job: JobOrder, *, is_ending: bool) -> None:
    """Send on what waits in ``out``: whole transfer batches, or all at the end."""
    if not job.expects_pieces:
        return
    routing = routing_of(draft.state, job)
    leaving = [one for one in routing.leaving(job.step) if one.carries_pieces]
    waiting = _out(draft, job)
    if waiting == ZERO:
        return
    if not leaving:
        if is_ending:
            finish(draft, job, waiting)
        return
    if leaving[0].kind is ConnectionKind.ALTERNATIVE:
        leaving = [_chosen(draft, job, leaving)]
    sent = [_sent(draft, job, one) for one in leaving]
    total = waiting + sum(sent, ZERO)
    for index, one in enumerate(leaving):
        share = Decimal(1) if len(leaving) == 1 else one.share
        due = floored(total * share, unit=job.unit) - sent[index]
        if is_ending and index == len(leaving) - 1:
            due = _out(draft, job)
        # A way that took the rest at an earlier end is ahead of its share for a while.
        due = min(due, _out(draft, job))
        amount = due if is_ending else _whole_batches(due, one)
        if amount > ZERO:
            send(draft, job, one, amount)


def _out(draft: Draft, job: JobOrder) -> Decimal:
    position = position_of(draft.state, job)
    return ZERO if position is None else position.out


def _sent(draft: Draft, job: JobOrder, one: Connection) -> Decimal:
    flow = draft.state.connection_flow.get((job.request, one.source, one.target))
    return ZERO if flow is None else flow.sent


def _whole_batches(amount: Decimal, one: Connection) -> Decimal:
    if one.transfer_batch is None or amount < one.transfer_batch:
        return ZERO
    return amount // one.transfer_batch * one.transfer_batch


def send(draft: Draft, job: JobOrder, one: Connection, quantity: Decimal) -> None:
    """Move ``quantity`` along a connection, and have a job order there for it."""
    request = draft.request(job.request)
    target = visit_of(draft, request, one.target)
    named = f"{one.source}>{one.target}"
    move(draft, job, quantity, Bucket.OUT, Bucket.TRANSIT, connection=named)
    move(
        draft,
        job,
        quantity,
        Bucket.TRANSIT,
        Bucket.QUEUED,
        to_place=target.id,
        connection=named,
    )
    successor = live_job(draft, target.id)
    if successor is None:
        earlier = draft.state.job_order.find("visit", target.id)
        successor = store(
            draft,
            request,
            one.target,
            planned=quantity if earlier else None,
            follows=earlier[-1] if earlier else None,
        )
    draft.touch(successor.id)
    routing = routing_of(draft.state, successor)
    look_ahead(draft, request, routing, one.target)


def finish(draft: Draft, job: JobOrder, quantity: Decimal) -> None:
    """Put finished pieces into stock."""
    location = draft.state.site.plant.finished_location
    move(draft, job, quantity, Bucket.OUT, Bucket.STOCK, to_place=location)
    request = draft.request(job.request)
    for waiting in draft.state.job_order.find("consumes", request.material):
        draft.touch(waiting.id)


def _chosen(draft: Draft, job: JobOrder, leaving: list[Connection]) -> Connection:
    """Return the alternative to take: a person's choice, or the first that can."""
    request = draft.request(job.request)
    visit = visit_of(draft, request, job.step)
    if visit.chosen is not None:
        return next(one for one in leaving if one.target == visit.chosen)
    routing = routing_of(draft.state, job)
    choice = next(
        (one for one in leaving if _has_equipment(draft, routing, one.target)),
        leaving[0],
    )
    draft.emit(f.VisitChanged(visit=replace(visit, chosen=choice.target)))
    return choice


def _has_equipment(draft: Draft, routing: Routing, step: str) -> bool:
    detail = routing.step(step)
    units = draft.state.site.capable_units(detail.work_center, detail.equipment_class)
    known = (draft.state.equipment.get(unit.id) for unit in units)
    return any(one is None or not one.is_out_of_service for one in known)
