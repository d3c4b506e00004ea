"""Read out of the facts of one message how pieces were sent another way."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking, BookingKind
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move

LEGS = 2
"""Out of the step that they were at, and into the other one's queue."""


def another_way(recorded: f.Recorded, fact: f.ReworkSent | f.LotDeviated) -> Booking:
    """Return the booking that a way taken is, without its moves."""
    is_rework = isinstance(fact, f.ReworkSent)
    return Booking(
        seq=recorded.seq,
        kind=BookingKind.REWORK if is_rework else BookingKind.DEVIATION,
        job_order=fact.job_order,
        at=fact.at,
        person=fact.person,
        source="person",
        reason=fact.reason,
        sent=fact.quantity,
        reworked=fact.reworked if isinstance(fact, f.ReworkSent) else ZERO,
        deviated=fact.deviated if isinstance(fact, f.LotDeviated) else ZERO,
        lot=fact.lot,
        to_visit=fact.visit,
        parent=fact.parent,
        repeats=fact.repeats if isinstance(fact, f.LotDeviated) else {},
    )


def with_moves(booking: Booking, records: Sequence[f.Recorded]) -> Booking:
    """Add how the pieces parted from the others, and how they went."""
    before: list[f.Recorded] = []
    after: list[f.Recorded] = []
    for recorded in records:
        if recorded.seq > booking.seq:
            after.append(recorded)
        elif isinstance(recorded.fact, f.ReworkSent | f.LotDeviated):
            before = before if recorded.seq == booking.seq else []
        else:
            before.append(recorded)
    parted = [one for one in _moves(before) if _is_of(booking, one)]
    went = [one for one in _moves(after) if one.lot == booking.lot and one.connection]
    edges = tuple(
        one.fact.edge
        for one in before
        if isinstance(one.fact, f.LotSplit) and one.fact.edge.target == booking.lot
    )
    moves = (*parted, *went[:LEGS])
    return msgspec.structs.replace(booking, moves=moves, edges=edges)


def _moves(records: Iterable[f.Recorded]) -> Iterator[Move]:
    for recorded in records:
        if isinstance(recorded.fact, f.QuantityMoved):
            yield recorded.fact.move


def _is_of(booking: Booking, move: Move) -> bool:
    """Whether a move made the lot, or took it out of work, or brought it in."""
    if move.to_lot is not None:
        return move.to_lot == booking.lot
    if move.bucket in ENTRIES:
        return move.lot in {booking.lot, booking.parent}
    return move.lot == booking.lot and move.to_bucket is Bucket.OUT
