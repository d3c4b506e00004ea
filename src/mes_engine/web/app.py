"""The app: the engine's routers, the modules' routers, the pages, and the limits."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from mes_engine.http.admission import Admission, Admitted, RefusedUnread
from mes_engine.http.limits import KnownHosts, RequestLimits, SafetyHeaders
from mes_engine.http.problems import UnexpectedErrors, install_problem_handlers
from mes_engine.http.timing import RequestTimes
from mes_engine.storage.database import Database
from mes_engine.web.board import board_router
from mes_engine.web.bookings import bookings_router
from mes_engine.web.carriers import carriers_router
from mes_engine.web.command_bodies import problem_told
from mes_engine.web.documents import documents_router
from mes_engine.web.gateways import gateways_router
from mes_engine.web.genealogy import genealogy_router
from mes_engine.web.health import health_router
from mes_engine.web.help import help_router
from mes_engine.web.holds import holds_router
from mes_engine.web.job_order_commands import job_order_commands_router
from mes_engine.web.job_orders import job_orders_router
from mes_engine.web.journal import journal_router
from mes_engine.web.labour import labour_router
from mes_engine.web.lot_commands import lot_commands_router
from mes_engine.web.lots import lots_router
from mes_engine.web.machine_calls import machine_calls_router
from mes_engine.web.machine_jobs import machine_jobs_router
from mes_engine.web.machine_transactions import machine_transactions_router
from mes_engine.web.measurements import measurements_router
from mes_engine.web.pages import pages_router
from mes_engine.web.parts import (
    Clock,
    EngineFace,
    FeedFace,
    GatewayDoor,
    LinkStates,
    Parts,
)
from mes_engine.web.people import people_router
from mes_engine.web.periods import periods_router
from mes_engine.web.postings import postings_router
from mes_engine.web.reconciliation import reconciliation_router
from mes_engine.web.rework import rework_router
from mes_engine.web.routings import routings_router
from mes_engine.web.serials import serials_router
from mes_engine.web.terminals import terminals_router
from mes_engine.web.time_windows import time_windows_router
from mes_engine.web.tools import tools_router
from mes_engine.web.wip_limits import wip_limits_router
from mes_engine.web.work_request_changes import work_request_changes_router
from mes_engine.web.work_requests import work_requests_router
from mes_engine.web.work_units import work_units_router

API = "/api/v1"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
STATIC = Path(__file__).parent / "static"

_ROUTERS = (
    work_units_router,
    job_orders_router,
    job_order_commands_router,
    rework_router,
    bookings_router,
    measurements_router,
    reconciliation_router,
    work_requests_router,
    work_request_changes_router,
    holds_router,
    tools_router,
    people_router,
    labour_router,
    terminals_router,
    board_router,
    machine_calls_router,
    machine_jobs_router,
    machine_transactions_router,
    documents_router,
    time_windows_router,
    wip_limits_router,
    lots_router,
    lot_commands_router,
    serials_router,
    carriers_router,
    genealogy_router,
    routings_router,
    periods_router,
    postings_router,
    journal_router,
    gateways_router,
)


def create_app(
    *,
    engine: EngineFace,
    database: Database,
    feed: FeedFace,
    clock: Clock,
    stopping: asyncio.Event,
    modules: Iterable[APIRouter] = (),
    hosts: Sequence[str] = LOOPBACK,
    links: LinkStates = dict,
    schema: str | None = None,
    gateways: GatewayDoor | None = None,
    metrics: CollectorRegistry | None = None,
    admission: Admission | None = None,
) -> FastAPI:
    """Return the app.

    Args:
        engine: Whose committed state is read, and who takes the commands.
        database: Where lists and history are read.
        feed: What was committed, for the stream of facts.
        clock: Microseconds of UTC.
        stopping: Once set, the streams end with a ``bye``.
        modules: The routers of the modules, each with its own path below ``/api/v1``.
        hosts: The host names by which this server may be asked.
        links: Tells the state of each link, for ``/readyz``.
        schema: The revision that the database's tables have to be of.
        gateways: Where gateways come in.
        metrics: What is measured, for ``/metrics``; None where nothing is.
        admission: How many requests are worked on at once; None for as many as come.
    """
    parts = Parts(
        engine=engine,
        database=database,
        feed=feed,
        clock=clock,
        links=links,
        schema=schema,
        gateways=gateways,
        metrics=metrics,
    )
    app = FastAPI(
        title="MES engine",
        summary="Work in progress, from a signal on a machine to the ERP's ledger.",
        version=version("mes-engine"),
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        generate_unique_id_function=_function_name,
        responses={422: problem_told("invalid")},
        lifespan=_ending_streams(feed, stopping),
    )
    for make in _ROUTERS:
        app.include_router(make(parts), prefix=API)
    for router in modules:
        app.include_router(router)
    app.include_router(health_router(parts))
    app.include_router(help_router(app), include_in_schema=False)
    app.include_router(pages_router(parts), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    install_problem_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(UnexpectedErrors)
    if admission is not None:
        app.add_middleware(Admitted, admission=admission)
    app.add_middleware(RequestLimits)
    if admission is not None:
        app.add_middleware(RefusedUnread, admission=admission)
    app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(SafetyHeaders)
    if metrics is not None:
        app.add_middleware(RequestTimes, registry=metrics, life=clock())
    return app


def _function_name(route: APIRoute) -> str:
    return route.name


def _make_routes(app: FastAPI) -> None:
    """Have the routes made now, and not on the event loop with the first request."""
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "headers": []})


def _ending_streams(feed: FeedFace, stopping: asyncio.Event) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(_make_routes, app)

        async def end_streams() -> None:
            await stopping.wait()
            feed.close()

        async with asyncio.TaskGroup() as tasks:
            ending = tasks.create_task(end_streams())
            yield
            ending.cancel()
            feed.close()

    return lifespan
