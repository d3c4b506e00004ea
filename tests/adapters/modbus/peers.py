"""Modbus devices of other makers, each a process of its own that tells the truth."""

import ctypes.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PEERS = ROOT / "tests" / "peers"
STACKS = ("libmodbus", "modbus-serial")


class Peer:
    """A running device. What it is told, it has done when the call returns."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.port = 0

    def tell(self, do: str, **given: Any) -> Any:
        """Say a command, and return the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **given}).encode() + b"\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the device has ended"
        return json.loads(line)

    def set(self, at: int, *words: int, unit: int = 1, table: str = "holding") -> None:
        self.tell("set", unit=unit, table=table, at=at, words=list(words))

    def get(self, at: int, count: int = 1, *, unit: int = 1) -> list[int]:
        found = self.tell("get", unit=unit, table="holding", at=at, count=count)
        return list(found)

    def rules(self, *rules: dict[str, Any]) -> None:
        self.tell("rules", rules=list(rules))

    def count(self, name: str, at: int, *, words: int = 2, **given: Any) -> None:
        """Begin to count in the registers from ``at``."""
        given.setdefault("every_s", 0.02)
        self.tell("count", name=name, at=at, words=words, **given)

    def halt(self) -> dict[str, int]:
        """Stop all counters; return where they are."""
        return dict(self.tell("halt"))

    def asked(self) -> list[list[float]]:
        """Return what was asked since the last time: time, unit, function, ..."""
        return list(self.tell("asked"))

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def libmodbus(*options: str, tcp: int | None = 0) -> Iterator[Peer]:
    """Run a device on libmodbus; with ``tcp=None`` the options say ``--rtu``."""
    if ctypes.util.find_library("modbus") is None:
        _missing("libmodbus5 is not installed (apt-get install libmodbus5)")
    way = () if tcp is None else ("--tcp", str(tcp))
    program = (sys.executable, "-m", "tests.peers.libmodbus_server")
    with _running(*program, *way, *options) as peer:
        yield peer


@contextmanager
def modbus_serial(*options: str, tcp: int = 0) -> Iterator[Peer]:
    """Run a device on modbus-serial."""
    if not (PEERS / "node_modules" / "modbus-serial").exists():
        _missing("modbus-serial is not installed (npm ci --prefix tests/peers)")
    node = shutil.which("node")
    if node is None:
        _missing("node is not installed")
    program = (str(node), str(PEERS / "modbus_server.mjs"))
    with _running(*program, "--tcp", str(tcp or _free_port()), *options) as peer:
        yield peer


@contextmanager
def running_peer(stack: str, *options: str, tcp: int = 0) -> Iterator[Peer]:
    """Run a device on the stack of this name, over TCP."""
    runs = {"libmodbus": libmodbus, "modbus-serial": modbus_serial}[stack]
    with runs(*options, tcp=tcp) as peer:
        yield peer


@contextmanager
def _running(*command: str) -> Iterator[Peer]:
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        peer = Peer(process)
        try:
            peer.port = peer.hear().get("port", 0)
            yield peer
        finally:
            process.kill()


def _free_port() -> int:
    """It takes 0 for 502, where others take a free one."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        return int(there.getsockname()[1])


def _missing(reason: str) -> None:
    if os.environ.get("MES_CI"):
        pytest.fail(reason)
    pytest.skip(reason)
