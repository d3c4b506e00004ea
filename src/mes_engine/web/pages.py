"""The pages for people: the work units of the plant, and a terminal for each."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mes_engine.core.equipment import Equipment
from mes_engine.core.reasons import reasons_of
from mes_engine.http.fields import Id
from mes_engine.web.parts import Parts
from mes_engine.web.rendering import page
from mes_engine.web.words import language_of

LOOKS: dict[str, dict[str, str]] = {
    "executing": {"look": "run", "icon": "▶", "word": "Running"},
    "not_executing": {"look": "ready", "icon": "○", "word": "Idle"},
    "out_of_service": {"look": "down", "icon": "▲", "word": "Out of service"},
    "not_available": {"look": "stop", "icon": "■", "word": "Not available"},
    "unknown": {"look": "offline", "icon": "⊘", "word": "No signal"},
    "manual": {"look": "ready", "icon": "○", "word": "By hand"},
}
"""How a machine's state is shown: colour, shape and word (as in ``looks.js``)."""


def pages_router(parts: Parts) -> APIRouter:
    """Return the routes of the pages for people."""
    router = APIRouter()

    @router.get("/")
    async def show_plant(request: Request) -> Response:
        """List the work centers with their work units."""
        state, site = parts.state, parts.state.site
        centers = [
            {
                "center": center,
                "units": [
                    {
                        "unit": unit,
                        "look": LOOKS[_equipment(parts, unit.id).shown],
                        "loaded": [
                            job_order
                            for run in state.run.find("work_unit", unit.id)
                            for job_order in run.job_orders
                        ],
                    }
                    for unit in site.units_of[center.id]
                ],
                "queued": len(state.job_order.members("queue", center.id)),
            }
            for center in site.plant.work_centers
        ]
        language = language_of(request)
        return page("plant.html", language=language, plant=site.plant, centers=centers)

    @router.get("/supervisor")
    async def show_supervisor(request: Request) -> Response:
        """Show what asks for a supervisor."""
        reasons = reasons_of(parts.state.site.plant.reasons)
        return page("supervisor.html", language=language_of(request), reasons=reasons)

    @router.get("/periods")
    async def show_periods(request: Request) -> Response:
        """Show up to when the books are closed, and what is open of their days."""
        reasons = reasons_of(parts.state.site.plant.reasons)
        return page("periods.html", language=language_of(request), reasons=reasons)

    @router.get("/t/{work_unit}")
    async def show_terminal(request: Request, work_unit: Id) -> Response:
        """Show the terminal of a work unit."""
        unit = parts.state.site.work_unit(work_unit)
        return page(
            "terminal.html",
            language=language_of(request),
            unit=unit,
            center=parts.state.site.work_center(unit.work_center),
            reasons=reasons_of(parts.state.site.plant.reasons),
        )

    return router


def _equipment(parts: Parts, work_unit: str) -> Equipment:
    return parts.state.equipment.get(work_unit) or Equipment(work_unit=work_unit)
