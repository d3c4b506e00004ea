"""What was consumed goes back into stock; and what was taken back is noted."""

from decimal import Decimal
from operator import attrgetter

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking, BookingKind, ReportedAs, Reversal
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.recall import restore
from mes_engine.core.decide.stock import note_use, touch_consumers
from mes_engine.core.errors import NotFound
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.parts import left_of
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.readiness import step_of
from mes_engine.core.wip_ledger import Bucket, Position

replace = msgspec.structs.replace


def give_back_components(
    draft: Draft, command: ReverseBooking, job: JobOrder, booking: Booking
) -> None:
    """Put back into stock what the end of the job order consumed for these pieces."""
    before = job.worked - booking.unworked
    after = before - (booking.worked + booking.reworked - booking.unworked)
    for component in step_of(draft.state, job).consumes:
        left = floored(component.per_piece * before, unit=component.unit)
        left -= floored(component.per_piece * after, unit=component.unit)
        booked = sorted(
            (*command.also, *command.onward), key=attrgetter("seq"), reverse=True
        )
        for one in booked:
            is_of_it = (
                one.kind is BookingKind.CONSUMPTION
                and one.job_order == job.id
                and one.moves[0].material == component.material
                and one.moves[0].unit == component.unit
                and not any(edge.kind is EdgeKind.DAMAGED for edge in one.edges)
            )
            back = min(left, left_to_give(draft, one)) if is_of_it else ZERO
            if back > ZERO:
                give_back(draft, command, one, back)
                left -= back


def left_to_give(draft: Draft, booking: Booking) -> Decimal:
    """Return how much of a consumption has not been taken back."""
    known = draft.state.reversal.get(booking.seq)
    return booking.total - (ZERO if known is None else known.quantity)


def give_back(
    draft: Draft, command: ReverseBooking, booking: Booking, quantity: Decimal
) -> None:
    """Put consumed material back into the stock that it was taken from."""
    (move,) = booking.moves
    position: Position | None = draft.state.position.get((move.lot, move.place))
    if draft.state.lot.get(move.lot) is None or position is None:
        raise NotFound(f"Lot {move.lot} is not known here any more.")
    already = booking.total - left_to_give(draft, booking)
    restore(draft, move.lot)
    draft.emit(
        f.QuantityMoved(
            move=replace(
                move,
                seq=draft.next_seq,
                quantity=quantity,
                bucket=move.to_bucket,
                to_bucket=move.bucket,
                at=draft.at,
                person=draft.person,
                reason=command.reason,
                reverses=booking.seq,
            )
        )
    )
    left, skipped = quantity, already
    for edge in booking.edges:
        there = max(edge.quantity - skipped, ZERO)
        skipped = max(skipped - edge.quantity, ZERO)
        back = min(left, there)
        if back > ZERO:
            left -= back
            draft.emit(
                f.LotConsumed(
                    edge=replace(
                        edge,
                        seq=draft.next_seq,
                        quantity=back,
                        at=draft.at,
                        reverses=edge.seq,
                    )
                )
            )
    job = draft.job(booking.job_order)
    if not job.is_over:  # Before its end, whatever it consumed was given by hand.
        is_damaged = any(edge.kind is EdgeKind.DAMAGED for edge in booking.edges)
        note_use(draft, job, move, -quantity, is_damaged=is_damaged)
    taken = already + quantity
    is_whole = taken == booking.total
    note(draft, command, booking, quantity=taken, is_whole=is_whole)
    touch_consumers(draft, move.material)


def note(
    draft: Draft,
    command: ReverseBooking,
    booking: Booking,
    *,
    quantity: Decimal,
    is_whole: bool,
) -> None:
    """Note that a consumption or a completion was taken back, or how much of it."""
    known = draft.state.reversal.get(booking.seq)
    reversal = reversal_of(draft, command, booking, known)
    _emit(draft, replace(reversal, quantity=quantity, is_whole=is_whole), None)


def note_part(
    draft: Draft,
    command: ReverseBooking,
    part: Booking,
    *,
    entered: Decimal,
    adjusts: int | None = None,
) -> None:
    """Note which pieces of a report were taken back, and what is left of it.

    Args:
        draft: The decision.
        command: Which names the report, or the completion that it is under.
        part: What was taken back now.
        entered: How many pieces that it had brought in are gone again.
        adjusts: The booking at an earlier step because of which it is.
    """
    known = draft.state.reversal.get(part.seq)
    booked = (command.booking, *command.also, *command.onward)
    whole = next(one for one in booked if one.seq == part.seq)
    good_of = {} if known is None else dict(known.good_of)
    for move in part.moves:
        if move.to_bucket is Bucket.OUT:
            good_of[move.lot] = good_of.get(move.lot, ZERO) + move.quantity
    taken = {
        kind.value: part.of(kind) + (ZERO if known is None else known.of(kind))
        for kind in ReportedAs
    }
    reversal = replace(
        reversal_of(draft, command, part, known),
        **taken,
        quantity=sum(taken.values(), ZERO),
        entered=entered + (ZERO if known is None else known.entered),
        good_of=good_of,
        adjusts=adjusts,
    )
    is_whole = all(left_of(whole, reversal, kind) == ZERO for kind in ReportedAs)
    _emit(draft, replace(reversal, is_whole=is_whole), part)


def reversal_of(
    draft: Draft, command: ReverseBooking, booking: Booking, known: Reversal | None
) -> Reversal:
    """Return that something of a booking is taken back now, without its amounts."""
    job = draft.job(booking.job_order)
    return Reversal(
        booking=booking.seq,
        seq=draft.next_seq,
        kind=booking.kind,
        job_order=job.id,
        request=job.request,
        quantity=ZERO,
        is_whole=False,
        at=draft.at,
        person=draft.person,
        reason=command.reason,
        earlier=() if known is None else (*known.earlier, known.seq),
    )


def _emit(draft: Draft, reversal: Reversal, part: Booking | None) -> None:
    job = draft.job(reversal.job_order)
    good, scrap, lost, tested = (
        (ZERO, ZERO, ZERO, ZERO)
        if part is None
        else (part.good, part.scrap, part.lost, part.tested)
    )
    draft.emit(
        f.BookingReversed(
            reversal=reversal,
            good=good,
            scrap=scrap,
            lost=lost,
            tested=tested,
            good_total=job.good - good,
            scrap_total=job.scrap - scrap,
            lost_total=job.lost - lost,
            tested_total=job.tested - tested,
        )
    )
