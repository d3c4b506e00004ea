"""Runs and holds: one occupation of a work unit, and what forbids work.

A run owns the claim on the work unit and the clocks. A hold is a record, not a state: a
thing is held while any hold on it is open.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec


class Lane(StrEnum):
    """Which of a work unit's places a run claims."""

    STAGED = "staged"
    ACTIVE = "active"


class Clock(StrEnum):
    """What a run's time counts as now."""

    STOPPED = "stopped"
    SETUP = "setup"
    PROCESSING = "processing"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Job orders on a work unit, from loading to unloading; usually one.

    Attributes:
        job_orders: Those that are loaded, begun and ended together.
        occupies: How much of its lane it takes, as the work unit counts it.
        since: When the clock that runs now was started.
        setup_us: Setup time of the intervals that are over; likewise the other.
        begun_at: When its first piece could be made: what is counted before is not its.
        closed_at: None while the claim lasts.
    """

    id: str
    number: int
    work_unit: str
    work_center: str
    job_orders: tuple[str, ...]
    lane: Lane
    opened_at: int
    person: str
    occupies: Decimal = Decimal(1)
    clock: Clock = Clock.STOPPED
    since: int = 0
    setup_us: int = 0
    processing_us: int = 0
    begun_at: int | None = None
    closed_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it claims its work unit."""
        return self.closed_at is None


class RunMember(msgspec.Struct, frozen=True, kw_only=True):
    """That a job order was in a run, also after it has left it.

    Attributes:
        quantity: What it brought in, in its own unit: its share of the run's time.
    """

    job_order: str
    run: str
    quantity: Decimal


class HoldMode(StrEnum):
    """How a hold stops the work that it falls on."""

    STOP_NOW = "stop_now"
    AFTER_RUN = "after_run"
    FUTURE = "future"


class HoldScope(StrEnum):
    """What a hold is on."""

    JOB_ORDER = "job_order"
    WORK_REQUEST = "work_request"
    LOT = "lot"
    CARRIER = "carrier"


class HoldQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What a hold of mode ``future`` waits for; all that is said has to match.

    Attributes:
        material: What the work request makes, or what a lot in stock is of.
        supplier_lot: What the supplier calls a lot that is received.
        equipment: A work unit, a work center or an equipment class.
    """

    step: str | None = None
    material: str | None = None
    routing: str | None = None
    work_request: str | None = None
    supplier_lot: str | None = None
    equipment: str | None = None

    @property
    def members(self) -> dict[str, str]:
        """What is asked for, by name."""
        return {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not None
        }


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A record that forbids work on one thing until someone releases it.

    Attributes:
        target: The thing; empty for a hold of mode ``future``.
        releaser: The person or the role that may release it; empty for anybody.
        query: What a hold of mode ``future`` waits for. Each job order, request or lot
            (its scope) that gets there is held by a record of its own ...
        opens_as: ... of this mode.
        from_hold: The hold of mode ``future`` that this one came from.
    """

    id: str
    number: int
    scope: HoldScope
    target: str
    mode: HoldMode
    reason: str
    owner: str
    opened_at: int
    released_at: int | None = None
    released_by: str = ""
    releaser: str = ""
    query: HoldQuery = HoldQuery()
    opens_as: HoldMode = HoldMode.STOP_NOW
    from_hold: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still holds."""
        return self.released_at is None
