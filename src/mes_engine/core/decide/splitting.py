"""A part of a lot becomes a lot of its own: the pieces stay where they are."""

from collections.abc import Mapping
from decimal import Decimal

from mes_engine.core.decide import window_course
from mes_engine.core.decide.aggregation import put_in
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.genealogy import create_lot, move_lot, relate
from mes_engine.core.decide.inheritance import inherit_holds, inherit_measurements
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind, LotOrigin, MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import Bucket, Position


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
        The child, with as many in the same buckets at the same place, and in the same
        time windows.

    Raises:
        LawBroken: There is not as much in a bucket.
    """
    parent = draft.state.lot.get(position.lot)
    if parent is None:
        raise LookupError(f"{position.lot} is at {position.place}, and not there")
    child = create_lot(
        draft,
        material=parent.material,
        unit=parent.unit,
        request=parent.request,
        origin=LotOrigin.SPLIT,
        parent=parent.id,
        supplier=parent.supplier,
        supplier_lot=parent.supplier_lot,
        quality=parent.quality,
        bound_units=parent.bound_units,
    )
    for bucket, quantity in amounts.items():
        if quantity > ZERO:
            regroup(
                draft, position, bucket, quantity, into=child.id, reason=reason, job=job
            )
    total = sum(amounts.values(), ZERO)
    relate(draft, parent.id, child.id, total, parent.unit, kind=EdgeKind.SPLIT, job=job)
    inherit_holds(draft, [parent.id], child.id)
    window_course.inherit(draft, parent, child)
    inherit_measurements(draft, parent.id, child.id)
    if parent.carrier is not None:  # The pieces stay where they are.
        put_in(draft, child, parent.carrier, reason=reason)
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
    move_lot(
        draft,
        position,
        quantity,
        place=position.place,
        arc=(bucket, bucket),
        to_lot=into,
        job=job,
        reason=reason,
    )
