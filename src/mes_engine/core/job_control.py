"""Job orders as job control speaks of them (OPC 10031-4): ours to others, and theirs.

The same data go to a machine that is to run a job order, and to whoever reads our own
list. A work request that came in by job control is one of a single job order at first:
that one is known to its client by the id that the client gave it.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.readiness import routing_of, step_of
from mes_engine.core.requests import OVER, WorkRequest, visit_id
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import Step

DEMAND = "job-control"
"""What the demand of a work request begins with that came in by job control."""
OUR_IDS = "JO-"
"""What our own ids begin with: nobody else may give one that does."""


class OrderedMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a material."""

    material: str
    quantity: Decimal
    unit: str


class JobOrderData(msgspec.Struct, frozen=True, kw_only=True):
    """What a job order asks for.

    Attributes:
        work_master: ``routing/revision/step``.
        starts_at: When it is to begin; None if nothing is said.
        equipment: The class that it asks for, or the work unit that it is on.
        consumes: For all of it.
        parameters: What else is said, by name.
    """

    id: str
    work_master: str
    description: str
    makes: OrderedMaterial
    due_at: int
    priority: int
    starts_at: int | None = None
    equipment: tuple[str, ...] = ()
    consumes: tuple[OrderedMaterial, ...] = ()
    parameters: dict[str, str] = {}


class JobResponseData(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job order so far."""

    id: str
    state: JobOrderState
    begun_at: int | None
    ended_at: int | None
    good: OrderedMaterial
    scrap: Decimal
    lost: Decimal
    tested: Decimal
    equipment: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    reason: str = ""


def work_master(routing: str, revision: str, step: str) -> str:
    """Return the id of the work master that a step is served as."""
    return f"{routing}/{revision}/{step}"


def work_masters(state: State) -> Iterator[tuple[str, Routing, Step]]:
    """Go through the steps that new work may be stored by."""
    for effective in state.effective_routing.values():
        if effective.revision is None:
            continue
        routing = state.routing.get((effective.id, effective.revision))
        for step in () if routing is None else routing.steps:
            if routing is not None:
                yield work_master(routing.id, routing.revision, step.id), routing, step


def demand_at(step: str) -> str:
    """Return the demand of a request that job control has stored at ``step``."""
    return f"{DEMAND}/{step}"


def served_id(state: State, job: JobOrder) -> str:
    """Return by which id a job order is known outside: who stored it gave it one."""
    request = state.work_request.get(job.request)
    if request is None or not request.demand.startswith(DEMAND):
        return job.id
    first = first_stored(state, request)
    return request.id if first is not None and first.id == job.id else job.id


def find_served(state: State, name: str) -> JobOrder | None:
    """Return the job order that is known by ``name`` outside."""
    request = state.work_request.get(name)
    if request is not None and request.demand.startswith(DEMAND):
        return first_stored(state, request)
    job = state.job_order.get(name)
    return job if job is not None and served_id(state, job) == name else None


def is_served(state: State, job: JobOrder) -> bool:
    """Whether job control shows a job order: until it is cleared, or its request over.

    What is over is read from the history; a restart would not have it here.
    """
    request = state.work_request.get(job.request)
    is_there = request is not None and request.state not in OVER
    is_given_up = job.state is JobOrderState.CANCELLED
    return is_there and not is_given_up and not job.is_cleared


def first_stored(state: State, request: WorkRequest) -> JobOrder | None:
    """Return the job order that a request by job control was stored for."""
    step = request.demand.removeprefix(f"{DEMAND}/")
    jobs = state.job_order.find("visit", visit_id(request.id, step))
    return min(jobs, key=lambda one: one.number, default=None)


def order_data(state: State, job: JobOrder, *, name: str = "") -> JobOrderData:
    """Return what ``job`` asks for, under ``name`` if that is not its own id."""
    step = step_of(state, job)
    routing = routing_of(state, job)
    units = _units_of(state, job)
    return JobOrderData(
        id=name or job.id,
        work_master=work_master(job.routing, job.revision, job.step),
        description=step.name or job.step,
        makes=OrderedMaterial(
            material=routing.material, quantity=job.planned, unit=job.unit
        ),
        due_at=job.due_at,
        priority=job.priority,
        equipment=units or (job.equipment_class,),
        consumes=tuple(
            OrderedMaterial(
                material=one.material,
                quantity=one.per_piece * job.planned,
                unit=one.unit,
            )
            for one in step.consumes
        ),
        parameters={"WorkRequest": job.request, "WorkCenter": job.work_center}
        | ({"Lot": job.lot} if job.lot else {}),
    )


def response_data(state: State, job: JobOrder, *, name: str = "") -> JobResponseData:
    """Return what came of ``job`` so far."""
    run = None if job.run is None else state.run.get(job.run)
    return JobResponseData(
        id=name or job.id,
        state=job.state,
        begun_at=job.begun_at,
        ended_at=job.ended_at,
        good=OrderedMaterial(
            material=routing_of(state, job).material,
            quantity=job.good,
            unit=job.unit,
        ),
        scrap=job.scrap,
        lost=job.lost,
        tested=job.tested,
        equipment=_units_of(state, job),
        people=() if run is None or not run.person else (run.person,),
        reason=job.reason,
    )


def _units_of(state: State, job: JobOrder) -> tuple[str, ...]:
    run = None if job.run is None else state.run.get(job.run)
    return () if run is None else (run.work_unit,)
