"""What is done with a carrier is done with everything in it: all of it, or nothing."""

from collections.abc import Iterator, Sequence

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.carriers import AggregationAction, Carrier
from mes_engine.core.decide.aggregation import put_down, take_out
from mes_engine.core.decide.dispatch import load_together
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.genealogy import move_lot
from mes_engine.core.decide.packing import carrier_here, check_location
from mes_engine.core.decide.stock import end_if_empty, touch_consumers
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.holding import holds_on_lot, told
from mes_engine.core.job_order import QUEUED, JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.messages import (
    LoadCarrier,
    LoadTogether,
    MoveCarrier,
    ShipCarrier,
)
from mes_engine.core.packing import carriers_within, has_pieces, lots_within
from mes_engine.core.plant import WorkUnit
from mes_engine.core.readiness import USABLE
from mes_engine.core.whereabouts import places_of
from mes_engine.core.wip_ledger import FLOOR, Bucket, Position

replace = msgspec.structs.replace


def move_carrier(draft: Draft, command: MoveCarrier) -> dict[str, str]:
    """Put a carrier elsewhere in stock, with everything in it; an empty one anywhere.

    Raises:
        Refused: Something in it is not in stock, or all of it is there already; says
            which lot.
    """
    check_location(draft.state, command.to_location)
    carrier = _outermost(draft, command.carrier, "moved")
    if not has_pieces(draft.state, carrier.id):
        return _put_down(draft, carrier, command.to_location)
    lots = _all_in(draft, carrier)
    _refuse(carrier, "moved", _on_the_floor(draft, lots))
    going = [one for one in _in_stock(draft, lots) if one.place != command.to_location]
    if not going:
        raise Refused(f"{carrier.id} is at {command.to_location} already.")
    for position in going:
        move_lot(
            draft,
            position,
            position.stock,
            place=position.place,
            arc=(Bucket.STOCK, Bucket.STOCK),
            to_place=command.to_location,
            reason=command.reason,
        )
    return {"carrier": carrier.id, "location": command.to_location}


def _put_down(draft: Draft, carrier: Carrier, location: str) -> dict[str, str]:
    if carrier.location == location:
        raise Refused(f"{carrier.id} is at {location} already.")
    put_down(draft, [carrier], location)
    return {"carrier": carrier.id, "location": location}


def ship_carrier(draft: Draft, command: ShipCarrier) -> dict[str, str]:
    """Send a carrier out of the plant, with everything in it.

    Raises:
        Refused: Something in it is not in stock, is held, or may not be used; says
            which lot.
    """
    if not command.reason.strip():
        raise Malformed(
            f"Shipping {command.carrier} needs a reason.",
            hint="Name the delivery note.",
        )
    carrier = _outermost(draft, command.carrier, "shipped")
    lots = _all_in(draft, carrier)
    against = [*_on_the_floor(draft, lots), *_not_usable(draft, lots)]
    _refuse(carrier, "shipped", against)
    going = _in_stock(draft, lots)
    for position in going:
        move_lot(
            draft,
            position,
            position.stock,
            place=position.place,
            arc=(Bucket.STOCK, Bucket.SHIPPED),
            reason=command.reason,
        )
    gone = {one.lot for one in going}
    for lot in lots:
        is_gone = lot.id in gone
        action = AggregationAction.SHIP if is_gone else AggregationAction.DELETE
        take_out(draft, lot, reason=command.reason, action=action)
        end_if_empty(draft, lot.id)
    within = carriers_within(draft.state, carrier.id)
    for one in within:
        take_out(draft, one, reason=command.reason, action=AggregationAction.SHIP)
    for one in (*within, carrier):
        left = replace(one, carrier=None, is_shipped=True, location="")
        draft.emit(f.CarrierShipped(carrier=left))
    for material in dict.fromkeys(one.material for one in lots):
        touch_consumers(draft, material)
    return {"carrier": carrier.id, "shipped": " ".join(one.lot for one in going)}


