"""What an engine answers while another one leads: that it stands by, and who leads."""

from collections.abc import Callable

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mes_engine.http.problems import problem

RETRY_AFTER_S = 2

SayLeader = Callable[[], str]


def create_standby(leader: SayLeader) -> ASGIApp:
    """Return the web of an engine that stands by.

    Args:
        leader: Tells where the engine is that leads.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _answer(scope["path"], leader())(scope, receive, send)

    return app


def _answer(path: str, leader: str) -> Response:
    if path == "/healthz":
        return JSONResponse({"status": "standby", "leader": leader})
    later = {"Retry-After": str(RETRY_AFTER_S)}
    if path == "/readyz":
        told = {
            "is_ready": False,
            "checks": {"engine": f"stands by; {leader} leads"},
            "links": {},
            "gateways": [],
            "seq": 0,
        }
        return JSONResponse(told, status_code=503, headers=later)
    return problem(
        "overloaded",
        f"This engine stands by; {leader} leads.",
        hint="Ask there; or here again, with the same key, once it is gone.",
        headers=later,
        leader=leader,
    )


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
