"""What a decision changes, listed: the state before it, beside the state after it."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.job_order import JobOrder
from mes_engine.core.postings import Posting
from mes_engine.core.state import State
from mes_engine.core.wip_ledger import HELD, SINKS, SOURCES

Value = str | int | Decimal | bool | None


class EffectOn(StrEnum):
    """What kind of thing is another afterwards."""

    WORK_REQUEST = "work_request"
    JOB_ORDER = "job_order"
    CONDITION = "condition"
    PIECES = "pieces"
    BOOKING = "booking"
    LOT = "lot"
    POSTING = "posting"
    UNASSIGNED = "unassigned"
    BOOKS = "books"


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is another afterwards.

    Attributes:
        id: Of the request or job order; for pieces, the visit that they are at; for a
            booking that is taken back, its number; of the lot that has a serial; of the
            posting; of the work unit whose count is on no job order; of the ledger.
        what: The field, the condition's name or the bucket; of a booking, what it says.
        before: None for what was not there.
        after: None for a posting that no longer stands.
        why: For a condition, why it does not hold; for a booking or a posting, the job
            order that it is on; for pieces, their lot; else empty.
    """

    on: EffectOn
    id: str
    what: str
    before: Value
    after: Value
    why: str = ""


_OF_REQUEST = ("quantity", "due_at", "priority", "revision", "state")
_OF_JOB = (
    "state",
    "planned",
    "due_at",
    "priority",
    "revision",
    "work_center",
    "equipment_class",
)


def effects(
    before: State, after: State, records: Sequence[f.Recorded]
) -> tuple[Effect, ...]:
    """Return what is another in ``after``, of all that the facts speak of.

    Args:
        before: The state that was decided on.
        after: The layer that the facts were put into.
        records: What the decision led to.
    """
    requests, jobs, places = _spoken_of(records)
    found = [
        effect
        for one in records
        if isinstance(one.fact, f.BookingReversed | f.WayReversed)
        for effect in _of_booking(one.fact)
    ]
    for name in requests:
        was, now = before.work_request.get(name), after.work_request.get(name)
        found += _fields(EffectOn.WORK_REQUEST, name, _OF_REQUEST, was, now)
    for name in jobs:
        found += _of_job(name, before.job_order.get(name), after.job_order.get(name))
    for key in places:
        found += _of_pieces(before, after, key)
    for one in records:
        found += _of_fact(before, one.fact)
    return (*found, *_of_counts(before, after, records))


def _spoken_of(
    records: Iterable[f.Recorded],
) -> tuple[dict[str, None], dict[str, None], dict[tuple[str, str], None]]:
    """Return the requests, the job orders and the places that facts speak of."""
    requests: dict[str, None] = {}
    jobs: dict[str, None] = {}
    places: dict[tuple[str, str], None] = {}
    for recorded in records:
        match recorded.fact:
            case (
                f.BookingReversed(reversal=reversal) | f.WayReversed(reversal=reversal)
            ):
                jobs[reversal.job_order] = None
            case f.WorkRequestUpdated(work_request=name):
                requests[name] = None
            case f.WorkRequestChanged(work_request=name):
                requests[name] = None
            case f.JobOrderStored(job_order=job):
                jobs[job.id] = None
            case (
                f.JobOrderUpdated(job_order=name)
                | f.JobOrderRevised(job_order=name)
                | f.JobOrderMoved(job_order=name)
                | f.ConditionsChanged(job_order=name)
            ):
                jobs[name] = None
            case f.QuantityMoved(move=move):
                places[move.lot, move.place] = None
                places[move.to_lot or move.lot, move.to_place] = None
    return requests, jobs, places


_TAKEN_BACK = {
    f.BookingReversed: ("good", "scrap", "lost", "tested"),
    f.WayReversed: ("reworked", "deviated"),
}


def _of_booking(fact: f.BookingReversed | f.WayReversed) -> Iterator[Effect]:
    """Say what the job order of a booking that is taken back has reported then."""
    for what in _TAKEN_BACK[type(fact)]:
        taken, left = getattr(fact, what), getattr(fact, f"{what}_total")
        if taken:
            yield Effect(
                on=EffectOn.BOOKING,
                id=str(fact.reversal.booking),
                what=what,
                before=left + taken,
                after=left,
                why=fact.reversal.job_order,
            )


