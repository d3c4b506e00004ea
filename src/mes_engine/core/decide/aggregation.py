"""A content goes into a carrier, or out of it; and what a lot's end means for it."""

from collections.abc import Iterable

from mes_engine.core import facts as f
from mes_engine.core.carriers import (
    AggregationAction,
    AggregationEvent,
    Carrier,
    ContentKind,
)
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Refused
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.packing import around, has_pieces, place_of


def put_in(
    draft: Draft, content: MaterialLot | Carrier, carrier: str, *, reason: str = ""
) -> None:
    """Let a content be in a carrier from now on."""
    _emit(draft, AggregationAction.ADD, content, carrier, reason)


def take_out(
    draft: Draft,
    content: MaterialLot | Carrier,
    *,
    reason: str = "",
    action: AggregationAction = AggregationAction.DELETE,
) -> None:
    """Let a content be in no carrier any more, if it is in one."""
    if content.carrier is not None:
        _emit(draft, action, content, content.carrier, reason)


def end_lot(draft: Draft, name: str, existence: LotExistence) -> None:
    """Let nothing be left of a lot; what is gone is in no carrier."""
    lot = draft.state.lot.get(name)
    if lot is not None and lot.carrier is not None:
        outermost = around(draft.state, lot.carrier)[-1]
        where = _last_place(draft, name)
        take_out(draft, lot, reason=f"nothing is left of it: {existence}")
        put_down(draft, [outermost], where)
    draft.emit(f.LotEnded(lot=name, existence=existence))


def put_down(draft: Draft, carriers: Iterable[Carrier], where: str) -> None:
    """Let those carriers that no piece is in stand somewhere, if that is known."""
    for one in carriers:
        known = draft.state.carrier.get(one.id)
        is_there = known is None or known.location == where
        if where and not is_there and not has_pieces(draft.state, one.id):
            draft.emit(f.CarrierPlaced(carrier=one.id, location=where))


def pick_up(draft: Draft, carriers: Iterable[Carrier]) -> None:
    """Let the carriers have no place of their own any more."""
    for one in carriers:
        if one.location:
            draft.emit(f.CarrierPlaced(carrier=one.id, location=""))


def _last_place(draft: Draft, lot: str) -> str:
    """Return from where the last piece of a lot has just gone."""
    for one in reversed(draft.records):
        if isinstance(one.fact, f.QuantityMoved) and one.fact.move.lot == lot:
            return place_of(draft.state, one.fact.move.place)
    return ""


def check_not_packed(lot: MaterialLot, doing: str) -> None:
    """See that the lot is in no carrier.

    Raises:
        Refused: It is: what is done with the whole carrier is said of that.
    """
    if lot.carrier is not None:
        raise Refused(
            f"{lot.id} is in {lot.carrier}: it is not {doing} by itself.",
            hint=f"Say it of {lot.carrier}, or unpack the lot first.",
            unmet=[f"not_packed: {lot.id} is in {lot.carrier}"],
        )


def _emit(
    draft: Draft,
    action: AggregationAction,
    content: MaterialLot | Carrier,
    carrier: str,
    reason: str,
) -> None:
    outwards = around(draft.state, carrier)
    is_lot = isinstance(content, MaterialLot)
    event = AggregationEvent(
        seq=draft.next_seq,
        action=action,
        kind=ContentKind.LOT if is_lot else ContentKind.CARRIER,
        content=content.id,
        carrier=carrier,
        outermost=outwards[-1].id if outwards else carrier,
        at=draft.at,
        person=draft.person,
        reason=reason,
    )
    draft.emit(f.ContentAggregated(event=event))
