"""Routings over HTTP: which revisions are released, and which one is effective."""

from fastapi import APIRouter
from pydantic import Field

from mes_engine.core.characteristics import ValueKind
from mes_engine.core.routing import Routing
from mes_engine.core.steps import BeginOn, ConnectionKind, JobPer, OutputKind
from mes_engine.core.time_windows import WindowPoint
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import Decimals, View
from mes_engine.web.parts import Parts


class ComponentView(View):
    """Material consumed at a step, for each piece."""

    material: str
    per_piece: Decimals
    unit: str


class OutputView(View):
    """Material that comes out of a step, for each piece, beside the pieces."""

    material: str
    per_piece: Decimals
    unit: str
    kind: OutputKind
    location: str


class QualificationNeedView(View):
    """What a step asks of whoever loads and begins it."""

    name: str
    level: int


class CharacteristicView(View):
    """What is measured at a step; required data is what its job orders end with."""

    name: str
    kind: ValueKind
    unit: str
    lower: Decimals | None
    upper: Decimals | None
    is_required: bool


class RoutingStepView(View):
    """One step of a routing; times are in seconds."""

    id: str
    name: str
    work_center: str
    equipment_class: str
    job_per: JobPer
    begin_on: BeginOn
    setup_s: Decimals
    run_s: Decimals
    setup_family: str
    same_unit_as: str
    kanban: Decimals | None
    consumes: list[ComponentView]
    produces: list[OutputView]
    tools: list[str]
    qualification: QualificationNeedView | None
    documents: list[str]
    characteristics: list[CharacteristicView]
    skip_when: str


class ConnectionView(View):
    """What goes from one step to another."""

    kind: ConnectionKind
    source: str
    target: str
    transfer_batch: Decimals | None
    share: Decimals
    when: str
    is_otherwise: bool


class WindowRuleView(View):
    """How long a lot may, or has to, be between two steps; times are in seconds."""

    source: str = Field(serialization_alias="from")
    target: str = Field(serialization_alias="to")
    starts_at: WindowPoint
    ends_at: WindowPoint
    min_s: Decimals | None
    max_s: Decimals | None
    warn_s: Decimals | None


class ReworkView(View):
    """A way back for pieces, and how often one may take it."""

    id: str
    source: str
    target: str
    limit: int


class RoutingBody(View):
    """A revision of a process, as it was released."""

    id: str
    revision: str
    material: str
    unit: str
    steps: list[RoutingStepView]
    connections: list[ConnectionView]
    time_windows: list[WindowRuleView]
    rework: list[ReworkView]
    deviation: QualificationNeedView | None
    over_tolerance: Decimals
    under_tolerance: Decimals


class RoutingView(View):
    """A released revision; new work is stored by the effective one."""

    routing: RoutingBody
    is_effective: bool


def routings_router(parts: Parts) -> APIRouter:
    """Return the routes of routings."""
    router = api_router(prefix="/routings", tags=["routings"])

    @router.get("")
    async def list_routings() -> list[RoutingView]:
        """List every released revision, with its steps and connections."""
        every = sorted(
            parts.state.routing.values(), key=lambda one: (one.id, one.revision)
        )
        return [
            RoutingView(
                routing=RoutingBody.model_validate(one),
                is_effective=_is_effective(parts, one),
            )
            for one in every
        ]

    return router


def _is_effective(parts: Parts, routing: Routing) -> bool:
    effective = parts.state.effective_routing.get(routing.id)
    return effective is not None and effective.revision == routing.revision
