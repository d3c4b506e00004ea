"""What a method of job control asks of the engine: the same commands as everybody's."""

import re
from collections.abc import Mapping
from typing import Any

from mes_adapters.opcua.job_control import orders
from mes_adapters.opcua.job_control.types import ReturnStatus
from mes_engine.core.job_control import (
    OUR_IDS,
    demand_at,
    find_served,
    work_masters,
)
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.messages import (
    AbortJobOrder,
    AssertTrigger,
    CancelWorkRequest,
    ChangeWorkRequest,
    ClearJobOrder,
    Command,
    CreateWorkRequest,
    Outcome,
    PauseJobOrder,
    ReleaseWorkRequest,
    Remainder,
    ResumeJobOrder,
    StopJobOrder,
    UpdateJobOrder,
)
from mes_engine.core.requests import WorkRequest, WorkRequestState
from mes_engine.core.state import State

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
"""What a client may call its job order: as an order is called everywhere here."""


_TRIGGERS = {
    "Start": JobOrderTrigger.RELEASE,
    "RevokeStart": JobOrderTrigger.REVOKE_START,
    "Cancel": JobOrderTrigger.CANCEL,
}


class NotAsked(Exception):
    """A call that the engine need not be asked about: its answer is known.

    Attributes:
        status: What the method returns.
        why: For the log; the specification has no place for it.
    """

    def __init__(self, status: ReturnStatus, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def to_store(
    state: State, order: Mapping[str, Any], *, now: int, is_started: bool
) -> list[Command]:
    """Return what stores a job order of a client's: a work request of its own.

    Raises:
        NotAsked: It cannot be understood.
    """
    name = order.get("JobOrderID") or ""
    if not ID.fullmatch(name) or name.startswith(OUR_IDS):
        raise NotAsked(ReturnStatus.INVALID_REQUEST, f"'{name}' cannot be an id")
    masters = [one.get("ID") for one in order.get("WorkMasterID") or ()]
    known = {key: (routing, step) for key, routing, step in work_masters(state)}
    chosen = next((one for one in masters if one in known), None)
    if chosen is None:
        raise NotAsked(ReturnStatus.UNABLE_TO_ACCEPT, f"no work master is in {masters}")
    routing, step = known[chosen]
    if step.id not in {one.id for one in routing.entries}:
        raise NotAsked(
            ReturnStatus.UNABLE_TO_ACCEPT, f"work does not begin at {chosen}"
        )
    quantity = _quantity(order)
    if quantity is None:
        raise NotAsked(ReturnStatus.INVALID_REQUEST, "how much is not said")
    store = CreateWorkRequest(
        work_request=name,
        routing=routing.id,
        revision=routing.revision,
        quantity=quantity,
        due_at=_due_at(order) or now,
        priority=order.get("Priority") or 0,
        demand=demand_at(step.id),
    )
    return [store, ReleaseWorkRequest(work_request=name)] if is_started else [store]


def to_update(state: State, order: Mapping[str, Any]) -> list[Command]:
    """Return what replaces what was said of a job order that has not begun.

    Raises:
        NotAsked: There is none, or it cannot be understood.
    """
    job, request = _known(state, order.get("JobOrderID") or "")
    due_at, priority = _due_at(order), order.get("Priority")
    if request is None:
        return [UpdateJobOrder(job_order=job.id, due_at=due_at, priority=priority)]
    return [
        ChangeWorkRequest(
            work_request=request.id,
            quantity=_quantity(order),
            due_at=due_at,
            priority=priority,
            reason="updated by job control",
        )
    ]


def to_move(
    state: State, method: str, name: str, reason: str, *, remainder: str, person: str
) -> list[Command]:
    """Return what takes a job order along its chart.

    Args:
        state: What is committed.
        method: A method that takes an id.
        name: The id, as its client knows it.
        reason: The comment of the call.
        remainder: What becomes of what a stopped one has left.
        person: Who signs for material that an abort touches.

    Raises:
        NotAsked: There is no such job order.
    """
    job, request = _known(state, name)
    said = reason or f"{method} by job control"
    if request is not None and method == "Cancel":
        return [CancelWorkRequest(work_request=request.id, reason=said)]
    is_planned = request is not None and request.state is WorkRequestState.PLANNED
    if request is not None and is_planned and method == "Start":
        return [ReleaseWorkRequest(work_request=request.id)]
    if method in _TRIGGERS:
        trigger = _TRIGGERS[method]
        return [AssertTrigger(job_order=job.id, trigger=trigger, reason=said)]
    match method:
        case "Pause":
            return [PauseJobOrder(job_order=job.id, reason=said)]
        case "Resume":
            return [ResumeJobOrder(job_order=job.id)]
        case "Stop":
            return [
                StopJobOrder(
                    job_order=job.id, remainder=Remainder(remainder), reason=said
                )
            ]
        case "Abort":
            signature = person or "job control"
            return [AbortJobOrder(job_order=job.id, reason=said, signature=signature)]
        case "Clear":
            return [ClearJobOrder(job_order=job.id)]
    raise NotAsked(ReturnStatus.INVALID_REQUEST, f"there is no method {method}")


def status_of(outcome: Outcome, *, stores: bool) -> ReturnStatus:
    """Return what a method returns for an answer of the engine.

    Args:
        outcome: Of the command.
        stores: Whether it was to store a job order.
    """
    match outcome:
        case Outcome.ACCEPTED:
            return ReturnStatus.NO_ERROR
        case Outcome.NOT_FOUND:
            return ReturnStatus.UNKNOWN_JOB_ORDER_ID
        case Outcome.REFUSED if stores:
            return ReturnStatus.UNABLE_TO_ACCEPT
        case Outcome.REFUSED:
            return ReturnStatus.INVALID_JOB_ORDER_STATUS
    return ReturnStatus.INVALID_REQUEST


def _known(state: State, name: str) -> tuple[JobOrder, WorkRequest | None]:
    """Return a job order, and its request if job control stored that."""
    job = find_served(state, name)
    if job is None:
        raise NotAsked(ReturnStatus.UNKNOWN_JOB_ORDER_ID, f"there is no '{name}'")
    request = state.work_request.get(name)
    return job, request


def _quantity(order: Mapping[str, Any]) -> Any:
    try:
        quantity = orders.made(order.get("MaterialRequirements"))
        if quantity is None:
            said = orders.parameters_of(order.get("JobOrderParameters"))
            if orders.QUANTITY in said:
                quantity = orders.amount(said[orders.QUANTITY])
    except ValueError as error:
        raise NotAsked(ReturnStatus.INVALID_REQUEST, str(error)) from None
    return quantity


def _due_at(order: Mapping[str, Any]) -> int | None:
    return orders.from_time(order.get("EndTime"))
