"""Work centers with their queues, and work units with what is known of them."""

from decimal import Decimal

from fastapi import APIRouter, Response
from pydantic import Field

from mes_engine.core.dispatching import DispatchDecision, in_turn
from mes_engine.core.job_order import INTERRUPTED, JobOrder
from mes_engine.core.messages import DispatchWorkUnit, LoadTogether
from mes_engine.core.plant import WorkUnit
from mes_engine.core.production import MachineTally, UnassignedProduction
from mes_engine.core.queues import queue_of
from mes_engine.core.runs import Lane
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import Id
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.job_order_views import (
    JobOrderDetail,
    QueuedJobOrder,
    RunView,
)
from mes_engine.web.machine_transactions import open_alarms
from mes_engine.web.parts import Parts
from mes_engine.web.work_unit_views import (
    DecisionView,
    EquipmentView,
    QueueView,
    RuleSettingsView,
    SignalView,
    UnassignedView,
    WaitingView,
    WorkCenterView,
    WorkUnitDetail,
    WorkUnitView,
)

SHOWN_WAITING = 50
MOST_TOGETHER = 1000


class LoadBody(Occurred):
    """Which job orders go into one run; the active lane if it is free, unless named."""

    job_orders: list[Id] = Field(min_length=1, max_length=MOST_TOGETHER)
    lane: Word[Lane] | None = Field(default=None)


class DispatchBody(Occurred):
    """Which lane; the active one if it is free, unless named."""

    lane: Word[Lane] | None = Field(default=None)
    begins: bool = Field(default=False, description="whether it is begun at once")


