"""One machine behind two servers of different makers, and what a link tells of each.

Nothing is the same but the machine: names, ids and folders of the nodes, the types of
its numbers, how often the server looks, and whose clock the times are of.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.ports import Link, TagGroup
from mes_engine.runtime.devices import open_link
from tests.adapters.opcua.ground import FAST
from tests.adapters.opcua.peer import URI, Peer
from tests.asking import CYCLE, JAM
from tests.builders import LINK
from tests.peers.enclosing import alone, on_loopback

ROOT = Path(__file__).parents[3]
O6_URI = "urn:peer:cell"
UNIT = "mill-1"
GOOD, STATE = f"{UNIT}.good", f"{UNIT}.state"
TAGS = {
    "good": GOOD,
    "state": STATE,
    "jam": JAM.tag,
    "request": CYCLE.request,
    "key": CYCLE.key,
    "made": CYCLE.payload["good"],
}
"""What the machine calls its values, and what the plant does."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where the machine's values and messages are on a server, and how it is asked."""

    nodes: dict[str, dict[str, Any]]
    event: dict[str, Any]
    settings: dict[str, Any]


NODE_OPCUA = Layout(
    nodes={
        name: {"ns": URI, "id": f"s={node}"}
        for name, node in {
            "good": "Cell.GoodCount",
            "state": "Cell.StateCurrent",
            "jam": "Cell.Tag0",
            "request": "Press.Request",
            "key": "Press.Key",
            "made": "Press.Good",
        }.items()
    },
    event={
        "type": {"ns": URI, "id": "s=CycleCompleteEventType"},
        "notifier": {"ns": URI, "id": "s=Cell"},
        "fields": {"serial": f"{{{URI}}}Serial"},
        "key": "serial",
    },
    settings={"publish_ms": 50},
)
OPEN62541 = Layout(
    nodes={
        "good": {"path": f"/Objects/{{{O6_URI}}}Cell/{{{O6_URI}}}good"},
        **{
            name: {"ns": O6_URI, "id": f"i={number}"}
            for name, number in {
                "state": 6002,
                "jam": 6003,
                "request": 6011,
                "key": 6012,
                "made": 6013,
            }.items()
        },
    },
    event={
        "type": {"ns": O6_URI, "id": "i=900"},
        "fields": {"serial": f"{{{O6_URI}}}Serial"},
        "key": "serial",
    },
    settings={"publish_ms": 100, "sampling_ms": 20},
)


class Cell(Protocol):
    """The machine, by what it does."""

    port: int
    layout: Layout

    async def set(self, name: str, value: int, *, is_bad: bool = False) -> None:
        """Show a value."""
        ...

    async def tell(self, serial: str) -> None:
        """Tell that a part was made."""
        ...


class NodeCell:
    """On node-opcua: texts as ids, each change at once, by the machine's own clock."""

    layout = NODE_OPCUA

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.port = peer.port

    async def set(self, name: str, value: int, *, is_bad: bool = False) -> None:
        machine, _, node = (
            self.layout.nodes[name]["id"].removeprefix("s=").partition(".")
        )
        if machine == "Press":
            shown = bool(value) if name == "request" else value
            await self._peer.do("put", machine=machine, name=node, value=shown)
        else:
            status = "BadSensorFailure" if is_bad else "Good"
            how = {"name": node, "value": value, "statusCode": status}
            await self._peer.do("set", machine=machine, **how)

    async def tell(self, serial: str) -> None:
        await self._peer.do("cycle", machine="Cell", serial=serial, scrap=False)


@asynccontextmanager
async def on_node_opcua(peer: Peer) -> AsyncIterator[NodeCell]:
    """Put the machine on a server that runs."""
    await peer.do("addMachine", name="Cell", tags=1)
    await peer.do("addPress", name="Press")
    yield NodeCell(peer)
    for name in ("Cell", "Press"):
        await peer.do("removeMachine", machine=name)


class O6Cell:
    """On open62541: numbers as ids, seen when the server looks, by its clock."""

    layout = OPEN62541

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    async def set(self, name: str, value: int, *, is_bad: bool = False) -> None:
        self._do("set", name=name, value=value, is_bad=is_bad)

    async def tell(self, serial: str) -> None:
        self._do("tell", serial=serial)

    def _do(self, what: str, **how: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **how}).encode() + b"\n")
        self._process.stdin.flush()
        self.hear()

    def hear(self) -> Any:
        """Return what it says next; its maker has it begin with a picture."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.startswith((b"{", b"null")):
                return json.loads(line)
        raise AssertionError("the server has ended")


@contextmanager
def _open62541(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    if importlib.util.find_spec("o6") is None:
        reason = "o6 is not installed: it is in requirements.lock, for x86-64 Linux"
        if os.environ.get("MES_CI") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with subprocess.Popen(
        alone(sys.executable, "-m", "tests.peers.o6_server", str(path)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get("PEER_ERR") else subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@asynccontextmanager
async def on_open62541(folder: Path) -> AsyncIterator[O6Cell]:
    """Run the machine on a server of its own, in a network of its own."""
    path = folder / "o6"
    with _open62541(path) as process:
        async with on_loopback(path) as port:
            cell = O6Cell(process, port)
            cell.hear()
            yield cell


def link_to(cell: Cell, port: int) -> Link:
    """Make a link that brings what the plant knows of the machine.

    Args:
        cell: Which.
        port: Where it is reached.
    """
    given = {
        "url": f"opc.tcp://127.0.0.1:{port}/line",
        **FAST,
        "events": {"Made": cell.layout.event},
        **cell.layout.settings,
    }
    group = TagGroup(gate=CYCLE.request, tags=CYCLE.read_together, steady_s=0.05)
    return open_link(
        ADAPTER,
        LINK,
        ADAPTER.settings.model_validate(given),
        {
            tag: ADAPTER.tag.model_validate(cell.layout.nodes[name])
            for name, tag in TAGS.items()
        },
        [group],
    )
