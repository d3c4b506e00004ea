"""Sparkplug, held to what every adapter keeps, at a node and a broker of others."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from mes_adapters.sparkplug.settings import SparkplugTag
from mes_engine.conformance import (
    AdapterConformance,
    Bench,
    LinkConformance,
    Machine,
    Writable,
)
from mes_engine.ports import Link
from tests.adapters.sparkplug.peers import (
    GOOD,
    OFFSET,
    TAGS,
    Peer,
    a_link,
    broker,
    edge_node,
)

ABSENT = "press.absent"
ALL = {**TAGS, ABSENT: SparkplugTag(device="press", metric="Not/There")}


class Press:
    """An edge node, and the broker between it and us, which is what can freeze."""

    def __init__(self, mqtt: Peer, node: Peer) -> None:
        self._node = node
        self._is_counting = False
        self.port = mqtt.port
        self.freeze, self.thaw = mqtt.freeze, mqtt.thaw

    async def count(self, every_s: float) -> None:
        if not self._is_counting:
            self._node.tell("count", name="Good/Count", every_s=every_s)
        self._is_counting = True

    async def halt(self) -> int:
        self._is_counting = False
        return int(self._node.tell("halt")["Good/Count"])


class SparkplugBench(Bench):
    maker = "Eclipse Tahu"
    tags = tuple(TAGS)
    counter = GOOD
    absent = ABSENT
    writable = Writable(tag=OFFSET, first=-7, second=9, wrong=40_000)
    notices_s = 3

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Machine]:
        with broker() as mqtt, edge_node(mqtt.port) as node:
            yield Press(mqtt, node)

    def link(self, port: int, tags: Iterable[str]) -> Link:
        return a_link(
            port,
            tags={tag: ALL[tag] for tag in tags},
            keepalive_s=1,
            connect_s=5,
            reorder_s=0.3,
        )


class TestAdapter(AdapterConformance):
    name = "sparkplug"


class TestAtTahu(LinkConformance):
    bench = SparkplugBench()
