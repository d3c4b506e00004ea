"""What takes bookings back."""

from decimal import Decimal

from mes_engine.core.bookings import Reversal
from mes_engine.core.facts.fact import BaseFact


class BookingReversed(BaseFact, frozen=True, kw_only=True, tag="booking_reversed"):
    """A booking was taken back, or a part of a consumption.

    The amounts are those that the job order has less for it; the totals are its
    afterwards.
    """

    reversal: Reversal
    good: Decimal
    scrap: Decimal
    lost: Decimal
    tested: Decimal
    good_total: Decimal
    scrap_total: Decimal
    lost_total: Decimal
    tested_total: Decimal


class WayReversed(BaseFact, frozen=True, kw_only=True, tag="way_reversed"):
    """Pieces that were sent to rework, or another way, are back where they were.

    The amounts are those that the job order has less for it; the totals are its
    afterwards.
    """

    reversal: Reversal
    reworked: Decimal
    deviated: Decimal
    reworked_total: Decimal
    deviated_total: Decimal


CorrectionsFact = BookingReversed | WayReversed
