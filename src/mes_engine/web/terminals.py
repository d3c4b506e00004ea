"""Terminals over HTTP: all that one shows, what a scanned code is, and the reasons."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path

from mes_engine.core.carriers import carrier_code
from mes_engine.core.dispatching import in_turn
from mes_engine.core.errors import NotFound
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lot_names import lot_named
from mes_engine.core.lots import MaterialLot
from mes_engine.core.means import Asker
from mes_engine.core.packing import lots_within, stands_at
from mes_engine.core.queues import queue_of
from mes_engine.core.reasons import ReasonKind, reasons_of
from mes_engine.core.state import State
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import Id, View
from mes_engine.web.labour import people_at
from mes_engine.web.parts import Parts
from mes_engine.web.terminal_views import TerminalView, Who, loaded_work, waiting_work
from mes_engine.web.work_units import (
    SHOWN_WAITING,
    loaded_job,
    set_down_at,
    unit_members,
)

MAX_CODE = 200

Code = Annotated[str, Path(min_length=1, max_length=MAX_CODE)]


class CodeView(View):
    """What a code is that somebody scanned or typed.

    Attributes:
        code: What the thing is called here: the lot of a serial, an SSCC of a label.
        kind: ``person``, ``job_order``, ``work_request``, ``lot``, ``carrier``,
            ``tool`` or ``document``.
        title: What people call it.
        job_orders: Those that are not over and have to do with it.
        places: Where a lot, a carrier or a tool is: work units, visits, locations.
    """

    code: str
    kind: str
    title: str
    job_orders: list[str]
    places: list[str]


def terminals_router(parts: Parts) -> APIRouter:
    """Return the routes of terminals."""
    router = api_router(tags=["terminals"])

    @router.get("/work-units/{work_unit}/terminal")
    async def show_terminal_of(work_unit: Id, person: Who = "") -> TerminalView:
        """Show a work unit as its terminal does, to the person who stands there."""
        state, now = parts.state, parts.clock()
        unit = state.site.work_unit(work_unit)
        center = state.site.work_center(unit.work_center)
        asker = Asker(person=person.strip(), at=now)
        queue = queue_of(state, center)
        order, _ = in_turn(center.rule, center.rule_settings, queue, now)
        first = [queue[at].job for at in order[:SHOWN_WAITING]]
        set_down = set_down_at(parts, center.id)[:SHOWN_WAITING]
        return TerminalView.model_validate(
            {
                "unit": unit_members(parts, unit),
                "takes_several": state.site.batch_rule(unit) is not None,
                "loaded": [
                    loaded_work(state, loaded_job(parts, one), run, unit, asker)
                    for run in state.run.find("work_unit", unit.id)
                    for one in run.job_orders
                ],
                "set_down": [waiting_work(state, one, unit, asker) for one in set_down],
                "waiting": [waiting_work(state, one, unit, asker) for one in first],
                "total": len(queue),
                "people": people_at(parts, unit.id),
                "tools": [
                    one
                    for one in state.physical_asset.values()
                    if one.work_unit == unit.id
                ],
                "unassigned": [
                    one
                    for one in state.unassigned_production.values()
                    if one.work_unit == unit.id and one.left
                ],
                "now": now,
                "seq": state.seq,
            }
        )

    @router.get("/codes/{code}")
    async def show_code(code: Code) -> CodeView:
        """Say what a scanned code is: a person, a job order, a lot, a tool ..."""
        found = _known(parts.state, code.strip())
        if found is None:
            raise NotFound(
                f"Nothing here is called '{code}'.",
                hint="Scan it again, or type what stands below the code.",
            )
        return found

    @router.get("/reasons")
    async def list_reasons() -> dict[ReasonKind, tuple[str, ...]]:
        """List what people choose from where they have to say why, by kind."""
        return reasons_of(parts.state.site.plant.reasons)

    return router


def _known(state: State, code: str) -> CodeView | None:
    if (job := state.job_order.get(code)) is not None:
        return _shown(code, "job_order", f"{job.request} {job.step}", [job])
    if (request := state.work_request.get(code)) is not None:
        jobs = state.job_order.find("live_of", request.id)
        return _shown(code, "work_request", request.material, jobs)
    if (carrier := state.carrier.get(carrier_code(code))) is not None:
        jobs, _ = _of_lots(state, lots_within(state, carrier.id))
        places = list(stands_at(state, carrier.id))
        return _shown(carrier.id, "carrier", carrier.type, jobs, places)
    if (lot := state.lot.get(lot_named(state, code))) is not None:
        jobs, places = _of_lots(state, [lot])
        title = f"{lot.material} {lot.serial}".strip()
        return _shown(lot.id, "lot", title, jobs, places)
    if (tool := state.physical_asset.get(code)) is not None:
        run = None if tool.run is None else state.run.get(tool.run)
        members = () if run is None else run.job_orders
        found = (state.job_order.get(one) for one in members)
        place = [tool.work_unit or tool.crib]
        return _shown(code, "tool", tool.name, [one for one in found if one], place)
    if (person := state.person.get(code)) is not None:
        return _shown(code, "person", person.name, [])
    if (document := state.document.get(code)) is not None:
        title = f"{document.revision} {document.title}"
        return _shown(code, "document", title, [])
    return None


def _of_lots(
    state: State, lots: Sequence[MaterialLot]
) -> tuple[list[JobOrder], list[str]]:
    """Return the job orders that have to do with lots, and where these are."""
    jobs: dict[str, JobOrder] = {}
    places: dict[str, None] = {}
    for lot in lots:
        for position in state.position.find("lot", lot.id):
            if position.held:
                places[position.place] = None
                for job in state.job_order.find("visit", position.place):
                    if not job.is_over and job.lot in {None, lot.id}:
                        jobs[job.id] = job
    return list(jobs.values()), list(places)


def _shown(
    code: str,
    kind: str,
    title: str,
    jobs: list[JobOrder],
    places: list[str] | None = None,
) -> CodeView:
    return CodeView(
        code=code,
        kind=kind,
        title=title,
        job_orders=[job.id for job in jobs],
        places=places or [],
    )
