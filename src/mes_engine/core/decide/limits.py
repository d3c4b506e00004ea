"""Limits of work in progress: who is inside, and whom to ask again when there is room.

Whoever waits is asked again only when an area or a buffer gets full, or is no longer.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import Plant
from mes_engine.core.readiness import routing_of
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_condition import (
    area_full,
    buffer_full,
    has_kanban,
    limited_area,
)
from mes_engine.core.wip_limits import LIMITED, AreaEntry


def begun(draft: Draft, job: JobOrder) -> None:
    """Work has begun: its request is inside the area from now on."""
    area = limited_area(draft.state, job.work_center)
    if area is None or draft.state.area_entry.get((area, job.request)) is not None:
        return
    _enter(draft, area, job.request)
    for other in _waiting_in(draft, area):
        draft.touch(other.id)


def _enter(draft: Draft, area: str, request: str) -> None:
    draft.emit(
        f.AreaEntered(
            entry=AreaEntry(
                area=area,
                request=request,
                quantity=draft.request(request).quantity,
                entered_at=draft.at,
            )
        )
    )


def _waiting_in(draft: Draft, area: str) -> Iterator[JobOrder]:
    """Yield whoever cannot begin any more, now that another has entered."""
    limit = draft.state.site.plant.wip_limits[area]
    for center in draft.state.site.plant.work_centers:
        if center.area != area:
            continue
        for job in draft.state.job_order.find("live_at", center.id):
            is_new = draft.state.area_entry.get((area, job.request)) is None
            if job.begun_at is None and is_new:
                request = draft.request(job.request)
                if any(area_full(draft.state, area, limit, request)):
                    yield job


def settle(draft: Draft, requests: Iterable[str]) -> None:
    """See which of these requests have left an area; who waits is asked again."""
    for request in requests:
        for entry in draft.state.area_entry.find("request", request):
            if not _is_inside(draft, entry.area, request):
                _leave(draft, entry)


def _is_inside(draft: Draft, area: str, request: str) -> bool:
    """Whether something of the request is at work in the area, or waits there."""
    centers = draft.state.site.work_centers
    for job in draft.state.job_order.find("request", request):
        center = centers.get(job.work_center)
        if job.is_over or center is None or center.area != area:
            continue
        if job.begun_at is not None or here(draft.state, job).on_floor:
            return True
    return False


def _leave(draft: Draft, entry: AreaEntry) -> None:
    draft.emit(f.AreaLeft(area=entry.area, request=entry.request, at=draft.at))
    for job in draft.state.job_order.find("limited", LIMITED):
        if limited_area(draft.state, job.work_center) == entry.area:
            draft.touch(job.id)


def taken(draft: Draft, job: JobOrder) -> None:
    """Pieces have left the buffer before a job order: is there room again?"""
    waiting = draft.state.job_order.find("limited", LIMITED)
    if not waiting:
        return
    routing = routing_of(draft.state, job)
    step = routing.step(job.step)
    if not has_kanban(draft.state, step) or buffer_full(draft.state, routing, step):
        return
    for other in waiting:
        if _feeds(draft, other, job):
            draft.touch(other.id)


def came(draft: Draft, job: JobOrder, quantity: Decimal) -> None:
    """Pieces have come into the buffer before a job order: has it got full?"""
    routing = routing_of(draft.state, job)
    step = routing.step(job.step)
    if not has_kanban(draft.state, step):
        return
    was_full = buffer_full(draft.state, routing, step, less=quantity)
    if was_full or not buffer_full(draft.state, routing, step):
        return
    for center in draft.state.site.work_centers:
        for other in draft.state.job_order.find("live_at", center):
            if other.begun_at is None and _feeds(draft, other, job):
                draft.touch(other.id)


def _feeds(draft: Draft, source: JobOrder, target: JobOrder) -> bool:
    """Whether pieces go from one's step into the buffer of the other."""
    routing = routing_of(draft.state, source)
    return any(
        one.carries_pieces
        and routing.step(one.target).work_center == target.work_center
        for one in routing.leaving(source.step)
    )


def plant_applied(draft: Draft, known: Plant | None) -> None:
    """Count in areas that have a limit now, and no more in those without."""
    before = {} if known is None else known.wip_limits
    after = draft.state.site.plant.wip_limits
    for area in before.keys() - after.keys():
        for entry in draft.state.area_entry.find("area", area):
            draft.emit(f.AreaLeft(area=area, request=entry.request, at=draft.at))
    for center in draft.state.site.plant.work_centers:
        if center.area in after.keys() - before.keys():
            for job in draft.state.job_order.find("live_at", center.id):
                _enter_if_inside(draft, center.area, job.request)


def _enter_if_inside(draft: Draft, area: str, request: str) -> None:
    """Count a request that has begun in the area, and has pieces or work there."""
    centers = draft.state.site.work_centers
    has_begun = any(
        job.begun_at is not None and centers[job.work_center].area == area
        for job in draft.state.job_order.find("request", request)
        if job.work_center in centers
    )
    is_known = draft.state.area_entry.get((area, request)) is not None
    if has_begun and not is_known and _is_inside(draft, area, request):
        _enter(draft, area, request)
