"""Some of the pieces at a job order part from the others, as lots that go elsewhere."""

from collections.abc import Iterator
from decimal import Decimal

from mes_engine.core.decide.chart import allowed_triggers
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.moving import move_of
from mes_engine.core.decide.splitting import split_off
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.means import lacks
from mes_engine.core.messages import ReworkFrom
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import Bucket, Position

BUCKETS: dict[ReworkFrom, tuple[Bucket, ...]] = {
    ReworkFrom.WORK: (Bucket.IN_PROCESS, Bucket.QUEUED),
    ReworkFrom.SUSPECT: (Bucket.SUSPECT,),
    ReworkFrom.OUT: (Bucket.OUT,),
}
Taken = dict[Bucket, Decimal]


def shared_out(
    draft: Draft,
    job: JobOrder,
    quantity: Decimal | None,
    *,
    lot: str | None,
    taken_from: ReworkFrom,
) -> Iterator[tuple[Position, Taken]]:
    """Yield how many of which lot part, by bucket; oldest lot first.

    Args:
        draft: The decision.
        job: Where they are.
        quantity: How many; all that are there if None.
        lot: The only lot that they are of, if it is said.
        taken_from: Where at the visit.

    Raises:
        Refused: There are not as many, or none.
    """
    buckets = BUCKETS[taken_from]
    positions = [
        one for one in positions_of(draft.state, job, lot) if any(map(one.of, buckets))
    ]
    there = sum((one.of(bucket) for one in positions for bucket in buckets), ZERO)
    left = there if quantity is None else quantity
    if left > there or not positions:
        of_lot = f" of lot {lot}" if lot else ""
        told = f"{left} asked for, {there} there ({', '.join(buckets)})"
        raise Refused(
            f"{job.id} has not as many pieces{of_lot}: {told}.",
            hint="Say where they are in 'taken_from'.",
            unmet=[f"quantity_accounted: {told}"],
            allowed=allowed_triggers(draft.state, job),
        )
    for position in positions:
        taken: Taken = {}
        for bucket in buckets:
            amount = min(left, position.of(bucket))
            if amount > ZERO:
                taken[bucket] = amount
                left -= amount
        if taken:
            yield position, taken


def part_off(
    draft: Draft, job: JobOrder, position: Position, taken: Taken, *, reason: str
) -> tuple[str, str | None]:
    """Let what is taken be a lot that is out: a child, or the whole if all is taken.

    Returns:
        The lot, and the one that it was split from, if it was.
    """
    held = sum(
        (one.held for one in draft.state.position.find("lot", position.lot)), ZERO
    )
    lot, parent = position.lot, None
    if sum(taken.values(), ZERO) < held:
        child = split_off(draft, position, taken, reason=reason, job=job)
        lot, parent = child.id, position.lot
    for bucket, amount in taken.items():
        if bucket is not Bucket.OUT:
            move_of(draft, job, amount, bucket, Bucket.OUT, lot=lot, reason=reason)
    return lot, parent


def check_right(draft: Draft, job: JobOrder, doing: str) -> None:
    """See that the person may leave the routing's way.

    Raises:
        Refused: The routing asks for a qualification that the person does not have.
    """
    need = routing_of(draft.state, job).deviation
    lack = lacks(draft.state, need, draft.person, draft.at)
    if need is not None and lack:
        raise Refused(
            f"{doing} at {job.id} is refused: {lack}.",
            hint=f"Ask somebody with '{need.name}' at level {need.level}.",
            unmet=[f"person_qualified: {lack}"],
            allowed=allowed_triggers(draft.state, job),
        )