def load_carrier(draft: Draft, command: LoadCarrier) -> dict[str, str]:
    """Load what is to be worked at a work unit of the lots in a carrier.

    Raises:
        Refused: Nothing in it waits for that, or it does not go together.
    """
    carrier = carrier_here(draft.state, command.carrier)
    unit = draft.state.site.work_unit(command.work_unit)
    jobs: dict[str, None] = {}
    where: list[str] = []
    for lot in lots_within(draft.state, carrier.id):
        for job in _waiting(draft, lot):
            if _suits(draft, job, unit):
                jobs[job.id] = None
            else:
                where.append(f"{lot.id} waits at step {job.step} ({job.work_center})")
    if not jobs:
        why = "; ".join(where) or "no lot in it waits anywhere"
        raise Refused(
            f"Nothing in {carrier.id} is to be worked at {unit.id}: {why}.",
            hint="Take it where its lots are waited for.",
            unmet=[f"work_unit_suitable: {why}"],
        )
    together = LoadTogether(
        job_orders=tuple(jobs), work_unit=unit.id, lane=command.lane
    )
    return {"carrier": carrier.id, **load_together(draft, together)}


def _waiting(draft: Draft, lot: MaterialLot) -> Iterator[JobOrder]:
    for position in places_of(draft.state, lot.id):
        if position.queued or position.in_process:
            for job in draft.state.job_order.find("visit", position.place):
                if job.state in QUEUED and job.lot in {None, lot.id}:
                    yield job


def _suits(draft: Draft, job: JobOrder, unit: WorkUnit) -> bool:
    site = draft.state.site
    return unit in site.capable_units(job.work_center, job.equipment_class)


def _outermost(draft: Draft, name: str, doing: str) -> Carrier:
    carrier = carrier_here(draft.state, name)
    if carrier.carrier is not None:
        raise Refused(
            f"{carrier.id} is in {carrier.carrier}: it is not {doing} by itself.",
            hint=f"Say it of {carrier.carrier}, or unpack {carrier.id} first.",
            unmet=[f"not_packed: {carrier.id} is in {carrier.carrier}"],
        )
    return carrier


def _all_in(draft: Draft, carrier: Carrier) -> list[MaterialLot]:
    lots = lots_within(draft.state, carrier.id)
    if not _has_any(draft, lots):
        raise Refused(
            f"{carrier.id} is empty.", unmet=[f"quantity_there: {carrier.id} is empty"]
        )
    return lots


def _has_any(draft: Draft, lots: Sequence[MaterialLot]) -> bool:
    return any(
        one.held for lot in lots for one in draft.state.position.find("lot", lot.id)
    )


def _in_stock(draft: Draft, lots: Sequence[MaterialLot]) -> list[Position]:
    return [
        one
        for lot in lots
        for one in sorted(
            draft.state.position.find("lot", lot.id), key=lambda one: one.place
        )
        if one.stock
    ]


def _on_the_floor(draft: Draft, lots: Sequence[MaterialLot]) -> Iterator[str]:
    for lot in lots:
        for one in places_of(draft.state, lot.id):
            amounts = [f"{one.of(at)} {at}" for at in FLOOR if one.of(at)]
            if amounts:
                yield f"in_stock: {lot.id} has {', '.join(amounts)} at {one.place}"


def _not_usable(draft: Draft, lots: Sequence[MaterialLot]) -> Iterator[str]:
    for lot in lots:
        if lot.quality not in USABLE:
            yield f"lot_usable: {lot.id} is {lot.quality}"
        if holds := holds_on_lot(draft.state, lot.id):
            yield f"lot_not_held: {lot.id}: {told(holds)}"


def _refuse(carrier: Carrier, doing: str, against: Iterator[str] | list[str]) -> None:
    unmet = list(against)
    if unmet:
        raise Refused(
            f"{carrier.id} cannot be {doing}: {'; '.join(unmet)}.",
            hint="Nothing of it was. Unpack what cannot go, or mend it.",
            unmet=unmet,
        )
