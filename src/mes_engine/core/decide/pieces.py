"""Which lot, and which of its pieces, a command means."""

from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.holding import holds_on_lot, told
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.readiness import USABLE
from mes_engine.core.whereabouts import places_of
from mes_engine.core.wip_ledger import HELD, Bucket, Position


def active_lot(draft: Draft, name: str) -> MaterialLot:
    """Return the lot, of which something is left.

    Raises:
        NotFound: There is none of that id.
        Refused: Nothing is left of it.
    """
    lot = draft.state.lot.get(name)
    if lot is None:
        raise NotFound(f"There is no lot '{name}' of which anything is left.")
    if lot.existence is not LotExistence.ACTIVE:
        raise Refused(
            f"{lot.id} is {lot.existence}: nothing is left of it.",
            unmet=[f"lot_active: {lot.id} is {lot.existence}"],
        )
    return lot


def usable_lot(draft: Draft, name: str) -> MaterialLot:
    """Return the lot, if it may be consumed or shipped.

    Raises:
        NotFound: There is none of that id.
        Refused: Nothing is left of it, it is held, or its quality forbids it.
    """
    lot = active_lot(draft, name)
    holds = holds_on_lot(draft.state, lot.id)
    unmet = []
    if lot.quality not in USABLE:
        unmet.append(f"lot_usable: {lot.id} is {lot.quality}")
    if holds:
        unmet.append(f"lot_not_held: {told(holds)}")
    if unmet:
        raise Refused(
            f"{lot.id} may not be used: {'; '.join(unmet)}.",
            hint="Have quality release it.",
            unmet=unmet,
        )
    return lot


def pieces_of(
    draft: Draft, lot: MaterialLot, place: str | None, bucket: Bucket | None
) -> tuple[Position, Bucket]:
    """Return the one position and bucket in which the lot's pieces are.

    Raises:
        Refused: There are several, or there is none.
    """
    held = [
        (position, one)
        for position in places_of(draft.state, lot.id)
        for one in HELD
        if position.of(one)
        and place in {None, position.place}
        and bucket in {None, one}
    ]
    if len(held) == 1:
        return held[0]
    told = ", ".join(
        f"{position.of(one)} {one} at {position.place}" for position, one in held
    )
    if not held:
        where = f"{bucket or ''} at {place or 'any place'}".strip()
        raise Refused(
            f"{lot.id} has nothing {where}.",
            unmet=[f"quantity_there: {lot.id} has none"],
        )
    raise Refused(
        f"{lot.id} is in more than one place: {told}.",
        hint="Name 'place' and 'bucket', or bring it together.",
        unmet=[f"same_place: {told}"],
    )
