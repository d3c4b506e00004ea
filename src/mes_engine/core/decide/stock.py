"""Material: received into stock, and consumed by what was worked."""

from collections.abc import Iterator
from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import GenealogyEdge, LotExistence, MaterialLot
from mes_engine.core.messages import ReceiveMaterial
from mes_engine.core.quantity import ZERO, checked_quantity, floored
from mes_engine.core.readiness import step_of, usable_stock
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import Bucket, Move, Position


def receive(draft: Draft, command: ReceiveMaterial) -> dict[str, str]:
    """Make a lot of what a supplier sent, and put it into stock."""
    quantity = checked_quantity(command.quantity, unit=command.unit)
    if quantity == ZERO:
        raise Malformed(f"A receipt of 0 {command.unit} of {command.material}.")
    number = draft.state.last_number("lot") + 1
    lot = MaterialLot(
        id=f"L-{number:06}",
        number=number,
        material=command.material,
        unit=command.unit,
        created_at=draft.at,
        supplier=command.supplier,
        supplier_lot=command.supplier_lot,
    )
    draft.emit(f.LotCreated(lot=lot))
    location = command.location or draft.state.site.plant.receiving_location
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=lot.id,
                material=lot.material,
                unit=lot.unit,
                quantity=quantity,
                place=location,
                bucket=Bucket.RECEIVED,
                to_place=location,
                to_bucket=Bucket.STOCK,
                request=None,
                job_order=None,
                run=None,
                at=draft.at,
                person=draft.person,
                reason=f"from {command.supplier}",
            )
        )
    )
    touch_consumers(draft, lot.material)
    return {"lot": lot.id, "location": location}


def consume(
    draft: Draft, job: JobOrder, *, pieces: Decimal, takes_less: bool = False
) -> None:
    """Take the components of ``pieces`` out of stock, oldest lot first.

    Raises:
        Refused: There is not enough, and it is not an abort, which takes what there is.
    """
    for component in step_of(draft.state, job).consumes:
        left = floored(component.per_piece * pieces, unit=component.unit)
        for position in usable_stock(draft.state, component):
            if left == ZERO:
                break
            taken = min(left, position.stock)
            left -= taken
            _consume_from(draft, job, position, taken)
        if left > ZERO and not takes_less:
            told = f"{left} {component.unit} of {component.material} more needed"
            raise Refused(
                f"{job.id} cannot end: {told} for what was worked.",
                hint="Receive the material that was used.",
                unmet=[f"material_available: {told}"],
            )
    touch_rivals(draft, job)


def _consume_from(
    draft: Draft, job: JobOrder, position: Position, taken: Decimal
) -> None:
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=position.lot,
                material=position.material,
                unit=position.unit,
                quantity=taken,
                place=position.place,
                bucket=Bucket.STOCK,
                to_place=position.place,
                to_bucket=Bucket.CONSUMED,
                request=position.request,
                job_order=job.id,
                run=job.run,
                at=draft.at,
                person=draft.person,
                reason=f"consumed at {job.visit}",
            )
        )
    )
    for lot, amount in _shared_out(draft, job, taken, position.unit):
        draft.emit(
            f.LotConsumed(
                edge=GenealogyEdge(
                    seq=draft.next_seq,
                    source=position.lot,
                    target=lot,
                    quantity=amount,
                    unit=position.unit,
                    job_order=job.id,
                    at=draft.at,
                )
            )
        )
    end_if_empty(draft, position.lot)


def _shared_out(
    draft: Draft, job: JobOrder, taken: Decimal, unit: str
) -> Iterator[tuple[str, Decimal]]:
    """Yield how much of what was taken went into which of the lots worked on."""
    positions = positions_of(draft.state, job)
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
    jobs = draft.state.job_order.find("request", lot.request)
    positions = draft.state.position.find("lot", name)
    if any(not job.is_over for job in jobs) or any(one.held for one in positions):
        return
    is_consumed = any(one.consumed for one in positions)
    existence = LotExistence.CONSUMED if is_consumed else LotExistence.SCRAPPED
    draft.emit(f.LotEnded(lot=name, existence=existence))


def touch_rivals(draft: Draft, job: JobOrder) -> None:
    """Note that what ``job`` claims of its materials is another amount now."""
    for material in job.materials:
        touch_consumers(draft, material)


def touch_consumers(draft: Draft, material: str) -> None:
    """Note that every live job order that consumes ``material`` may be affected."""
    for job in draft.state.job_order.find("consumes", material):
        draft.touch(job.id)
