"""Material: received into stock, and consumed by what was worked."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.components import still_needed
from mes_engine.core.decide.aggregation import end_lot
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.genealogy import create_lot, move_lot, relate
from mes_engine.core.decide.starting import open_lots
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import (
    ComponentUse,
    EdgeKind,
    LotExistence,
    LotOrigin,
    MaterialLot,
)
from mes_engine.core.messages import ReceiveMaterial
from mes_engine.core.quantity import ZERO, checked_quantity, floored
from mes_engine.core.readiness import held_in_stock, step_of, usable_stock
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import Bucket, Move, Position


def receive(draft: Draft, command: ReceiveMaterial) -> dict[str, str]:
    """Make a lot of what a supplier sent, and put it into stock."""
    quantity = checked_quantity(command.quantity, unit=command.unit)
    if quantity == ZERO:
        raise Malformed(f"A receipt of 0 {command.unit} of {command.material}.")
    lot = create_lot(
        draft,
        material=command.material,
        unit=command.unit,
        origin=LotOrigin.RECEIVED,
        supplier=command.supplier,
        supplier_lot=command.supplier_lot,
    )
    location = command.location or draft.state.site.plant.receiving_location
    move_lot(
        draft,
        lot,
        quantity,
        place=location,
        arc=(Bucket.RECEIVED, Bucket.STOCK),
        reason=f"from {command.supplier}",
    )
    touch_consumers(draft, lot.material)
    draft.came(lot.id)
    return {"lot": lot.id, "location": location}


def consume(
    draft: Draft, job: JobOrder, *, pieces: Decimal, takes_less: bool = False
) -> None:
    """Take the components of ``pieces`` out of stock, oldest lot first.

    What was consumed by hand is taken into account; what comes out beside the pieces
    is put into stock.

    Raises:
        Refused: There is not enough, and it is not an abort, which takes what there is.
    """
    for component in step_of(draft.state, job).consumes:
        left = floored(
            still_needed(
                draft.state, job, component.material, component.per_piece, pieces
            ),
            unit=component.unit,
        )
        for position in usable_stock(draft.state, component, job):
            if left == ZERO:
                break
            taken = min(left, position.stock)
            left -= taken
            consume_from(draft, job, position, taken)
        if left > ZERO and not takes_less:
            told = f"{left} {component.unit} of {component.material} more needed"
            told += held_in_stock(draft.state, component)
            raise Refused(
                f"{job.id} cannot end: {told} for what was worked.",
                hint="Receive the material that was used.",
                unmet=[f"material_available: {told}"],
            )
    _produce(draft, job, pieces)
    touch_rivals(draft, job)


def _produce(draft: Draft, job: JobOrder, pieces: Decimal) -> None:
    """Put what came out beside ``pieces`` into stock, each material as a lot."""
    for output in step_of(draft.state, job).produces:
        quantity = floored(output.per_piece * pieces, unit=output.unit)
        if quantity == ZERO:
            continue
        lot = create_lot(
            draft,
            material=output.material,
            unit=output.unit,
            request=job.request,
            origin=LotOrigin.PRODUCED,
        )
        move_lot(
            draft,
            lot,
            quantity,
            place=output.location or draft.state.site.plant.finished_location,
            arc=(Bucket.PRODUCED, Bucket.STOCK),
            job=job,
            reason=f"{output.kind} of {job.visit}",
        )
        for source, amount in _shared_out(draft, job, quantity, output.unit):
            relate(
                draft,
                source,
                lot.id,
                amount,
                output.unit,
                kind=EdgeKind.PRODUCED,
                job=job,
            )
        touch_consumers(draft, output.material)


def consume_from(
    draft: Draft,
    job: JobOrder,
    position: Position,
    taken: Decimal,
    *,
    kind: EdgeKind = EdgeKind.CONSUMED,
    reason: str = "",
    into: str | None = None,
) -> None:
    """Take a quantity of a lot out of stock, for the pieces of a job order.

    Args:
        draft: The decision.
        job: Whose.
        position: Where it is.
        taken: How much.
        kind: Whether it is in the pieces, or was damaged.
        reason: Why, if there is something to say.
        into: The one lot that it goes into; else all that are worked on have a share.
    """
    move_lot(
        draft,
        position,
        taken,
        place=position.place,
        arc=(Bucket.STOCK, Bucket.CONSUMED),
        job=job,
        reason=reason or f"consumed at {job.visit}",
    )
    shares = _shared_out(draft, job, taken, position.unit)
    for lot, amount in shares if into is None else [(into, taken)]:
        relate(draft, position.lot, lot, amount, position.unit, kind=kind, job=job)
    end_if_empty(draft, position.lot)


def note_use(
    draft: Draft,
    job: JobOrder,
    of: MaterialLot | Move,
    quantity: Decimal,
    *,
    is_damaged: bool,
) -> ComponentUse:
    """Note that the job order was given so much more of a material by hand."""
    use = draft.state.component_use.get((job.id, of.material)) or ComponentUse(
        job_order=job.id, material=of.material, unit=of.unit
    )
    name = "damaged" if is_damaged else "used"
    use = msgspec.structs.replace(use, **{name: getattr(use, name) + quantity})
    draft.emit(f.ComponentUsed(use=use))
    draft.touch(job.id)
    return use


def _shared_out(
    draft: Draft, job: JobOrder, taken: Decimal, unit: str
) -> Iterator[tuple[str, Decimal]]:
    """Yield how much of what was taken went into which of the lots worked on.

    Where no pieces are, it is the lot that its request began as.
    """
    positions = positions_of(draft.state, job)
    if not positions:
        yield open_lots(draft, draft.request(job.request))[0].id, taken
        return
    worked = [
        one.went - one.queued - one.in_process - one.split_out for one in positions
    ]
    total, left = sum(worked, ZERO), taken
    for index, position in enumerate(positions):
        is_last = index == len(positions) - 1
        share = left
        if not is_last:
            share = floored(taken * worked[index] / total, unit=unit) if total else ZERO
        left -= share
        if share > ZERO:
            yield position.lot, share


def end_if_empty(draft: Draft, name: str) -> None:
    """End a lot that nothing is left of, unless its request may still add to it."""
    lot = draft.state.lot.get(name)
    if lot is None or lot.existence is not LotExistence.ACTIVE:
        return
    if draft.state.job_order.members("live_of", lot.request):
        return
    positions = draft.state.position.find("lot", name)
    if any(one.held for one in positions):
        return
    end_lot(draft, name, _what_became_of(positions))


def _what_became_of(positions: list[Position]) -> LotExistence:
    """Return what became of a lot that nothing is left of: the last of its ways out."""
    for existence, way in (
        (LotExistence.SHIPPED, "shipped"),
        (LotExistence.CONSUMED, "consumed"),
        (LotExistence.SPLIT, "split_out"),
        (LotExistence.SCRAPPED, "came"),
    ):
        if any(getattr(one, way) for one in positions):
            return existence
    return LotExistence.VOIDED


def touch_rivals(draft: Draft, job: JobOrder) -> None:
    """Note that what ``job`` claims of its materials is another amount now."""
    for material in job.materials:
        touch_consumers(draft, material)


def touch_consumers(draft: Draft, material: str) -> None:
    """Note that every live job order that consumes ``material`` may be affected."""
    for job in draft.state.job_order.find("consumes", material):
        draft.touch(job.id)
