"""Time windows between steps: what becomes of each, with the moment that counts."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.time_windows import TimeWindow


class TimeWindowArmed(BaseFact, frozen=True, kw_only=True, tag="time_window_armed"):
    """A lot has come to where a time window starts."""

    window: TimeWindow


class TimeWindowExtended(
    BaseFact, frozen=True, kw_only=True, tag="time_window_extended"
):
    """More pieces of the lot have come: the least time counts from them."""

    window: str
    last_at: int
    opens_at: int | None


class TimeWindowOpened(BaseFact, frozen=True, kw_only=True, tag="time_window_opened"):
    """The least time has passed."""

    window: str
    at: int


class TimeWindowWarned(BaseFact, frozen=True, kw_only=True, tag="time_window_warned"):
    """The most time will have passed soon."""

    window: str
    at: int


class TimeWindowViolated(
    BaseFact, frozen=True, kw_only=True, tag="time_window_violated"
):
    """The end came too early, or had not come in time."""

    window: str
    at: int
    reason: str


class TimeWindowSatisfied(
    BaseFact, frozen=True, kw_only=True, tag="time_window_satisfied"
):
    """The end came in time."""

    window: str
    at: int


class TimeWindowWaived(BaseFact, frozen=True, kw_only=True, tag="time_window_waived"):
    """A person lets the lot go on in spite of the time window."""

    window: str
    at: int
    person: str
    reason: str


class TimeWindowPassed(BaseFact, frozen=True, kw_only=True, tag="time_window_passed"):
    """The end came; the time window had been violated or waived before."""

    window: str
    at: int


class TimeWindowVoided(BaseFact, frozen=True, kw_only=True, tag="time_window_voided"):
    """The end cannot come any more."""

    window: str
    at: int
    reason: str


WindowsFact = (
    TimeWindowArmed
    | TimeWindowExtended
    | TimeWindowOpened
    | TimeWindowWarned
    | TimeWindowViolated
    | TimeWindowSatisfied
    | TimeWindowWaived
    | TimeWindowPassed
    | TimeWindowVoided
)
