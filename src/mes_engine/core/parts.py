"""What is left of a report to be taken back, and a part of that.

A report may be taken back in several parts, up to the whole. Each part is a booking of
its own amounts and moves: the newest moves go first, and pieces that had come in beyond
what was planned go with them.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from mes_engine.core.bookings import Booking, ReportedAs, Reversal
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move

replace = msgspec.structs.replace

BUCKETS = {
    ReportedAs.GOOD: Bucket.OUT,
    ReportedAs.SCRAP: Bucket.SCRAP,
    ReportedAs.SUSPECT: Bucket.SUSPECT,
    ReportedAs.LOST: Bucket.LOST,
    ReportedAs.TESTED: Bucket.TESTED,
}


def left_of(booking: Booking, reversal: Reversal | None, kind: ReportedAs) -> Decimal:
    """Return how many pieces a report still says were ``kind``."""
    return booking.of(kind) - (ZERO if reversal is None else reversal.of(kind))


def good_left_of(booking: Booking, reversal: Reversal | None, lot: str) -> Decimal:
    """Return how many pieces of a lot a report still says were good."""
    moves = (one for one in _left_good(booking, reversal) if one.lot == lot)
    return sum((one.quantity for one in moves), ZERO)


def rest_of(booking: Booking, reversal: Reversal | None) -> Booking:
    """Return what has not been taken back of a report; all of it, if nothing was."""
    return part_of(
        booking,
        reversal,
        {kind: left_of(booking, reversal, kind) for kind in ReportedAs},
    )


def part_of(
    booking: Booking, reversal: Reversal | None, amounts: dict[ReportedAs, Decimal]
) -> Booking:
    """Return so many pieces of a report, none of which has been taken back.

    The moves that brought pieces in are those that are left, however many there are.
    """
    entries = [one for one in booking.moves if one.bucket in ENTRIES]
    gone = ZERO if reversal is None else reversal.entered
    moves = list(_newest(entries, skip=gone, most=None))
    for kind, amount in amounts.items():
        if kind is ReportedAs.GOOD:
            known, taken = _left_good(booking, reversal), ZERO
        else:
            known = [one for one in booking.moves if one.to_bucket is BUCKETS[kind]]
            taken = ZERO if reversal is None else reversal.of(kind)
        moves += _newest(known, skip=taken, most=amount)
    is_rest = all(
        amounts.get(kind, ZERO) == left_of(booking, reversal, kind)
        for kind in ReportedAs
    )
    return replace(
        booking,
        **{kind.value: amounts.get(kind, ZERO) for kind in ReportedAs},
        moves=tuple(sorted(moves, key=lambda one: one.seq)),
        unworked=sum((_unworked(one) for one in moves), ZERO)
        if booking.unworked
        else ZERO,
        setup_us=booking.setup_us if is_rest else 0,
        processing_us=booking.processing_us if is_rest else 0,
        down_us=booking.down_us if is_rest else 0,
    )


def good_part_of(
    booking: Booking, reversal: Reversal | None, lot: str, amount: Decimal
) -> Booking:
    """Return so many good pieces of one lot of a report.

    What it had brought in stays: those are pieces of the step's own.
    """
    left = [one for one in _left_good(booking, reversal) if one.lot == lot]
    part = part_of(booking, reversal, {ReportedAs.GOOD: amount})
    moves = sorted(_newest(left, skip=ZERO, most=amount), key=lambda one: one.seq)
    return replace(part, moves=tuple(moves))


def _left_good(booking: Booking, reversal: Reversal | None) -> list[Move]:
    """Return the moves of good pieces as far as they were not taken back."""
    good = [one for one in booking.moves if one.to_bucket is Bucket.OUT]
    gone = {} if reversal is None else reversal.good_of
    if not gone:
        return good
    left: list[Move] = []
    for lot in dict.fromkeys(one.lot for one in good):
        of_lot = [one for one in good if one.lot == lot]
        left += _newest(of_lot, skip=gone.get(lot, ZERO), most=None)
    return sorted(left, key=lambda one: one.seq)


def _newest(
    moves: Iterable[Move], *, skip: Decimal, most: Decimal | None
) -> Iterator[Move]:
    """Yield moves from the newest on, after ``skip`` pieces, of ``most`` pieces."""
    for move in reversed(list(moves)):
        there = max(move.quantity - skip, ZERO)
        skip = max(skip - move.quantity, ZERO)
        taken = there if most is None else min(there, most)
        if taken > ZERO:
            yield replace(move, quantity=taken)
            most = None if most is None else most - taken


def _unworked(move: Move) -> Decimal:
    is_it = move.bucket is Bucket.QUEUED and move.to_bucket is Bucket.SCRAP
    return move.quantity if is_it else ZERO
