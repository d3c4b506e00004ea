"""How pieces get about: stored, started, moved on to the next step, finished."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import limits, windows
from mes_engine.core.decide.choosing import chosen, passer, why_skipped
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.genealogy import create_lot
from mes_engine.core.decide.moving import move, move_of
from mes_engine.core.holding import holds_on_lots_at
from mes_engine.core.job_order import (
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.lots import LotExistence, LotOrigin, MaterialLot
from mes_engine.core.means import needs_of
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.readiness import (
    is_fed,
    own_part,
    remaining,
    routing_of,
    visit_of,
)
from mes_engine.core.requests import Visit, WorkRequest, visit_id
from mes_engine.core.routing import Connection, ConnectionKind, JobPer, Step
from mes_engine.core.siblings import siblings, to_start
from mes_engine.core.whereabouts import (
    Stack,
    here,
    positions_of,
    rework_at,
    visit_at,
)
from mes_engine.core.wip_ledger import Bucket

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
    """Return the visit's job order of the lot, or of all, that is not over."""
    jobs = draft.state.job_order.find("visit", visit)
    return next((job for job in jobs if not job.is_over and job.lot == lot), None)


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
    may_start = request.releases_job_orders if is_released is None else is_released
    if may_start and request.is_released:
        row_state = JobOrderState.ALLOWED_WAITING
        return draft.move_state(job, JobOrderTrigger.RELEASE, row_state)
    return job


def stored_first(draft: Draft, request: WorkRequest, step: Step) -> JobOrder:
    """Store what begins the request: for all of it, or for each of its lots."""
    if step.job_per is JobPer.REQUEST:
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
        if routing.step(one.target).sampling is not None:
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


def open_lots(draft: Draft, request: WorkRequest) -> list[MaterialLot]:
    """Return the lots that the request begins as, made now if they are not yet."""
    known = draft.state.lot.find("request", request.id)
    lots = [
        one
        for one in known
        if one.origin is LotOrigin.STARTED and one.material == request.material
    ]
    if lots:
        return lots
    size = request.lot_size or request.quantity
    count = int((request.quantity / size).to_integral_value(ROUND_CEILING))
    lots.extend(
        create_lot(
            draft, material=request.material, unit=request.unit, request=request.id
        )
        for _ in range(count)
    )
    draft.emit(
        f.WorkRequestChanged(
            work_request=request.id, state=request.state, lot=lots[0].id
        )
    )
    return lots


def planned_of(request: WorkRequest, lots: Sequence[MaterialLot]) -> dict[str, Decimal]:
    """Return how many pieces each of the lots that a request began as is to have."""
    size = request.lot_size or request.quantity
    left = request.quantity - size * (len(lots) - 1)
    return {one.id: size for one in lots[:-1]} | {lots[-1].id: left}


def start_pieces(draft: Draft, job: JobOrder) -> None:
    """Bring the job order's pieces onto the floor, where its routing begins with it."""
    if not job.expects_pieces or is_fed(draft.state, job):
        return
    request = draft.request(job.request)
    there = here(draft.state, job).unaccounted
    missing = remaining(job) - there
    if job.split_of is not None:
        missing = to_start(draft.state, job, there)
    if missing <= ZERO and request.lot is not None:
        return
    lots = open_lots(draft, request)
    if job.lot is not None or len(lots) == 1:
        if missing > ZERO:
            start(draft, job, job.lot or lots[0].id, missing)
        return
    for name, planned in planned_of(request, lots).items():
        begun = sum(
            (
                one.started + one.produced
                for one in draft.state.position.find("lot", name)
            ),
            ZERO,
        )
        amount = min(planned - begun, missing)
        if amount > ZERO:
            start(draft, job, name, amount)
            missing -= amount
    if missing > ZERO:
        start(draft, job, lots[-1].id, missing)


def start(draft: Draft, job: JobOrder, lot: str, quantity: Decimal) -> None:
    """Bring pieces of a lot onto the floor, or of what became of it."""
    lot = lot_for_more(draft, job, lot)
    move_of(draft, job, quantity, entry_of(job), Bucket.QUEUED, lot=lot)


def entry_of(job: JobOrder) -> Bucket:
    """Return the source of what a routing's first step begins with.

    What it makes of other materials is ``produced``; else pieces are ``started``.
    """
    return Bucket.PRODUCED if job.materials else Bucket.STARTED


def lot_for_more(draft: Draft, job: JobOrder, lot: str) -> str:
    """Return ``lot``, or where it was split up or merged, one that is still there.

    Of the request's lots, the oldest at the job order's visit; else the oldest; else a
    new one.
    """
    found = draft.state.lot.get(lot)
    if found is None or found.existence is LotExistence.ACTIVE:
        return lot
    there = [one.lot for one in positions_of(draft.state, job) if one.on_floor]
    others = [
        one.id
        for one in draft.state.lot.find("request", job.request)
        if one.existence is LotExistence.ACTIVE and one.material == found.material
    ]
    if there or others:
        return (*there, *others)[0]
    return create_lot(
        draft,
        material=found.material,
        unit=found.unit,
        request=found.request,
        origin=LotOrigin.FOUND,
    ).id


