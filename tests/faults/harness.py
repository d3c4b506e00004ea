"""The engine from outside: a process that can be started, killed, stopped and asked."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

CONFIG = Path(__file__).parents[2] / "config"
LOOK_S = 0.05
START_S = 60.0
NOWHERE = 9
"""A port of this machine where nothing listens: the discard service."""


async def until(holds: Callable[[], Awaitable[bool]], *, within_s: float = 20) -> None:
    """Wait for what has to be asked for."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(LOOK_S)


class EngineProcess:
    """``mes run`` on a database in ``folder``, one life after the other.

    Args:
        within: What runs the command for us, and becomes it.
        environment: What is another in its environment.

    Attributes:
        url: Of the web of the present life, or of the last one.
        lives: How often it was started.
    """

    def __init__(
        self,
        folder: Path,
        *,
        opcua: int,
        modbus: int,
        config: Path = CONFIG,
        token: str = "",
        database_url: str | None = None,
        key_file: Path | None = None,
        within: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.url = f"http://127.0.0.1:{NOWHERE}"
        self.lives = 0
        self.log = folder / "engine.log"
        self.database_url = database_url or f"sqlite:///{folder / 'mes.db'}"
        self.key_file = key_file or folder / "journal.key"
        self._ready = folder / "ready.json"
        self._process: Process | None = None
        self._environment = {
            **os.environ,
            "MES_DATABASE_URL": self.database_url,
            "MES_OPCUA_URL": f"opc.tcp://127.0.0.1:{opcua}/mes",
            "MES_MODBUS_PORT": str(modbus),
            "MES_HTTP_PORT": "0",
            "MES_GATEWAY_TOKEN": token,
            "MES_JOURNAL_KEY": str(self.key_file),
            **environment,
        }
        self._within = tuple(within)
        self._config = config
        self._more = ("--no-gateway",) if token else ()

    async def spawn(self) -> None:
        """Begin a life, and do not wait until it can be asked."""
        self._ready.unlink(missing_ok=True)
        command = ("-m", "mes_engine", "run", "--config", str(self._config))
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._within, sys.executable, *command),
                *("--ready-file", str(self._ready)),
                *self._more,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
            )
        self.lives += 1

    async def ready(self, *, within_s: float = START_S) -> None:
        """Wait until the web answers."""

        async def is_ready() -> bool:
            assert self._running.returncode is None, f"it ended:\n{self.tail()}"
            return self._ready.exists()

        await until(is_ready, within_s=within_s)
        self.url = json.loads(self._ready.read_text())["url"]
        # The next life is found where this one was.
        self._environment["MES_HTTP_PORT"] = self.url.rpartition(":")[2]

    async def start(self) -> None:
        await self.spawn()
        await self.ready()

    async def kill(self) -> None:
        """End it with SIGKILL: no goodbye, nothing finished."""
        assert self._running.returncode is None, f"it ended by itself:\n{self.tail()}"
        self._running.kill()
        await self._running.wait()

    async def stop(self, *, within_s: float = 15) -> int:
        """Ask it to end; return its exit code."""
        self._running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within_s):
            return await self._running.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    async def ended(self, *, within_s: float) -> int:
        """Wait until it has ended by itself; return its exit code."""
        async with asyncio.timeout(within_s):
            return await self._running.wait()

    async def close(self) -> None:
        """See that nothing of it is left."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def pid(self) -> int:
        return self._running.pid

    def tail(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    @property
    def _running(self) -> Process:
        assert self._process is not None, "it was never started"
        return self._process


@asynccontextmanager
async def an_engine(
    folder: Path,
    *,
    opcua: int = NOWHERE,
    modbus: int = NOWHERE,
    config: Path = CONFIG,
    token: str = "",
    key_file: Path | None = None,
    within: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[EngineProcess]:
    """Make an engine, not started yet; its links lead to these ports, or nowhere.

    With a ``token`` its gateways are elsewhere.
    """
    engine = EngineProcess(
        folder,
        opcua=opcua,
        modbus=modbus,
        config=config,
        token=token,
        key_file=key_file,
        within=within,
        environment=environment,
    )
    try:
        yield engine
    finally:
        await engine.close()


async def verified(engine: EngineProcess) -> dict[str, Any]:
    """Have ``mes verify`` look at the database."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mes_engine", "verify", "--json"),
        *("--database", engine.database_url, "--key-file", str(engine.key_file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await child.communicate()
    assert out, errors.decode()
    return dict(json.loads(out))
