"""Places for requests: as many as are answered in time, and some for commands only."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from mes_engine.http.admission import (
    BUSY,
    Admission,
    Admitted,
    RefusedUnread,
    whole_request,
)
from mes_engine.http.deadlines import protocol_with
from mes_engine.http.limits import RequestLimits
from tests.plant import until

POST = (
    b"POST /api/v1/lots HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json"
    b"\r\nContent-Length: 2\r\n\r\n{}"
)
GET = b"GET /api/v1/lots HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Watch:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def worked(admission: Admission, watch: Watch, seconds: float, crowd: int = 1) -> None:
    """Have ``crowd`` commands worked on at once, for so long."""
    since = [admission.entered(is_read=False) for _ in range(crowd)]
    watch.now += seconds
    for one in since:
        admission.left(one, is_read=False, had_company=crowd > 1)


def test_slow_commands_in_a_crowd_cost_places_once() -> None:
    watch = Watch()
    admission = Admission(first=64, least=32, monotonic=watch)
    worked(admission, watch, 0.01)
    worked(admission, watch, 0.3, crowd=60)
    assert admission.limit == 48
    for _ in range(9):
        worked(admission, watch, 0.3, crowd=30)
    assert admission.limit == 32


def test_quick_commands_earn_places_where_they_are_wanted() -> None:
    watch = Watch()
    admission = Admission(first=32, most=34, monotonic=watch)
    worked(admission, watch, 0.01)
    assert admission.limit == 32
    for _ in range(200):
        worked(admission, watch, 0.01, crowd=32)
    assert admission.limit == 34


def test_where_each_is_slow_by_itself_the_crowd_is_not_to_blame() -> None:
    watch = Watch()
    admission = Admission(first=64, monotonic=watch)
    for _ in range(100):
        worked(admission, watch, 0.2)
    places = admission.limit
    worked(admission, watch, 0.3, crowd=60)
    assert admission.limit >= places


def test_reads_leave_places_to_commands() -> None:
    admission = Admission(first=4, least=4)
    for _ in range(2):
        admission.entered(is_read=True)
    assert not admission.has_room(is_read=True)
    assert admission.has_room(is_read=False)
    admission.let_in()
    admission.let_in()
    assert not admission.has_room(is_read=False)
    admission.all_arrived()
    assert admission.has_room(is_read=False)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (POST, False),
        (GET, True),
        (POST[:-1], None),
        (POST + b"G", None),
        (GET + GET, None),
        (GET.replace(b"lots", b"facts/stream"), None),
        (GET.replace(b"/api/v1/lots", b"/healthz"), None),
        (POST.replace(b"/lots", b"/gateways/g-1/reports"), None),
        (POST.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"), None),
        (POST.replace(b"Host:", b"Content-Length: 2\r\nHost:"), None),
        (GET.replace(b"Host:", b"Connection: close\r\nHost:"), None),
        (GET.replace(b"1.1", b"1.0"), None),
        (b"\x16\x03\x01", None),
    ],
)
def test_only_a_whole_plain_request_is_known_unparsed(
    data: bytes, *, found: bool | None
) -> None:
    assert whole_request(data) is found


@asynccontextmanager
async def served(
    admission: Admission, gate: asyncio.Event
) -> AsyncIterator[tuple[str, int]]:
    """Serve what answers once the gate is open."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await gate.wait()
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    inner = Admitted(app, admission=admission)
    outer = RefusedUnread(RequestLimits(inner), admission=admission)
    config = uvicorn.Config(
        outer,
        port=0,
        http=protocol_with(admission),
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        await until(lambda: server.started)
        address = server.servers[0].sockets[0].getsockname()
        yield address[0], address[1]
        gate.set()
        server.should_exit = True


class Line:
    """A connection, and what comes back on it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, address: tuple[str, int]) -> "Line":
        return cls(*await asyncio.open_connection(*address))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[bytes, bytes]:
        async with asyncio.timeout(10):
            head = await self._reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            size = next(one for one in lines if one.startswith(b"content-length:"))
            return head, await self._reader.readexactly(int(size.split(b":")[1]))

    def close(self) -> None:
        self._writer.close()


def refused(registry: CollectorRegistry, kind: str) -> float:
    found = registry.get_sample_value("mes_http_refused_total", {"kind": kind})
    assert found is not None
    return found


async def test_who_finds_no_place_is_told_when_to_come_back_on_the_same_line() -> None:
    registry, gate = CollectorRegistry(), asyncio.Event()
    admission = Admission(first=2, least=2, registry=registry)
    async with served(admission, gate) as address:
        lines = [await Line.to(address) for _ in range(4)]
        lines[0].send(POST)
        lines[1].send(POST)
        await until(lambda: admission.in_hand == 2)
        for data in (POST, POST[:-1]):  # whole, and with a byte still to come
            lines[2].send(data)
            head, body = await lines[2].answer()
            assert head.startswith(b"HTTP/1.1 503 "), head
            assert b"\r\nretry-after: 1\r\n" in head.lower()
            assert json.loads(body)["type"] == "/problems/overloaded"
        lines[3].send(GET)
        assert (await lines[3].answer())[0].startswith(b"HTTP/1.1 503 ")
        assert refused(registry, "command") == 2
        assert refused(registry, "read") == 1
        gate.set()
        for one in lines[:2]:
            assert (await one.answer())[1] == b"ok"
        lines[2].send(b"}")  # what was missing; and the line still serves
        lines[2].send(POST)
        assert (await lines[2].answer())[1] == b"ok"
        assert admission.in_hand == 0
        for one in lines:
            one.close()


async def test_a_body_that_is_slow_to_come_takes_no_place() -> None:
    admission, gate = Admission(first=1, least=1), asyncio.Event()
    gate.set()
    async with served(admission, gate) as address:
        slow, quick = await Line.to(address), await Line.to(address)
        slow.send(POST[:-1])
        quick.send(POST)
        assert (await quick.answer())[1] == b"ok"
        slow.send(POST[-1:])
        assert (await slow.answer())[1] == b"ok"
        slow.close()
        quick.close()


async def test_a_connection_too_many_is_told_and_closed() -> None:
    registry, gate = CollectorRegistry(), asyncio.Event()
    admission = Admission(most_connections=1, registry=registry)
    async with served(admission, gate) as address:
        first, second = await Line.to(address), await Line.to(address)
        second.send(GET)
        head, body = await second.answer()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nconnection: close\r\n" in head
        assert json.loads(body)["status"] == 503
        assert refused(registry, "connection") == 1
        first.close()
        second.close()


def test_the_refusal_as_bytes_is_whole() -> None:
    head, _, body = BUSY.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
