"""Routings and work requests: what is to be made, and how."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.chart import check
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.job_orders import release
from mes_engine.core.decide.stock import end_if_empty
from mes_engine.core.decide.storing import stored_first
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import NOT_ALLOWED, JobOrder, JobOrderTrigger
from mes_engine.core.messages import (
    CancelWorkRequest,
    CloseWorkRequest,
    CreateWorkRequest,
    ReleaseRouting,
    ReleaseWorkRequest,
    WithdrawRouting,
)
from mes_engine.core.quantity import ZERO, checked_quantity, checked_unit
from mes_engine.core.requests import WorkRequest, WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.routing_problems import routing_problems

_W = WorkRequestState
MOST_LOTS = 1_000


def release_routing(draft: Draft, command: ReleaseRouting) -> dict[str, str]:
    """Let work be stored by this revision."""
    routing = command.routing
    told = {"routing": routing.id, "revision": routing.revision}
    known = draft.state.routing.get((routing.id, routing.revision))
    if known is not None and known != routing:
        raise Refused(
            f"Revision {routing.revision} of {routing.id} is released with another "
            "body; a released revision never changes.",
            hint="Give the change a revision of its own.",
        )
    problems = [f"{path}: {problem}" for path, problem in routing_problems(routing)]
    problems += _plant_problems(draft, routing)
    if problems:
        raise Refused(
            f"Routing {routing.id} {routing.revision} cannot be released.",
            unmet=problems,
        )
    draft.emit(f.RoutingReleased(routing=routing))
    return told


def _plant_problems(draft: Draft, routing: Routing) -> list[str]:
    checked_unit(routing.unit)
    site = draft.state.site
    problems = []
    for index, step in enumerate(routing.steps):
        if step.work_center not in site.work_centers:
            problems.append(
                f"steps.{index}.work_center: there is no '{step.work_center}'"
            )
        elif not site.capable_units(step.work_center, step.equipment_class):
            problems.append(
                f"steps.{index}.equipment_class: {step.work_center} has no work unit "
                f"of class '{step.equipment_class}'"
            )
    return problems


def withdraw_routing(draft: Draft, command: WithdrawRouting) -> dict[str, str]:
    """Store no more work by this revision."""
    effective = draft.state.effective_routing.get(command.routing)
    if effective is None or effective.revision != command.revision:
        raise Refused(
            f"Revision {command.revision} of {command.routing} is not the effective "
            "one."
        )
    draft.emit(f.RoutingWithdrawn(routing=command.routing, revision=command.revision))
    return {"routing": command.routing, "revision": command.revision}


def create(draft: Draft, command: CreateWorkRequest) -> dict[str, str]:
    """Plan a request; its first job order can be seen waiting."""
    if draft.state.work_request.get(command.work_request) is not None:
        raise Refused(f"There is a work request '{command.work_request}' already.")
    routing = _effective(draft, command)
    quantity = checked_quantity(command.quantity, unit=routing.unit)
    if quantity == ZERO:
        raise Malformed(f"{command.work_request} asks for nothing.")
    request = WorkRequest(
        id=command.work_request,
        material=routing.material,
        unit=routing.unit,
        quantity=quantity,
        routing=routing.id,
        revision=routing.revision,
        due_at=command.due_at,
        priority=command.priority,
        demand=command.demand,
        created_at=draft.at,
        releases_job_orders=command.releases_job_orders,
        lot_size=_lot_size(command, routing),
    )
    draft.emit(f.WorkRequestCreated(work_request=request))
    first = [stored_first(draft, request, step) for step in routing.entries]
    return {
        "work_request": request.id,
        "revision": request.revision,
        "job_order": first[0].id,
    }


def _lot_size(command: CreateWorkRequest, routing: Routing) -> Decimal:
    if command.lot_size is None:
        return ZERO
    size = checked_quantity(command.lot_size, unit=routing.unit, of="lot size")
    if size == ZERO or command.quantity / size > MOST_LOTS:
        raise Malformed(
            f"{command.work_request} cannot be made in lots of {size}.",
            hint=f"Above 0, and at most {MOST_LOTS} lots.",
        )
    return size


def _effective(draft: Draft, command: CreateWorkRequest) -> Routing:
    effective = draft.state.effective_routing.get(command.routing)
    if effective is None:
        raise NotFound(
            f"There is no routing '{command.routing}'.",
            hint="Release it in PLM first.",
        )
    if effective.revision is None or command.revision not in {
        None,
        effective.revision,
    }:
        told = (
            f"revision {effective.revision} is effective"
            if effective.revision
            else "it was withdrawn"
        )
        raise Refused(
            f"{command.routing} {command.revision or ''} is not effective: {told}.",
            unmet=[f"routing_effective: {told}"],
        )
    routing = draft.state.routing.get((command.routing, effective.revision))
    if routing is None:
        raise LookupError(f"{command.routing} is effective, and not there")
    return routing


def release_request(draft: Draft, command: ReleaseWorkRequest) -> dict[str, str]:
    """Let the request's job orders start."""
    request = draft.request(command.work_request)
    if request.state is not _W.PLANNED:
        raise Refused(f"{request.id} is '{request.state}'; only a planned one is.")
    _set(draft, request, _W.RELEASED)
    for job in draft.state.job_order.find("request", request.id):
        draft.touch(job.id)
        if request.releases_job_orders and job.state in NOT_ALLOWED:
            release(draft, job)
    return {"work_request": request.id, "state": _W.RELEASED.value}


def close_request(draft: Draft, command: CloseWorkRequest) -> dict[str, str]:
    """Seal a request whose work is over and posted."""
    request = draft.request(command.work_request)
    jobs = draft.state.job_order.find("request", request.id)
    open_jobs = [
        f"{job.id} is {job.state}"
        for job in jobs
        if not job.is_over or draft.state.posting.find("unsettled", job.id)
    ]
    if request.state is not _W.COMPLETED or open_jobs:
        told = "; ".join(open_jobs) or f"it is '{request.state}'"
        raise Refused(
            f"{request.id} cannot be closed: {told}.",
            hint="Complete or stop its job orders, and wait for the ledger.",
            unmet=open_jobs,
        )
    _set(draft, request, _W.CLOSED)
    return {"work_request": request.id, "state": _W.CLOSED.value}


def cancel_request(draft: Draft, command: CancelWorkRequest) -> dict[str, str]:
    """Give up a request on which nothing was booked, and its job orders."""
    request = draft.request(command.work_request)
    if request.state in {_W.CANCELLED, _W.CLOSED, _W.COMPLETED}:
        raise Refused(f"{request.id} is '{request.state}'.")
    jobs: list[JobOrder] = [
        job
        for job in draft.state.job_order.find("request", request.id)
        if not job.is_over
    ]
    for job in jobs:
        check(draft, job, JobOrderTrigger.CANCEL)
    for job in jobs:
        give_up(draft, job, command.reason or f"{request.id} was cancelled")
    _set(draft, request, _W.CANCELLED, command.reason)
    for lot in draft.state.lot.find("request", request.id):
        end_if_empty(draft, lot.id)
    return {"work_request": request.id, "state": _W.CANCELLED.value}


def _set(
    draft: Draft, request: WorkRequest, state: WorkRequestState, reason: str = ""
) -> None:
    draft.emit(
        f.WorkRequestChanged(
            work_request=request.id, state=state, lot=request.lot, reason=reason
        )
    )
