"""Accounting periods, and what waits for one that is open."""

from mes_engine.core.messages.command import BaseCommand


class ClosePeriod(BaseCommand, frozen=True, kw_only=True, tag="close_period"):
    """The books are closed, up to and with this business day (ISO)."""

    last_day: str
    reason: str


class ReopenPeriod(BaseCommand, frozen=True, kw_only=True, tag="reopen_period"):
    """The books are open again, from this business day (ISO) on."""

    first_day: str
    reason: str


class ReleasePosting(BaseCommand, frozen=True, kw_only=True, tag="release_posting"):
    """Let a held posting be booked in the open period; its source's time stays."""

    posting: str
    reason: str


PeriodsCommand = ClosePeriod | ReopenPeriod | ReleasePosting
