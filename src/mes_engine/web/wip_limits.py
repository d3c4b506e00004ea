"""Limits of work in progress over HTTP: what is inside each area and each buffer."""

from collections.abc import Iterator
from decimal import Decimal

from fastapi import APIRouter

from mes_engine.core.quantity import ZERO
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_condition import pieces_inside
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, Decimals, View
from mes_engine.web.parts import Parts


class AreaEntryView(View):
    """A work request inside an area, and what it counts for."""

    request: str
    quantity: Decimals
    entered_at: At


class AreaLimitView(View):
    """An area with a limit, and what is inside it."""

    area: str
    most_work_requests: int | None
    most_pieces: Decimals | None
    pieces: Decimals
    inside: list[AreaEntryView]


class BufferView(View):
    """The buffer before a work center that has a limit, and the pieces in it."""

    work_center: str
    kanban: Decimals
    queued: Decimals


class StepBufferView(View):
    """The buffer before a step that has a limit of its own, and the pieces in it.

    Attributes:
        queued: Of every revision of the routing: they wait in one place.
    """

    routing: str
    revision: str
    step: str
    work_center: str
    kanban: Decimals
    queued: Decimals


class WipLimitsView(View):
    """Every limit that the plant declares, and those of the steps of its routings.

    Attributes:
        steps: Of each routing's effective revision, and of those still at work.
    """

    areas: list[AreaLimitView]
    buffers: list[BufferView]
    steps: list[StepBufferView]
    seq: int


def wip_limits_router(parts: Parts) -> APIRouter:
    """Return the route of limits of work in progress."""
    router = api_router(prefix="/wip-limits", tags=["wip limits"])

    @router.get("")
    async def show_wip_limits() -> WipLimitsView:
        """Show each limit with what it counts now."""
        plant = parts.state.site.plant
        return WipLimitsView(
            areas=[
                AreaLimitView(
                    area=area,
                    most_work_requests=limit.work_requests,
                    most_pieces=limit.pieces,
                    pieces=pieces_inside(parts.state, area),
                    inside=[
                        AreaEntryView.model_validate(one)
                        for one in parts.state.area_entry.find("area", area)
                    ],
                )
                for area, limit in plant.wip_limits.items()
            ],
            buffers=[
                BufferView(
                    work_center=one.id,
                    kanban=one.kanban,
                    queued=_queued(parts, one.id),
                )
                for one in plant.work_centers
                if one.kanban is not None
            ],
            steps=list(_steps(parts)),
            seq=parts.state.seq,
        )

    return router


def _steps(parts: Parts) -> Iterator[StepBufferView]:
    state = parts.state
    effective = {(one.id, one.revision) for one in state.effective_routing.values()}
    for routing in state.routing.values():
        limited = [one for one in routing.steps if one.kanban is not None]
        revision = routing.id, routing.revision
        for step in limited:
            live = state.job_order.find("live_at", step.work_center)
            jobs = [
                job for job in live if (job.routing, job.step) == (routing.id, step.id)
            ]
            is_in_use = any(job.revision == routing.revision for job in jobs)
            if step.kanban is not None and (revision in effective or is_in_use):
                yield StepBufferView(
                    routing=routing.id,
                    revision=routing.revision,
                    step=step.id,
                    work_center=step.work_center,
                    kanban=step.kanban,
                    queued=sum((here(state, job).queued for job in jobs), ZERO),
                )


def _queued(parts: Parts, work_center: str) -> Decimal:
    jobs = parts.state.job_order.find("live_at", work_center)
    return sum((here(parts.state, job).queued for job in jobs), ZERO)