def _of_job(name: str, was: JobOrder | None, now: JobOrder | None) -> Iterator[Effect]:
    if was is None and now is not None:
        yield Effect(
            on=EffectOn.JOB_ORDER, id=name, what="step", before=None, after=now.step
        )
    yield from _fields(EffectOn.JOB_ORDER, name, _OF_JOB, was, now)
    had = {} if was is None else {one.name: one for one in was.conditions}
    has = {} if now is None else {one.name: one for one in now.conditions}
    if now is None or now.is_over:
        return
    for condition in {**had, **has}:
        old, new = had.get(condition), has.get(condition)
        met = (None if old is None else old.is_met, None if new is None else new.is_met)
        if met[0] is not met[1] and not (was is None and met[1]):
            yield Effect(
                on=EffectOn.CONDITION,
                id=name,
                what=condition.value,
                before=met[0],
                after=met[1],
                why="" if new is None else new.why,
            )


def _fields(
    on: EffectOn, name: str, fields: Iterable[str], was: object, now: object
) -> Iterator[Effect]:
    for field in fields:
        old, new = getattr(was, field, None), getattr(now, field, None)
        if old != new:
            yield Effect(
                on=on, id=name, what=field, before=_plain(old), after=_plain(new)
            )


def _plain(value: Value) -> Value:
    return value.value if isinstance(value, StrEnum) else value


def _of_fact(before: State, fact: f.Fact) -> Iterator[Effect]:
    """Say what is another by one fact alone."""
    match fact:
        case f.SerialGiven(lot=lot, serial=serial):
            yield Effect(
                on=EffectOn.LOT, id=lot, what="serial", before=None, after=serial
            )
        case f.BooksClosed(books=books):
            known = before.books.get(books.ledger)
            yield Effect(
                on=EffectOn.BOOKS,
                id=books.ledger,
                what="closed_until",
                before=None if known is None else known.closed_until or None,
                after=books.closed_until or None,
            )
        case f.PostingMoved(posting=name) if (
            moved := before.posting.get(name)
        ) is not None:
            yield Effect(
                on=EffectOn.POSTING,
                id=name,
                what="state",
                before=moved.state.value,
                after=fact.state.value,
                why=moved.job_order,
            )
        case f.PostingRaised(posting=posting):
            yield from _of_posting(posting)


def _of_counts(
    before: State, after: State, records: Iterable[f.Recorded]
) -> Iterator[Effect]:
    """Say of which counts more, or fewer, are on no job order."""
    spoken_of = {
        one.fact.production.seq: one.fact.production
        for one in records
        if isinstance(one.fact, f.ProductionUnassigned | f.ProductionSettled)
    }
    for seq, production in spoken_of.items():
        was, now = (one.unassigned_production.get(seq) for one in (before, after))
        old = Decimal(0) if was is None else was.left
        new = Decimal(0) if now is None else now.left
        if old != new:
            yield Effect(
                on=EffectOn.UNASSIGNED,
                id=production.work_unit,
                what=production.role,
                before=old,
                after=new,
            )


_OF_POSTING = ("good", "scrap", "setup_s", "processing_s", "labour_s", "is_final")


def _of_posting(posting: Posting) -> Iterator[Effect]:
    """Say what is posted, or no longer is."""
    for what in _OF_POSTING:
        value = getattr(posting, what)
        if value:
            is_raised = posting.reverses is None
            yield Effect(
                on=EffectOn.POSTING,
                id=posting.reverses or posting.key,
                what=what,
                before=None if is_raised else value,
                after=value if is_raised else None,
                why=posting.job_order,
            )


def _of_pieces(before: State, after: State, key: tuple[str, str]) -> Iterator[Effect]:
    was, now = before.position.get(key), after.position.get(key)
    for bucket in (*HELD, *SOURCES, *SINKS):
        old = Decimal(0) if was is None else was.of(bucket)
        new = Decimal(0) if now is None else now.of(bucket)
        if old != new:
            yield Effect(
                on=EffectOn.PIECES,
                id=key[1],
                what=bucket.value,
                before=old,
                after=new,
                why=key[0],
            )
