"""Reversals: a booking is taken back by what is linked to it, and by nothing else."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking, BookingKind, Reversal
from mes_engine.core.decide.claims import book_time
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.posting import correct_postings
from mes_engine.core.decide.production import unassign
from mes_engine.core.decide.recall import Wanted, recall, reopen, restore
from mes_engine.core.decide.stock import note_use, touch_consumers
from mes_engine.core.decide.storing import live_job, store
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.readiness import step_of, visit_of
from mes_engine.core.requests import OVER
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move, Position

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
            _give_back(draft, command, booking, _left_of(draft, booking))
        case BookingKind.COMPLETION:
            _reverse_completion(draft, command)
        case _:
            _reverse_reports(draft, command, [booking])
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


def _reverse_completion(draft: Draft, command: ReverseBooking) -> None:
    """Take back everything that was booked on a job order that has ended."""
    reports = [
        one
        for one in command.also
        if one.kind is BookingKind.REPORT and draft.state.reversal.get(one.seq) is None
    ]
    consumed = [one for one in command.also if one.kind is BookingKind.CONSUMPTION]
    if not reports and not any(_left_of(draft, one) for one in consumed):
        raise Refused(
            f"Nothing is left on {command.booking.job_order} to take back.",
            hint="Reports and consumption may be reversed one by one, each once.",
            unmet=["something_booked: nothing is"],
        )
    _reverse_reports(draft, command, sorted(reports, key=_seq, reverse=True))
    for one in consumed:
        left = _left_of(draft, one)
        if left:
            _give_back(draft, command, one, left)
    _note(draft, command, command.booking, quantity=ZERO, is_whole=True)


def _reverse_reports(
    draft: Draft, command: ReverseBooking, reports: Iterable[Booking]
) -> None:
    """Take back reports on one job order, the newest first; then what follows."""
    returned, posted = ZERO, set[str]()
    for booking in reports:
        job = draft.job(booking.job_order)
        _take_back_pieces(draft, command, job, booking)
        if job.is_over:
            _give_back_components(draft, command, job, booking)
        _note(draft, command, booking, quantity=booking.total, is_whole=True)
        if booking.setup_us or booking.processing_us or booking.down_us:
            told = (booking.setup_us, booking.processing_us, booking.down_us)
            book_time(draft, draft.job(job.id), *(-one for one in told))
        if booking.source == "machine":
            unassign(draft, booking, command.counted, command.reason)
        returned += booking.total
        if booking.posting is not None:
            posted.add(booking.posting)
    job = draft.job(command.booking.job_order)
    if job.is_over and returned:
        reopen(draft, job.visit)
        _follow_on(draft, job, returned)
    correct_postings(draft, job.id, first=posted)
    draft.touch(job.id)
    for material in job.materials:
        touch_consumers(draft, material)


def _take_back_pieces(
    draft: Draft, command: ReverseBooking, job: JobOrder, booking: Booking
) -> None:
    """Bring reported pieces back to where they were reported from."""
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
        if move.bucket in ENTRIES:
            quantity = _brought_too_many(draft, move)
        else:
            quantity = move.quantity
        if quantity == ZERO:
            continue
        back_to = move.bucket
        if back_to is Bucket.IN_PROCESS and job.is_over:
            back_to = Bucket.QUEUED  # Nobody is working on them now.
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


def _brought_too_many(draft: Draft, move: Move) -> Decimal:
    """Return how many pieces the report brought in that had not been planned."""
    if move.bucket is Bucket.FOUND:
        return move.quantity
    request = draft.request(move.request or "")
    positions = draft.state.position.find("request", request.id)
    began = sum((one.entered for one in positions), ZERO)
    return min(move.quantity, max(began - request.quantity, ZERO))


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


def _give_back_components(
    draft: Draft, command: ReverseBooking, job: JobOrder, booking: Booking
) -> None:
    """Put back into stock what the end of the job order consumed for these pieces."""
    before = job.worked - booking.unworked
    after = before - (booking.worked - booking.unworked)
    for component in step_of(draft.state, job).consumes:
        left = floored(component.per_piece * before, unit=component.unit)
        left -= floored(component.per_piece * after, unit=component.unit)
        for one in sorted(command.also, key=_seq, reverse=True):
            is_of_it = (
                one.kind is BookingKind.CONSUMPTION
                and one.moves[0].material == component.material
                and one.moves[0].unit == component.unit
                and not any(edge.kind is EdgeKind.DAMAGED for edge in one.edges)
            )
            back = min(left, _left_of(draft, one)) if is_of_it else ZERO
            if back > ZERO:
                _give_back(draft, command, one, back)
                left -= back


def _left_of(draft: Draft, booking: Booking) -> Decimal:
    """Return how much of a consumption has not been taken back."""
    known = draft.state.reversal.get(booking.seq)
    return booking.total - (ZERO if known is None else known.quantity)


def _give_back(
    draft: Draft, command: ReverseBooking, booking: Booking, quantity: Decimal
) -> None:
    """Put consumed material back into the stock that it was taken from."""
    (move,) = booking.moves
    position: Position | None = draft.state.position.get((move.lot, move.place))
    if draft.state.lot.get(move.lot) is None or position is None:
        raise NotFound(f"Lot {move.lot} is not known here any more.")
    already = booking.total - _left_of(draft, booking)
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
    _note(draft, command, booking, quantity=taken, is_whole=is_whole)
    touch_consumers(draft, move.material)


def _note(
    draft: Draft,
    command: ReverseBooking,
    booking: Booking,
    *,
    quantity: Decimal,
    is_whole: bool,
) -> None:
    job = draft.job(booking.job_order)
    draft.emit(
        f.BookingReversed(
            reversal=Reversal(
                booking=booking.seq,
                seq=draft.next_seq,
                kind=booking.kind,
                job_order=job.id,
                request=job.request,
                quantity=quantity,
                is_whole=is_whole,
                at=draft.at,
                person=draft.person,
                reason=command.reason,
            ),
            good=booking.good,
            scrap=booking.scrap,
            lost=booking.lost,
            tested=booking.tested,
            good_total=job.good - booking.good,
            scrap_total=job.scrap - booking.scrap,
            lost_total=job.lost - booking.lost,
            tested_total=job.tested - booking.tested,
        )
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


def _seq(booking: Booking) -> int:
    return booking.seq
