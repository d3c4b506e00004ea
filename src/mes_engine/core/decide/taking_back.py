"""A report is taken back: its pieces, its components, what it wore, what it told."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import AdjustAt, Booking
from mes_engine.core.decide import adjusting, limits
from mes_engine.core.decide.claims import book_time
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.giving_back import give_back_components, note_part
from mes_engine.core.decide.production import unassign
from mes_engine.core.decide.recall import Wanted, recall, restore
from mes_engine.core.decide.tools import unwear_tools
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move

replace = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Correction:
    """What one reversal takes back, noted as it goes; the first job order is its own.

    Attributes:
        posted: By job order, the postings that went up with what is taken back.
        lots: By job order, whose pieces were.
    """

    draft: Draft
    command: ReverseBooking
    posted: dict[str, set[str]] = field(default_factory=dict)
    lots: dict[str, dict[str, None]] = field(default_factory=dict)


def take_back(
    correction: Correction, booking: Booking, *, adjusts: int | None = None
) -> Decimal:
    """Take back a report, or a part of one.

    Args:
        correction: Of which it is a part.
        booking: What of the report is to go.
        adjusts: The booking at an earlier step that was wrong about the same pieces.

    Returns:
        How many pieces are to be worked on again.
    """
    draft, command = correction.draft, correction.command
    job = draft.job(booking.job_order)
    lots = correction.lots.setdefault(job.id, {})
    posted = correction.posted.setdefault(job.id, set())
    entered = _take_back_pieces(correction, job, booking, is_onward=adjusts is not None)
    if job.is_over:
        give_back_components(draft, command, job, booking)
    note_part(draft, command, booking, entered=entered, adjusts=adjusts)
    unwear_tools(draft, booking)
    if booking.setup_us or booking.processing_us or booking.down_us:
        told = (booking.setup_us, booking.processing_us, booking.down_us)
        book_time(draft, draft.job(job.id), *(-one for one in told))
    if booking.source == "machine":
        unassign(draft, booking, command.counted, command.reason)
    lots.update(dict.fromkeys(one.lot for one in booking.moves))
    if booking.posting is not None:
        posted.add(booking.posting)
    return booking.total - entered


def _take_back_pieces(
    correction: Correction, job: JobOrder, booking: Booking, *, is_onward: bool
) -> Decimal:
    """Bring reported pieces back to where they were reported from.

    Returns:
        How many that the report had brought in are gone again.
    """
    draft, command = correction.draft, correction.command
    _recall_all(correction, job, booking)
    entered, waiting, is_rest = ZERO, ZERO, command.quantity is None
    for move in reversed(booking.moves):
        quantity = move.quantity
        if move.bucket in ENTRIES:
            too_many = min(brought_too_many(draft, move), booking.total - entered)
            quantity = too_many if is_rest else min(too_many, _queued(draft, move))
            entered += quantity
        if quantity == ZERO:
            continue
        back_to = move.bucket
        if move.bucket not in ENTRIES and (
            is_onward or (back_to is Bucket.IN_PROCESS and job.is_over)
        ):
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


def _recall_all(correction: Correction, job: JobOrder, booking: Booking) -> None:
    """Have what was reported good, and went on, wait at its step again."""
    draft, command = correction.draft, correction.command
    passed_on: dict[tuple[str, str], Decimal] = {}
    for move in booking.moves:
        restore(draft, move.lot)
        if move.to_bucket is Bucket.OUT:
            key = (move.lot, move.place)
            passed_on[key] = passed_on.get(key, ZERO) + move.quantity
    for (lot, place), quantity in passed_on.items():
        wanted = Wanted(
            command=command, job=job, lot=lot, place=place, quantity=quantity
        )
        if command.where is AdjustAt.WHERE_IT_IS:
            adjusting.make_way(draft, wanted, partial(_adjust, correction))
        recall(draft, wanted)


def _adjust(correction: Correction, part: Booking) -> Decimal:
    """Take back what a later step says of pieces that never were."""
    return take_back(correction, part, adjusts=correction.command.booking.seq)


def brought_too_many(draft: Draft, move: Move) -> Decimal:
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
