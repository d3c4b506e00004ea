"""How long requests take, by route, and the id by which the log speaks of each.

Pure ASGI, so that streams pass untouched: they are timed up to their first byte.
"""

import re
import time
from collections.abc import Callable
from itertools import count

import structlog
from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ID_HEADER = b"x-request-id"
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_AN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestTimes:
    """ASGI middleware: time each answer, and bind the request's id for the log.

    A client may give the id (``X-Request-Id``: letters, digits, ``._-``, at most 64);
    the answer has it in any case.

    Args:
        app: What answers.
        registry: Where the times are kept.
        life: What our own ids begin with: another in each life of the process.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        registry: CollectorRegistry,
        life: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._life = life
        self._monotonic = monotonic
        self._numbers = count(1)
        self._seconds = Histogram(
            "mes_http_request_seconds",
            "From the request's head to the first byte of its answer.",
            labelnames=["method", "route", "status"],
            buckets=BUCKETS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._monotonic()
        name = _given_id(scope) or f"{self._life:x}-{next(self._numbers)}".encode()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (ID_HEADER, name)]
                self._note(scope, message["status"], self._monotonic() - began)
            await send(message)

        with structlog.contextvars.bound_contextvars(request=name.decode()):
            await self._app(scope, receive, told)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # The route as its router has it: what is asked for is any of a million names.
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._seconds.labels(method, route, str(status)).observe(seconds)


def _given_id(scope: Scope) -> bytes | None:
    given = [value for name, value in scope["headers"] if name == ID_HEADER]
    return given[0] if given and _AN_ID.fullmatch(given[0]) else None
