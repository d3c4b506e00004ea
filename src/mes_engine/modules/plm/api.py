"""The plm module over HTTP.

The body of a revision is the same document as a file of ``routings/``, as JSON. What is
sent again changes nothing and is answered the same way. What the engine makes of a
release shows in the revision a moment later.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal

from fastapi import Path
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRouter
from pydantic import Field
from starlette.exceptions import HTTPException

from mes_engine.core.characteristics import Characteristic, ValueKind
from mes_engine.core.expressions import MOST_CHARACTERS
from mes_engine.core.personnel import QualificationNeed
from mes_engine.core.quantity import ZERO
from mes_engine.core.routing import Routing
from mes_engine.core.steps import (
    BeginOn,
    Component,
    Connection,
    ConnectionKind,
    JobPer,
    Output,
    OutputKind,
    ReworkLoop,
    Sampling,
    Step,
    StepOrder,
)
from mes_engine.core.time_windows import WindowPoint, WindowRule
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import Person
from mes_engine.http.fields import Amount, At, Body, Id, Reason, SignedAmount, View
from mes_engine.http.paging import Cursor, Limit, Page, of_cursor, page_of
from mes_engine.modules.plm.model import Revision, RevisionState, RoutingUnusable, plain
from mes_engine.modules.plm.service import PlmService

MAX_STEPS = 1_000
_PARTS_OF_A_STEP = {
    "consumes",
    "produces",
    "tools",
    "qualification",
    "documents",
    "sampling",
    "characteristics",
}

RoutingId = Annotated[Id, Path(examples=["bracket"])]
RevisionId = Annotated[Id, Path(examples=["A"])]
Share = Annotated[Amount, Field(ge=0, le=1)]
DataCondition = Annotated[str, Field(max_length=MOST_CHARACTERS)]


class ComponentBody(Body):
    """Material that a step consumes for each piece."""

    material: Id
    per_piece: Amount
    unit: str


class OutputBody(Body):
    """Material that comes out of a step, for each piece, beside the pieces."""

    material: Id
    per_piece: Amount
    unit: str
    kind: Annotated[OutputKind, Field(strict=False)]
    location: Id | Literal[""] = ""


class QualificationBody(Body):
    """What a step asks of whoever loads and begins it."""

    name: Id
    level: Annotated[int, Field(ge=1, le=1000)] = 1


class SamplingBody(Body):
    """Which of those that come to a step are worked: one in so many, or a share."""

    every: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    share: Share | None = None


class CharacteristicBody(Body):
    """What is measured at a step; the unit and the limits are a number's."""

    name: Id
    kind: Annotated[ValueKind, Field(strict=False)] = ValueKind.NUMBER
    unit: str = "C62"
    lower: SignedAmount | None = None
    upper: SignedAmount | None = None
    is_required: bool = False


class StepBody(Body):
    """One step."""

    id: Id
    name: Reason
    work_center: Id
    equipment_class: Id
    job_per: Annotated[JobPer, Field(strict=False)] = JobPer.REQUEST
    begin_on: Annotated[BeginOn, Field(strict=False)] = BeginOn.OPERATOR
    setup_s: Amount = ZERO
    run_s: Amount = ZERO
    setup_family: Id | Literal[""] = Field(
        default="", description="what a machine is set up for; the material if empty"
    )
    same_unit_as: Id | Literal[""] = Field(
        default="", description="the step whose machine a lot has to come back to"
    )
    kanban: Amount | None = None
    consumes: list[ComponentBody] = Field(default_factory=list)
    produces: Annotated[list[OutputBody], Field(max_length=50)] = Field(
        default_factory=list
    )
    tools: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)
    qualification: QualificationBody | None = None
    documents: Annotated[list[Id], Field(max_length=50)] = Field(default_factory=list)
    load_per_piece: Amount = Decimal(1)
    sampling: SamplingBody | None = None
    is_optional: bool = False
    characteristics: Annotated[list[CharacteristicBody], Field(max_length=100)] = Field(
        default_factory=list
    )
    skip_when: DataCondition = Field(
        default="", description="skip the step of a lot, by its measured data"
    )


