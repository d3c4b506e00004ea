"""The job orders of lots that are worked one by one, where lots are regrouped."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.stock import touch_consumers
from mes_engine.core.decide.storing import store
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.readiness import routing_of
from mes_engine.core.steps import JobPer
from mes_engine.core.wip_ledger import Bucket


def job_of_lot(
    draft: Draft, lot: MaterialLot, place: str, bucket: Bucket
) -> JobOrder | None:
    """Return the lot's own job order there, if steps are worked lot by lot.

    Raises:
        Refused: It has got further with the pieces than having them in its queue.
    """
    jobs = [
        one
        for one in draft.state.job_order.find("visit", place)
        if one.lot == lot.id and not one.is_over
    ]
    if not jobs:
        return None
    if bucket is not Bucket.QUEUED:
        raise Refused(
            f"{lot.id} is {bucket} on {jobs[0].id}, which works on it alone.",
            hint="Report and complete it first, or put its pieces back.",
            unmet=[f"lot_queued: {lot.id} is {bucket}"],
        )
    return jobs[0]


def stored_for(
    draft: Draft, like: JobOrder, lot: MaterialLot, quantity: Decimal
) -> JobOrder:
    """Store a job order like another one, for so much of a lot."""
    visit = draft.state.visit.get(like.visit)
    rework = () if visit is None else visit.rework
    request = draft.request(like.request)
    is_per_lot = routing_of(draft.state, like).step(like.step).job_per is JobPer.LOT
    return store(
        draft,
        request,
        like.step,
        planned=quantity,
        rework=rework,
        lot=lot.id if is_per_lot else None,
    )


def plan(draft: Draft, job: JobOrder, planned: Decimal) -> None:
    """Let a job order plan another quantity."""
    draft.emit(
        f.JobOrderUpdated(
            job_order=job.id,
            planned=planned,
            due_at=job.due_at,
            priority=job.priority,
        )
    )


def touch_place(draft: Draft, lot: MaterialLot, place: str) -> None:
    """Have all asked again that may work on the lot at a place."""
    for job in draft.state.job_order.find("visit", place):
        if not job.is_over:
            draft.touch(job.id)
    touch_consumers(draft, lot.material)
