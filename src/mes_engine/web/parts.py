"""What the routers are given: the engine, the database, the feed and the clock."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import CollectorRegistry

from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer, Commanded
from mes_engine.core.state import State
from mes_engine.ports import Downlink, Intake
from mes_engine.storage.database import Database

Clock = Callable[[], int]
"""Tells the time in microseconds of UTC."""

LinkStates = Callable[[], Mapping[str, str]]
"""Tells the state of each link to the machines, by the link's id."""


class EngineFace(Protocol):
    """What the routers see of the engine."""

    @property
    def committed(self) -> State:
        """State as it is in the database; to be read on the event loop only."""
        ...

    @property
    def is_accepting(self) -> bool:
        """Whether commands are taken now."""
        ...

    @property
    def outage(self) -> str:
        """Why the last commit did not work; empty if it did."""
        ...

    async def submit(self, commanded: Commanded) -> Answer:
        """Hand in a command; its answer means that it is committed."""
        ...


class Batches(Protocol):
    """The batches that a subscriber of the feed gets."""

    async def take(self) -> Sequence[Sequence[Recorded]]:
        """Wait for a batch, then take all there are; none once it is over."""
        ...

    @property
    def is_cut(self) -> bool:
        """Whether it ended because the reader was too slow."""
        ...


class FeedFace(Protocol):
    """What the routers see of the feed."""

    def __len__(self) -> int:
        """Return how many subscribe to it."""
        ...

    def subscribe(self, maxsize: int = ...) -> AbstractContextManager[Batches]:
        """Subscribe to what is committed from now on."""
        ...

    def close(self) -> None:
        """End every subscription."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDoor:
    """Where gateways come in, and the token that opens it; without one, none can."""

    intake: Intake
    downlink: Downlink
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that a router of the engine needs.

    Attributes:
        links: The state of each link, for whoever watches the process.
        schema: The revision that the database's tables have to be of; None asks not.
        gateways: None where links are told of in this process.
        metrics: What is measured (Prometheus); None where nothing is.
    """

    engine: EngineFace
    database: Database
    feed: FeedFace
    clock: Clock
    links: LinkStates = field(default=dict)
    schema: str | None = None
    gateways: GatewayDoor | None = None
    metrics: CollectorRegistry | None = None

    def heard(self) -> dict[str, bool]:
        """Return of each link whether the gateway that feeds it is heard of."""
        if self.gateways is None:
            return {}
        intake = self.gateways.intake
        return {link: intake.owner_of(link) is not None for link in intake.links}

    @property
    def state(self) -> State:
        """The committed state."""
        return self.engine.committed
