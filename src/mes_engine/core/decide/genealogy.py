"""Lots as they come to be, and what one of them has to do with another."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind, GenealogyEdge, MaterialLot
from mes_engine.core.wip_ledger import Bucket, Move, Position

_FACT_OF: dict[EdgeKind, Callable[..., f.Fact]] = {
    EdgeKind.CONSUMED: f.LotConsumed,
    EdgeKind.DAMAGED: f.LotConsumed,
    EdgeKind.PRODUCED: f.LotProduced,
    EdgeKind.SPLIT: f.LotSplit,
    EdgeKind.MERGED: f.LotMerged,
}


def create_lot(draft: Draft, **fields: Any) -> MaterialLot:
    """Make a lot, under the plant's next number."""
    number = draft.state.last_number("lot") + 1
    lot = MaterialLot(id=f"L-{number:06}", number=number, created_at=draft.at, **fields)
    draft.emit(f.LotCreated(lot=lot))
    return lot


def relate(
    draft: Draft,
    source: str,
    target: str,
    quantity: Decimal,
    unit: str,
    *,
    kind: EdgeKind = EdgeKind.CONSUMED,
    job: JobOrder | None = None,
) -> None:
    """Write down that so much of one lot went into another, or came out of it."""
    edge = GenealogyEdge(
        seq=draft.next_seq,
        source=source,
        target=target,
        quantity=quantity,
        unit=unit,
        job_order=None if job is None else job.id,
        at=draft.at,
        kind=kind,
    )
    draft.emit(_FACT_OF[kind](edge=edge))


def move_lot(
    draft: Draft,
    of: MaterialLot | Position,
    quantity: Decimal,
    *,
    place: str,
    arc: tuple[Bucket, Bucket],
    to_place: str | None = None,
    to_lot: str | None = None,
    job: JobOrder | None = None,
    reason: str = "",
) -> None:
    """Move a quantity of a lot along an arc that is no way between two steps."""
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=of.id if isinstance(of, MaterialLot) else of.lot,
                material=of.material,
                unit=of.unit,
                quantity=quantity,
                place=place,
                bucket=arc[0],
                to_place=place if to_place is None else to_place,
                to_bucket=arc[1],
                request=of.request,
                job_order=None if job is None else job.id,
                run=None if job is None else job.run,
                at=draft.at,
                person=draft.person,
                reason=reason,
                to_lot=to_lot,
            )
        )
    )
