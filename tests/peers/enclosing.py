"""A server that listens on every address, in a network of its own.

It is alone there with its loopback. What connects to a Unix socket, which is a file and
so seen from everywhere, is passed on to it; and a port of our loopback to that file.
"""

import asyncio
import fcntl
import os
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

SIOCSIFFLAGS, UP = 0x8914, 0x1
Streams = tuple[StreamReader, StreamWriter]


def alone(*command: str) -> tuple[str, ...]:
    """Return how ``command`` is run in a network of its own."""
    users = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", "--net", *users, *command)


def bring_loopback_up() -> None:
    """Have this network's loopback work; it begins without."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", UP)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, asked)


async def serve_file(path: Path, port: int) -> None:
    """Pass what comes to a file on to a port of this network, for ever."""

    async def connect() -> Streams:
        return await asyncio.open_connection("127.0.0.1", port)

    server = await asyncio.start_unix_server(_passing_on(connect), path)
    async with server:
        await server.serve_forever()


@asynccontextmanager
async def on_loopback(path: Path) -> AsyncIterator[int]:
    """Pass what comes to a port of the loopback on to a file; return the port."""

    async def connect() -> Streams:
        return await asyncio.open_unix_connection(path)

    server = await asyncio.start_server(_passing_on(connect), "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def _passing_on(
    connect: Callable[[], Awaitable[Streams]],
) -> Callable[[StreamReader, StreamWriter], Awaitable[None]]:
    async def passing_on(reader: StreamReader, writer: StreamWriter) -> None:
        there_reader, there_writer = await connect()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pipe(reader, there_writer))
            tasks.create_task(_pipe(there_reader, writer))

    return passing_on


async def _pipe(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
