"""Admission: how many requests are worked on at once; who finds no place is told so.

A place is worth what it costs to wait for it. So there are as many as are answered in
time: one more as long as commands are quick, a quarter fewer as soon as one was slow.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Receive, Scope, Send

from mes_engine.http.problems import RETRY_AFTER, problem

FIRST, LEAST, MOST = 64, 64, 256
"""Places: to begin with, at least, and at most."""
READ_SHARE = 0.5
"""Of the places, those that may be taken to read: the others are kept for commands."""
SLOW_S = 0.15
"""A command that took longer had to wait for others: there are too many places."""
FEWER = 0.75
AFRESH = 0.125
"""What the newest command without company counts in the mean of them."""
MOST_CONNECTIONS = 1_000

_GOVERNED = "/api/v1/"
_UNGOVERNED = ("/api/v1/gateways", "/api/v1/facts/stream")
"""Gateways are slowed by the inbox; a stream waits, and takes no time."""
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_busy = problem(
    "overloaded",
    "There is more to do than can be done in time.",
    hint="Send it again, with the same key, in a second.",
    headers=RETRY_AFTER,
)


def _on_the_wire(*more: tuple[bytes, bytes]) -> bytes:
    lines = [name + b": " + value for name, value in (*_busy.raw_headers, *more)]
    lines.append(b"x-content-type-options: nosniff")
    head = b"\r\n".join((b"HTTP/1.1 503 Service Unavailable", *lines))
    return head + b"\r\n\r\n" + bytes(_busy.body)


BUSY = _on_the_wire()
"""The refusal as bytes, for a connection that goes on."""
BUSY_AND_CLOSE = _on_the_wire((b"connection", b"close"))

_HEAD = re.compile(rb"([A-Z]{3,7}) (/[!-~]*) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,7})[ \t]*\r\n", re.IGNORECASE)
_UNUSUAL = re.compile(
    rb"\r\n(transfer-encoding|connection|expect|upgrade)[ \t]*:", re.IGNORECASE
)


class Admission(Collector):
    """Places for requests, as many as are answered in time.

    Attributes:
        in_hand: Requests that are worked on.
        limit: How many may be.
        most_connections: Who connects beyond them is told to come back.
    """

    def __init__(
        self,
        *,
        first: int = FIRST,
        least: int = LEAST,
        most: int = MOST,
        slow_s: float = SLOW_S,
        most_connections: int = MOST_CONNECTIONS,
        registry: CollectorRegistry | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.in_hand = 0
        self.limit = float(first)
        self.most_connections = most_connections
        self.monotonic = monotonic
        self._reading = 0
        self._arriving = 0
        self._least, self._most, self._slow_s = least, most, slow_s
        self._cut_at = float("-inf")
        self._alone_s = 0.0
        self._refused = Counter({"command": 0, "read": 0, "connection": 0})
        if registry is not None:
            registry.register(self)

    def has_room(self, *, is_read: bool) -> bool:
        """Whether there is a place; commands have some of their own."""
        taken = self.in_hand + self._arriving
        if is_read and self._reading >= self.limit * READ_SHARE:
            return False
        return taken < self.limit

    def let_in(self) -> bool:
        """Keep a place for what arrives; whether it is the first of its turn."""
        self._arriving += 1
        return self._arriving == 1

    def all_arrived(self) -> None:
        """Give back the places that were kept: who was let in has taken one by now."""
        self._arriving = 0

    def refused(self, *, is_read: bool) -> None:
        """Count one who found no place."""
        self._refused["read" if is_read else "command"] += 1

    def turned_away(self) -> None:
        """Count a connection too many."""
        self._refused["connection"] += 1

    def entered(self, *, is_read: bool) -> float:
        """Take a place; return since when."""
        self.in_hand += 1
        self._reading += is_read
        return self.monotonic()

    def left(self, since: float, *, is_read: bool, had_company: bool) -> None:
        """Give it back, and learn from how long it took.

        Only commands teach: what they cost is known, and a list may well be long.
        """
        self.in_hand -= 1
        self._reading -= is_read
        if is_read:
            return
        now = self.monotonic()
        took = now - since
        if not had_company:
            self._alone_s += AFRESH * (took - self._alone_s)
        if took > max(self._slow_s, 2 * self._alone_s):
            # Who came in before the last cut says nothing new.
            if since > self._cut_at:
                self.limit = max(self.limit * FEWER, self._least)
                self._cut_at = now
        elif 2 * self.in_hand >= self.limit:
            self.limit = min(self.limit + 1 / self.limit, self._most)

    def collect(self) -> Iterable[Metric]:
        """Tell how it stands, as Prometheus asks."""
        refused = CounterMetricFamily(
            "mes_http_refused",
            "Requests refused with 503 before they were read: no place.",
            labels=["kind"],
        )
        for kind, number in sorted(self._refused.items()):
            refused.add_metric([kind], number)
        yield refused
        for name, says, level in (
            ("in_hand", "Requests that are worked on.", self.in_hand),
            ("places", "How many may be: as many as are answered in time.", self.limit),
        ):
            yield GaugeMetricFamily(f"mes_http_{name}", says, value=level)


class RefusedUnread:
    """ASGI middleware: who finds no place is refused before the body is read.

    It comes before whatever receives the body, and :class:`Admitted` after it: a body
    that is slow to arrive takes no place.
    """

    def __init__(self, app: ASGIApp, *, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if there is a place."""
        if scope["type"] == "http" and is_governed(scope["path"]):
            is_read = scope["method"] in _READS
            self._admission.all_arrived()
            if not self._admission.has_room(is_read=is_read):
                self._admission.refused(is_read=is_read)
                await _busy(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Admitted:
    """ASGI middleware: a request has a place for as long as it is worked on."""

    def __init__(self, app: ASGIApp, *, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a place; refuse it if there is none any more."""
        if scope["type"] != "http" or not is_governed(scope["path"]):
            await self._app(scope, receive, send)
            return
        admission, is_read = self._admission, scope["method"] in _READS
        if not admission.has_room(is_read=is_read):
            admission.refused(is_read=is_read)
            await _busy(scope, receive, send)
            return
        had_company = admission.in_hand > 1
        since = admission.entered(is_read=is_read)
        try:
            await self._app(scope, receive, send)
        finally:
            admission.left(since, is_read=is_read, had_company=had_company)


def is_governed(path: str) -> bool:
    """Whether a request needs a place."""
    return path.startswith(_GOVERNED) and not path.startswith(_UNGOVERNED)


def whole_request(data: bytes) -> bool | None:
    r"""Whether ``data`` only reads, if it is one whole, plain request; else None.

    Only such a request can be refused without being parsed: anything that is broken
    off, unusual or not governed is left to the parser.

    Example:
        >>> whole_request(b"GET /api/v1/lots HTTP/1.1\r\nHost: a\r\n\r\n")
        True
        >>> whole_request(b"POST /api/v1/lots HTTP/1.1\r\nHost: a\r\n\r\nGET")
    """
    found = _HEAD.match(data)
    end = data.find(b"\r\n\r\n")
    if found is None or end < 0 or _UNUSUAL.search(data, 0, end):
        return None
    if not is_governed(found[2].decode("ascii")):
        return None
    lengths = _LENGTH.findall(data, 0, end + 2)
    if len(lengths) > 1 or len(data) - end - 4 != int(lengths[0] if lengths else 0):
        return None
    return found[1].decode("ascii") in _READS
