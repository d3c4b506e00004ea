"""Requests that are too large, too slow, too many: answered, and let go of in time."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import httpx
import pytest

from tests.faults.conftest import Shop
from tests.faults.harness import EngineProcess, an_engine, verified
from tests.faults.load import DUE, GAUGE, order
from tests.faults.people import Acknowledgements, a_person, release_routing

TWO_MIB = 2 * 1024 * 1024
STREAMS = 200
IN_FLIGHT = 50
MOST_HEARD = 4 * TWO_MIB
STOPS_WITHIN_S = 10.0
COMMAND = (
    "POST /api/v1/work-requests HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Person: Clara\r\n"
    "Idempotency-Key: half-sent-1\r\nContent-Type: application/json\r\n"
)

Ends = tuple[StreamReader, StreamWriter]


@asynccontextmanager
async def connection(engine: EngineProcess) -> AsyncIterator[Ends]:
    where = urlsplit(engine.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def heard(reader: StreamReader, text: bytes, *, within_s: float = 20) -> bytes:
    """Read until ``text`` has come."""
    async with asyncio.timeout(within_s):
        return await reader.readuntil(text)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("is_declared", [True, False])
async def test_a_body_of_two_mib_is_refused(shop: Shop, *, is_declared: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(TWO_MIB // 65_536):
            yield b" " * 65_536

    content = b" " * TWO_MIB if is_declared else chunks()
    headers = {"Idempotency-Key": "two-mib-1", "X-Person": "Clara"}
    headers["Content-Type"] = "application/json"
    async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
        url = f"{shop.engine.url}/api/v1/work-requests"
        answer = await http.post(url, content=content, headers=headers)
    assert answer.json() == {
        "type": "/problems/too-large",
        "title": "The body is too large",
        "status": 413,
        "detail": "The body has more than 1048576 bytes.",
    }
    assert answer.headers["connection"] == "close"


@pytest.mark.asyncio(loop_scope="session")
async def test_a_half_sent_request_holds_nobody_up_and_is_let_go(shop: Shop) -> None:
    async with connection(shop.engine) as (reader, writer):
        writer.write(f'{COMMAND}Content-Length: 100\r\n\r\n{{"work_'.encode())
        await writer.drain()
        began = monotonic()
        await order(shop.clerk, "H-MEANWHILE", "gauge", 1)
        assert monotonic() - began < 5
        head = await heard(reader, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 "), head
        assert b"/problems/too-slow" in await heard(reader, b"}")


@pytest.mark.timeout(120)
async def test_streams_and_requests_in_flight_do_not_delay_the_end(
    tmp_path: Path,
) -> None:
    """200 streams hear everything, and end with a goodbye; the exit code is 0.

    50 commands are under way: each is answered, or it is not; what was answered stays.
    """
    file = Acknowledgements(tmp_path / "answers.jsonl")
    async with (
        an_engine(tmp_path) as engine,
        a_person("Clara", lambda: engine.url, file) as clerk,
        many(engine, STREAMS) as streams,
    ):
        await release_routing(clerk, GAUGE)
        await order(clerk, "H-HEARD", "gauge", 3)
        for reader, _ in streams:
            await heard(reader, b'"id":"H-HEARD"')
        async with connection(engine) as (_, body), connection(engine) as (_, head):
            body.write(f"{COMMAND}Content-Length: 100\r\n\r\n{{".encode())
            head.write(COMMAND.encode())
            await asyncio.gather(body.drain(), head.drain())
            async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
                posts = [
                    asyncio.ensure_future(posted(http, engine, f"H-FLIGHT-{number}"))
                    for number in range(IN_FLIGHT)
                ]
                await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
                began = monotonic()
                assert await engine.stop(within_s=30) == 0, engine.tail()
                took_s = monotonic() - began
                told = dict(await asyncio.gather(*posts))
        for reader, _ in streams:
            await heard(reader, b"event: bye")
        assert took_s < STOPS_WITHIN_S, took_s
        found = await verified(engine)
        assert found["ok"], found
        assert set(told.values()) <= {200, 503, None}, told
        await engine.start()
        there = {one["id"] for one in await clerk.items("/work-requests")}
        for request, status in told.items():
            assert status is None or (status == 200) == (request in there), told
        assert await engine.stop() == 0, engine.tail()


async def posted(
    http: httpx.AsyncClient, engine: EngineProcess, request: str
) -> tuple[str, int | None]:
    """Plan a request; return what it was answered, or None if nothing."""
    headers = {"Idempotency-Key": request, "X-Person": "Clara"}
    body = {
        "work_request": request,
        "routing": "gauge",
        "quantity": "1",
        "due_at": DUE,
    }
    url = f"{engine.url}/api/v1/work-requests"
    try:
        answer = await http.post(url, json=body, headers=headers)
    except httpx.TransportError:
        return request, None
    if answer.status_code == 503 and "outcome-unknown" in answer.text:
        return request, None
    return request, answer.status_code


@asynccontextmanager
async def many(engine: EngineProcess, number: int) -> AsyncIterator[list[Ends]]:
    """Start the engine and open so many streams of facts."""
    await engine.start()
    where = urlsplit(engine.url)
    ends = [
        await asyncio.open_connection(where.hostname, where.port, limit=MOST_HEARD)
        for _ in range(number)
    ]
    try:
        for reader, writer in ends:
            writer.write(
                b"GET /api/v1/facts/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            )
            await writer.drain()
            assert (await heard(reader, b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        for reader, _ in ends:
            await heard(reader, b": facts")
        yield ends
    finally:
        for _, writer in ends:
            writer.transport.abort()
