"""Changes to a work request that may be in work: how many, by when, by which revision.

What stands in the way is found before anything is done, and all of it is named.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.moving import move_of
from mes_engine.core.decide.revising import revise
from mes_engine.core.decide.starting import start_pieces
from mes_engine.core.decide.stock import touch_rivals
from mes_engine.core.decide.visits import settle_afterwards
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import AT_WORK, JobOrder
from mes_engine.core.messages import ChangeWorkRequest
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import is_fed, visit_of
from mes_engine.core.requests import WorkRequest, WorkRequestState
from mes_engine.core.whereabouts import here, positions_of
from mes_engine.core.wip_ledger import Bucket

replace = msgspec.structs.replace
OVER = frozenset(
    {
        WorkRequestState.COMPLETED,
        WorkRequestState.CLOSED,
        WorkRequestState.CANCELLED,
    }
)


def change(draft: Draft, command: ChangeWorkRequest) -> dict[str, str]:
    """Change a request, and its job orders that are not over."""
    request = draft.request(command.work_request)
    if request.state in OVER:
        raise Refused(
            f"{request.id} is '{request.state}': nothing of it is to be changed.",
            hint="Plan a work request of its own.",
        )
    said = (command.quantity, command.due_at, command.priority, command.revision)
    if all(one is None for one in said):
        raise Malformed(
            f"Nothing to change on {request.id}.",
            hint="Give 'quantity', 'due_at', 'priority' or 'revision'.",
        )
    if command.revision is not None and command.revision != request.revision:
        revise(draft, request, command.revision, command.reason)
    quantity = _quantity(request, command.quantity)
    if quantity != request.quantity:
        _change_quantity(draft, draft.request(request.id), quantity, command.reason)
    _change_dates(draft, draft.request(request.id), command)
    changed = draft.request(request.id)
    return {
        "work_request": changed.id,
        "quantity": f"{changed.quantity:f}",
        "revision": changed.revision,
    }


def _quantity(request: WorkRequest, asked: Decimal | None) -> Decimal:
    if asked is None:
        return request.quantity
    quantity = checked_quantity(asked, unit=request.unit)
    if quantity == ZERO:
        raise Malformed(
            f"{request.id} would ask for nothing.", hint="Cancel it instead."
        )
    return quantity


def _change_dates(
    draft: Draft, request: WorkRequest, command: ChangeWorkRequest
) -> None:
    due_at = request.due_at if command.due_at is None else command.due_at
    priority = request.priority if command.priority is None else command.priority
    if (due_at, priority) != (request.due_at, request.priority):
        _set(draft, request, command.reason, due_at=due_at, priority=priority)
    for job in _live(draft, request):
        dates = {}
        if command.due_at is not None:
            dates["due_at"] = due_at
        if command.priority is not None:
            dates["priority"] = priority
        _update(draft, job, **dates)


def _change_quantity(
    draft: Draft, request: WorkRequest, quantity: Decimal, reason: str
) -> None:
    """Plan more or fewer pieces: started at the entry, expected after it."""
    delta = quantity - request.quantity
    jobs = [
        one for one in _live(draft, request) if not visit_of(draft.state, one).rework
    ]
    first = [one for one in jobs if _is_entry(draft, one)]
    _check_started(draft, request, first, delta)
    _check_confirmed(request, jobs, delta)
    before = _started(draft, request)
    _set(draft, request, reason, quantity=quantity)
    left = delta
    for job in reversed(first):
        share = left if delta > ZERO else max(left, -_spare(draft, job))
        if share:
            _plan_first(draft, job, share, reason)
            left -= share
    after = _started(draft, request)
    of_lot = {lot: after[lot] - before.get(lot, ZERO) for lot in after}
    newest = {one.visit: one.id for one in jobs if one.lot is None}
    for job in jobs:
        if _is_entry(draft, job):
            continue
        if job.lot is not None:
            _plan(draft, job, of_lot.get(job.lot, ZERO))
        elif newest[job.visit] == job.id:
            _plan(draft, job, delta)
    for job in _live(draft, request):
        draft.touch(job.id)


def _check_started(
    draft: Draft, request: WorkRequest, first: list[JobOrder], delta: Decimal
) -> None:
    """See that the entry can take more, or give up as many."""
    if not first:
        raise Refused(
            f"The first step of {request.id} is over: its {request.quantity} "
            f"{request.unit} can be neither more nor fewer.",
            hint="Plan a work request of its own for more; scrap or stop what is less.",
            unmet=["quantity_accounted: no job order of the first step is open"],
        )
    spare = sum((_spare(draft, one) for one in first), ZERO)
    if delta < ZERO and -delta > spare:
        told = "; ".join(
            f"{one.id} at step {one.step} has {one.planned - _spare(draft, one)} "
            f"{one.unit} worked or at work"
            for one in first
        )
        raise Refused(
            f"{request.id} cannot be made {request.quantity + delta} "
            f"{request.unit}: {told}.",
            hint=f"At least {request.quantity - spare} are possible.",
            unmet=[f"quantity_accounted: {told}"],
        )


def _check_confirmed(
    request: WorkRequest, jobs: Iterable[JobOrder], delta: Decimal
) -> None:
    for job in jobs:
        if not job.expects_pieces and job.planned + delta < job.worked:
            told = (
                f"{job.worked} {job.unit} are confirmed at step {job.step} ({job.id})"
            )
            raise Refused(
                f"{request.id} cannot be made {request.quantity + delta}: {told}.",
                unmet=[f"quantity_accounted: {told}"],
            )


def _spare(draft: Draft, job: JobOrder) -> Decimal:
    """Return how many pieces of a first job order nobody has begun to work on."""
    there = here(draft.state, job)
    touched = job.worked + there.in_process + there.suspect
    return max(job.planned - touched, ZERO)


def _plan_first(draft: Draft, job: JobOrder, share: Decimal, reason: str) -> None:
    """Plan more or fewer pieces where they are started, and start as many."""
    planned = job.planned + share
    _update(draft, job, planned=planned)
    job = draft.job(job.id)
    if planned == ZERO and job.state not in AT_WORK:
        _put_back(draft, job, here(draft.state, job).queued, reason)
        give_up(draft, draft.job(job.id), reason or "no pieces are planned any more")
        settle_afterwards(draft, visit_of(draft.state, job))
        return
    excess = here(draft.state, job).unaccounted + job.worked - planned
    if excess > ZERO:
        _put_back(draft, job, excess, reason)
    elif job.begun_at is not None:
        start_pieces(draft, job)
    touch_rivals(draft, job)


def _put_back(draft: Draft, job: JobOrder, quantity: Decimal, reason: str) -> None:
    """Take pieces off the floor that were started and never worked on."""
    left = quantity
    for position in reversed(positions_of(draft.state, job)):
        amount = min(left, position.queued, position.started)
        if amount > ZERO:
            move_of(
                draft,
                job,
                amount,
                Bucket.QUEUED,
                Bucket.STARTED,
                lot=position.lot,
                reason=reason,
            )
            left -= amount


def _plan(draft: Draft, job: JobOrder, share: Decimal) -> None:
    """Expect more or fewer pieces where they come to; never fewer than there are."""
    there = here(draft.state, job).unaccounted
    _update(draft, job, planned=max(job.planned + share, job.worked + there))


def _started(draft: Draft, request: WorkRequest) -> dict[str, Decimal]:
    started: dict[str, Decimal] = {}
    for one in draft.state.position.find("request", request.id):
        started[one.lot] = started.get(one.lot, ZERO) + one.started
    return started


def _is_entry(draft: Draft, job: JobOrder) -> bool:
    return job.expects_pieces and not is_fed(draft.state, job)


def _live(draft: Draft, request: WorkRequest) -> list[JobOrder]:
    jobs = draft.state.job_order.find("request", request.id)
    return [job for job in jobs if not job.is_over]


def _update(draft: Draft, job: JobOrder, **changes: Any) -> None:
    changed = replace(job, **changes)
    if changed == job:
        return
    draft.emit(
        f.JobOrderUpdated(
            job_order=job.id,
            planned=changed.planned,
            due_at=changed.due_at,
            priority=changed.priority,
        )
    )
    draft.touch(job.id)


def _set(draft: Draft, request: WorkRequest, reason: str, **changes: Any) -> None:
    changed = replace(request, **changes)
    draft.emit(
        f.WorkRequestUpdated(
            work_request=changed.id,
            quantity=changed.quantity,
            due_at=changed.due_at,
            priority=changed.priority,
            revision=changed.revision,
            reason=reason,
        )
    )
