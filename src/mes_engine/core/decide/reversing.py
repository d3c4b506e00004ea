"""Reversals: a booking is taken back by what is linked to it, and by nothing else."""

from collections.abc import Iterable
from decimal import Decimal
from operator import attrgetter

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking, BookingKind
from mes_engine.core.decide import limits, windows
from mes_engine.core.decide.claims import book_time
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.giving_back import (
    give_back,
    give_back_components,
    left_to_give,
    note,
    note_part,
)
from mes_engine.core.decide.periods import check_open
from mes_engine.core.decide.posting import correct_postings
from mes_engine.core.decide.production import unassign
from mes_engine.core.decide.recall import Wanted, recall, reopen, restore
from mes_engine.core.decide.stock import touch_consumers
from mes_engine.core.decide.storing import live_job, store
from mes_engine.core.decide.tools import unwear_tools
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.parts import left_of, part_of, rest_of
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import visit_of
from mes_engine.core.requests import OVER
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move

replace = msgspec.structs.replace


def reverse(draft: Draft, command: ReverseBooking) -> dict[str, str]:
    """Take a booking back, if what it brought about is still to be had."""
    booking = command.booking
    if not command.reason.strip():
        raise Malformed(
            f"Booking {booking.seq} is to be reversed without a reason.",
            hint="Say why in 'reason'.",
        )
    _check(draft, command)
    match booking.kind:
        case BookingKind.CONSUMPTION:
            left = left_to_give(draft, booking)
            wanted = command.quantity
            give_back(draft, command, booking, left if wanted is None else wanted)
        case BookingKind.COMPLETION:
            _reverse_completion(draft, command)
        case _:
            _reverse_reports(draft, command, [_wanted_part(draft, command)])
    told = {"booking": str(booking.seq), "job_order": booking.job_order}
    reversal = draft.state.reversal.get(booking.seq)
    if reversal is not None:
        told["reversal"] = str(reversal.seq)
    job = draft.job(booking.job_order)
    follow_on = live_job(draft, job.visit, job.lot) if job.is_over else None
    if follow_on is not None:
        told["follow_on"] = follow_on.id
    return told


def _check(draft: Draft, command: ReverseBooking) -> None:
    booking = command.booking
    if booking.kind is BookingKind.REVERSAL:
        raise Refused(
            f"Booking {booking.seq} is a reversal, and a reversal is not reversed.",
            hint="Report afresh what is so.",
            unmet=[f"not_a_reversal: it takes back {booking.reverses}"],
        )
    request = draft.request(command.work_request)
    if request.state in OVER:
        raise Refused(
            f"Booking {booking.seq} cannot be reversed: {request.id} is "
            f"{request.state}, and its books with it.",
            hint="Correct the stock where the pieces are now, or order them anew.",
            unmet=[f"request_open: {request.id} is {request.state}"],
        )
    known = draft.state.reversal.get(booking.seq)
    if known is not None and known.is_whole:
        raise Refused(
            f"Booking {booking.seq} has been reversed already, by {known.person}: "
            f"{known.reason}.",
            hint="Report afresh what is so.",
            unmet=[f"not_reversed: fact {known.seq} did it"],
        )
    _check_quantity(draft, command)
    draft.is_into_open_period = command.into_open_period
    check_open(draft, booking.at, f"Booking {booking.seq}")


def _check_quantity(draft: Draft, command: ReverseBooking) -> None:
    """See that a part that is to be taken back is there to be taken back."""
    booking, wanted = command.booking, command.quantity
    if wanted is None:
        return
    if booking.kind is BookingKind.COMPLETION:
        raise Malformed(
            f"A completion as {booking.seq} is taken back whole.",
            hint="Reports and consumption may be reversed in parts.",
        )
    if booking.kind is BookingKind.CONSUMPTION:
        left, what = left_to_give(draft, booking), "consumed"
        unit = booking.moves[0].unit
    else:
        known = draft.state.reversal.get(booking.seq)
        left = left_of(booking, known, command.reported_as)
        what, unit = command.reported_as.value, draft.job(booking.job_order).unit
    if checked_quantity(wanted, unit=unit) == ZERO:
        raise Malformed(f"Nothing of booking {booking.seq} is to be taken back.")
    if wanted > left:
        raise Refused(
            f"{wanted} {unit} of booking {booking.seq} cannot be taken back: "
            f"{left.normalize():f} of it are {what}.",
            hint="Take back at most what is left of it.",
            unmet=[f"quantity_left: {wanted} asked for, {left.normalize():f} {what}"],
        )


def _wanted_part(draft: Draft, command: ReverseBooking) -> Booking:
    """Return what of a report is to be taken back now."""
    known = draft.state.reversal.get(command.booking.seq)
    if command.quantity is None:
        return rest_of(command.booking, known)
    amounts = {command.reported_as: command.quantity}
    return part_of(command.booking, known, amounts)


def _reverse_completion(draft: Draft, command: ReverseBooking) -> None:
    """Take back everything that was booked on a job order that has ended."""
    reports = [
        rest_of(one, known)
        for one in command.also
        if one.kind is BookingKind.REPORT
        and ((known := draft.state.reversal.get(one.seq)) is None or not known.is_whole)
    ]
    consumed = [one for one in command.also if one.kind is BookingKind.CONSUMPTION]
    if not reports and not any(left_to_give(draft, one) for one in consumed):
        raise Refused(
            f"Nothing is left on {command.booking.job_order} to take back.",
            hint="Reports and consumption may be reversed one by one, each once.",
            unmet=["something_booked: nothing is"],
        )
    reports.sort(key=attrgetter("seq"), reverse=True)
    _reverse_reports(draft, command, reports)
    for one in consumed:
        left = left_to_give(draft, one)
        if left:
            give_back(draft, command, one, left)
    note(draft, command, command.booking, quantity=ZERO, is_whole=True)


