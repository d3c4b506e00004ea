"""Work requests over HTTP: plan, release, follow, close."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.requests import ConnectionFlow, Visit, WorkRequest
from mes_engine.core.requests import WorkRequestState as RequestState
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import (
    Amount,
    At,
    Decimals,
    Id,
    Instant,
    Text,
    View,
)
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, of_cursor
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import found, is_one, one_by_key, page, table_of
from mes_engine.web.job_order_views import JobOrderView, PositionView
from mes_engine.web.parts import Parts


class WorkRequestView(View):
    """A production order: make ``quantity`` of ``material`` by ``due_at``."""

    id: str
    material: str
    unit: str
    quantity: Decimals
    routing: str
    revision: str
    due_at: At
    priority: int
    demand: str
    created_at: At
    state: RequestState
    lot: str | None


class LotWayView(View):
    """The alternative that a lot takes when it leaves a visit."""

    lot: str
    target: str
    is_set: bool


class VisitView(View):
    """One pass of the request through a step."""

    id: str
    step: str
    pass_number: int
    tokens: list[str]
    chosen: str | None
    ways: list[LotWayView]
    skips: list[str]
    is_done: bool


class FlowView(View):
    """What has passed between two steps: ``sent = in transit + arrived``."""

    source: str
    target: str
    sent: Decimals
    arrived: Decimals


class WorkRequestDetail(View):
    """A request with its visits, its job orders and where its pieces are."""

    work_request: WorkRequestView
    job_orders: list[JobOrderView]
    visits: list[VisitView]
    positions: list[PositionView]
    flows: list[FlowView]


class PlanBody(Occurred):
    """What to make, by when; the effective revision of the routing if none is named.

    Attributes:
        releases_job_orders: Whether its release lets its job orders start too; else a
            person releases each.
        lot_size: How many pieces a lot takes; all in one if not said.
    """

    work_request: Id
    routing: Id
    quantity: Amount
    due_at: Instant
    revision: Id | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    demand: Text = ""
    releases_job_orders: bool = True
    lot_size: Amount | None = None


class WhyBody(Occurred):
    """Why, if there is something to say."""

    reason: Text = ""


class AlternativeBody(Occurred):
    """After ``step``, go to ``target``; in its first pass, unless it is said.

    Attributes:
        lot: The only lot that does, where measured data tells the way of each.
    """

    step: Id
    target: Id
    pass_number: Annotated[int, Field(ge=1)] = 1
    lot: Id | None = None
    reason: Text = ""


def work_requests_router(parts: Parts) -> APIRouter:
    """Return the routes of work requests."""
    router = api_router(prefix="/work-requests", tags=["work requests"])
    post = posts(router)

    @router.get("")
    async def list_work_requests(
        state: Annotated[list[RequestState] | None, Query()] = None,
        routing: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[WorkRequestView]:
        """List work requests, by id."""
        columns = table_of("work_request").c
        return await page(
            parts.database,
            "work_request",
            columns.id > ("" if cursor is None else of_cursor(cursor)),
            *is_one(columns.routing, routing),
            *([columns.state.in_(state)] if state else []),
            partition=parts.state.partition,
            by=columns.id,
            key=_id,
            shown=WorkRequestView.model_validate,
            limit=limit,
        )

    @post("")
    async def create_work_request(body: PlanBody, sender: CommandSender) -> Response:
        """Plan a work request."""
        command = m.CreateWorkRequest(
            work_request=body.work_request,
            routing=body.routing,
            quantity=body.quantity,
            due_at=body.due_at,
            revision=body.revision,
            priority=body.priority,
            demand=body.demand,
            releases_job_orders=body.releases_job_orders,
            lot_size=body.lot_size,
        )
        return await carried_out(parts, sender, command, body)

    @router.get("/{work_request}")
    async def show_work_request(work_request: Id) -> WorkRequestDetail:
        """Show a request: its steps, its job orders, and where its pieces are."""
        partition = parts.state.partition
        request: WorkRequest = await one_by_key(
            parts.database,
            "work_request",
            work_request,
            partition=partition,
            what="work request",
        )
        columns = {
            name: table_of(name).c
            for name in ("job_order", "visit", "position", "connection_flow")
        }
        of_it = await parts.database.read(
            lambda connection: {
                name: found(
                    connection,
                    name,
                    columns[name].request == work_request,
                    partition=partition,
                    order_by=columns[name].number if name == "job_order" else None,
                )
                for name in columns
            }
        )
        visits: list[Visit] = of_it["visit"]
        flows: list[ConnectionFlow] = of_it["connection_flow"]
        return WorkRequestDetail(
            work_request=WorkRequestView.model_validate(request),
            job_orders=[JobOrderView.model_validate(one) for one in of_it["job_order"]],
            visits=[VisitView.model_validate(one) for one in visits],
            positions=[PositionView.model_validate(one) for one in of_it["position"]],
            flows=[FlowView.model_validate(one) for one in flows],
        )

    @post("/{work_request}/release")
    async def release_work_request(
        work_request: Id, sender: CommandSender, body: Occurred | None = None
    ) -> Response:
        """Let work begin."""
        command = m.ReleaseWorkRequest(work_request=work_request)
        return await carried_out(parts, sender, command, body)

    @post("/{work_request}/close")
    async def close_work_request(
        work_request: Id, sender: CommandSender, body: Occurred | None = None
    ) -> Response:
        """Seal a request all of whose job orders are over."""
        command = m.CloseWorkRequest(work_request=work_request)
        return await carried_out(parts, sender, command, body)

    @post("/{work_request}/cancel")
    async def cancel_work_request(
        work_request: Id, sender: CommandSender, body: WhyBody | None = None
    ) -> Response:
        """Give up a request on which nothing was booked."""
        command = m.CancelWorkRequest(
            work_request=work_request, reason="" if body is None else body.reason
        )
        return await carried_out(parts, sender, command, body)

    @post("/{work_request}/choose-alternative")
    async def choose_alternative(
        work_request: Id, body: AlternativeBody, sender: CommandSender
    ) -> Response:
        """Say which alternative after a step the request takes."""
        command = m.ChooseAlternative(
            work_request=work_request,
            step=body.step,
            target=body.target,
            pass_number=body.pass_number,
            lot=body.lot,
            reason=body.reason,
        )
        return await carried_out(parts, sender, command, body)

    return router


def _id(request: WorkRequest) -> str:
    return request.id
