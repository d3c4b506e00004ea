"""The moves of what a job order works on."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide import limits
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.quantity import ZERO
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import Bucket, Move


def move(
    draft: Draft,
    job: JobOrder,
    quantity: Decimal,
    bucket: Bucket,
    to_bucket: Bucket,
    *,
    to_place: str | None = None,
    reason: str = "",
    connection: str = "",
    lot: str | None = None,
    caused_by: str = "",
) -> None:
    """Move ``quantity`` of what is at the job order's visit, oldest lot first.

    Args:
        draft: The decision.
        job: Whose visit.
        quantity: How many.
        bucket: Where they are.
        to_bucket: Where they go.
        to_place: Another place, if not in this one.
        reason: Why.
        connection: Between which steps.
        lot: The only lot that they are of, if it is said.
        caused_by: The step at fault, of scrap.

    Raises:
        LawBroken: There is not as much in ``bucket``.
    """
    positions = positions_of(draft.state, job, lot)
    left = quantity
    for index, position in enumerate(positions):
        is_last = index == len(positions) - 1
        amount = left if is_last else min(left, position.of(bucket))
        if amount > ZERO:
            move_of(
                draft,
                job,
                amount,
                bucket,
                to_bucket,
                lot=position.lot,
                to_place=to_place,
                reason=reason,
                connection=connection,
                caused_by=caused_by,
            )
            left -= amount
    if left > ZERO:
        raise LookupError(f"{job.visit} has no lot to move")


def move_of(
    draft: Draft,
    job: JobOrder,
    quantity: Decimal,
    bucket: Bucket,
    to_bucket: Bucket,
    *,
    lot: str,
    to_place: str | None = None,
    reason: str = "",
    connection: str = "",
    caused_by: str = "",
) -> None:
    """Move ``quantity`` of a lot at the job order's visit."""
    request = draft.request(job.request)
    draft.emit(
        f.QuantityMoved(
            move=Move(
                seq=draft.next_seq,
                lot=lot,
                material=request.material,
                unit=request.unit,
                quantity=quantity,
                place=job.visit,
                bucket=bucket,
                to_place=job.visit if to_place is None else to_place,
                to_bucket=to_bucket,
                request=request.id,
                job_order=job.id or None,
                run=job.run,
                at=draft.at,
                person=draft.person,
                reason=reason,
                connection=connection,
                caused_by=caused_by,
            )
        )
    )
    if bucket is Bucket.QUEUED:
        limits.taken(draft, job)
