"""Reversals: a booking is taken back by what is linked to it, and by nothing else."""

from collections.abc import Collection, Iterable
from operator import attrgetter

from mes_engine.core.bookings import WAYS, Booking, BookingKind
from mes_engine.core.decide import windows
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.giving_back import (
    give_back,
    left_to_give,
    note,
)
from mes_engine.core.decide.periods import check_open
from mes_engine.core.decide.posting import correct_postings
from mes_engine.core.decide.reopening import follow_on, reopen
from mes_engine.core.decide.stock import touch_consumers
from mes_engine.core.decide.storing import live_job
from mes_engine.core.decide.taking_back import Correction, take_back
from mes_engine.core.decide.visits import nothing_comes_of, settle_afterwards
from mes_engine.core.decide.ways_back import put_back
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.parts import left_of, part_of, rest_of
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import visit_of
from mes_engine.core.requests import OVER


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
        case BookingKind.REWORK | BookingKind.DEVIATION:
            put_back(draft, command)
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
    if booking.kind is BookingKind.COMPLETION or booking.kind in WAYS:
        raise Malformed(
            f"A {booking.kind} as {booking.seq} is taken back whole.",
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
    correction = Correction(draft, command)
    returned = sum((take_back(correction, booking) for booking in reports), ZERO)
    job = draft.job(command.booking.job_order)
    visit = visit_of(draft.state, job)
    is_reopened = job.is_over and (returned or _says_last_elsewhere(draft, correction))
    if is_reopened:
        reopen(draft, visit.id)
    if job.is_over and returned:
        follow_on(draft, job, returned)
    for name, lots in correction.lots.items():
        _settle(draft, draft.job(name), lots, correction.posted[name])
    if job.is_over and not returned:
        if is_reopened and visit.is_done:
            settle_afterwards(draft, visit)
        nothing_comes_of(draft, job)


def _says_last_elsewhere(draft: Draft, correction: Correction) -> bool:
    """Whether the last word on a step, of which less is so, was another's."""
    jobs = [draft.job(name) for name in correction.lots]
    return any(
        visit_of(draft.state, one).is_done and not one.is_final_posted for one in jobs
    )


def _settle(
    draft: Draft, job: JobOrder, lots: Iterable[str], posted: Collection[str]
) -> None:
    """Do what follows for a job order of which something was taken back."""
    windows.taken_back(draft, job, lots)
    correct_postings(draft, job.id, first=posted)
    draft.touch(job.id)
    for material in job.materials:
        touch_consumers(draft, material)
