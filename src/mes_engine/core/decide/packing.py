"""Carriers: registered, packed and unpacked; all that is named, or nothing."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.carriers import (
    LOTS,
    MOST_NESTED,
    SERIALS,
    Carrier,
    CarrierCount,
    CarrierType,
    checked_carrier,
)
from mes_engine.core.decide.aggregation import (
    pick_up,
    put_down,
    put_in,
    take_out,
)
from mes_engine.core.decide.carrier_types import type_of
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.holding import holds_on_carrier, told
from mes_engine.core.lot_names import lot_named
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.messages import PackCarrier, RegisterCarrier, UnpackCarrier
from mes_engine.core.packing import (
    around,
    has_pieces,
    height,
    lots_directly_in,
    lots_within,
    stands_at,
)
from mes_engine.core.quantity import ZERO
from mes_engine.core.state import State

MOST_CONTENTS = 1_000

Content = MaterialLot | Carrier


def register(draft: Draft, command: RegisterCarrier) -> dict[str, str]:
    """Know a carrier, that it came back, or where it stands while it is empty.

    Raises:
        Refused: It is here, and of another type.
        NotFound: There is no such type.
    """
    name = checked_carrier(command.carrier)
    type_of(draft.state, command.carrier_type)
    check_location(draft.state, command.location)
    known = draft.state.carrier.get(name)
    if known is not None and not known.is_shipped:
        if known.type != command.carrier_type:
            raise Refused(
                f"{name} is a {known.type} already.",
                unmet=[f"same_type: {name} is a {known.type}"],
            )
        if known.carrier is None:
            put_down(draft, [known], command.location)
        return {"carrier": name}
    if draft.state.lot.find("serial", name):
        raise Refused(
            f"{name} is the serial of a piece: a carrier needs another id.",
            unmet=[f"id_free: {name} is a serial"],
        )
    carrier = Carrier(
        id=name,
        type=command.carrier_type,
        registered_at=draft.at,
        location=command.location,
    )
    draft.emit(f.CarrierRegistered(carrier=carrier))
    return {"carrier": name}


def check_location(state: State, location: str) -> None:
    """See that a place is where something can be put: a visit is none.

    Raises:
        Malformed: It is a visit.
    """
    if state.visit.get(location) is not None:
        raise Malformed(f"'{location}' is a visit, and no location.")


def pack(draft: Draft, command: PackCarrier) -> dict[str, str]:
    """Put contents into a carrier.

    Raises:
        Refused: One cannot be: it is in another, does not fit, or is elsewhere; says
            which, and why.
    """
    state = draft.state
    carrier = carrier_here(state, command.carrier)
    contents = _named(state, command.contents)
    check_carrier_not_held(state, carrier, "packed")
    against = [
        *_against_each(state, carrier, contents),
        *_against_all(state, carrier, contents),
    ]
    if against:
        raise Refused(
            f"{carrier.id} cannot be packed so: {'; '.join(against)}.",
            hint="Unpack what is elsewhere, or take another carrier.",
            unmet=against,
        )
    for one in contents:
        put_in(draft, one, carrier.id, reason=command.reason)
    inner = [one for one in contents if isinstance(one, Carrier)]
    outer = around(state, carrier.id)
    pick_up(draft, [*inner, *(one for one in outer if has_pieces(state, one.id))])
    return {"carrier": carrier.id, "packed": str(len(contents))}


def unpack(draft: Draft, command: UnpackCarrier) -> dict[str, str]:
    """Take contents out of a carrier, or all that is directly in it.

    Raises:
        Refused: One is not in it, it is empty, or it is held.
    """
    state = draft.state
    carrier = carrier_here(state, command.carrier)
    check_carrier_not_held(state, carrier, "unpacked")
    contents: Sequence[Content]
    if command.contents:
        contents = _named(state, command.contents)
        against = [
            f"packed_here: {one.id} is in {one.carrier or 'no carrier'}"
            for one in contents
            if one.carrier != carrier.id
        ]
    else:
        contents = [
            *lots_directly_in(state, carrier.id),
            *sorted(state.carrier.find("carrier", carrier.id), key=lambda one: one.id),
        ]
        against = [] if contents else [f"packed_here: {carrier.id} is empty"]
    if against:
        raise Refused(
            f"{carrier.id} cannot be unpacked so: {'; '.join(against)}.",
            hint="Name what is in it.",
            unmet=against,
        )
    where = next(iter(stands_at(state, carrier.id)), "")
    outermost = around(state, carrier.id)[-1]
    for one in contents:
        take_out(draft, one, reason=command.reason)
    emptied = [one for one in contents if isinstance(one, Carrier)]
    put_down(draft, [outermost, *emptied], where)
    return {"carrier": carrier.id, "unpacked": " ".join(one.id for one in contents)}


def carrier_here(state: State, name: str) -> Carrier:
    """Return a carrier that is in the plant.

    Raises:
        NotFound: There is none of that id.
    """
    carrier = state.carrier.get(name)
    if carrier is None or carrier.is_shipped:
        raise NotFound(f"There is no carrier '{name}' here.", hint="Register it first.")
    return carrier


def check_carrier_not_held(state: State, carrier: Carrier, doing: str) -> None:
    """See that neither the carrier nor one around it is held.

    Raises:
        Refused: It is.
    """
    holds = holds_on_carrier(state, carrier.id)
    if holds:
        raise Refused(
            f"{carrier.id} is not {doing}: {told(holds)}.",
            hint="Have the hold released.",
            unmet=[f"no_hold: {told(holds)}"],
        )


def _named(state: State, names: tuple[str, ...]) -> list[Content]:
    """Return the contents that a person means by these names.

    Raises:
        NotFound: One is neither a lot of which something is left nor a carrier here.
        Refused: One is both.
    """
    if not 0 < len(names) <= MOST_CONTENTS:
        raise Malformed(
            f"{len(names)} contents.", hint=f"Name 1 to {MOST_CONTENTS} at a time."
        )
    found: dict[str, Content] = {}
    for name in names:
        one = _content(state, name)
        if one.id in found:
            raise Malformed(f"{name} is named twice.", hint="Name each once.")
        found[one.id] = one
    return list(found.values())


def _content(state: State, name: str) -> Content:
    carrier = state.carrier.get(name)
    lot = state.lot.get(lot_named(state, name))
    if carrier is not None and carrier.is_shipped:
        carrier = None
    if lot is not None and lot.existence is not LotExistence.ACTIVE:
        lot = None
    if carrier is not None and lot is not None:
        raise Refused(
            f"{name} is a carrier, and the serial of {lot.id}.",
            hint="Name the lot by its number.",
            unmet=[f"one_thing: {name} is a carrier and {lot.id}"],
        )
    found = carrier or lot
    if found is None:
        raise NotFound(f"There is no lot and no carrier '{name}' here.")
    return found


def _against_each(
    state: State, carrier: Carrier, contents: Sequence[Content]
) -> Iterator[str]:
    """Say of each content why it cannot go into the carrier, whatever else does."""
    takes = type_of(state, carrier.type).takes
    outwards = {one.id for one in around(state, carrier.id)}
    for one in contents:
        if one.carrier is not None:
            yield f"not_packed: {one.id} is in {one.carrier}"
        if isinstance(one, Carrier):
            kinds = {one.type}
            if one.id in outwards:
                yield f"no_cycle: {carrier.id} is in {one.id}"
        else:
            kinds = {LOTS, SERIALS} if one.serial else {LOTS}
            yield from _scattered(state, one)
        if not kinds.intersection(takes):
            what = " or ".join(sorted(kinds))
            yield f"carrier_takes: {carrier.type} takes no {what}"


def _scattered(state: State, lot: MaterialLot) -> Iterator[str]:
    there = [one.place for one in state.position.find("lot", lot.id) if one.held]
    if not there:
        yield f"quantity_there: nothing of {lot.id} is anywhere"
    elif len(there) > 1:
        yield f"same_place: {lot.id} is at {', '.join(sorted(there))}"


def _against_all(
    state: State, carrier: Carrier, contents: Sequence[Content]
) -> Iterator[str]:
    """Say why the contents cannot go into the carrier together with what is there."""
    outwards = around(state, carrier.id)
    tallest = max(
        (height(state, one.id) for one in contents if isinstance(one, Carrier)),
        default=0,
    )
    if len(outwards) + tallest > MOST_NESTED:
        yield f"depth: more than {MOST_NESTED} carriers would be one in the other"
    coming = [lot for one in contents for lot in _lots_of(state, one)]
    for one in outwards:
        kind = type_of(state, one.type)
        there = lots_within(state, one.id)
        materials = {lot.material for lot in (*there, *coming)}
        if not kind.is_mixed and len(materials) > 1:
            yield f"one_material: {one.id} would hold {', '.join(sorted(materials))}"
        yield from _too_much(state, one, kind, contents if one is carrier else ())
        if kind.counted_in is CarrierCount.PIECES and kind.capacity is not None:
            pieces = sum((_held(state, lot) for lot in (*there, *coming)), ZERO)
            if pieces > kind.capacity:
                yield f"capacity: {one.id} takes {kind.capacity} pieces, not {pieces}"
    places = {
        position.place
        for lot in (*lots_within(state, outwards[-1].id), *coming)
        for position in state.position.find("lot", lot.id)
        if position.stock
    }
    if len(places) > 1:
        yield f"same_place: they are at {', '.join(sorted(places))}"


def _too_much(
    state: State, carrier: Carrier, kind: CarrierType, contents: Sequence[Content]
) -> Iterator[str]:
    if kind.counted_in is not CarrierCount.POSITIONS or kind.capacity is None:
        return
    there = len(state.lot.members("carrier", carrier.id))
    there += len(state.carrier.members("carrier", carrier.id))
    if contents and there + len(contents) > kind.capacity:
        yield (
            f"capacity: {carrier.id} has {kind.capacity} positions, {there} taken, "
            f"{len(contents)} more wanted"
        )


def _lots_of(state: State, content: Content) -> list[MaterialLot]:
    if isinstance(content, Carrier):
        return lots_within(state, content.id)
    return [content]


def _held(state: State, lot: MaterialLot) -> Decimal:
    return sum((one.held for one in state.position.find("lot", lot.id)), ZERO)
