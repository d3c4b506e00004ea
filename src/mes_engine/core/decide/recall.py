"""Recall: pieces that went on come back, if nobody has done anything with them."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import AdjustAt
from mes_engine.core.decide import limits
from mes_engine.core.decide.aggregation import end_lot
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.stock import touch_consumers
from mes_engine.core.decide.storing import rework_to
from mes_engine.core.decide.window_course import void
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind, GenealogyEdge, LotExistence, MaterialLot
from mes_engine.core.messages import ReverseBooking
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of
from mes_engine.core.requests import Visit
from mes_engine.core.steps import Connection
from mes_engine.core.whereabouts import places_of, visit_at
from mes_engine.core.wip_ledger import SINKS, Bucket, Move

replace = msgspec.structs.replace


def restore(draft: Draft, name: str) -> None:
    """Let a lot be active again, if what is reversed had used it up."""
    lot = draft.state.lot.get(name)
    if lot is not None and lot.existence is not LotExistence.ACTIVE:
        draft.emit(f.LotRestored(lot=name))


def check_takes_more(lot: MaterialLot) -> None:
    """See that the lot is not one piece, with a serial: no more go into it.

    Raises:
        Refused: It is.
    """
    if lot.serial:
        raise Refused(
            f"Nothing is put back into {lot.id}: it is one piece, {lot.serial}.",
            unmet=[f"not_serial: {lot.id} is {lot.serial}"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Pieces that have to wait in ``out`` again at ``place``, to be taken back."""

    command: ReverseBooking
    job: JobOrder
    lot: str
    place: str
    quantity: Decimal


def recall(draft: Draft, wanted: Wanted) -> None:
    """Bring pieces back from where they went on to.

    What is queued at the next step comes back, and what is in stock. Pieces of one lot
    are alike: it need not be the very ones.

    Raises:
        Refused: Too few are still to be had; says who has the others.
    """
    job, lot = wanted.job, wanted.lot
    leaving = leaving_of(draft, job)
    missing = wanted.quantity - amount_at(draft, (lot, wanted.place), Bucket.OUT)
    missing -= _from_next(draft, wanted, leaving, missing)
    for edge in parts_of(draft, wanted):
        part = dataclasses.replace(wanted, lot=edge.target)
        back = _from_next(draft, part, leaving, missing)
        if back > ZERO:
            _put_back(draft, part, back, edge)
            missing -= back
    if not leaving:
        for position in places_of(draft.state, lot):
            back = min(missing, position.stock)
            if back > ZERO:
                _move_back(
                    draft,
                    wanted,
                    back,
                    (position.place, Bucket.STOCK, Bucket.OUT),
                )
                touch_consumers(draft, position.material)
                missing -= back
    if missing > ZERO:
        raise _gone(draft, wanted, missing)


def _from_next(
    draft: Draft, wanted: Wanted, leaving: list[Connection], missing: Decimal
) -> Decimal:
    """Bring back up to ``missing`` of what is queued at the next steps; how many."""
    job, back = wanted.job, ZERO
    for one, visit in targets_of(draft, job, leaving):
        flow = draft.state.connection_flow.get((job.request, one.source, one.target))
        arrived = ZERO if flow is None else flow.arrived
        queued = amount_at(draft, (wanted.lot, visit.id), Bucket.QUEUED)
        some = min(missing - back, arrived, queued)
        if some > ZERO:
            _send_back(draft, wanted, one, visit, some)
            back += some
    return back


def parts_of(draft: Draft, wanted: Wanted) -> Iterator[GenealogyEdge]:
    """Yield how what moved on as lots of their own was split off the lot."""
    if not routing_of(draft.state, wanted.job).time_windows:
        return
    for edge in wanted.command.uses:
        is_split = edge.kind is EdgeKind.SPLIT and edge.reverses is None
        if is_split and (edge.source, edge.job_order) == (wanted.lot, wanted.job.id):
            yield edge


def _put_back(
    draft: Draft, wanted: Wanted, quantity: Decimal, edge: GenealogyEdge
) -> None:
    """Let pieces that are back be of the lot again that they were split off."""
    source = draft.state.lot.get(edge.source)
    if source is not None:
        check_takes_more(source)
    arc = (wanted.place, Bucket.OUT, Bucket.OUT)
    _move_back(draft, wanted, quantity, arc, into=edge)
    draft.emit(
        f.LotSplit(
            edge=replace(
                edge,
                seq=draft.next_seq,
                quantity=quantity,
                at=draft.at,
                reverses=edge.seq,
            )
        )
    )
    if any(one.held for one in draft.state.position.find("lot", edge.target)):
        return
    for window in draft.state.time_window.find("request", wanted.job.request):
        if window.is_live and window.lot == edge.target:
            void(draft, window, f"its pieces are of lot {edge.source} again")
    end_lot(draft, edge.target, LotExistence.VOIDED)


def leaving_of(draft: Draft, job: JobOrder) -> list[Connection]:
    """Return the connections by which pieces leave the job order's step."""
    leaving = routing_of(draft.state, job).leaving(job.step)
    return [one for one in leaving if one.carries_pieces]


