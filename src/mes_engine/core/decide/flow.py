"""How pieces get about: sent on to the next step, let past one, put into stock."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import limits, windows
from mes_engine.core.decide.choosing import chosen, passer, why_skipped
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.moving import move_of
from mes_engine.core.decide.pool_jobs import pool_for
from mes_engine.core.decide.reopening import reopen
from mes_engine.core.decide.splitting import split_off
from mes_engine.core.decide.storing import (
    live_job,
    look_ahead,
    rework_to,
    store,
    visit_to,
)
from mes_engine.core.holding import holds_on_lot, may_hold_lots
from mes_engine.core.job_order import (
    JobOrder,
)
from mes_engine.core.measurements import Seen
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.readiness import (
    is_per_run,
    own_part,
    routing_of,
    visit_of,
)
from mes_engine.core.requests import Visit
from mes_engine.core.siblings import siblings
from mes_engine.core.steps import Connection, ConnectionKind, JobPer
from mes_engine.core.ways import Way, way_of
from mes_engine.core.whereabouts import (
    Stack,
    positions_of,
)
from mes_engine.core.wip_ledger import Bucket, Position

replace = msgspec.structs.replace


def transfer(draft: Draft, job: JobOrder, *, is_ending: bool) -> None:
    """Send on what waits in ``out``: whole transfer batches, or all at the end."""
    if not job.expects_pieces:
        return
    routing = routing_of(draft.state, job)
    leaving = [one for one in routing.leaving(job.step) if one.carries_pieces]
    if not is_ending and not any(_moves_before_the_end(one) for one in leaving):
        return
    waiting = _out(draft, job)
    if waiting == ZERO:
        return
    if any(one.is_conditional for one in leaving):
        _part(draft, job, leaving, is_ending=is_ending)
    elif leaving:
        _share_out(draft, job, leaving, waiting, is_ending=is_ending)
    elif is_ending:
        finish(draft, job)


def _share_out(
    draft: Draft,
    job: JobOrder,
    leaving: list[Connection],
    waiting: Decimal,
    *,
    is_ending: bool,
) -> None:
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
    return sum((one.out for one in _free(draft, job)), ZERO)


def _free(draft: Draft, job: JobOrder) -> list[Position]:
    """Return what may move on; what is held waits where it was worked."""
    found = positions_of(draft.state, job)
    if not may_hold_lots(draft.state):
        return found
    return [one for one in found if not holds_on_lot(draft.state, one.lot)]


def _sent(draft: Draft, job: JobOrder, one: Connection) -> Decimal:
    flow = draft.state.connection_flow.get((job.request, one.source, one.target))
    return ZERO if flow is None else flow.sent


def _whole_batches(amount: Decimal, one: Connection) -> Decimal:
    if one.transfer_batch is None or amount < one.transfer_batch:
        return ZERO
    return amount // one.transfer_batch * one.transfer_batch


def _part(
    draft: Draft, job: JobOrder, leaving: list[Connection], *, is_ending: bool
) -> None:
    """Send each lot along the alternative that measured data tells; others wait."""
    routing, visit = routing_of(draft.state, job), visit_of(draft.state, job)
    ways: dict[str | None, list[tuple[Position, Way]]] = {}
    for position in _free(draft, job):
        if position.out > ZERO:
            way = way_of(draft.state, routing, visit, leaving, position)
            ways.setdefault(way.target, []).append((position, way))
    for one in leaving:
        going = ways.get(one.target, [])
        left = sum((position.out for position, _ in going), ZERO)
        left = left if is_ending else _whole_batches(left, one)
        for position, way in going:
            amount = min(left, position.out)
            if amount > ZERO:
                left -= amount
                _take(draft, visit, position.lot, way)
                send(draft, job, one, amount, lot=position.lot)


def _take(draft: Draft, visit: Visit, lot: str, way: Way) -> None:
    if way.is_new and way.target is not None:
        draft.emit(
            f.AlternativeChosen(
                visit=visit.id,
                step=visit.step,
                lot=lot,
                target=way.target,
                why=way.why,
                saw=way.saw,
                is_set=False,
                at=draft.at,
                person=draft.person,
            )
        )


def send(
    draft: Draft,
    job: JobOrder,
    one: Connection,
    quantity: Decimal,
    *,
    lot: str | None = None,
) -> None:
    """Move ``quantity`` along a connection, and have job orders there for it.

    Args:
        draft: The decision.
        job: Where it is.
        one: The connection.
        quantity: How many.
        lot: The only lot whose pieces they are, if it is one.
    """
    rework = rework_to(draft, job, one.target)
    left = quantity
    for position in _free(draft, job):
        if lot not in {None, position.lot}:
            continue
        amount = min(left, position.out)
        if amount > ZERO:
            left -= amount
            named = f"{one.source}>{one.target}"
            bring(
                draft,
                job,
                amount,
                lot=_lot_of_its_own(draft, job, one, position, amount),
                step=one.target,
                rework=rework,
                named=named,
            )


def _lot_of_its_own(
    draft: Draft, job: JobOrder, one: Connection, position: Position, amount: Decimal
) -> str:
    """Return the lot that moves on: a part that is under a time window gets its own.

    Its time runs from when it left, and not from when the first or the last one did.
    """
    if not windows.runs_on(draft, job, position.lot, one.target):
        return position.lot
    there = draft.state.position.find("lot", position.lot)
    if amount == sum((each.held for each in there), ZERO):
        return position.lot
    why = "its time window runs apart from that of the rest"
    return split_off(draft, position, {Bucket.OUT: amount}, reason=why, job=job).id


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
        reopen(draft, target.id)
        target = visit_to(draft, request, step, rework)
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
        skip = why_skipped(
            draft, routing, target, of_lot=of_lot, lot=lot, quantity=quantity
        )
        if skip is not None:
            return pass_by(draft, target, lot, quantity, skip.why, saw=skip.saw)
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
    elif rework and not is_per_run(draft.state, successor):
        successor = _planned_for(draft, successor)
    else:
        successor = pool_for(draft, successor)
    windows.moved_on(draft, job, successor, lot)
    limits.came(draft, successor, quantity)
    draft.touch(successor.id)
    touch_siblings(draft, successor)
    look_ahead(draft, successor)
    return successor


def pass_by(
    draft: Draft,
    visit: Visit,
    lot: str,
    quantity: Decimal,
    why: str,
    *,
    saw: tuple[Seen, ...] = (),
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
            saw=saw,
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


def finish(draft: Draft, job: JobOrder) -> None:
    """Put finished pieces into stock, but for those that are held."""
    for one in _free(draft, job):
        if one.out:
            move_of(
                draft,
                job,
                one.out,
                Bucket.OUT,
                Bucket.STOCK,
                lot=one.lot,
                to_place=draft.state.site.plant.finished_location,
            )
    request = draft.request(job.request)
    for waiting in draft.state.job_order.find("consumes", request.material):
        draft.touch(waiting.id)
