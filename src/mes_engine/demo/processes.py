"""The demo's two child processes: the simulated plant, and the engine with its web."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STOP_S = 12.0
START_S = 30.0
POLL_S = 0.05
KEY_FILE = "journal.key"


class ChildFailed(Exception):
    """A child process ended, or did not come up in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """The simulated plant, as it listens.

    Attributes:
        pieces: Its own file of every piece made.
    """

    opcua: int
    modbus: int
    panel: int
    pieces: Path

    def environment(self) -> dict[str, str]:
        """Return what ``config/`` needs to find its machines."""
        return {
            "MES_OPCUA_URL": f"opc.tcp://127.0.0.1:{self.opcua}/mes",
            "MES_MODBUS_PORT": str(self.modbus),
        }


@asynccontextmanager
async def running_plant(
    folder: Path, *, seed: int, speed: float
) -> AsyncIterator[Plant]:
    """Run the simulated plant; it writes its pieces into ``folder``."""
    ports, pieces = folder / "plant-ports.json", folder / "pieces.jsonl"
    ports.unlink(missing_ok=True)
    command = [
        *("-m", "mes_adapters.simulator", "--pieces", str(pieces)),
        *("--seed", str(seed), "--speed", str(speed), "--jam-rate", "0.01"),
        *("--opcua-port", "0", "--modbus-port", "0", "--panel-port", "0"),
        *("--ports-file", str(ports), "--parent", str(os.getpid())),
    ]
    async with _running(command, folder / "plant.log", {}) as child:
        found = await _read_when_there(ports, child, folder / "plant.log")
        yield Plant(
            opcua=found["opcua"],
            modbus=found["modbus"],
            panel=found["panel"],
            pieces=pieces,
        )


@asynccontextmanager
async def running_engine(
    folder: Path,
    plant: Plant,
    *,
    config: Path,
    port: int,
) -> AsyncIterator[str]:
    """Run the engine and its web on a database in ``folder``; yields the web's URL."""
    ready = folder / "engine-ready.json"
    ready.unlink(missing_ok=True)
    command = [
        *("-m", "mes_engine", "run", "--config", str(config)),
        *("--ready-file", str(ready), "--parent", str(os.getpid())),
    ]
    environment = {
        **plant.environment(),
        "MES_DATABASE_URL": f"sqlite:///{folder / 'mes.db'}",
        "MES_HTTP_PORT": str(port),
        "MES_JOURNAL_KEY": str(folder / KEY_FILE),
    }
    log = folder / "engine.log"
    async with _running(command, log, environment) as child:
        found = await _read_when_there(ready, child, log)
        yield found["url"]


@asynccontextmanager
async def _running(
    command: list[str], log: Path, environment: Mapping[str, str]
) -> AsyncIterator[Process]:
    with log.open("ab") as output:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
            start_new_session=True,  # Ctrl-C is ours to pass on, in the right order
        )
    try:
        yield child
    finally:
        await _stop(child)


async def _stop(child: Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


async def _read_when_there(path: Path, child: Process, log: Path) -> dict[str, Any]:
    try:
        async with asyncio.timeout(START_S):
            while not path.exists():
                if child.returncode is not None:
                    raise ChildFailed(
                        f"It ended with {child.returncode}. The end of {log}:\n"
                        f"{_tail(log)}"
                    )
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise ChildFailed(
            f"It did not come up within {START_S:.0f} s. The end of {log}:\n"
            f"{_tail(log)}"
        ) from None
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


async def verified(folder: Path) -> dict[str, Any]:
    """Have ``mes verify`` read the demo's database, and return what it found."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mes_engine", "verify", "--json"),
        *("--database", f"sqlite:///{folder / 'mes.db'}"),
        *("--key-file", str(folder / KEY_FILE)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await child.communicate()
    try:
        found: dict[str, Any] = json.loads(out)
    except json.JSONDecodeError:
        raise ChildFailed(f"mes verify said: {errors.decode()}") from None
    return found
