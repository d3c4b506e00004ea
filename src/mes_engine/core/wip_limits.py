"""Limits of work in progress: CONWIP for an area, kanban for a buffer.

CONWIP (Spearman, Woodruff and Hopp 1990) lets new work into an area only when other
work has left it. Kanban lets the step before a buffer begin only while there is room.
"""

from decimal import Decimal

import msgspec

LIMITED = "limited"
"""The key of the index of job orders that wait for room."""


class WipLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How much may be inside an area at a time.

    Attributes:
        work_requests: How many requests; None for any number.
        pieces: How many pieces, each request counted whole, in its own unit.
    """

    work_requests: int | None = None
    pieces: Decimal | None = None


class AreaEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A work request that has begun in an area with a limit, and not left it.

    Attributes:
        quantity: What it counts for, whole, until it has left.
    """

    area: str
    request: str
    quantity: Decimal
    entered_at: int
