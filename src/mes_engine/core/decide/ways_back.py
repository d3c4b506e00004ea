"""What was sent to rework, or another way, comes back: it was the wrong lot.

Only as long as nobody has worked on it where it went; else that is named.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking, BookingKind
from mes_engine.core.decide import limits, window_course, windows
from mes_engine.core.decide.aggregation import end_lot
from mes_engine.core.decide.deviating import come_again
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.flow import transfer
from mes_engine.core.decide.giving_back import give_back_components, reversal_of
from mes_engine.core.decide.inheritance import hand_back_holds
from mes_engine.core.decide.lot_jobs import plan
from mes_engine.core.decide.posting import retell_repeats
from mes_engine.core.decide.recall import amount_at, check_takes_more, restore
from mes_engine.core.decide.reopening import follow_on, reopen
from mes_engine.core.decide.taking_back import brought_too_many
from mes_engine.core.decide.visits import (
    NOT_BEGUN,
    give_up_if_empty,
    settle_afterwards,
)
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import ON_A_MACHINE, JobOrder
from mes_engine.core.lots import LotExistence
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import visit_of
from mes_engine.core.repeats import is_told_too_often
from mes_engine.core.requests import Visit
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move

replace = msgspec.structs.replace


def put_back(draft: Draft, command: ReverseBooking) -> None:
    """Bring pieces back to where they were before they were sent another way.

    Raises:
        Refused: Something was done with them since.
    """
    booking = command.booking
    happened = list(_happened(draft, command))
    if happened:
        raise Refused(
            f"What booking {booking.seq} of {booking.job_order} sent another way does "
            f"not come back: {'; '.join(happened)}.",
            hint="Take back first what was done with it there, or send it on.",
            unmet=[f"untouched: {one}" for one in happened],
        )
    job = draft.job(booking.job_order)
    to_work = _move_back(draft, command, job)
    if booking.parent is not None:
        _end_child(draft, booking, booking.parent)
    if job.is_over:
        give_back_components(draft, command, job, booking)
    _note(draft, command)
    for name, again in booking.repeats.items():
        come_again(draft, name, -again)
    windows.taken_back(draft, job, [booking.lot])
    if job.is_over and to_work > ZERO:
        reopen(draft, job.visit)
        follow_on(draft, job, to_work)
    transfer(draft, draft.job(job.id), is_ending=job.is_over)
    _leave(draft, booking)
    _retell(draft, job)
    draft.touch(job.id)


def _happened(draft: Draft, command: ReverseBooking) -> Iterator[str]:
    """Say what was done with the pieces since they were sent."""
    booking = command.booking
    lot, visit = booking.lot, _target(draft, booking)
    queued = amount_at(draft, (lot, visit.id), Bucket.QUEUED)
    if queued < booking.sent:
        yield f"{queued} of {booking.sent} of {lot} wait at {visit.step}"
    for job in draft.state.job_order.find("visit", visit.id):
        is_left_nothing = here(draft.state, job).on_floor <= booking.sent
        if job.state in ON_A_MACHINE and is_left_nothing:
            yield f"{job.id} at {visit.step} is '{job.state}' with them"
    for edge in command.uses:
        if edge.source == lot and edge.seq > booking.seq and edge.reverses is None:
            yield f"{edge.quantity} {edge.unit} of {lot} went into {edge.target}"
    for value in draft.state.measured_value.find("lot", lot):
        if value.measurement > booking.seq:
            yield f"{value.characteristic} of {lot} was measured at {value.job_order}"


def _target(draft: Draft, booking: Booking) -> Visit:
    visit = draft.state.visit.get(booking.to_visit)
    if visit is None:
        raise LookupError(f"{booking.to_visit} was never opened")
    return visit


def _move_back(draft: Draft, command: ReverseBooking, job: JobOrder) -> Decimal:
    """Take the moves back, the newest first; return how many are to be worked on."""
    booking, to_work, queued = command.booking, ZERO, ZERO
    restore(draft, booking.lot)
    if booking.parent is not None:
        restore(draft, booking.parent)
    for move in reversed(booking.moves):
        back = _backwards(draft, job, move)
        if back is None:
            continue
        draft.emit(
            f.QuantityMoved(
                move=replace(
                    back,
                    seq=draft.next_seq,
                    at=draft.at,
                    person=draft.person,
                    reason=command.reason,
                    reverses=booking.seq,
                )
            )
        )
        if back.bucket is Bucket.OUT and back.to_lot is None and not back.connection:
            to_work += back.quantity
            queued += back.quantity if back.to_bucket is Bucket.QUEUED else ZERO
        elif back.to_bucket in ENTRIES:
            to_work -= back.quantity
            queued -= back.quantity
    if queued > ZERO:
        limits.came(draft, job, queued)
    return to_work


def _backwards(draft: Draft, job: JobOrder, move: Move) -> Move | None:
    """Return a move the other way round; None where there is nothing to take back."""
    bucket, quantity = move.bucket, move.quantity
    if bucket is Bucket.IN_PROCESS and job.is_over:
        bucket = Bucket.QUEUED  # Nobody is working on them now.
    if move.to_lot is not None:
        return replace(
            move, lot=move.to_lot, to_lot=move.lot, bucket=bucket, to_bucket=bucket
        )
    if bucket in ENTRIES:
        there = amount_at(draft, (move.lot, move.to_place), Bucket.QUEUED)
        quantity = min(brought_too_many(draft, move), there)
        if quantity <= ZERO:
            return None
    return replace(
        move,
        quantity=quantity,
        place=move.to_place,
        bucket=move.to_bucket,
        to_place=move.place,
        to_bucket=bucket,
    )


def _end_child(draft: Draft, booking: Booking, parent: str) -> None:
    """Let the lot that was split off for the way be part of its parent again."""
    for edge in booking.edges:
        back = replace(edge, seq=draft.next_seq, at=draft.at, reverses=edge.seq)
        draft.emit(f.LotSplit(edge=back))
    child, source = draft.state.lot.get(booking.lot), draft.state.lot.get(parent)
    if child is None or source is None:
        raise LookupError(f"{booking.lot} or {parent} is not there")
    check_takes_more(source)
    window_course.hand_back(draft, child, [source])
    hand_back_holds(draft, child.id, [source.id])
    end_lot(draft, child.id, LotExistence.VOIDED)


def _note(draft: Draft, command: ReverseBooking) -> None:
    booking = command.booking
    job = draft.job(booking.job_order)
    reversal = replace(
        reversal_of(draft, command, booking, None),
        quantity=booking.sent,
        is_whole=True,
    )
    draft.emit(
        f.WayReversed(
            reversal=reversal,
            reworked=booking.reworked,
            deviated=booking.deviated,
            reworked_total=job.reworked - booking.reworked,
            deviated_total=job.deviated - booking.deviated,
        )
    )


def _leave(draft: Draft, booking: Booking) -> None:
    """Have nobody wait where the pieces had gone, if nothing else comes there."""
    visit = _target(draft, booking)
    for job in draft.state.job_order.find("visit", visit.id):
        if job.is_over:
            continue
        limits.taken(draft, job)
        draft.touch(job.id)
        if visit.rework and job.planned > booking.sent:
            plan(draft, job, job.planned - booking.sent)
        if booking.kind is BookingKind.DEVIATION:
            give_up_if_empty(draft, draft.job(job.id), visit)
    if visit.rework:
        _end_pass(draft, visit)


def _retell(draft: Draft, job: JobOrder) -> None:
    """Tell the ledger anew of pieces that it took for such as come again."""
    for other in draft.state.job_order.find("request", job.request):
        if is_told_too_often(draft.state, other):
            visit = visit_of(draft.state, other)
            reopen(draft, visit.id)
            retell_repeats(draft, other)
            if visit.is_done:
                settle_afterwards(draft, visit)


def _end_pass(draft: Draft, visit: Visit) -> None:
    """Give up the job orders of a pass that no pieces are in any more."""
    visits = [
        one
        for one in draft.state.visit.find("open", visit.request)
        if one.rework == visit.rework
    ]
    for one in visits:
        positions = draft.state.position.find("place", one.id)
        if any(position.on_floor for position in positions):
            return
    for one in visits:
        for job in draft.state.job_order.find("visit", one.id):
            if job.state in NOT_BEGUN and job.run is None:
                give_up(draft, job, "what was sent there was taken back")
        settle_afterwards(draft, one)
