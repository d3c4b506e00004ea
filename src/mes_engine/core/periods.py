"""Accounting periods: the days that the ERP books nothing on any more.

Days are the plant's business days, as ISO text: they compare as they follow each other.
"""

from datetime import date, timedelta

import msgspec

LEDGER = "erp"
"""The one ledger whose books there are."""


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Up to which day the books of a ledger are closed.

    Attributes:
        closed_until: The last business day of the last closed period; empty if none is.
        reason: Why they were closed, or opened again.
    """

    closed_until: str
    at: int
    person: str
    reason: str
    ledger: str = LEDGER

    def is_closed(self, day: str) -> bool:
        """Return whether nothing may be booked on a day any more."""
        return day <= self.closed_until

    @property
    def first_open(self) -> str:
        """The first day of the open period; empty if every day is open."""
        return day_after(self.closed_until) if self.closed_until else ""


OPEN = Books(closed_until="", at=0, person="", reason="")
"""What is so before anybody has closed anything."""


def day_after(day: str, days: int = 1) -> str:
    """Return another business day.

    Example:
        >>> day_after("2026-02-28"), day_after("2026-03-01", -1)
        ('2026-03-01', '2026-02-28')
    """
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
