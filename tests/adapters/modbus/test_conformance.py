"""Modbus, held to what every adapter keeps, at devices of two makers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from mes_adapters.modbus import ADAPTER
from mes_engine.conformance import (
    AdapterConformance,
    Bench,
    LinkConformance,
    Machine,
    Writable,
)
from mes_engine.ports import Link
from tests.adapters.modbus.peers import Peer, running_peer

COUNTER, SPEED, ORDER, ABSENT = "press.good", "press.speed", "press.order", "press.none"
AT = {
    COUNTER: {"address": 100, "type": "u32", "order": "ABCD"},
    SPEED: {"address": 140, "type": "u16"},
    ORDER: {"address": 180, "type": "u16", "writable": True},
    ABSENT: {"address": 5000, "type": "u16"},
}


class Press:
    """A peer whose counter goes on from where it was halted."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._value = 0
        self._is_counting = False
        self.port = peer.port
        self.freeze, self.thaw = peer.freeze, peer.thaw

    async def count(self, every_s: float) -> None:
        if not self._is_counting:
            self._peer.count("good", 100, every_s=every_s, start=self._value)
        self._is_counting = True

    async def halt(self) -> int:
        self._is_counting = False
        self._value = self._peer.halt()["good"]
        return self._value


class ModbusBench(Bench):
    tags = (COUNTER, SPEED, ORDER)
    counter = COUNTER
    absent = ABSENT
    writable = Writable(tag=ORDER, first=7, second=9, wrong=70_000)
    notices_s = 3

    def __init__(self, maker: str) -> None:
        self.maker = maker

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Machine]:
        with running_peer(self.maker) as peer:
            peer.rules({"first": 5000, "last": 5000, "exception": 2, "times": 10_000})
            yield Press(peer)

    def link(self, port: int, tags: Iterable[str]) -> Link:
        given = {
            "url": f"tcp://127.0.0.1:{port}",
            "poll_s": 0.03,
            "timeout_s": 0.4,
            "settle_s": 0.2,
        }
        return ADAPTER.open(
            "press",
            ADAPTER.settings.model_validate(given),
            {
                tag: ADAPTER.tag.model_validate({"table": "holding", **AT[tag]})
                for tag in tags
            },
        )


class TestAdapter(AdapterConformance):
    name = "modbus"


class TestAtLibmodbus(LinkConformance):
    bench = ModbusBench("libmodbus")


@pytest.mark.slow
class TestAtModbusSerial(LinkConformance):
    bench = ModbusBench("modbus-serial")
