"""Limits of work in progress over HTTP: what is inside each area and each buffer."""

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


class WipLimitsView(View):
    """Every limit that the plant declares; those of steps are their routings'."""

    areas: list[AreaLimitView]
    buffers: list[BufferView]
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
            seq=parts.state.seq,
        )

    return router


def _queued(parts: Parts, work_center: str) -> Decimal:
    jobs = parts.state.job_order.find("live_at", work_center)
    return sum((here(parts.state, job).queued for job in jobs), ZERO)