def work_units_router(parts: Parts) -> APIRouter:
    """Return the routes of work centers and work units."""
    router = api_router(tags=["work units"])
    post = posts(router)

    @router.get("/work-centers")
    async def list_work_centers() -> list[WorkCenterView]:
        """List the work centers of the plant."""
        site, state = parts.state.site, parts.state
        return [
            WorkCenterView(
                id=one.id,
                area=one.area,
                name=one.name,
                rule=one.rule,
                rule_settings=RuleSettingsView.model_validate(one.rule_settings),
                posting=one.posting,
                work_units=[unit.id for unit in site.units_of[one.id]],
                queued=len(state.job_order.members("queue", one.id)),
            )
            for one in site.plant.work_centers
        ]

    @router.get("/work-centers/{work_center}/queue")
    async def show_queue(work_center: Id, limit: Limit = SHOWN_WAITING) -> QueueView:
        """Show what waits at a work center, in turn, and what blocks it."""
        state = parts.state
        center = state.site.work_center(work_center)
        queue, now = queue_of(state, center), parts.clock()
        order, scored = in_turn(center.rule, center.rule_settings, queue, now)
        set_down = set_down_at(parts, center.id)
        return QueueView(
            work_center=center.id,
            rule=center.rule,
            total=len(queue),
            waiting=[
                WaitingView.of(
                    state,
                    queue[at].job,
                    score=Decimal(scored.scores[at]),
                    why=scored.why(at),
                )
                for at in order[:limit]
            ],
            set_down=[QueuedJobOrder.of(state, job) for job in set_down[:limit]],
            seq=state.seq,
        )

    @router.get("/work-units")
    async def list_work_units() -> list[WorkUnitView]:
        """List the work units of the plant, with what is on each."""
        return [
            WorkUnitView.model_validate(unit_members(parts, unit))
            for unit in parts.state.site.plant.work_units
        ]

    @router.get("/work-units/{work_unit}")
    async def show_work_unit(work_unit: Id) -> WorkUnitDetail:
        """Show a work unit: its states, what is on it, its signals and counts."""
        state = parts.state
        unit = state.site.work_unit(work_unit)
        runs = state.run.find("work_unit", unit.id)
        loaded = [
            (loaded_job(parts, one), run) for run in runs for one in run.job_orders
        ]
        return WorkUnitDetail.model_validate(
            unit_members(parts, unit)
            | {
                "job_orders": [
                    JobOrderDetail.detailed(state, job, [run]) for job, run in loaded
                ],
                "signals": _signals(parts, unit),
                "tallies": _tallies(parts, unit),
                "now": parts.clock(),
                "seq": state.seq,
            }
        )

    @post("/work-units/{work_unit}/dispatch")
    async def dispatch_work_unit(
        work_unit: Id, sender: CommandSender, body: DispatchBody | None = None
    ) -> Response:
        """Load what the rule puts first: a job order, or a run of several."""
        command = DispatchWorkUnit(
            work_unit=work_unit,
            lane=None if body is None else body.lane,
            begins=body is not None and body.begins,
        )
        return await carried_out(parts, sender, command, body)

    @post("/work-units/{work_unit}/load")
    async def load_work_unit(
        work_unit: Id, body: LoadBody, sender: CommandSender
    ) -> Response:
        """Load several job orders into one run, as into a furnace."""
        command = LoadTogether(
            work_unit=work_unit, job_orders=tuple(body.job_orders), lane=body.lane
        )
        return await carried_out(parts, sender, command, body)

    @router.get("/equipment")
    async def list_equipment() -> list[EquipmentView]:
        """List what is known of every machine."""
        return [
            EquipmentView.of(parts, unit) for unit in parts.state.site.plant.work_units
        ]

    @router.get("/unassigned-production")
    async def list_unassigned_production(
        *,
        work_unit: Id | None = None,
        is_open: bool | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[UnassignedView]:
        """List counted pieces that are on no job order, the oldest first."""
        columns = table_of("unassigned_production").c
        settled = columns.assigned + columns.dismissed
        open_or_not = {
            None: [],
            True: [columns.quantity > settled],
            False: [columns.quantity <= settled],
        }
        return await page(
            parts.database,
            "unassigned_production",
            columns.seq > number_of_cursor(cursor),
            *is_one(columns.work_unit, work_unit),
            *open_or_not[is_open],
            partition=parts.state.partition,
            by=columns.seq,
            key=_seq,
            shown=UnassignedView.model_validate,
            limit=limit,
        )

    @router.get("/dispatch-decisions")
    async def list_dispatch_decisions(
        work_unit: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[DecisionView]:
        """List what was dispatched and why, the newest first."""
        columns = table_of("dispatch_decision").c
        before = [columns.seq < number_of_cursor(cursor)] if cursor else []
        return await page(
            parts.database,
            "dispatch_decision",
            *before,
            *is_one(columns.work_unit, work_unit),
            partition=parts.state.partition,
            by=columns.seq.desc(),
            key=_seq,
            shown=DecisionView.model_validate,
            limit=limit,
        )

    return router


def set_down_at(parts: Parts, work_center: str) -> list[JobOrder]:
    """Return the job orders that were begun there, and have no place now."""
    live = parts.state.job_order.find("live_at", work_center)
    return [job for job in live if job.state in INTERRUPTED and not job.run]


def unit_members(parts: Parts, unit: WorkUnit) -> dict[str, object]:
    """Return what a work unit is shown by."""
    return {
        "id": unit.id,
        "name": unit.name,
        "work_center": unit.work_center,
        "classes": unit.classes,
        "active": unit.active,
        "staged": unit.staged,
        "equipment": EquipmentView.of(parts, unit),
        "runs": [RunView.of(run) for run in parts.state.run.find("work_unit", unit.id)],
        "alarms": open_alarms(parts, unit.id),
    }


def loaded_job(parts: Parts, job_order: str) -> JobOrder:
    """Return a job order that is in an open run."""
    job = parts.state.job_order.get(job_order)
    if job is None:
        raise LookupError(f"a run of {job_order}, which is not there")
    return job


def _signals(parts: Parts, unit: WorkUnit) -> list[SignalView]:
    shown = []
    for signal in parts.state.site.plant.signals:
        if signal.work_unit == unit.id:
            last = parts.state.signal.get(signal.tag)
            shown.append(
                SignalView(
                    tag=signal.tag,
                    link=signal.link,
                    means=signal.means,
                    value=None if last is None else last.value,
                    at=None if last is None else last.at,
                    epoch=0 if last is None else last.epoch,
                    position=0 if last is None else last.position,
                )
            )
    return shown


def _tallies(parts: Parts, unit: WorkUnit) -> list[MachineTally]:
    found = (
        parts.state.machine_tally.get((unit.id, role)) for role in ("good", "scrap")
    )
    return [one for one in found if one is not None]


def _seq(one: DispatchDecision | UnassignedProduction) -> int:
    return one.seq
