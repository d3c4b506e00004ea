"""Unassigned production: pieces that a machine counted and no job order can take."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import ZERO


class UnassignedReason(StrEnum):
    """Why a count belongs to no job order."""

    NO_ACTIVE_RUN = "no_active_run"
    BEFORE_BEGIN = "before_begin"
    PAST_QUANTITY = "past_quantity"
    SUSPECT_COUNT = "suspect_count"
    SPANS_OUTAGE = "spans_outage"
    SHARED_RUN = "shared_run"
    LOT_HELD = "lot_held"
    REVERSED = "reversed"
    TOO_LATE = "too_late"


class UnassignedProduction(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces counted by a work unit that are on no job order, one stretch of them.

    Attributes:
        seq: The fact that it was first written by; it names it.
        role: ``good`` or ``scrap``.
        job_order: The one whose quantity was exceeded, if that is the reason.
        until: When the last of them was counted, the first ``at``.
        assigned: What a person has since put on job orders; ``dismissed``, written off.
    """

    seq: int
    work_unit: str
    tag: str
    role: str
    quantity: Decimal
    reason: UnassignedReason
    at: int
    until: int
    job_order: str | None = None
    assigned: Decimal = ZERO
    dismissed: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        """What nobody has settled yet."""
        return self.quantity - self.assigned - self.dismissed


class MachineTally(msgspec.Struct, frozen=True, kw_only=True):
    """What a work unit's counters brought in.

    ``counted = booked + unassigned + dismissed``.

    Attributes:
        stretch: The unassigned production that the last count is of, if it is of one.
    """

    work_unit: str
    role: str
    counted: Decimal
    booked: Decimal
    unassigned: Decimal
    dismissed: Decimal = ZERO
    stretch: int | None = None
