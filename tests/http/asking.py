"""A small app with everything of ``mes_engine.http``, and a way to ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from mes_engine.core.errors import (
    KeyReused,
    Malformed,
    MesError,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    Refused,
    SourceLost,
)
from mes_engine.core.quantity import ZERO
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import Amount, Body, Id, Instant, Reason, Text
from mes_engine.http.limits import KnownHosts, RequestLimits, SafetyHeaders
from mes_engine.http.problems import UnexpectedErrors, install_problem_handlers

HEADERS = {"Idempotency-Key": "press-0001", "X-Person": "Maria"}

ERRORS: dict[str, MesError] = {
    "refused": Refused(
        "JO-1 cannot be loaded.",
        hint="Release it.",
        unmet=["no_hold: H-1 by Jan"],
        allowed=["release"],
    ),
    "key-reused": KeyReused("That key was used before."),
    "malformed": Malformed("The quantity -1 is negative.", hint="Reverse it."),
    "not-found": NotFound("There is no job order JO-9."),
    "overloaded": Overloaded("The inbox is full."),
    "outcome-unknown": OutcomeUnknown("It is not known whether this was done."),
    "source-lost": SourceLost("mill-1 stopped answering."),
}


class ReportBody(Body):
    """Something of every type of member."""

    good: Amount = ZERO
    reason: Reason = "none"
    note: Text = ""
    at: Instant | None = None
    priority: int = 0


def an_app() -> FastAPI:
    """An app whose routes show what came in, or fail in every way there is."""
    router = api_router(prefix="/things")

    @router.post("/{thing}/report")
    async def report(thing: Id, body: ReportBody, sender: CommandSender) -> Any:
        return {
            "good": str(body.good),
            "reason": body.reason,
            "at": body.at,
            "person": sender.person,
            "digest": sender.digest,
        }

    @router.post("/{thing}/release")
    async def release(
        thing: Id, sender: CommandSender, body: ReportBody | None = None
    ) -> Any:
        return {"digest": sender.digest, "has_body": body is not None}

    @router.get("/fail/{how}")
    async def fail(how: str) -> Any:
        if how in ERRORS:
            raise ERRORS[how]
        raise RuntimeError("password=hunter2")

    app = FastAPI()
    app.include_router(router)
    install_problem_handlers(app)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(RequestLimits)
    app.add_middleware(KnownHosts, hosts=["plant.test"])
    app.add_middleware(SafetyHeaders)
    return app


@asynccontextmanager
async def asking(app: ASGIApp | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Ask an app, without a network."""
    transport = httpx.ASGITransport(app or an_app())
    async with httpx.AsyncClient(
        transport=transport, base_url="http://plant.test"
    ) as client:
        yield client


async def reported(content: str | bytes, **headers: str) -> httpx.Response:
    """Send ``content`` as the body of a report."""
    async with asking() as client:
        return await client.post(
            "/things/a/report",
            content=content,
            headers=HEADERS | {"Content-Type": "application/json"} | headers,
        )
