"""Splits and merges are taken back: pieces belong to the lots again that they were of.

Only as long as nothing has happened to them since; else it is named. The edge stays,
and so does the edge that reverses it.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import window_course
from mes_engine.core.decide.aggregation import end_lot, put_in
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.inheritance import hand_back_holds
from mes_engine.core.decide.lot_jobs import plan, stored_for, touch_place
from mes_engine.core.decide.recall import check_takes_more, restore
from mes_engine.core.decide.storing import live_job
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import NOT_ALLOWED, QUEUED, JobOrder
from mes_engine.core.lots import (
    EdgeKind,
    GenealogyEdge,
    LotExistence,
    MaterialLot,
)
from mes_engine.core.messages import ReverseRegrouping
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import OVER
from mes_engine.core.whereabouts import places_of
from mes_engine.core.wip_ledger import HELD, SINKS, Move

replace = msgspec.structs.replace

REGROUPED = frozenset({EdgeKind.SPLIT, EdgeKind.MERGED})
RESTORABLE = frozenset({LotExistence.ACTIVE, LotExistence.SPLIT, LotExistence.MERGED})


def reverse_regrouping(draft: Draft, command: ReverseRegrouping) -> dict[str, str]:
    """Put a lot back into those that it was split off or merged from.

    Raises:
        Refused: It is no such lot, or something has happened to it since.
    """
    lot = draft.state.lot.get(command.lot)
    if lot is None:
        raise NotFound(f"There is no lot '{command.lot}' of which anything is left.")
    if not command.reason.strip():
        raise Malformed(
            f"{lot.id} is put back without a reason.", hint="Say why in 'reason'."
        )
    edges = _checked_edges(draft, lot, command)
    happened = list(_happened(draft, lot, command, edges))
    if happened:
        raise Refused(
            f"{lot.id} cannot be put back into what it came of: {'; '.join(happened)}.",
            hint="Reverse first what was done with it, or merge it again.",
            unmet=[f"untouched: {one}" for one in happened],
        )
    sources = [_source(draft, edge) for edge in edges]
    gone = [one for one in sources if one.existence is not LotExistence.ACTIVE]
    for move in command.moves:
        jobs = _jobs_of(draft, lot, move.place)
        edge = next(one for one in edges if one.source == move.lot)
        _put_back(draft, lot, move, edge, command.reason)
        for job in jobs:
            _give_back_job(draft, job, move)
    for edge in edges:
        restored = replace(edge, seq=draft.next_seq, at=draft.at, reverses=edge.seq)
        is_split = edge.kind is EdgeKind.SPLIT
        told = f.LotSplit if is_split else f.LotMerged
        draft.emit(told(edge=restored))
    for source in gone if lot.carrier is not None else ():
        put_in(draft, source, str(lot.carrier), reason=command.reason)
    for place in dict.fromkeys(one.place for one in command.moves):
        for job in _jobs_of(draft, lot, place):
            give_up(draft, job, f"lot {lot.id} was put back")
        touch_place(draft, lot, place)
    window_course.hand_back(draft, lot, sources)
    hand_back_holds(draft, lot.id, [one.id for one in sources])
    end_lot(draft, lot.id, LotExistence.VOIDED)
    return {"lot": lot.id, "lots": " ".join(one.id for one in sources)}


def _checked_edges(
    draft: Draft, lot: MaterialLot, command: ReverseRegrouping
) -> list[GenealogyEdge]:
    """Return the edges of the split or merge that the lot came of."""
    edges = [
        one
        for one in command.edges
        if one.kind in REGROUPED and one.target == lot.id and one.reverses is None
    ]
    if lot.existence is LotExistence.VOIDED:
        raise Refused(
            f"{lot.id} was put back into what it came of already.",
            hint="Split or merge anew what is so.",
            unmet=[f"not_reversed: {lot.id} is {lot.existence}"],
        )
    if not edges or any(one.job_order for one in edges):
        raise Refused(
            f"{lot.id} came of no split or merge that could be taken back.",
            hint="What was sent to rework comes back through its loop.",
            unmet=[f"regrouped: {lot.id} was {lot.origin}"],
        )
    request = None if lot.request is None else draft.request(lot.request)
    if request is not None and request.state in OVER:
        raise Refused(
            f"{lot.id} is not put back: {request.id} is {request.state}.",
            unmet=[f"request_open: {request.id} is {request.state}"],
        )
    return edges


def _source(draft: Draft, edge: GenealogyEdge) -> MaterialLot:
    source = draft.state.lot.get(edge.source)
    if source is None or source.existence not in RESTORABLE:
        told = "not known here any more" if source is None else source.existence
        raise Refused(
            f"{edge.target} cannot be put back into {edge.source}: it is {told}.",
            unmet=[f"lot_active: {edge.source} is {told}"],
        )
    if edge.kind is EdgeKind.SPLIT:
        check_takes_more(source)
    return source


def _happened(
    draft: Draft,
    lot: MaterialLot,
    command: ReverseRegrouping,
    edges: list[GenealogyEdge],
) -> Iterator[str]:
    """Say what was done with the lot since it came to be."""
    yield from _went_or_came(lot, command, edges)
    for edge in edges:
        source = draft.state.lot.get(edge.source)
        is_there = source is not None and source.existence is LotExistence.ACTIVE
        if source is not None and is_there and source.carrier != lot.carrier:
            here, there = lot.carrier or "no carrier", source.carrier or "no carrier"
            yield f"it is in {here}, {source.id} is in {there}"
    yield from _elsewhere(draft, lot, command)
    first = min(one.seq for one in edges)
    for value in draft.state.measured_value.find("lot", lot.id):
        if value.measurement > first:
            yield f"{value.characteristic} of it was measured at {value.job_order}"
    for place in dict.fromkeys(one.place for one in command.moves):
        for job in _jobs_of(draft, lot, place):
            if job.state not in {*NOT_ALLOWED, *QUEUED} or job.worked or job.run:
                yield f"{job.id} works on it, and is '{job.state}'"


def _went_or_came(
    lot: MaterialLot, command: ReverseRegrouping, edges: list[GenealogyEdge]
) -> Iterator[str]:
    came = {one.seq for one in edges}
    for one in _standing(edge for edge in command.uses if edge.source == lot.id):
        yield f"{one.quantity} {one.unit} of it went into {one.target} ({one.kind})"
    for one in _standing(edge for edge in command.edges if edge.seq not in came):
        yield f"{one.quantity} {one.unit} of {one.source} went into it ({one.kind})"


def _elsewhere(
    draft: Draft, lot: MaterialLot, command: ReverseRegrouping
) -> Iterator[str]:
    """Say what of the lot is where it did not come to be."""
    expected: dict[tuple[str, str], Decimal] = {}
    for move in command.moves:
        key = (move.to_place, move.to_bucket.value)
        expected[key] = expected.get(key, ZERO) + move.quantity
    for position in places_of(draft.state, lot.id):
        for bucket in (*HELD, *SINKS):
            there = position.of(bucket)
            if there > expected.get((position.place, bucket.value), ZERO):
                yield f"{there} {lot.unit} of it are {bucket} at {position.place}"


def _standing(edges: Iterator[GenealogyEdge]) -> list[GenealogyEdge]:
    """Return the edges that nothing has taken back."""
    known = list(edges)
    taken_back = {one.reverses for one in known}
    return [one for one in known if one.reverses is None and one.seq not in taken_back]


def _jobs_of(draft: Draft, lot: MaterialLot, place: str) -> list[JobOrder]:
    """Return the job orders that work on this lot alone, and are not over."""
    return [
        one
        for one in draft.state.job_order.find("visit", place)
        if one.lot == lot.id and not one.is_over
    ]


def _put_back(
    draft: Draft, lot: MaterialLot, move: Move, edge: GenealogyEdge, reason: str
) -> None:
    restore(draft, move.lot)
    draft.emit(
        f.QuantityMoved(
            move=replace(
                move,
                seq=draft.next_seq,
                lot=lot.id,
                to_lot=move.lot,
                at=draft.at,
                person=draft.person,
                reason=reason,
                reverses=edge.seq,
            )
        )
    )


def _give_back_job(draft: Draft, job: JobOrder, move: Move) -> None:
    """Let the lot that the pieces are of again be worked on by a job order of its own.

    Args:
        draft: The decision.
        job: That of the lot that is put back.
        move: By which its pieces had come from the other lot.
    """
    source = draft.state.lot.get(move.lot)
    if source is None:
        raise LookupError(f"{move.lot} is not there")
    known = live_job(draft, move.place, source.id)
    if known is None:
        stored_for(draft, job, source, move.quantity)
    else:
        plan(draft, known, known.planned + move.quantity)
        draft.touch(known.id)
