"""Lines that break: a client that hangs up, and a go-between that loses the answer."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: what is still to be sent is forgotten, and the other side is reset."""
USUALLY_S = 0.05
MOST = 65_536


def request_of(url: str, path: str, key: str, body: bytes) -> bytes:
    """Return a command as it is sent."""
    return (
        f"POST /api/v1{path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"X-Person: Clara\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def hung_up(url: str, request: bytes, rng: random.Random) -> bytes:
    """Send a request, or a part of it, and hang up; return what had come by then."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    is_part = rng.random() < 0.2
    writer.write(request[: rng.randrange(len(request))] if is_part else request)
    answer = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(rng.uniform(0, USUALLY_S)):
            answer = await whole_answer(reader)
    sock = writer.get_extra_info("socket")
    if rng.random() < 0.5:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.close()
    return answer


async def answered(url: str, request: bytes) -> bytes:
    """Send a request, and return the answer; nothing where the line breaks."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(request)
    try:
        return await whole_answer(reader)
    except (ConnectionError, asyncio.IncompleteReadError):
        return b""
    finally:
        writer.close()


async def whole_answer(reader: asyncio.StreamReader) -> bytes:
    """Read an answer: its status and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    lines = head.split(b"\r\n")
    size = next(one for one in lines if one.startswith(b"content-length:"))
    body = await reader.readexactly(int(size.split(b":")[1]))
    return head[9:12] + b" " + body


@asynccontextmanager
async def losing_answers(url: str, rng: random.Random) -> AsyncIterator[str]:
    """Stand between: pass requests on, and lose each answer from some byte on."""
    where = urlsplit(url)

    async def pass_on(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection(where.hostname, where.port)
        there.write(await near.read(MOST))
        answer = await far.read(MOST)
        back.write(answer[: rng.randrange(len(answer) + 1)])
        there.close()
        with suppress(ConnectionError):
            await back.drain()
        back.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
