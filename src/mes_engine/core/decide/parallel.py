"""Job orders in parallel on one visit: split off, handed over, released when idle."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.flow import touch_siblings
from mes_engine.core.decide.storing import store
from mes_engine.core.decide.visits import give_up_if_empty
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import NOT_ALLOWED, JobOrder
from mes_engine.core.messages import SplitJobOrder
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import is_fed, remaining, visit_of
from mes_engine.core.siblings import siblings


def split(draft: Draft, command: SplitJobOrder) -> dict[str, str]:
    """Give a part of what a job order has left to do to another at the same visit."""
    job = draft.job(command.job_order)
    quantity = checked_quantity(command.quantity, unit=job.unit, of="quantity")
    if quantity == ZERO:
        raise Malformed(f"0 {job.unit} cannot be split off {job.id}.")
    if job.is_over:
        raise Refused(f"{job.id} is '{job.state}': nothing is left to split off.")
    if quantity >= remaining(job):
        told = f"{remaining(job)} of {job.planned} {job.unit} are left to do"
        raise Refused(
            f"{quantity} {job.unit} cannot be split off {job.id}: {told}.",
            hint="Leave it some, or move it to the other work unit.",
            unmet=[f"quantity_left: {told}"],
        )
    made = part_off(draft, job, quantity)
    planned = draft.job(job.id).planned
    return {"job_order": made.id, "split_of": job.id, "planned": f"{planned:f}"}


def part_off(draft: Draft, job: JobOrder, quantity: Decimal) -> JobOrder:
    """Store a sibling of a job order that has so much of its plan."""
    family = job.split_of or job.id
    draft.emit(
        f.JobOrderSplit(
            job_order=job.id, planned=job.planned - quantity, split_of=family
        )
    )
    made = store(
        draft,
        draft.request(job.request),
        job.step,
        planned=quantity,
        follows=job,
        is_released=job.state not in NOT_ALLOWED,
        rework=visit_of(draft.state, job).rework,
        lot=job.lot,
        split_of=family,
    )
    if (made.due_at, made.priority) != (job.due_at, job.priority):
        _plan(draft, made, due_at=job.due_at, priority=job.priority)
    draft.touch(job.id)
    touch_siblings(draft, draft.job(job.id))
    return draft.job(made.id)


def hand_over(draft: Draft, job: JobOrder) -> None:
    """Give the plan of a job order that is given up to one of its siblings."""
    others = siblings(draft.state, job)
    if others:
        _plan(draft, others[0], more=job)
        draft.touch(others[0].id)


def release_idle(draft: Draft, job: JobOrder) -> None:
    """Give up the siblings of one that is over, if it has left them nothing to do."""
    if not is_fed(draft.state, job):
        return
    for one in siblings(draft.state, job):
        draft.touch(one.id)
        give_up_if_empty(draft, one, visit_of(draft.state, one))


def _plan(
    draft: Draft,
    job: JobOrder,
    *,
    more: JobOrder | None = None,
    due_at: int | None = None,
    priority: int | None = None,
) -> None:
    draft.emit(
        f.JobOrderUpdated(
            job_order=job.id,
            planned=job.planned + (ZERO if more is None else more.planned),
            due_at=job.due_at if due_at is None else due_at,
            priority=job.priority if priority is None else priority,
        )
    )