class ConnectionBody(Body):
    """What goes from one step to another."""

    kind: Annotated[ConnectionKind, Field(strict=False)]
    source: Id
    target: Id
    transfer_batch: Amount | None = None
    share: Share | None = Field(
        default=None, description="of a quantity connection; 1 if not said"
    )
    when: DataCondition = Field(
        default="", description="of an alternative: which lots take it, by their data"
    )
    is_otherwise: bool = Field(
        default=False, description="of an alternative: it takes what the others do not"
    )


class TimeWindowBody(Body):
    """How long a lot may, or has to, be between two steps."""

    source: Id = Field(alias="from")
    target: Id = Field(alias="to")
    starts_at: Annotated[WindowPoint, Field(strict=False)] = WindowPoint.ENDED
    ends_at: Annotated[WindowPoint, Field(strict=False)] = WindowPoint.BEGUN
    min_s: Amount | None = None
    max_s: Amount | None = None
    warn_s: Amount | None = None


class ReworkBody(Body):
    """A way back for pieces, and how often one may take it."""

    id: Id
    source: Id
    target: Id
    limit: Annotated[int, Field(ge=1, le=1000)] = 1


class RoutingBody(Body):
    """A revision; without ``connections`` each step follows the one before it."""

    id: Id
    revision: Id
    material: Id
    unit: str
    over_tolerance: Share = ZERO
    under_tolerance: Share = ZERO
    step_order: Annotated[StepOrder, Field(strict=False)] = StepOrder.STRICT
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=MAX_STEPS)]
    connections: list[ConnectionBody] | None = None
    time_windows: list[TimeWindowBody] = Field(default_factory=list)
    rework: Annotated[list[ReworkBody], Field(max_length=100)] = Field(
        default_factory=list
    )
    deviation: QualificationBody | None = None


class RefusalView(View):
    """Why the engine did not do what was decided."""

    message: str
    hint: str
    unmet: tuple[str, ...]


class RevisionView(View):
    """A revision, and who decided what of it."""

    routing: str
    revision: str
    material: str
    state: RevisionState
    effective: bool = Field(description="new work is stored by this revision")
    sha256: str = Field(description="of the body's canonical form")
    imported_at: At
    imported_by: str
    released_at: At | None
    released_by: str | None
    withdrawn_at: At | None
    withdrawn_by: str | None
    refusal: RefusalView | None


class FullRevisionView(RevisionView):
    """A revision with its body."""

    body: dict[str, Any]


def plm_router(service: PlmService) -> APIRouter:
    """Return the routes of the plm module."""
    router = api_router(prefix="/api/v1/plm", tags=["plm"])
    path = "/routings/{routing}/revisions/{revision}"

    @router.get("/routings")
    async def list_routing_revisions(
        limit: Limit = 100, cursor: Cursor = None
    ) -> Page[RevisionView]:
        """List the revisions of all routings, without their bodies."""
        after = ("", "") if cursor is None else _pair(of_cursor(cursor))
        found = await service.revisions(after=after, limit=limit + 1)
        return page_of(
            (
                (f"{one.body.id}/{one.body.revision}", RevisionView(**_members(one)))
                for one in found
            ),
            limit,
        )

    @router.get(path)
    async def show_routing_revision(
        routing: RoutingId, revision: RevisionId
    ) -> FullRevisionView:
        """Show a revision, its body and the body's hash."""
        return _full_view(await service.revision(routing, revision))

    @router.put(path)
    async def put_routing_revision(
        routing: RoutingId, revision: RevisionId, body: RoutingBody, person: Person
    ) -> FullRevisionView:
        """Import a revision as a draft; another body takes the place of a draft's."""
        made = _to_routing(body)
        if (made.id, made.revision) != (routing, revision):
            raise _invalid([("id", "id and revision are not those of the path")])
        try:
            return _full_view(await service.put_draft(made, person=person))
        except RoutingUnusable as error:
            raise _invalid(error.problems) from error

    @router.post(f"{path}/release", status_code=202)
    async def release_routing_revision(
        routing: RoutingId, revision: RevisionId, person: Person
    ) -> FullRevisionView:
        """Ask the engine to work by a revision; its body stays as it is from now on."""
        return _full_view(await service.release(routing, revision, person=person))

    @router.post(f"{path}/withdraw", status_code=202)
    async def withdraw_routing_revision(
        routing: RoutingId, revision: RevisionId, person: Person
    ) -> FullRevisionView:
        """Ask the engine to store no more work by a revision."""
        return _full_view(await service.withdraw(routing, revision, person=person))

    return router


