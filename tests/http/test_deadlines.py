"""A connection that does not say what it wants is closed; others are served at once."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from mes_engine.http.deadlines import PromptProtocol
from tests.plant import running_plant, served

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture(autouse=True)
def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PromptProtocol, "headers_s", 0.2)


async def connected(
    address: str,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = address.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\n", REQUEST])
async def test_headers_that_do_not_end_are_not_waited_for(
    tmp_path: Path, begun: bytes
) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        reader, writer = await connected(address)
        writer.write(begun)
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()


async def test_the_second_request_has_to_be_in_time_too(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        reader, writer = await connected(address)
        writer.write(REQUEST + b"\r\n")
        answer = await reader.readuntil(b'{"status":"ok"}')
        assert answer.startswith(b"HTTP/1.1 200")
        writer.write(REQUEST)
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        writer.close()


async def test_a_stream_may_last_longer_than_headers_may(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        reader, writer = await connected(address)
        writer.write(REQUEST.replace(b"/healthz", b"/api/v1/facts/stream") + b"\r\n")
        await reader.readuntil(b": facts")
        await asyncio.sleep(2 * PromptProtocol.headers_s)  # time itself is the test
        await plant.request("WR-1")
        assert b"work_request_created" in await reader.readuntil(
            b"work_request_created"
        )
        writer.close()


async def test_answers_do_not_wait_for_an_acknowledgement(tmp_path: Path) -> None:
    async with (
        running_plant(tmp_path) as plant,
        served(plant) as address,
        httpx.AsyncClient(base_url=address) as client,
    ):
        took = []
        for _ in range(20):
            began = time.perf_counter()
            await client.get("/healthz")
            took.append(time.perf_counter() - began)
    # With Nagle on, every one takes the 40 ms of a delayed ACK.
    assert min(took) < 0.03
