"""The condition ``wip_limit``: is there room for new work, here and behind it?"""

from collections.abc import Iterator
from decimal import Decimal

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import WorkRequest
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import Connection, ConnectionKind, Step
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_limits import WipLimit

SUPERVISOR = "the supervisor"
_MET = Condition(name=ConditionName.WIP_LIMIT, is_met=True, why="", mender="")


def wip_limit(state: State, job: JobOrder) -> Condition:
    """Whether the job order may begin; one that has begun is inside already."""
    if job.begun_at is not None or not _has_limits(state, job):
        return _MET
    reasons = [*_area(state, job), *_buffers(state, job)]
    if not reasons:
        return _MET
    return Condition(
        name=ConditionName.WIP_LIMIT,
        is_met=False,
        why="; ".join(reasons),
        mender=SUPERVISOR,
    )


def _has_limits(state: State, job: JobOrder) -> bool:
    routing = state.routing.get((job.routing, job.revision))
    if routing is not None and routing.has_kanban:
        return state.has_plant
    return state.has_plant and state.site.has_wip_limits


def limited_area(state: State, work_center: str) -> str | None:
    """Return the area of a work center, if it has a limit."""
    if not state.has_plant:
        return None
    center = state.site.work_centers.get(work_center)
    if center is None or center.area not in state.site.plant.wip_limits:
        return None
    return center.area


def _area(state: State, job: JobOrder) -> Iterator[str]:
    area = limited_area(state, job.work_center)
    if area is None or state.area_entry.get((area, job.request)) is not None:
        return
    request = state.work_request.get(job.request)
    if request is not None:
        limit = state.site.plant.wip_limits[area]
        yield from area_full(state, area, limit, request)


def area_full(
    state: State, area: str, limit: WipLimit, request: WorkRequest
) -> Iterator[str]:
    """Say why ``request`` cannot enter ``area``; an empty one takes any request."""
    if limit.work_requests is not None:
        inside = len(state.area_entry.members("area", area))
        if inside >= limit.work_requests:
            yield f"area {area} has {inside} of {limit.work_requests} work requests"
    if limit.pieces is not None:
        pieces = pieces_inside(state, area)
        if pieces and pieces + request.quantity > limit.pieces:
            yield (
                f"area {area} has {pieces} of {limit.pieces} pieces, and "
                f"{request.id} has {request.quantity}"
            )


def pieces_inside(state: State, area: str) -> Decimal:
    """Return what the requests inside ``area`` count for."""
    entries = state.area_entry.find("area", area)
    return sum((one.quantity for one in entries), ZERO)


def _buffers(state: State, job: JobOrder) -> Iterator[str]:
    if not state.has_plant:
        return
    routing = state.routing.get((job.routing, job.revision))
    if routing is None or not job.expects_pieces:
        return
    ways = [one for one in routing.leaving(job.step) if one.carries_pieces]
    told = [why for one in ways if (why := _full_behind(state, routing, one))]
    is_choice = bool(ways) and ways[0].kind is ConnectionKind.ALTERNATIVE
    visit = state.visit.get(job.visit)
    if is_choice and (visit is None or visit.chosen is None):
        if len(told) == len(ways):
            yield from told
    elif is_choice and visit is not None:
        chosen = [one for one in ways if one.target == visit.chosen]
        yield from (why for one in chosen if (why := _full_behind(state, routing, one)))
    else:
        yield from told


def _full_behind(state: State, routing: Routing, one: Connection) -> str:
    return buffer_full(state, routing, routing.step(one.target))


def has_kanban(state: State, step: Step) -> bool:
    """Whether the buffer before a step, or its work center, has a limit."""
    center = state.site.work_centers.get(step.work_center)
    return step.kanban is not None or (center is not None and center.kanban is not None)


def buffer_full(
    state: State, routing: Routing, step: Step, *, less: Decimal = ZERO
) -> str:
    """Say that the buffer before ``step`` is full; empty if there is room.

    Args:
        state: Where to look.
        routing: The step's.
        step: What the pieces wait for.
        less: Pieces to leave out: what has just come.
    """
    if not has_kanban(state, step):
        return ""
    center = state.site.work_centers.get(step.work_center)
    at_center, at_step = ZERO, ZERO
    counted: set[tuple[str, str | None]] = set()
    for job in state.job_order.find("live_at", step.work_center):
        if (job.visit, job.lot) in counted:
            continue  # It shares its pieces with a sibling.
        counted.add((job.visit, job.lot))
        queued = here(state, job).queued
        at_center += queued
        if (job.routing, job.step) == (routing.id, step.id):
            at_step += queued
    if step.kanban is not None and at_step - less >= step.kanban:
        return f"the buffer before step {step.id} has {at_step} of {step.kanban} pieces"
    most = None if center is None else center.kanban
    if most is not None and at_center - less >= most:
        told = f"{at_center} of {most} pieces"
        return f"the buffer before {step.work_center} has {told}"
    return ""
