"""Stock: moved elsewhere, and sent out of the plant."""

from decimal import Decimal

from mes_engine.core.decide.aggregation import check_not_packed, end_lot
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.genealogy import move_lot
from mes_engine.core.decide.pieces import active_lot, pieces_of, usable_lot
from mes_engine.core.decide.stock import end_if_empty, touch_consumers
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.messages import MoveStock, ShipLot
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.wip_ledger import Bucket, Position


def move_stock(draft: Draft, command: MoveStock) -> dict[str, str]:
    """Put a quantity of a lot elsewhere in stock."""
    lot = active_lot(draft, command.lot)
    check_not_packed(lot, "moved")
    position, _ = pieces_of(draft, lot, command.place, Bucket.STOCK)
    if position.place == command.to_location:
        raise Refused(f"{lot.id} is at {position.place} already.")
    if draft.state.visit.get(command.to_location) is not None:
        raise Malformed(f"'{command.to_location}' is a visit, and no location.")
    quantity = _checked(lot, position, command.quantity)
    move_lot(
        draft,
        lot,
        quantity,
        place=position.place,
        arc=(Bucket.STOCK, Bucket.STOCK),
        to_place=command.to_location,
        reason=command.reason,
    )
    return {"lot": lot.id, "location": command.to_location}


def ship_lot(draft: Draft, command: ShipLot) -> dict[str, str]:
    """Send a quantity of a lot out of the plant.

    Raises:
        Refused: There is less, it is held, or its quality forbids it; what goes back
            may be held and of any.
    """
    if not command.reason.strip():
        raise Malformed(
            f"Shipping {command.lot} needs a reason.", hint="Name the delivery note."
        )
    find = active_lot if command.is_return else usable_lot
    lot = find(draft, command.lot)
    check_not_packed(lot, "shipped")
    position, _ = pieces_of(draft, lot, command.place, Bucket.STOCK)
    quantity = _checked(lot, position, command.quantity)
    move_lot(
        draft,
        lot,
        quantity,
        place=position.place,
        arc=(Bucket.STOCK, Bucket.SHIPPED),
        reason=command.reason,
    )
    _end(draft, lot, is_return=command.is_return)
    touch_consumers(draft, lot.material)
    return {"lot": lot.id, "shipped": f"{quantity:f}"}


def _end(draft: Draft, lot: MaterialLot, *, is_return: bool) -> None:
    positions = draft.state.position.find("lot", lot.id)
    if is_return and lot.request is None and not any(one.held for one in positions):
        end_lot(draft, lot.id, LotExistence.RETURNED)
    else:
        end_if_empty(draft, lot.id)


def _checked(lot: MaterialLot, position: Position, asked: Decimal | None) -> Decimal:
    quantity = position.stock if asked is None else asked
    if checked_quantity(quantity, unit=lot.unit) == ZERO:
        raise Malformed(f"0 {lot.unit} of {lot.id} cannot be moved.")
    if quantity > position.stock:
        raise Refused(
            f"{lot.id} has {position.stock} {lot.unit} at {position.place}, not "
            f"{quantity}.",
            unmet=[f"quantity_there: {quantity} asked for, {position.stock} there"],
        )
    return quantity
