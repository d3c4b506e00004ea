"""Time windows between two steps: queue time (SEMI), minimum cure, maximum floor life.

A rule of the routing says between which points a lot may be; a record says how one lot
fares. Time passes without messages, so that what a moment brings (the window opens, is
to be warned of, is over) is a fact of its own, told by the clock's command or by the
command that comes first.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import MAX_QUANTITY, MILLION, ZERO

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


class WindowPoint(StrEnum):
    """Which end of a step's work is meant."""

    BEGUN = "begun"
    ENDED = "ended"


class WindowRule(
    msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from", "target": "to"}
):
    """How long a lot may, or has to, be between two steps of its routing.

    Attributes:
        source: The step whose begin or end starts the time; ``from`` in documents.
        target: The step whose begin or end it is measured to; ``to`` in documents.
        starts_at: Which point of ``source``; its end is when pieces leave it.
        ends_at: Which point of ``target``.
        min_s: Seconds that have to pass; None where there is no least.
        max_s: Seconds that may pass; None where there is no most.
        warn_s: Seconds after which people are warned, before ``max_s``.
    """

    source: str
    target: str
    starts_at: WindowPoint = WindowPoint.ENDED
    ends_at: WindowPoint = WindowPoint.BEGUN
    min_s: Decimal | None = None
    max_s: Decimal | None = None
    warn_s: Decimal | None = None

    @property
    def points(self) -> tuple[str, WindowPoint, str, WindowPoint]:
        """What tells it from the other rules of its routing."""
        return (self.source, self.starts_at, self.target, self.ends_at)


class WindowState(StrEnum):
    """How a lot fares with a time window.

    ``void`` is one that has come to nothing: no piece can end it any more.
    """

    ARMED = "armed"
    WARNED = "warned"
    SATISFIED = "satisfied"
    VIOLATED = "violated"
    WAIVED = "waived"
    VOID = "void"


CLOCK = "clock"
"""The key of the index of those that time alone will change."""

RUNNING_OUT = frozenset({WindowState.ARMED, WindowState.WARNED})


class TimeWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One lot between two points of one pass.

    Attributes:
        lot: None where the source holds no pieces.
        armed_at: When the first piece started it; what may pass counts from here.
        last_at: When the last one did; what has to pass counts from here.
        opens_at: Before this the end is too early; None without a least.
        warns_at: When people are to be warned; None if never.
        closes_at: After this the end is too late; None without a most.
        opened_at: When the least had passed; None before.
        violated_at: When it was broken: ``closes_at``, or the end that was too early.
        settled_at: When its end came, or nothing more was to be waited for.
        reason: Why it was violated, waived or given up, in words.
    """

    id: str
    number: int
    request: str
    lot: str | None
    source: str
    target: str
    pass_number: int
    starts_at: WindowPoint
    ends_at: WindowPoint
    armed_at: int
    last_at: int
    opens_at: int | None = None
    warns_at: int | None = None
    closes_at: int | None = None
    state: WindowState = WindowState.ARMED
    opened_at: int | None = None
    violated_at: int | None = None
    waived_at: int | None = None
    waived_by: str = ""
    settled_at: int | None = None
    reason: str = ""

    @property
    def is_live(self) -> bool:
        """Whether its end is still to come."""
        return self.settled_at is None

    @property
    def is_too_early(self) -> bool:
        """Whether what has to pass has not passed yet, as far as we were told."""
        waits = self.opens_at is not None and self.opened_at is None
        return self.is_live and waits and self.state is not WindowState.WAIVED

    @property
    def is_too_late(self) -> bool:
        """Whether it was violated, and nobody has waived that."""
        return self.is_live and self.state is WindowState.VIOLATED

    @property
    def due_at(self) -> int | None:
        """When time alone changes it next; None if it never does."""
        if not self.is_live or self.state is WindowState.WAIVED:
            return None
        moments = [self.opens_at] if self.opened_at is None else []
        if self.state is WindowState.ARMED:
            moments.append(self.warns_at)
        if self.state in RUNNING_OUT and self.closes_at is not None:
            moments.append(self.closes_at + 1)  # At that very moment it is in time.
        return min((one for one in moments if one is not None), default=None)

    def is_of(self, rule: WindowRule) -> bool:
        """Whether it was armed by ``rule``."""
        return (self.source, self.starts_at, self.target, self.ends_at) == rule.points


def after(at: int, seconds: Decimal | None) -> int | None:
    """Return the moment ``seconds`` after ``at``; None if it is not limited."""
    return None if seconds is None else at + int(seconds * MILLION)


def told_at(at: int) -> str:
    """Return microseconds of UTC as people read them.

    Example:
        >>> told_at(1_500_000)
        '1970-01-01T00:00:01.500000Z'
    """
    most = (_LAST - _EPOCH) // timedelta(microseconds=1)
    moment = _EPOCH + timedelta(microseconds=min(max(at, 0), most))
    return moment.isoformat().replace("+00:00", "Z")


def told_s(microseconds: int) -> str:
    """Return a span in seconds, without idle zeros.

    Example:
        >>> told_s(3_600_000_000), told_s(1_500_000)
        ('3600 s', '1.5 s')
    """
    digits = f"{Decimal(microseconds) / MILLION:f}"
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits} s"


def window_problems(
    rules: Sequence[WindowRule],
    steps: Collection[str],
    beyond: Callable[[str], Collection[str]],
) -> Iterator[tuple[str, str]]:
    """Say what makes the rules of a routing unusable, as (path, problem).

    Args:
        rules: As declared.
        steps: The ids of the routing's steps.
        beyond: Tells which steps can be reached from one.
    """
    seen: list[tuple[str, WindowPoint, str, WindowPoint]] = []
    for index, rule in enumerate(rules):
        path = f"time_windows.{index}"
        ends = (("from", rule.source), ("to", rule.target))
        unknown = [
            (f"{path}.{end}", f"there is no step '{name}'")
            for end, name in ends
            if name not in steps
        ]
        yield from unknown
        if not unknown and rule.target not in beyond(rule.source):
            text = f"step '{rule.target}' cannot be reached from '{rule.source}'"
            yield f"{path}.to", text
        if rule.points in seen:
            text = (
                f"there is already a window from '{rule.source}' "
                f"{rule.starts_at} to '{rule.target}' {rule.ends_at}"
            )
            yield path, text
        seen.append(rule.points)
        yield from _time_problems(path, rule)


def _time_problems(path: str, rule: WindowRule) -> Iterator[tuple[str, str]]:
    times = (("min_s", rule.min_s), ("max_s", rule.max_s), ("warn_s", rule.warn_s))
    wrong = [
        (f"{path}.{name}", f"{seconds} is no time of 0 to {MAX_QUANTITY} seconds")
        for name, seconds in times
        if seconds is not None
        and not (seconds.is_finite() and ZERO <= seconds <= MAX_QUANTITY)
    ]
    yield from wrong
    if wrong:
        return
    if rule.min_s is None and rule.max_s is None:
        yield path, "a time window needs 'min_s', 'max_s' or both"
    if rule.min_s is not None and rule.max_s is not None and rule.min_s > rule.max_s:
        yield f"{path}.min_s", f"{rule.min_s} is more than the max_s of {rule.max_s}"
    if rule.warn_s is None:
        return
    if rule.max_s is None:
        yield f"{path}.warn_s", "there is no 'max_s' to warn before"
    elif rule.warn_s > rule.max_s:
        yield f"{path}.warn_s", f"{rule.warn_s} is more than the max_s of {rule.max_s}"
