"""What a terminal shows of a work unit: its work, and everything that work needs."""

from decimal import Decimal
from typing import Annotated, Self

import msgspec
from fastapi import Query
from pydantic import Field

from mes_engine.core.assets import LifeUnit, PhysicalAsset
from mes_engine.core.components import used_of
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.guards import unmet, unmet_guards
from mes_engine.core.holding import holds_on, may_release
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.means import Asker, combination, lacks, tools_at
from mes_engine.core.plant import WorkUnit
from mes_engine.core.quantity import UNITS
from mes_engine.core.readiness import routing_of, step_of, usable_stock
from mes_engine.core.runs import Hold, Run
from mes_engine.core.state import State
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.window_condition import live_windows
from mes_engine.core.wip_ledger import Position
from mes_engine.http.commands import MAX_NAME
from mes_engine.http.fields import At, Decimals, View
from mes_engine.web.holds import HoldView
from mes_engine.web.job_order_views import (
    ConditionView,
    JobOrderDetail,
    QueuedJobOrder,
)
from mes_engine.web.labour import SignedOnView
from mes_engine.web.time_window_views import TimeWindowView
from mes_engine.web.tools import ToolView
from mes_engine.web.work_unit_views import UnassignedView, WorkUnitView

MOST_LOTS = 20
_OF_POSITION = ("lot", "queued", "in_process", "suspect", "out")

Who = Annotated[str, Query(max_length=MAX_NAME, description="who stands there")]
"""The person to whom something is shown; what he may not do is said."""


class OpenHoldView(HoldView):
    """An open hold, and whether who asks may release it."""

    may_release: bool

    @classmethod
    def to(cls, state: State, hold: Hold, person: str) -> Self:
        """Show a hold to the person who stands there."""
        is_his = may_release(state, hold, person.strip())
        return cls.model_validate(
            msgspec.structs.asdict(hold) | {"may_release": is_his}
        )


class LotHereView(View):
    """A lot at the step of a job order, and how much of it is where.

    Attributes:
        serial: That of the piece, if it is one; else empty.
        takes_serials: Whether its pieces may be given serials: it has none itself.
    """

    lot: str
    serial: str
    takes_serials: bool
    queued: Decimals
    in_process: Decimals
    suspect: Decimals
    out: Decimals


class WayView(View):
    """A step that pieces can be sent to."""

    step: str = Field(validation_alias="id")
    name: str


class ToolNeedView(View):
    """A class of tools that the step asks for.

    Attributes:
        tool: The one that it is worked with, or would be; None if there is none.
        left: What is left of its life; None if that is not counted.
        mountable: Those that could be mounted instead, or besides.
        why: Why there is none.
    """

    asset_class: str
    tool: ToolView | None
    left: Decimals | None
    mountable: list[str]
    why: str


class DocumentToReadView(View):
    """A document that the step is worked by; its revision, if one is known."""

    id: str
    revision: str
    title: str
    is_released: bool


class StockView(View):
    """A lot in stock that may be consumed."""

    lot: str
    place: str
    quantity: Decimals = Field(validation_alias="stock")


class ComponentView(View):
    """A component of the step: what was given by hand, and from what more can be."""

    material: str
    unit: str
    per_piece: Decimals
    used: Decimals
    lots: list[StockView]


class WaitingWork(QueuedJobOrder):
    """A job order that waits, or was set down.

    Attributes:
        unmet: Why this person cannot take it to this work unit now.
        ways: The steps that a deviation may send pieces to.
        no_right: Why this person may neither deviate nor skip; empty if he may.
    """

    unmet: list[ConditionView]
    holds: list[OpenHoldView]
    lots: list[LotHereView]
    time_windows: list[TimeWindowView]
    is_optional: bool
    ways: list[WayView]
    no_right: str


class LoadedWork(JobOrderDetail):
    """A job order on the work unit; its triggers are those of who asks.

    Attributes:
        ways: The steps that a deviation may send pieces to.
        no_right: Why this person may not deviate; empty if he may.
    """

    holds: list[OpenHoldView]
    lots: list[LotHereView]
    ways: list[WayView]
    no_right: str
    tools: list[ToolNeedView]
    documents: list[DocumentToReadView]
    components: list[ComponentView]


class TerminalView(View):
    """Everything that the terminal of a work unit shows.

    Attributes:
        takes_several: Whether several job orders go into one run here.
        loaded: What is on the work unit.
        set_down: Begun at this work center, and without a place.
        waiting: What waits at the work center, in turn; the first 50.
        total: How many wait, whether they are listed or not.
        people: Who is signed on.
        tools: What is mounted.
        unassigned: What was counted here, and is on no job order.
    """

    unit: WorkUnitView
    takes_several: bool
    loaded: list[LoadedWork]
    set_down: list[WaitingWork]
    waiting: list[WaitingWork]
    total: int
    people: list[SignedOnView]
    tools: list[ToolView]
    unassigned: list[UnassignedView]
    now: At
    seq: int