def _to_routing(body: RoutingBody) -> Routing:
    steps = tuple(
        Step(
            **one.model_dump(exclude=_PARTS_OF_A_STEP),
            consumes=tuple(Component(**part.model_dump()) for part in one.consumes),
            produces=tuple(Output(**part.model_dump()) for part in one.produces),
            tools=tuple(one.tools),
            qualification=_need(one.qualification),
            sampling=(
                None if one.sampling is None else Sampling(**one.sampling.model_dump())
            ),
            documents=tuple(one.documents),
            characteristics=tuple(
                Characteristic(**part.model_dump()) for part in one.characteristics
            ),
        )
        for one in body.steps
    )
    if body.connections is None:
        connections = tuple(
            Connection(kind=ConnectionKind.QUANTITY, source=one.id, target=after.id)
            for one, after in pairwise(steps)
        )
    else:
        _check_kinds(body.connections)
        connections = tuple(
            Connection(**one.model_dump(exclude_none=True)) for one in body.connections
        )
    members = body.model_dump(
        exclude={"steps", "connections", "time_windows", "rework", "deviation"}
    )
    return Routing(
        **members,
        steps=steps,
        connections=connections,
        time_windows=tuple(WindowRule(**one.model_dump()) for one in body.time_windows),
        rework=tuple(ReworkLoop(**one.model_dump()) for one in body.rework),
        deviation=_need(body.deviation),
    )


def _need(body: QualificationBody | None) -> QualificationNeed | None:
    return None if body is None else QualificationNeed(**body.model_dump())


def _check_kinds(connections: list[ConnectionBody]) -> None:
    says_nothing = {
        ConnectionKind.QUANTITY: (),
        ConnectionKind.ALTERNATIVE: ("share",),
        ConnectionKind.PRECEDENCE: ("share", "transfer_batch"),
    }
    problems = [
        (
            f"connections.{index}.{name}",
            f"says nothing for a connection of kind {one.kind.value}",
        )
        for index, one in enumerate(connections)
        for name in says_nothing[one.kind]
        if getattr(one, name) is not None
    ]
    if problems:
        raise _invalid(problems)


def _invalid(problems: Iterable[tuple[str, str]]) -> RequestValidationError:
    return RequestValidationError(
        [
            {
                "type": "value_error",
                "loc": ("body", *path.split(".")),
                "msg": text,
                "input": None,
            }
            for path, text in problems
        ]
    )


def _pair(cursor: str) -> tuple[str, str]:
    routing, slash, revision = cursor.partition("/")
    if not slash:
        raise HTTPException(400, "The cursor is not one that a page gave.")
    return routing, revision


def _members(revision: Revision) -> dict[str, Any]:
    refusal = revision.refusal
    return {
        "routing": revision.body.id,
        "revision": revision.body.revision,
        "material": revision.body.material,
        "state": revision.state,
        "effective": revision.is_effective,
        "sha256": revision.digest,
        "imported_at": revision.imported_at,
        "imported_by": revision.imported_by,
        "released_at": revision.released_at,
        "released_by": revision.released_by,
        "withdrawn_at": revision.withdrawn_at,
        "withdrawn_by": revision.withdrawn_by,
        "refusal": None if refusal is None else RefusalView.model_validate(refusal),
    }


def _full_view(revision: Revision) -> FullRevisionView:
    return FullRevisionView(**_members(revision), body=plain(revision.body))
