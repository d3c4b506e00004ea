"""A part of a lot becomes a lot of its own: the pieces stay where they are."""

from collections.abc import Mapping
from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind, GenealogyEdge, MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import Bucket, Move, Position


def split_off(
    draft: Draft,
    position: Position,
    amounts: Mapping[Bucket, Decimal],
    *,
    reason: str,
    job: JobOrder | None = None,
) -> MaterialLot:
    """Make a child lot of what is in some buckets of a position.

    Args:
        draft: The decision.
        position: The parent's pieces at one place.
        amounts: How many of which bucket; together above 0, and not all of the lot.
        reason: Why.
        job: The job order at which it is done, if at one.

    Returns:
        The child, with as many in the same buckets at the same place.

    Raises:
        LawBroken: There is not as much in a bucket.
    """
    parent = draft.state.lot.get(position.lot)
    if parent is None:
        raise LookupError(f"{position.lot} is at {position.place}, and not there")
    number = draft.state.last_number("lot") + 1
    child = MaterialLot(
        id=f"L-{number:06}",
        number=number,
        material=parent.material,
        unit=parent.unit,
        created_at=draft.at,
        request=parent.request,
        parent=parent.id,
        supplier=parent.supplier,
        supplier_lot=parent.supplier_lot,
        quality=parent.quality,
    )
    draft.emit(f.LotCreated(lot=child))
    for bucket, quantity in amounts.items():
        if quantity > ZERO:
            regroup(
                draft, position, bucket, quantity, into=child.id, reason=reason, job=job
            )
    draft.emit(
        f.LotSplit(
            edge=GenealogyEdge(
                seq=draft.next_seq,
                source=parent.id,
                target=child.id,
                quantity=sum(amounts.values(), ZERO),
                unit=parent.unit,
                job_order=None if job is None else job.id,
                at=draft.at,
                kind=EdgeKind.SPLIT,
            )
        )
    )
    return child


def regroup(
    draft: Draft,
    position: Position,
    bucket: Bucket,
    quantity: Decimal,
    *,
    into: str,
    reason: str,
    job: JobOrder | None = None,
) -> None:
    """Let pieces belong to another lot from now on, in the same bucket and place."""
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=position.lot,
                material=position.material,
                unit=position.unit,
                quantity=quantity,
                place=position.place,
                bucket=bucket,
                to_place=position.place,
                to_bucket=bucket,
                request=position.request,
                job_order=None if job is None else job.id,
                run=None if job is None else job.run,
                at=draft.at,
                person=draft.person,
                reason=reason,
                to_lot=into,
            )
        )
    )
