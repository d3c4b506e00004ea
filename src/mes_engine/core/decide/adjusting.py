"""Adjustments: pieces that never were are taken out where the quantity now is.

The way back is the way that they came: out of stock, a queue or work, and out of what
later steps have reported of them. Nearest first: what was worked on least is least
likely to exist.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking, BookingKind
from mes_engine.core.decide import limits
from mes_engine.core.decide.choosing import passer
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.periods import check_open
from mes_engine.core.decide.recall import (
    Wanted,
    amount_at,
    leaving_of,
    parts_of,
    recall,
    restore,
    targets_of,
)
from mes_engine.core.job_order import JobOrder
from mes_engine.core.parts import good_left_of, good_part_of
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import ALL, Visit
from mes_engine.core.steps import Connection
from mes_engine.core.wip_ledger import Bucket, Move


@dataclass(frozen=True, slots=True)
class Way:
    """How pieces come back by one connection.

    Attributes:
        lots: As which they went on: their own, and those that were split off it then.
        arrived: How many ever came by it, and are not back.
    """

    connection: Connection
    visit: Visit
    lots: tuple[str, ...]
    arrived: Decimal


TakeBack = Callable[[Booking], object]


def make_way(draft: Draft, wanted: Wanted, take_back: TakeBack) -> None:
    """See that the pieces that are wanted back can be recalled from the next steps.

    As many as there are: whether that is enough, the recall says.

    Args:
        draft: The decision.
        wanted: The pieces, and where they have to be again.
        take_back: Takes a part of a later step's report back.
    """
    missing = wanted.quantity - amount_at(draft, (wanted.lot, wanted.place), Bucket.OUT)
    ways = list(_ways(draft, wanted))
    at_hand = {id(way): min(way.arrived, _queued(draft, way)) for way in ways}
    missing -= sum(at_hand.values(), ZERO)
    for way in ways:
        more = min(way.arrived, _there(draft, wanted, way)) - at_hand[id(way)]
        some = min(missing, more)
        if some > ZERO:
            missing -= some
            some -= _out_of_work(draft, wanted, way, some)
            _out_of_reports(draft, wanted, way, some, take_back)


def _ways(draft: Draft, wanted: Wanted) -> Iterator[Way]:
    job = wanted.job
    lots = (wanted.lot, *(one.target for one in parts_of(draft, wanted)))
    for one, visit in targets_of(draft, job, leaving_of(draft, job)):
        flow = draft.state.connection_flow.get((job.request, one.source, one.target))
        if flow is not None:
            yield Way(one, visit, lots, flow.arrived)


def _queued(draft: Draft, way: Way) -> Decimal:
    return _in_bucket(draft, way, Bucket.QUEUED)


def _in_bucket(draft: Draft, way: Way, bucket: Bucket) -> Decimal:
    amounts = (amount_at(draft, (lot, way.visit.id), bucket) for lot in way.lots)
    return sum(amounts, ZERO)


def _there(draft: Draft, wanted: Wanted, way: Way) -> Decimal:
    """Return how many could be queued at the next step, with all that is beyond it."""
    there = _queued(draft, way) + _in_bucket(draft, way, Bucket.IN_PROCESS)
    for lot in way.lots:
        there += _good(draft, wanted, way.visit, lot)
    return there


def _good(draft: Draft, wanted: Wanted, visit: Visit, lot: str) -> Decimal:
    """Return how many pieces that a step says it is done with could be had again."""
    job = _worker(draft, visit, lot)
    if job is None:
        return ZERO
    beyond = dataclasses.replace(wanted, job=job, lot=lot, place=visit.id)
    there = amount_at(draft, (lot, visit.id), Bucket.OUT)
    if not leaving_of(draft, job):
        there += sum((one.stock for one in draft.state.position.find("lot", lot)), ZERO)
    for way in _ways(draft, beyond):
        there += min(way.arrived, _there(draft, beyond, way))
    if not job.id:
        return there
    told = (
        good_left_of(one, draft.state.reversal.get(one.seq), lot)
        for one in _reports_at(draft, wanted, visit)
    )
    return min(there, sum(told, ZERO))


def _worker(draft: Draft, visit: Visit, lot: str) -> JobOrder | None:
    """Return who had the pieces at a visit; what stands for one if they skipped it."""
    if ALL in visit.skips or lot in visit.skips:
        return passer(draft, visit, lot)
    jobs = draft.state.job_order.find("visit", visit.id)
    return next((one for one in reversed(jobs) if one.lot in {None, lot}), None)


def _reports_at(draft: Draft, wanted: Wanted, visit: Visit) -> list[Booking]:
    """Return what was reported at a visit, the newest first."""
    jobs = {one.id for one in draft.state.job_order.find("visit", visit.id)}
    found = [
        one
        for one in wanted.command.onward
        if one.kind is BookingKind.REPORT and one.job_order in jobs
    ]
    return sorted(found, key=attrgetter("seq"), reverse=True)


def _out_of_work(draft: Draft, wanted: Wanted, way: Way, most: Decimal) -> Decimal:
    """Put back into the queue what the next step has begun on; return how many."""
    back = ZERO
    for lot in way.lots:
        begun = amount_at(draft, (lot, way.visit.id), Bucket.IN_PROCESS)
        some = min(most - back, begun)
        if some > ZERO:
            back += some
            there = dataclasses.replace(
                wanted,
                job=_worker(draft, way.visit, lot) or wanted.job,
                lot=lot,
                place=way.visit.id,
                quantity=some,
            )
            _requeue(draft, there, Bucket.IN_PROCESS)
    return back


def _out_of_reports(
    draft: Draft, wanted: Wanted, way: Way, most: Decimal, take_back: TakeBack
) -> None:
    """Put back into the queue what the next step has reported good."""
    left = most
    for lot in way.lots:
        some = min(left, _good(draft, wanted, way.visit, lot))
        if some <= ZERO:
            continue
        left -= some
        job = _worker(draft, way.visit, lot)
        if job is not None and not job.id:
            there = dataclasses.replace(
                wanted, job=job, lot=lot, place=way.visit.id, quantity=some
            )
            make_way(draft, there, take_back)
            recall(draft, there)
            _requeue(draft, there, Bucket.OUT)
            continue
        for booking in _reports_at(draft, wanted, way.visit):
            known = draft.state.reversal.get(booking.seq)
            part = min(some, good_left_of(booking, known, lot))
            if part > ZERO:
                some -= part
                check_open(draft, booking.at, f"Booking {booking.seq}")
                take_back(good_part_of(booking, known, lot, part))


def _requeue(draft: Draft, wanted: Wanted, bucket: Bucket) -> None:
    """Let pieces that are in a bucket at a step wait there for its work again."""
    job, lot = wanted.job, wanted.lot
    position = draft.state.position.get((lot, wanted.place))
    if position is None:
        raise LookupError(f"nothing of {lot} was ever at {wanted.place}")
    restore(draft, lot)
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=lot,
                material=position.material,
                unit=position.unit,
                quantity=wanted.quantity,
                place=wanted.place,
                bucket=bucket,
                to_place=wanted.place,
                to_bucket=Bucket.QUEUED,
                request=job.request,
                job_order=job.id or None,
                run=None,
                at=draft.at,
                person=draft.person,
                reason=wanted.command.reason,
                reverses=wanted.command.booking.seq,
            )
        )
    )
    limits.came(draft, job, wanted.quantity)
