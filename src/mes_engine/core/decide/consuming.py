"""Components given to a job order by hand."""

from mes_engine.core.components import goes_round
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.pieces import pieces_of, usable_lot
from mes_engine.core.decide.stock import consume_from, note_use, touch_rivals
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import AT_WORK, JobOrder
from mes_engine.core.lots import EdgeKind, MaterialLot
from mes_engine.core.messages import ConsumeMaterial
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import step_of
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import Bucket


def consume_material(draft: Draft, command: ConsumeMaterial) -> dict[str, str]:
    """Take a component out of stock for a job order that is at work.

    Raises:
        Refused: It is not at work, its step does not consume that, the lot has less or
            may not be used, or the lot worked on is in it already.
    """
    job = draft.job(command.job_order)
    lot = usable_lot(draft, command.lot)
    quantity = checked_quantity(command.quantity, unit=lot.unit)
    if quantity == ZERO:
        raise Malformed(f"0 {lot.unit} of {lot.id} cannot be consumed.")
    if command.is_damaged and not command.reason.strip():
        raise Malformed("What is damaged needs a reason.", hint="Say why in 'reason'.")
    _check_component(draft, job, lot)
    position, _ = pieces_of(draft, lot, command.place, Bucket.STOCK)
    if quantity > position.stock:
        raise Refused(
            f"{lot.id} has {position.stock} {lot.unit} at {position.place}, not "
            f"{quantity}.",
            unmet=[f"quantity_there: {quantity} asked for, {position.stock} there"],
        )
    into = _lots_at_work(draft, job, command.into)
    if goes_round(draft.state, lot, into):
        told = ", ".join(one.id for one in into)
        raise Refused(
            f"{lot.id} may have been made of {told}: it cannot go into it.",
            hint="Take an older lot.",
            unmet=[f"not_of_itself: {lot.id} may be made of {told}"],
        )
    kind = EdgeKind.DAMAGED if command.is_damaged else EdgeKind.CONSUMED
    consume_from(
        draft,
        job,
        position,
        quantity,
        kind=kind,
        reason=command.reason,
        into=command.into,
    )
    use = note_use(draft, job, lot, quantity, is_damaged=command.is_damaged)
    draft.touch(job.id)
    touch_rivals(draft, job)
    return {
        "job_order": job.id,
        "lot": lot.id,
        "used": f"{use.used:f}",
        "damaged": f"{use.damaged:f}",
    }


def _check_component(draft: Draft, job: JobOrder, lot: MaterialLot) -> None:
    if job.state not in AT_WORK:
        raise Refused(
            f"{job.id} is '{job.state}': nothing is consumed by it.",
            hint="Begin it first.",
            unmet=[f"at_work: {job.id} is {job.state}"],
        )
    components = [
        (one.material, one.unit) for one in step_of(draft.state, job).consumes
    ]
    if (lot.material, lot.unit) not in components:
        wanted = ", ".join(f"{material} in {unit}" for material, unit in components)
        raise Refused(
            f"Step {job.step} consumes no {lot.material} in {lot.unit}.",
            hint=f"It consumes {wanted or 'nothing'}.",
            unmet=[f"component: step {job.step} consumes {wanted or 'nothing'}"],
        )


def _lots_at_work(draft: Draft, job: JobOrder, into: str | None) -> list[MaterialLot]:
    at_work = [one.lot for one in positions_of(draft.state, job)]
    if into is not None:
        if into not in at_work:
            raise Refused(
                f"{into} is not worked on by {job.id}.",
                hint=f"It works on {', '.join(at_work) or 'nothing'}.",
                unmet=[f"lot_at_work: {into} is not at {job.visit}"],
            )
        at_work = [into]
    found = (draft.state.lot.get(one) for one in at_work)
    return [one for one in found if one is not None]