def _reverse_reports(
    draft: Draft, command: ReverseBooking, reports: Iterable[Booking]
) -> None:
    """Take back reports on one job order, the newest first; then what follows."""
    returned, posted = ZERO, set[str]()
    lots: dict[str, None] = {}
    for booking in reports:
        job = draft.job(booking.job_order)
        entered = _take_back_pieces(draft, command, job, booking)
        if job.is_over:
            give_back_components(draft, command, job, booking)
        note_part(draft, command, booking, entered=entered)
        unwear_tools(draft, booking)
        if booking.setup_us or booking.processing_us or booking.down_us:
            told = (booking.setup_us, booking.processing_us, booking.down_us)
            book_time(draft, draft.job(job.id), *(-one for one in told))
        if booking.source == "machine":
            unassign(draft, booking, command.counted, command.reason)
        returned += booking.total
        lots.update(dict.fromkeys(one.lot for one in booking.moves))
        if booking.posting is not None:
            posted.add(booking.posting)
    job = draft.job(command.booking.job_order)
    if job.is_over and returned:
        reopen(draft, job.visit)
        _follow_on(draft, job, returned)
    windows.taken_back(draft, job, lots)
    correct_postings(draft, job.id, first=posted)
    draft.touch(job.id)
    for material in job.materials:
        touch_consumers(draft, material)


def _take_back_pieces(
    draft: Draft, command: ReverseBooking, job: JobOrder, booking: Booking
) -> Decimal:
    """Bring reported pieces back to where they were reported from.

    Returns:
        How many that the report had brought in are gone again.
    """
    entered, waiting, is_rest = ZERO, ZERO, command.quantity is None
    passed_on: dict[tuple[str, str], Decimal] = {}
    for move in booking.moves:
        restore(draft, move.lot)
        if move.to_bucket is Bucket.OUT:
            key = (move.lot, move.place)
            passed_on[key] = passed_on.get(key, ZERO) + move.quantity
    for (lot, place), quantity in passed_on.items():
        recall(
            draft,
            Wanted(command=command, job=job, lot=lot, place=place, quantity=quantity),
        )
    for move in reversed(booking.moves):
        quantity = move.quantity
        if move.bucket in ENTRIES:
            too_many = min(_brought_too_many(draft, move), booking.total - entered)
            quantity = too_many if is_rest else min(too_many, _queued(draft, move))
            entered += quantity
        if quantity == ZERO:
            continue
        back_to = move.bucket
        if back_to is Bucket.IN_PROCESS and job.is_over:
            back_to = Bucket.QUEUED  # Nobody is working on them now.
        if back_to is Bucket.QUEUED:
            waiting += quantity
        _check_there(draft, booking, move, quantity)
        draft.emit(
            f.QuantityMoved(
                move=replace(
                    move,
                    seq=draft.next_seq,
                    quantity=quantity,
                    place=move.to_place,
                    bucket=move.to_bucket,
                    to_place=move.place,
                    to_bucket=back_to,
                    at=draft.at,
                    person=draft.person,
                    reason=command.reason,
                    reverses=booking.seq,
                )
            )
        )
    if waiting:
        limits.came(draft, job, waiting)
    return entered


def _brought_too_many(draft: Draft, move: Move) -> Decimal:
    """Return how many pieces the report brought in that had not been planned."""
    if move.bucket is Bucket.FOUND:
        return move.quantity
    request = draft.request(move.request or "")
    positions = draft.state.position.find("request", request.id)
    began = sum((one.entered for one in positions), ZERO)
    return min(move.quantity, max(began - request.quantity, ZERO))


def _queued(draft: Draft, move: Move) -> Decimal:
    position = draft.state.position.get((move.lot, move.to_place))
    return ZERO if position is None else position.queued


def _check_there(draft: Draft, booking: Booking, move: Move, quantity: Decimal) -> None:
    position = draft.state.position.get((move.lot, move.to_place))
    there = ZERO if position is None else position.of(move.to_bucket)
    if there < quantity:
        told = (
            f"{quantity} {move.unit} of {move.lot} would have to be "
            f"{move.to_bucket} at {move.to_place}, and {there} are"
        )
        raise Refused(
            f"Booking {booking.seq} of {booking.job_order} cannot be reversed: {told}.",
            hint="Reverse first what was done with them since.",
            unmet=[f"pieces_there: {told}"],
        )


def _follow_on(draft: Draft, job: JobOrder, returned: Decimal) -> None:
    """Have a job order for the pieces that are to be worked on again."""
    live = live_job(draft, job.visit, job.lot)
    if live is None:
        store(
            draft,
            draft.request(job.request),
            job.step,
            planned=returned,
            follows=job,
            rework=visit_of(draft.state, job).rework,
            lot=job.lot,
        )
        return
    draft.touch(live.id)
    if live.follows is not None:
        draft.emit(
            f.JobOrderUpdated(
                job_order=live.id,
                planned=live.planned + returned,
                due_at=live.due_at,
                priority=live.priority,
            )
        )