def waiting_work(
    state: State, job: JobOrder, unit: WorkUnit, asker: Asker
) -> WaitingWork:
    """Show a job order that could be taken to ``unit`` by who asks."""
    return WaitingWork.of(
        state,
        job,
        unmet=_against_loading(state, job, unit, asker),
        time_windows=live_windows(state, job),
        is_optional=step_of(state, job).is_optional,
        **_common(state, job, asker),
    )


def loaded_work(
    state: State, job: JobOrder, run: Run, unit: WorkUnit, asker: Asker
) -> LoadedWork:
    """Show a job order that is on ``unit``, to who asks."""
    return LoadedWork.detailed(
        state,
        job,
        [run],
        asker=asker,
        tools=_tools(state, job, unit),
        documents=_documents(state, job),
        components=_components(state, job),
        **_common(state, job, asker),
    )


def _common(state: State, job: JobOrder, asker: Asker) -> dict[str, object]:
    routing = routing_of(state, job)
    return {
        "holds": [
            OpenHoldView.to(state, one, asker.person) for one in holds_on(state, job)
        ],
        "lots": [
            _lot_here(state, one) for one in positions_of(state, job) if one.on_floor
        ],
        "ways": [
            one
            for one in routing.steps
            if one.id != job.step and routing.holds_pieces(one.id)
        ],
        "no_right": lacks(state, routing.deviation, asker.person, asker.at),
    }


def _lot_here(state: State, position: Position) -> dict[str, object]:
    lot = state.lot.get(position.lot)
    serial = "" if lot is None else lot.serial
    is_counted = UNITS[position.unit][0] == 0
    return {one: getattr(position, one) for one in _OF_POSITION} | {
        "serial": serial,
        "takes_serials": is_counted and not serial,
    }


def _against_loading(
    state: State, job: JobOrder, unit: WorkUnit, asker: Asker
) -> list[Condition]:
    """Return what speaks against it, a machine that is busy apart: that is seen."""
    found = unmet(job.conditions)
    if job.run is None:
        who = asker if asker.person else None  # Nobody: then whether anybody could.
        found += unmet_guards(state, job, JobOrderTrigger.LOAD, who)
        found += tuple(
            one
            for one in combination(state, job, unit, asker)
            if who is not None or one.name is not ConditionName.PERSON_QUALIFIED
        )
    by_name = {one.name: one for one in reversed(found)}
    by_name.pop(ConditionName.LANE_FREE, None)
    return list(reversed(by_name.values()))


def _tools(state: State, job: JobOrder, unit: WorkUnit) -> list[dict[str, object]]:
    """Return what of each class it is worked with, first what its run has claimed."""
    classes = step_of(state, job).tools
    if not classes:
        return []
    claimed = state.physical_asset.find("run", job.run)
    wanted, why = tools_at(state, job, unit, is_free=False)
    shown: list[dict[str, object]] = []
    for asset_class in classes:
        chosen = [*claimed, *wanted]
        tool = next((one for one in chosen if one.asset_class == asset_class), None)
        claimed = [one for one in claimed if one is not tool]
        wanted = [one for one in wanted if one is not tool]
        shown.append(
            {
                "asset_class": asset_class,
                "tool": tool,
                "left": None if tool is None else _left(tool),
                "mountable": _mountable(state, asset_class),
                "why": why if tool is None else tool.told,
            }
        )
    return shown


def _left(tool: PhysicalAsset) -> Decimal | None:
    return None if tool.life_unit is LifeUnit.NONE else tool.life - tool.used


def _mountable(state: State, asset_class: str) -> list[str]:
    known = state.physical_asset.find("class", asset_class)
    return sorted(one.id for one in known if one.is_usable and one.work_unit is None)


def _documents(state: State, job: JobOrder) -> list[DocumentToReadView]:
    found = []
    for name in step_of(state, job).documents:
        known = state.document.get(name)
        found.append(
            DocumentToReadView(
                id=name,
                revision="" if known is None else known.revision,
                title="" if known is None else known.title,
                is_released=known is not None and known.is_released,
            )
        )
    return found


def _components(state: State, job: JobOrder) -> list[ComponentView]:
    return [
        ComponentView(
            material=one.material,
            unit=one.unit,
            per_piece=one.per_piece,
            used=used_of(state, job, one.material),
            lots=[
                StockView.model_validate(position)
                for position in usable_stock(state, one, job)[:MOST_LOTS]
            ],
        )
        for one in step_of(state, job).consumes
    ]
