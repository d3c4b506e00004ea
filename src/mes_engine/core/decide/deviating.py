"""Deviations: a person sends pieces another way; the routing stays as it is."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.flow import bring
from mes_engine.core.decide.parting import Taken, check_right, part_off, shared_out
from mes_engine.core.decide.storing import visit_to
from mes_engine.core.decide.visits import give_up_if_empty
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.holding import holds_on_lots_at
from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import DeviateLot, ReworkFrom
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.repeats import confirmed_before
from mes_engine.core.routing import Routing
from mes_engine.core.whereabouts import rework_at
from mes_engine.core.wip_ledger import Bucket, Position

replace = msgspec.structs.replace


def deviate(draft: Draft, command: DeviateLot) -> dict[str, str]:
    """Send pieces to another step than the routing has next.

    Raises:
        Refused: They cannot be there, there are not as many, or the person may not.
    """
    job = draft.job(command.job_order)
    if not command.reason.strip():
        raise Malformed(f"A deviation at {job.id} needs a reason.", hint="Say why.")
    if command.quantity is not None:
        of = "quantity of a deviation"
        if checked_quantity(command.quantity, unit=job.unit, of=of) == ZERO:
            raise Malformed(f"A deviation of 0 {job.unit} at {job.id}.")
    check_right(draft, job, "A deviation")
    _check_target(draft, job, command.to_step)
    lots, successor = [], job
    for part in shared_out(
        draft, job, command.quantity, lot=command.lot, taken_from=command.taken_from
    ):
        lot, successor = _send(draft, draft.job(job.id), part, command)
        lots.append(lot)
    draft.touch(job.id)
    visit = visit_of(draft.state, job)
    give_up_if_empty(draft, draft.job(job.id), visit, keeps_slot=False)
    return {
        "job_order": successor.id,
        "visit": successor.visit,
        "lot": ", ".join(lots),
    }


def skipped_by(
    routing: Routing, step: str, to_step: str, *, is_worked: bool
) -> tuple[str, ...]:
    """Return the steps that pieces do not come through by going to ``to_step``.

    Args:
        routing: Its connections.
        step: Where they are.
        to_step: Where they go.
        is_worked: Whether the work at ``step`` is done.
    """
    ahead = routing.after(step) | (frozenset() if is_worked else {step})
    reached = routing.after(to_step) | {to_step}
    return tuple(one.id for one in routing.steps if one.id in ahead - reached)


def come_again(draft: Draft, name: str, quantity: Decimal) -> None:
    """Note that so many pieces come to a visit that had confirmed them already."""
    visit = draft.state.visit.get(name)
    if visit is not None:
        repeats = max(visit.repeats + quantity, ZERO)
        draft.emit(f.VisitChanged(visit=replace(visit, repeats=repeats)))


def _check_target(draft: Draft, job: JobOrder, to_step: str) -> None:
    routing = routing_of(draft.state, job)
    others = [
        one.id
        for one in routing.steps
        if one.id != job.step and routing.holds_pieces(one.id)
    ]
    if job.is_over or not job.expects_pieces or to_step not in others:
        told = f"it is '{job.state}'" if job.is_over else f"'{to_step}' takes no pieces"
        raise Refused(
            f"Pieces at {job.id} cannot be sent to step '{to_step}': {told}.",
            hint=f"Steps that take pieces: {', '.join(others) or 'none'}.",
        )
    holds = holds_on_lots_at(draft.state, job)
    if holds:
        names = ", ".join(one.id for one in holds)
        raise Refused(
            f"Pieces at {job.id} are held, and go nowhere: {names}.",
            hint="Release the holds.",
            unmet=[f"no_hold: {one.id}: {one.reason}" for one in holds],
        )


def _send(
    draft: Draft, job: JobOrder, part: tuple[Position, Taken], command: DeviateLot
) -> tuple[str, JobOrder]:
    position, taken = part
    routing, to_step = routing_of(draft.state, job), command.to_step
    rework = rework_at(routing, visit_of(draft.state, job).rework, to_step)
    lot, parent = part_off(draft, job, position, taken, reason=command.reason)
    quantity: Decimal = sum(taken.values(), ZERO)
    deviated = quantity - taken.get(Bucket.OUT, ZERO)
    is_worked = command.taken_from is ReworkFrom.OUT
    repeats = confirmed_before(draft.state, routing, job, to_step, taken)
    draft.emit(
        f.LotDeviated(
            job_order=job.id,
            quantity=quantity,
            lot=lot,
            parent=parent,
            deviated=deviated,
            deviated_total=job.deviated + deviated,
            visit=visit_to(draft, draft.request(job.request), to_step, rework).id,
            skipped=skipped_by(routing, job.step, to_step, is_worked=is_worked),
            reason=command.reason,
            at=draft.at,
            person=draft.person,
            repeats=repeats,
        )
    )
    successor = bring(
        draft,
        job,
        quantity,
        lot=lot,
        step=to_step,
        rework=rework,
        named=f"{job.step}>{to_step}",
        reason=command.reason,
        may_skip=False,
    )
    for name, again in repeats.items():
        come_again(draft, name, again)
    return lot, successor
