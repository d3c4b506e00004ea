"""Reports as a gateway keeps them, and an engine that takes them in this process."""

from msgspec import Raw

from mes_engine.core.messages import Sensed
from mes_engine.core.samples import LinkReport, LinkState, Report
from mes_engine.gateway.spool import Kept
from mes_engine.runtime.gateways import Gateways
from mes_engine.wire import (
    Delivered,
    Delivery,
    Settled,
    SpoolStatus,
    Wanted,
    sensed_encoder,
)
from tests.runtime.builders import NOW, a_sample, clock
from tests.runtime.stand_ins import Bench

PLANT = "digest of the plant"
CONNECTED = LinkReport(state=LinkState.CONNECTED, at=NOW)


def sensed(
    n: int, report: Report | None = None, *, source: str = "plc", epoch: int = 1
) -> Sensed:
    told = a_sample(value=n) if report is None else report
    return Sensed(source=source, epoch=epoch, n=n, report=told)


def kept(
    n: int, *, tag: str | None = None, at: int = NOW, source: str = "plc", more: int = 0
) -> Kept:
    """Return a report as the spool takes it; ``more`` makes it longer."""
    return Kept(
        source=source,
        tag=tag,
        at=at,
        is_sample=True,
        body=f"{source}/{n}".encode() + b"." * more,
    )


def a_delivery(
    *some: Sensed, instance: int = 1, links: tuple[str, ...] = ("plc",)
) -> Delivery:
    return Delivery(
        instance=instance,
        links=links,
        plant=PLANT,
        status=SpoolStatus(),
        reports=tuple(raw(one) for one in some),
    )


def raw(one: Sensed) -> Raw:
    return Raw(sensed_encoder.encode(one))


def gateways_of(bench: Bench, *, monotonic: "Hand | None" = None) -> Gateways:
    return Gateways(
        bench.engine,
        links=("plc", "press"),
        plant=PLANT,
        clock=clock,
        monotonic=(monotonic or Hand()).now,
    )


class Hand:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


class DirectUplink:
    """An uplink without a network, whose answers can be lost on their way."""

    def __init__(self, gateways: Gateways, *, name: str = "north") -> None:
        self.deliveries = 0
        self.fails: list[Exception] = []
        self.loses: list[Exception] = []
        self._gateways = gateways
        self._name = name

    async def deliver(self, delivery: Delivery) -> Delivered:
        self.deliveries += 1
        if self.fails:
            raise self.fails.pop(0)
        answer = await self._gateways.take(self._name, delivery)
        if self.loses:
            raise self.loses.pop(0)
        return answer

    async def wanted(self, instance: int) -> tuple[Wanted, ...]:
        return ()

    async def settle(self, wish: str, settled: Settled) -> None:
        """Nobody asks."""
