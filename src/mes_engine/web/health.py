"""Whether the process lives, and whether it is ready to be asked."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from mes_engine.core.errors import MesError, NotFound, Refused
from mes_engine.http.fields import View
from mes_engine.ports import StoreUnavailable
from mes_engine.web.gateways import GatewayStatus, gateway_views
from mes_engine.web.parts import Parts

PATIENCE_S = 2.0


class Health(View):
    """The process answers."""

    status: str


class Readiness(View):
    """What readiness depends on, and the links to the machines besides.

    Attributes:
        checks: By name, ``ok`` or what is wrong.
        links: The state of each link; a lost one does not make us unready.
        gateways: How each of them stands; nor does a lost one of these.
    """

    is_ready: bool
    checks: Mapping[str, str]
    links: Mapping[str, str]
    gateways: list[GatewayStatus]
    seq: int


def health_router(parts: Parts) -> APIRouter:
    """Return the routes for whoever watches the process."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> Health:
        """Say that the process lives."""
        return Health(status="ok")

    @router.get(
        "/readyz",
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "Not ready."}},
    )
    async def readyz() -> Response:
        """Say whether commands can be taken: the database answers, the engine runs."""
        checks = {
            "database": await _database(parts),
            "engine": _engine(parts),
            "plant": _plant(parts),
        }
        is_ready = all(told == "ok" for told in checks.values())
        told = Readiness(
            is_ready=is_ready,
            checks=checks,
            links=parts.links(),
            gateways=gateway_views(parts),
            seq=parts.state.seq,
        )
        return JSONResponse(
            told.model_dump(mode="json"), status_code=200 if is_ready else 503
        )

    @router.get("/metrics", response_class=Response, include_in_schema=False)
    async def metrics() -> Response:
        """Tell what is measured, as Prometheus reads it."""
        if parts.metrics is None:
            raise NotFound("Nothing is measured here.")
        text = generate_latest(parts.metrics)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return router


async def _database(parts: Parts) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await parts.database.read(_schema)
    except TimeoutError:
        return f"does not answer within {PATIENCE_S:g} s"
    except (MesError, StoreUnavailable, SQLAlchemyError) as error:
        return f"does not answer: {type(error).__name__}"
    wanted = parts.schema
    if wanted is not None and found != wanted:
        return f"its tables are of revision {found}; {wanted} is needed"
    return "ok"


def _schema(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version"))
    return version.scalar_one_or_none()


def _engine(parts: Parts) -> str:
    if parts.engine.is_accepting:
        return "ok"
    why = parts.engine.outage
    return f"takes no commands now ({why})" if why else "takes no commands now"


def _plant(parts: Parts) -> str:
    try:
        parts.state.site  # noqa: B018 - asking is the check
    except Refused as error:
        return error.message
    return "ok"
