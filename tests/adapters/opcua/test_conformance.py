"""OPC UA, held to what every adapter keeps, at a server of another maker."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

import pytest

from mes_adapters.opcua import ADAPTER
from mes_engine.conformance import (
    AdapterConformance,
    Bench,
    LinkConformance,
    Machine,
    Writable,
)
from mes_engine.ports import Link
from tests.adapters.opcua.ground import FAST, MACHINE, Peers
from tests.adapters.opcua.peer import URI, Peer, require_peer

NAMES = {
    "line.serial": "Serial",
    "line.heartbeat": "Heartbeat",
    "line.state": "StateCurrent",
    "line.absent": "NotThere",
}


class Line:
    """A machine on a server that runs through many tests: to start one takes long."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.port = peer.port
        self.freeze, self.thaw = peer.freeze, peer.thaw

    async def count(self, every_s: float) -> None:
        await self._peer.do("run", machine=MACHINE, everyMs=every_s * 1000)

    async def halt(self) -> int:
        await self._peer.do("run", machine=MACHINE, everyMs=0)
        return (await self._peer.truth(MACHINE)).serial


class OpcUaBench(Bench):
    maker = "node-opcua"
    tags = ("line.serial", "line.heartbeat", "line.state")
    counter = "line.serial"
    absent = "line.absent"
    writable = Writable(tag="line.state", first=6, second=7, wrong="x")
    notices_s = 4
    peers: Peers

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Machine]:
        peer = self.peers.shared()
        await peer.do("addMachine", name=MACHINE, hasHistory=True)
        try:
            yield Line(peer)
        finally:
            await peer.do("removeMachine", machine=MACHINE)

    def link(self, port: int, tags: Iterable[str]) -> Link:
        # The sessions of lives that ended in a faulty network must not fill the server.
        short = {"settle_s": 0.5, "session_timeout_s": 5}
        given = {"url": f"opc.tcp://127.0.0.1:{port}/line", **FAST, **short}
        return ADAPTER.open(
            "line",
            ADAPTER.settings.model_validate(given),
            {
                tag: ADAPTER.tag(
                    ns=URI, id=f"s={MACHINE}.{NAMES[tag]}", writable=tag == "line.state"
                )
                for tag in tags
            },
        )


class TestAdapter(AdapterConformance):
    name = "opcua"


BENCH = OpcUaBench()


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    require_peer()
    with Peers() as peers:
        BENCH.peers = peers
        yield


@pytest.mark.usefixtures("server")
class TestAtNodeOpcua(LinkConformance):
    bench = BENCH
