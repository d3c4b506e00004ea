"""The web, the parts of a site that work beside it, and how all of that ends.

The order is always the same, whether the process was told to end, a part failed or the
engine did: nothing more is taken in, streams say goodbye, requests are answered, and
only then do the parts end. The engine and the database come after that.
"""

import asyncio
import json
import os
import socket
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn

from mes_engine.core.errors import MesError, SettingsError

log = structlog.stdlib.get_logger()

PARENT_LOOK_S = 1.0
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class SiteFailed(MesError):
    """What is meant to work for as long as the site does has failed: a bug of ours."""


class Server(uvicorn.Server):
    """uvicorn, with the signals left to us: what they end has an order."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self._is_down = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Let others know when the web answers."""
        await super().startup(sockets)
        self.is_up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take in nothing more, and answer what was taken; once."""
        if self.started and not self._is_down:
            await super().shutdown(sockets)
            self._is_down = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


async def serve(
    server: Server,
    listener: socket.socket,
    parts: Mapping[str, Coroutine[None, None, None]],
    stopping: asyncio.Event,
) -> None:
    """Serve, with ``parts`` at work beside it, until ``stopping`` is set.

    A part that fails sets it too, and so does being cancelled: in the end.

    Raises:
        SiteFailed: A part failed; the rest has ended in order.
    """
    failed: list[SiteFailed] = []
    async with asyncio.TaskGroup() as tasks:
        working = [
            tasks.create_task(_work(name, part, failed, stopping))
            for name, part in parts.items()
        ]
        working.append(tasks.create_task(_end_when(stopping, server)))
        try:
            await server.serve(sockets=[listener])
        finally:
            stopping.set()
            await server.shutdown(sockets=[listener])
            for task in working:
                task.cancel()
    if failed:
        raise failed[0]


async def _work(
    name: str,
    part: Coroutine[None, None, None],
    failed: list[SiteFailed],
    stopping: asyncio.Event,
) -> None:
    try:
        await part
    except Exception as error:
        log.exception("part_failed", part=name)
        failed.append(
            SiteFailed(
                f"The site ended because its part '{name}' failed: "
                f"{type(error).__name__}: {error}.",
                hint="Look into the log, and start it again.",
            )
        )
        stopping.set()


async def end_with(parent: int, stopping: asyncio.Event) -> None:
    """Set ``stopping`` once the process that started this one is gone."""
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells when it ends
        await asyncio.sleep(PARENT_LOOK_S)
    stopping.set()


async def _end_when(stopping: asyncio.Event, server: Server) -> None:
    await stopping.wait()
    log.info("stopping")
    server.should_exit = True


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port that the web is to listen on.

    Raises:
        SettingsError: It is taken, or it is not this computer's own.
    """
    if host not in LOOPBACK_HOSTS:
        raise SettingsError(
            f"http.host: {host}: there is no sign-in yet, so the web listens on this "
            "computer only.",
            hint="Use 127.0.0.1.",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()  # or another could bind to the same port until we do
        except OSError as error:
            raise SettingsError(
                f"The web cannot listen on {host}:{port}: {error.strerror}.",
                hint="End what listens there, or name another port.",
            ) from error
        yield listener


async def announce(
    server: Server, listener: socket.socket, ready_file: Path | None
) -> None:
    """Say where the web is once it answers, in the log and in ``ready_file``."""
    url = url_of(listener)
    await server.is_up.wait()
    if server.should_exit:
        return
    log.info("web_started", url=url, reachable_from="this computer only")
    if ready_file is not None:
        text = json.dumps({"url": url, "pid": os.getpid()})
        await asyncio.to_thread(_write_at_once, ready_file, text)


def url_of(listener: socket.socket) -> str:
    """Return where the web is."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _write_at_once(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)
