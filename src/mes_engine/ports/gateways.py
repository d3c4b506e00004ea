"""Gateways: what the engine takes from them, and what it wants of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mes_engine.wire import Delivered, Delivery, Settled, SpoolStatus, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView:
    """How a gateway stands, as the engine has heard of it.

    Attributes:
        is_heard: It was heard of within its lease.
        heard_at: When it was last heard of, in microseconds of UTC.
        links: What it runs.
        has_this_plant: It has read the same ``plant.yaml`` as the engine.
        delivered: Reports that it has delivered since it was started.
        refused: Reports that were not taken, for good.
        left_alone: Links that have ended it too often, and until when.
    """

    id: str
    is_heard: bool
    heard_at: int
    links: tuple[str, ...]
    has_this_plant: bool
    delivered: int
    refused: int
    spool: SpoolStatus
    left_alone: Mapping[str, int] = field(default_factory=dict)


class Intake(Protocol):
    """Where gateways deliver to, over HTTP or, later, by a message bus."""

    @property
    def links(self) -> frozenset[str]:
        """Every link of the plant."""
        ...

    async def take(self, gateway: str, delivery: Delivery) -> Delivered:
        """Return once everything of ``delivery`` is committed, or refused for good.

        Raises:
            Refused: Another gateway feeds one of the links, or a newer start of this
                one was heard of. Nothing was taken.
            Malformed: One of the links is not of this plant. Nothing was taken.
            Overloaded: Nothing was taken; the same may be delivered again.
            OutcomeUnknown: The same may be delivered again.
        """
        ...

    def views(self) -> Sequence[GatewayView]:
        """Return how each gateway stands that was heard of."""
        ...

    def owner_of(self, link: str) -> str | None:
        """Return the gateway that feeds ``link`` now, if one is heard of."""
        ...


class Downlink(Protocol):
    """Where gateways learn what is to be done to their devices."""

    async def wanted(
        self, gateway: str, instance: int, wait_s: float
    ) -> tuple[Wanted, ...]:
        """Wait for something that is wanted; each is handed over once.

        Raises:
            Refused: This start of the gateway has not delivered yet, or is fenced off.
        """
        ...

    def settle(self, gateway: str, wish: str, settled: Settled) -> None:
        """Take what became of a wish; one that nobody waits for is passed over.

        Raises:
            Refused: As for :meth:`wanted`.
        """
        ...


class Uplink(Protocol):
    """How a gateway reaches the engine: the other end of both."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Deliver, and wait for the answer; raises as :meth:`Intake.take` does.

        Raises:
            SourceLost: The engine does not answer.
        """
        ...

    async def wanted(self, instance: int) -> tuple[Wanted, ...]:
        """Wait for something that is wanted; raises as :meth:`deliver` does."""
        ...

    async def settle(self, wish: str, settled: Settled) -> None:
        """Tell what became of it; raises as :meth:`deliver` does."""
        ...