def _send_back(
    draft: Draft, wanted: Wanted, one: Connection, visit: Visit, quantity: Decimal
) -> None:
    named = f"{one.source}>{one.target}"
    way = (
        (visit.id, Bucket.QUEUED, Bucket.TRANSIT),
        (wanted.place, Bucket.TRANSIT, Bucket.OUT),
    )
    for leg in way:
        _move_back(draft, wanted, quantity, leg, connection=named)
    successors = draft.state.job_order.find("visit", visit.id)
    for successor in successors:
        draft.touch(successor.id)
    for successor in successors[-1:]:
        limits.taken(draft, successor)


def _move_back(
    draft: Draft,
    wanted: Wanted,
    quantity: Decimal,
    leg: tuple[str, Bucket, Bucket],
    *,
    connection: str = "",
    into: GenealogyEdge | None = None,
) -> None:
    place, bucket, to_bucket = leg
    position = draft.state.position.get((wanted.lot, place))
    if position is None:
        raise LookupError(f"nothing of {wanted.lot} was ever at {place}")
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=wanted.lot,
                material=position.material,
                unit=position.unit,
                quantity=quantity,
                place=place,
                bucket=bucket,
                to_place=wanted.place,
                to_bucket=to_bucket,
                request=wanted.job.request,
                job_order=wanted.job.id or None,
                run=None,
                at=draft.at,
                person=draft.person,
                reason=wanted.command.reason,
                connection=connection,
                reverses=wanted.command.booking.seq if into is None else into.seq,
                to_lot=None if into is None else into.source,
            )
        )
    )


def targets_of(
    draft: Draft, job: JobOrder, leaving: list[Connection]
) -> Iterator[tuple[Connection, Visit]]:
    """Yield the connections with the visits that they have led to."""
    for one in leaving:
        rework = rework_to(draft, job, one.target)
        visit = visit_at(draft.state, job.request, one.target, rework)
        if visit is not None:
            yield one, visit


def amount_at(draft: Draft, where: tuple[str, str], bucket: Bucket) -> Decimal:
    """Return what is in a bucket of a lot at a place."""
    position = draft.state.position.get(where)
    return ZERO if position is None else position.of(bucket)


def _gone(draft: Draft, wanted: Wanted, missing: Decimal) -> Refused:
    """Name what depends on the pieces that a reversal would take away."""
    job, lot = wanted.job, wanted.lot
    leaving = leaving_of(draft, job)
    is_anywhere = wanted.command.where is AdjustAt.WHERE_IT_IS
    takers = _not_to_be_had if is_anywhere else _taken_by_jobs
    told = [*takers(draft, wanted, leaving), *_split_off(draft, job, lot)]
    if not leaving or is_anywhere:
        told += _taken_from_stock(draft, wanted.command, lot)
    return Refused(
        f"Booking {wanted.command.booking.seq} of {job.id} cannot be reversed: "
        f"{missing} of the {wanted.quantity} {job.unit} of {lot} that went on are not "
        f"to be had any more; {'; '.join(told) or 'nothing says where they are'}.",
        hint="Reverse first what was done with them there."
        if is_anywhere
        else "Reverse first what was done with them, or have as many taken out where "
        "they are now ('where_it_is').",
        unmet=[f"pieces_there: {one}" for one in told],
    )


def _not_to_be_had(draft: Draft, wanted: Wanted, _: list[Connection]) -> Iterator[str]:
    """Say what there is of the lot further on that is not good any more."""
    routing = routing_of(draft.state, wanted.job)
    for position in places_of(draft.state, wanted.lot):
        visit = draft.state.visit.get(position.place)
        if visit is None or not routing.leads_to(wanted.job.step, visit.step):
            continue
        buckets = (Bucket.SUSPECT, Bucket.SCRAP, Bucket.LOST, Bucket.TESTED)
        amounts = [f"{position.of(one)} {one}" for one in buckets if position.of(one)]
        if amounts:
            yield f"lot {position.lot} at {visit.step} has {', '.join(amounts)}"


def _taken_by_jobs(
    draft: Draft, wanted: Wanted, leaving: list[Connection]
) -> Iterator[str]:
    job = wanted.job
    for _, visit in targets_of(draft, job, leaving):
        held = {Bucket.IN_PROCESS: ZERO, Bucket.SUSPECT: ZERO}
        for position in draft.state.position.find("place", visit.id):
            for bucket in held:
                held[bucket] += position.of(bucket)
        touched = [f"{amount} {bucket}" for bucket, amount in held.items() if amount]
        for successor in draft.state.job_order.find("visit", visit.id):
            done = [f"{successor.worked} reported"] if successor.worked else []
            if not successor.is_over:
                done += touched
            if done:
                yield f"{successor.id} at {visit.step} has {', '.join(done)}"


def _split_off(draft: Draft, job: JobOrder, lot: str) -> Iterator[str]:
    for position in places_of(draft.state, lot):
        if position.split_out:
            told = f"{position.split_out} {job.unit} of {lot}"
            yield f"{told} became part of other lots at {position.place}"


def _taken_from_stock(draft: Draft, command: ReverseBooking, lot: str) -> Iterator[str]:
    for position in places_of(draft.state, lot):
        if position.is_stock:
            amounts = [
                f"{position.of(bucket)} {bucket}"
                for bucket in SINKS
                if position.of(bucket)
            ]
            if amounts:
                yield f"lot {lot} at {position.place} is {', '.join(amounts)}"
    for edge in command.uses:
        if edge.source == lot and edge.reverses is None:
            used = f"{edge.quantity} {edge.unit} of {lot}"
            yield f"{edge.job_order} used {used} for lot {edge.target}"