def transfer(draft: Draft, job: JobOrder, *, is_ending: bool) -> None:
    """Send on what waits in ``out``: whole transfer batches, or all at the end."""
    if not job.expects_pieces:
        return
    routing = routing_of(draft.state, job)
    leaving = [one for one in routing.leaving(job.step) if one.carries_pieces]
    if not is_ending and not any(_moves_before_the_end(one) for one in leaving):
        return
    waiting = _out(draft, job)
    if waiting == ZERO or holds_on_lots_at(draft.state, job):
        return  # What is held waits where it was worked, for its release.
    if not leaving:
        if is_ending:
            finish(draft, job, waiting)
        return
    if leaving[0].kind is ConnectionKind.ALTERNATIVE:
        leaving = [chosen(draft, job, leaving)]
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


def _moves_before_the_end(one: Connection) -> bool:
    is_choice = one.kind is ConnectionKind.ALTERNATIVE  # It falls with the first piece.
    return is_choice or one.transfer_batch is not None


def _out(draft: Draft, job: JobOrder) -> Decimal:
    return here(draft.state, job).out


def _sent(draft: Draft, job: JobOrder, one: Connection) -> Decimal:
    flow = draft.state.connection_flow.get((job.request, one.source, one.target))
    return ZERO if flow is None else flow.sent


def _whole_batches(amount: Decimal, one: Connection) -> Decimal:
    if one.transfer_batch is None or amount < one.transfer_batch:
        return ZERO
    return amount // one.transfer_batch * one.transfer_batch


def send(draft: Draft, job: JobOrder, one: Connection, quantity: Decimal) -> None:
    """Move ``quantity`` along a connection, and have job orders there for it."""
    rework = rework_to(draft, job, one.target)
    left = quantity
    for position in positions_of(draft.state, job):
        amount = min(left, position.out)
        if amount > ZERO:
            left -= amount
            named = f"{one.source}>{one.target}"
            bring(
                draft,
                job,
                amount,
                lot=position.lot,
                step=one.target,
                rework=rework,
                named=named,
            )


def bring(
    draft: Draft,
    job: JobOrder,
    quantity: Decimal,
    *,
    lot: str,
    step: str,
    rework: Stack,
    named: str,
    reason: str = "",
    may_skip: bool = True,
) -> JobOrder:
    """Bring what is out at the job order's visit to ``step``, and have work there.

    Args:
        draft: The decision.
        job: Where it is.
        quantity: How many.
        lot: Whose pieces.
        step: Where to.
        rework: The pass in which they are there.
        named: The connection.
        reason: Why, if it is not the way of the routing.
        may_skip: Whether a step that takes a sample may let them pass.

    Returns:
        The job order there; where they skip the step, what stands for one.
    """
    request = draft.request(job.request)
    target = visit_to(draft, request, step, rework)
    if target.is_done:
        draft.emit(f.VisitChanged(visit=replace(target, is_done=False)))
    move_of(
        draft,
        job,
        quantity,
        Bucket.OUT,
        Bucket.TRANSIT,
        lot=lot,
        connection=named,
        reason=reason,
    )
    move_of(
        draft,
        job,
        quantity,
        Bucket.TRANSIT,
        Bucket.QUEUED,
        lot=lot,
        to_place=target.id,
        connection=named,
        reason=reason,
    )
    routing = routing_of(draft.state, job)
    of_lot = lot if routing.step(step).job_per is JobPer.LOT else None
    if may_skip and not rework:
        why = why_skipped(draft, routing.step(step), target, of_lot)
        if why:
            return pass_by(draft, target, lot, quantity, why)
    successor = live_job(draft, target.id, of_lot)
    if successor is None:
        stored = draft.state.job_order.find("visit", target.id)
        earlier = [other for other in stored if other.lot == of_lot]
        is_first = not earlier and not rework
        successor = store(
            draft,
            request,
            step,
            planned=None if is_first and of_lot is None else quantity,
            follows=earlier[-1] if earlier else None,
            rework=rework,
            lot=of_lot,
        )
    elif rework:
        successor = _planned_for(draft, successor)
    windows.moved_on(draft, job, successor, lot)
    limits.came(draft, successor, quantity)
    draft.touch(successor.id)
    touch_siblings(draft, successor)
    look_ahead(draft, successor)
    return successor


def pass_by(
    draft: Draft, visit: Visit, lot: str, quantity: Decimal, why: str
) -> JobOrder:
    """Let queued pieces of a lot go past a step at once, without a job order."""
    passing = passer(draft, visit, lot)
    draft.emit(
        f.StepSkipped(
            visit=visit.id,
            step=visit.step,
            lot=lot,
            quantity=quantity,
            why=why,
            at=draft.at,
            person=draft.person,
        )
    )
    move_of(draft, passing, quantity, Bucket.QUEUED, Bucket.OUT, lot=lot, reason=why)
    transfer(draft, passing, is_ending=True)
    return passing


def _planned_for(draft: Draft, job: JobOrder) -> JobOrder:
    """Plan a job order of rework for all that has come to it."""
    came = job.worked + own_part(draft.state, job)
    if came <= job.planned:
        return job
    draft.emit(
        f.JobOrderUpdated(
            job_order=job.id, planned=came, due_at=job.due_at, priority=job.priority
        )
    )
    return draft.job(job.id)


def touch_siblings(draft: Draft, job: JobOrder) -> None:
    """Note that there is another amount for those that share the job order's pieces."""
    draft.touch(*(one.id for one in siblings(draft.state, job)))


def finish(draft: Draft, job: JobOrder, quantity: Decimal) -> None:
    """Put finished pieces into stock."""
    location = draft.state.site.plant.finished_location
    move(draft, job, quantity, Bucket.OUT, Bucket.STOCK, to_place=location)
    request = draft.request(job.request)
    for waiting in draft.state.job_order.find("consumes", request.material):
        draft.touch(waiting.id)
