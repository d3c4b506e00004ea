"""Read bookings out of the facts that one message left in the journal."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.assets import LifeUnit, PhysicalAsset
from mes_engine.core.booked_ways import another_way, with_moves
from mes_engine.core.bookings import WAYS, Booking, BookingKind
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.lots import GenealogyEdge
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import ENTRIES, Bucket, Move

ENDS = (JobOrderState.ENDED_COMPLETED, JobOrderState.ABORTED)
_REPORTED = {
    Bucket.OUT,
    Bucket.SCRAP,
    Bucket.SUSPECT,
    Bucket.LOST,
    Bucket.TESTED,
}
_REPORTED_FROM = {Bucket.QUEUED, Bucket.IN_PROCESS, Bucket.SUSPECT}


def bookings_of(records: Sequence[f.Recorded], job_order: str) -> list[Booking]:
    """Return what one message booked on a job order, in order.

    Args:
        records: Every fact of the message.
        job_order: Whose bookings.
    """
    reader = _Reader(job_order)
    for recorded, after in pairwise([*records, None]):
        if recorded is not None:
            reader.read(recorded, after)
    return [_with_rest(one, records) for one in reader.made]


class _Reader:
    """Goes through facts in order; moves wait for the report that they are of."""

    def __init__(self, job_order: str) -> None:
        self.made: list[Booking] = []
        self._is_ours = False
        self._job_order = job_order
        self._moves: list[Move] = []

    def read(self, recorded: f.Recorded, after: f.Recorded | None) -> None:
        """Note what a fact books; ``after`` is the one behind it."""
        match recorded.fact:
            case f.QuantityReported() as fact:
                self._is_ours = fact.job_order == self._job_order
                if self._is_ours:
                    report = _report(recorded, fact, self._moves, after)
                    self.made.append(report)
                    self._moves = []
            case f.AssetChanged(asset=asset) if self._is_ours:
                self._read_wear(asset)
            case f.QuantityMoved(move=move) if move.job_order == self._job_order:
                self._read_move(recorded, move)
            case f.LotConsumed(edge=edge) if edge.job_order == self._job_order:
                self.made = [_with_edge(one, edge) for one in self.made]
            case _:
                self.made += self._of_another_kind(recorded)

    def _of_another_kind(self, recorded: f.Recorded) -> Iterator[Booking]:
        match recorded.fact:
            case f.JobOrderMoved() as fact if fact.job_order == self._job_order:
                if fact.state in ENDS:
                    yield _completion(recorded, fact)
            case f.ReworkSent() | f.LotDeviated() as fact:
                if fact.job_order == self._job_order:
                    yield another_way(recorded, fact)
            case f.BookingReversed() | f.WayReversed() as fact:
                if fact.reversal.job_order == self._job_order:
                    yield _reversal(recorded, fact)
            case _:
                pass

    def _read_wear(self, asset: PhysicalAsset) -> None:
        """Note that pieces counted on a tool: its fact follows upon their report."""
        report = self.made[-1]
        if report.kind is not BookingKind.REPORT:
            return
        is_worn = asset.life_unit is LifeUnit.PIECES and asset.run == report.run
        if is_worn and report.run is not None and asset.id not in report.tools:
            worn = (*report.tools, asset.id)
            self.made[-1] = msgspec.structs.replace(report, tools=worn)

    def _read_move(self, recorded: f.Recorded, move: Move) -> None:
        if move.reverses is not None:
            return
        if _is_of_a_report(move):
            self._moves.append(move)
        elif move.to_bucket is Bucket.CONSUMED:
            self.made.append(_consumption(recorded, move))


def _is_of_a_report(move: Move) -> bool:
    if move.bucket in ENTRIES and move.to_bucket is Bucket.QUEUED:
        return True
    return move.bucket in _REPORTED_FROM and move.to_bucket in _REPORTED


def _report(
    recorded: f.Recorded,
    fact: f.QuantityReported,
    moves: Iterable[Move],
    after: f.Recorded | None,
) -> Booking:
    told = None if after is None else after.fact
    # A time that a person tells follows upon the report; clocks that stop come later.
    is_of_it = isinstance(told, f.TimeBooked) and told.job_order == fact.job_order
    time = told if isinstance(told, f.TimeBooked) and is_of_it else None
    return Booking(
        seq=recorded.seq,
        kind=BookingKind.REPORT,
        job_order=fact.job_order,
        at=fact.at,
        person=fact.person,
        run=fact.run,
        source=fact.source,
        reason=fact.reason,
        good=fact.good,
        scrap=fact.scrap,
        suspect=fact.suspect,
        lost=fact.lost,
        tested=fact.tested,
        setup_us=0 if time is None else time.setup_us,
        processing_us=0 if time is None else time.processing_us,
        down_us=0 if time is None else time.down_us,
        moves=tuple(moves),
    )


def _consumption(recorded: f.Recorded, move: Move) -> Booking:
    return Booking(
        seq=recorded.seq,
        kind=BookingKind.CONSUMPTION,
        job_order=move.job_order or "",
        at=move.at,
        person=move.person,
        run=move.run,
        reason=move.reason,
        moves=(move,),
    )


def _completion(recorded: f.Recorded, fact: f.JobOrderMoved) -> Booking:
    return Booking(
        seq=recorded.seq,
        kind=BookingKind.COMPLETION,
        job_order=fact.job_order,
        at=fact.at,
        person=fact.person,
        reason=fact.reason,
    )


def _reversal(recorded: f.Recorded, fact: f.BookingReversed | f.WayReversed) -> Booking:
    reversal = fact.reversal
    if isinstance(fact, f.WayReversed):
        good = scrap = lost = tested = ZERO
    else:
        good, scrap, lost, tested = fact.good, fact.scrap, fact.lost, fact.tested
    return Booking(
        seq=recorded.seq,
        kind=BookingKind.REVERSAL,
        job_order=reversal.job_order,
        at=reversal.at,
        person=reversal.person,
        reason=reversal.reason,
        good=-good,
        scrap=-scrap,
        lost=-lost,
        tested=-tested,
        reverses=reversal.booking,
        adjusts=reversal.adjusts,
    )


def _with_edge(booking: Booking, edge: GenealogyEdge) -> Booking:
    """Note what consumed material went into: the edge follows upon its move."""
    if booking.kind is not BookingKind.CONSUMPTION or edge.reverses is not None:
        return booking
    told = sum((one.quantity for one in booking.edges), ZERO)
    if booking.moves[0].lot != edge.source or told >= booking.total:
        return booking
    return msgspec.structs.replace(booking, edges=(*booking.edges, edge))


def _with_rest(booking: Booking, records: Sequence[f.Recorded]) -> Booking:
    """Add what the rest of the message says of a report, or of another way."""
    if booking.kind in WAYS:
        return with_moves(booking, records)
    if booking.kind is not BookingKind.REPORT:
        return booking
    unit, tag = _counted_by(records) if booking.source == "machine" else ("", "")
    return msgspec.structs.replace(
        booking,
        posting=next(_posted(records, booking), None),
        work_unit=unit,
        tag=tag,
        unworked=sum(
            (
                move.quantity
                for move in booking.moves
                if move.bucket is Bucket.QUEUED and move.to_bucket is Bucket.SCRAP
            ),
            ZERO,
        )
        if _is_of_a_stop(records, booking.job_order)
        else ZERO,
    )


def _posted(records: Iterable[f.Recorded], booking: Booking) -> Iterator[str]:
    for recorded in records:
        fact = recorded.fact
        if (
            isinstance(fact, f.PostingRaised)
            and fact.posting.job_order == booking.job_order
            and recorded.seq > booking.seq
        ):
            yield fact.posting.key


def _counted_by(records: Iterable[f.Recorded]) -> tuple[str, str]:
    unit = tag = ""
    for recorded in records:
        match recorded.fact:
            case f.MachineCounted(tally=tally):
                unit = tally.work_unit
            case f.SignalRead(signal=signal):
                tag = signal.tag
            case f.ProductionSettled(production=production):
                unit, tag = production.work_unit, production.tag
            case _:
                pass
    return unit, tag


def _is_of_a_stop(records: Iterable[f.Recorded], job_order: str) -> bool:
    return any(
        isinstance(one.fact, f.JobOrderMoved)
        and one.fact.job_order == job_order
        and one.fact.trigger is JobOrderTrigger.STOP
        for one in records
    )
