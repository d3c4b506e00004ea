"""The simulated plant as tests use it: a process of its own, and its panels."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mes_adapters.simulator.plant import count_pieces

NAMESPACE = "urn:mes:simulator"


@dataclass(frozen=True)
class RunningPlant:
    """A plant that is up."""

    process: subprocess.Popen[bytes]
    opcua: int
    modbus: int
    panel: int
    pieces: Path

    @property
    def opcua_url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.opcua}/mes"

    def made(self, machine: str, result: str) -> int:
        """How many pieces the file has: the truth."""
        return count_pieces(self.pieces)[machine, result]

    async def press(self, machine: str, button: str, **order: float) -> dict[str, Any]:
        """Push a button of a machine's panel."""
        async with httpx.AsyncClient(timeout=10) as client:
            url = f"http://127.0.0.1:{self.panel}/machines/{machine}/{button}"
            answer = await client.post(url, json=order)
            answer.raise_for_status()
            return dict(answer.json())

    async def panel_of(self, machine: str) -> dict[str, Any]:
        """Read a machine's panel."""
        async with httpx.AsyncClient(timeout=10) as client:
            url = f"http://127.0.0.1:{self.panel}/machines/{machine}"
            return dict((await client.get(url)).raise_for_status().json())

    async def until(self, machine: str, state: str, *, within_s: float = 20) -> None:
        """Wait until a machine's panel shows ``state``."""
        await self._until(machine, lambda view: view["state_name"] == state, within_s)

    async def until_made(
        self, machine: str, pieces: int, *, within_s: float = 20
    ) -> None:
        """Wait until a machine has made so many pieces in its life."""
        await self._until(machine, lambda view: view["serial"] >= pieces, within_s)

    async def _until(
        self, machine: str, holds: Callable[[dict[str, Any]], bool], within_s: float
    ) -> None:
        async with asyncio.timeout(within_s):
            while True:
                if holds(await self.panel_of(machine)):
                    return
                await asyncio.sleep(0.02)

    def freeze(self) -> None:
        """Stop the process: its sockets stay, and say nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a goodbye."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_plant(
    folder: Path, *options: str, again: RunningPlant | None = None
) -> Iterator[RunningPlant]:
    """Run the simulator; ``again`` starts another life on the same ports and file."""
    pieces = folder / "pieces.jsonl"
    wanted = (again.opcua, again.modbus, again.panel) if again else (0, 0, 0)
    names = ("--opcua-port", "--modbus-port", "--panel-port")
    ports = [str(part) for pair in zip(names, wanted, strict=True) for part in pair]
    command = [
        *(sys.executable, "-m", "mes_adapters.simulator", "--pieces", str(pieces)),
        *("--parent", str(os.getpid()), *ports, *options),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "the simulator did not start"
            found = json.loads(line)
            yield RunningPlant(
                process, found["opcua"], found["modbus"], found["panel"], pieces
            )
        finally:
            process.kill()
