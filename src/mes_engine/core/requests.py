"""Work requests (production orders), and the visits that they make to steps.

ISA-95 WorkRequest: make N of a material by a date. Only ``released``, ``closed`` and
``cancelled`` are set by someone; the rest of its states follow from its job orders.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import ZERO


class WorkRequestState(StrEnum):
    """Where a work request stands."""

    PLANNED = "planned"
    RELEASED = "released"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


OVER = frozenset({WorkRequestState.CLOSED, WorkRequestState.CANCELLED})
"""The states in which nothing more is booked on a request."""


class WorkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Make ``quantity`` of ``material`` by ``due_at``, by one revision of a routing.

    Attributes:
        demand: What asked for it, such as a customer's order line; empty if nothing.
        posted: How many postings its stream has so far.
        releases_job_orders: Whether a job order may start as soon as it is stored.
        lot: The first of the lots that its pieces form; None before they are started.
        lot_size: How many pieces a lot takes; 0 for one lot of all.
    """

    id: str
    material: str
    unit: str
    quantity: Decimal
    routing: str
    revision: str
    due_at: int
    priority: int
    demand: str
    created_at: int
    state: WorkRequestState = WorkRequestState.PLANNED
    lot: str | None = None
    posted: int = 0
    releases_job_orders: bool = True
    lot_size: Decimal = ZERO

    @property
    def is_released(self) -> bool:
        """Whether job orders of it may start."""
        return self.state in {
            WorkRequestState.RELEASED,
            WorkRequestState.IN_PROGRESS,
            WorkRequestState.COMPLETED,
        }


SECOND = 2
"""The number of the first pass back."""


class ReworkPass(msgspec.Struct, frozen=True, kw_only=True):
    """The pass through a rework loop that pieces are in; its first is ``SECOND``."""

    loop: str
    pass_number: int


class LotWay(msgspec.Struct, frozen=True, kw_only=True):
    """The alternative that a lot takes when it leaves a visit.

    Attributes:
        is_set: Whether a person chose it; else it holds while pieces have gone by it.
    """

    lot: str
    target: str
    is_set: bool


ALL = "*"
"""What stands for every lot among those that skip a step."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One pass of a request through one step.

    Attributes:
        pass_number: 1 at first; rework makes the next.
        rework: The loops that its pieces are in, the innermost last; none at first.
        tokens: Precedence connections whose source is done, by source step.
        chosen: The alternative taken when pieces leave, by target step.
        ways: Likewise of single lots, where measured data tells it.
        skips: The lots that skip the step; ``ALL`` for every one.
        is_done: Whether the step's work is over: its token has been passed on.
        repeats: Pieces that it had confirmed as good, and that a deviation brings to
            it again.
    """

    id: str
    request: str
    step: str
    pass_number: int
    rework: tuple[ReworkPass, ...] = ()
    tokens: tuple[str, ...] = ()
    chosen: str | None = None
    ways: tuple[LotWay, ...] = ()
    skips: tuple[str, ...] = ()
    is_done: bool = False
    repeats: Decimal = ZERO


def visit_id(request: str, step: str, pass_number: int = 1) -> str:
    """Return the id of a visit; a place where lots can be."""
    return f"{request}/{step}/{pass_number}"


class ConnectionFlow(msgspec.Struct, frozen=True, kw_only=True):
    """What has passed between two visits: law L2, ``sent = in transit + arrived``."""

    request: str
    source: str
    target: str
    sent: Decimal
    arrived: Decimal
