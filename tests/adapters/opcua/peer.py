"""A server of another maker (node-opcua), in a process of its own, and its truth."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

PEERS = Path(__file__).parents[2] / "peers"
INSTALLED = PEERS / "node_modules" / "node-opcua" / "package.json"
URI = "urn:peer:line"


def why_no_peer() -> str | None:
    """Return why there is no such server here; None if there is one."""
    if shutil.which("node") is None:
        return "there is no node: apt-get install nodejs npm"
    if not INSTALLED.exists():
        return "node-opcua is not installed: npm ci --prefix tests/peers"
    return None


def require_peer() -> None:
    """Skip where there is no such server; fail where there has to be one."""
    reason = why_no_peer()
    if reason is None:
        return
    if os.environ.get("MES_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Truth:
    """What a machine has made."""

    serial: int
    good: int
    scrap: int


@dataclass
class Peer:
    """A running server. What it is asked to do, it has done when it answers."""

    process: subprocess.Popen[bytes]
    port: int
    control: int

    async def do(self, what: str, **how: Any) -> Any:
        """Have it do something; see ``doings`` in ``opcua_server.mjs``."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.post(
                f"http://127.0.0.1:{self.control}", json={"do": what, **how}
            )
        told = answer.json()
        assert answer.status_code == 200, told
        return told["told"]

    async def truth(self, machine: str) -> Truth:
        told = await self.do("truth", machine=machine)
        values = told["values"]
        return Truth(told["serial"], values["GoodCount"], values["ScrapCount"])

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running_peer(**given: Any) -> Iterator[Peer]:
    """Run a server; see ``given`` in ``opcua_server.mjs`` for what it can be told."""
    with subprocess.Popen(
        ["node", "opcua_server.mjs", json.dumps(given)],
        cwd=PEERS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("PEER_ERR") else subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            while line and not line.startswith(b"{"):
                line = process.stdout.readline()
            assert line, "the server did not start"
            found = json.loads(line)
            yield Peer(process, found["port"], found["control"])
        finally:
            process.kill()
