"""Counters: position and epoch, and what a new value means.

A counter's value is absolute. Its first value ever is a baseline; after that an
increase counts, a return to the bottom is told apart into rollover and reset, and what
cannot be either is suspect: kept, shown, and not counted. What is known of each tag is
engine state, so a restart of ours neither loses nor doubles a piece.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.plant import Signal
from mes_engine.core.quantity import MAX_QUANTITY

MICROSECONDS = 1_000_000
TOP_PART = Decimal("0.5")
"""A rollover starts in the top half of the counter's range, or it is none."""


class CounterChange(StrEnum):
    """What a new counter value is, seen from the last one."""

    BASELINE = "baseline"
    ADVANCE = "advance"
    ROLLOVER = "rollover"
    RESET = "reset"
    SUSPECT = "suspect"


class SignalState(msgspec.Struct, frozen=True, kw_only=True):
    """The last that is known of one tag.

    Attributes:
        value: The last good value, as text; None before the first.
        at: When we heard it: a count's last change, or that it came back unchanged.
        epoch: How often a counter has been reset.
        position: What a counter has counted since its baseline, rollovers included.
        is_bad: Whether the last sample was of bad quality.
        is_uncertain: Whether the last was accepted though its quality is uncertain.
    """

    tag: str
    value: str | None = None
    at: int = 0
    epoch: int = 0
    position: int = 0
    is_bad: bool = False
    is_uncertain: bool = False


class CounterReading(msgspec.Struct, frozen=True, kw_only=True):
    """What one new counter value means: ``delta`` more counts, and why."""

    change: CounterChange
    delta: int
    state: SignalState


def read_counter(
    signal: Signal, last: SignalState | None, value: int, at: int
) -> CounterReading | None:
    """Tell what ``value`` means after ``last``; None if nothing changed.

    Args:
        signal: How the counter behaves.
        last: What was known before; None if nothing.
        value: The count that the machine shows.
        at: When, in microseconds of UTC.
    """
    if last is None or last.value is None:
        first = SignalState(tag=signal.tag, value=str(value), at=at)
        return CounterReading(change=CounterChange.BASELINE, delta=0, state=first)
    previous = int(last.value)
    if value == previous:
        return None
    change, delta = _told_apart(signal, previous, value, max(at - last.at, 0))
    if change is CounterChange.SUSPECT:
        # The doubtful value becomes the new base, or every later one would be doubtful.
        state = msgspec.structs.replace(last, value=str(value), at=at)
        return CounterReading(change=change, delta=delta, state=state)
    state = msgspec.structs.replace(
        last,
        value=str(value),
        at=at,
        epoch=last.epoch + (change is CounterChange.RESET),
        position=last.position + delta,
    )
    return CounterReading(change=change, delta=delta, state=state)


def _told_apart(
    signal: Signal, previous: int, value: int, elapsed_us: int
) -> tuple[CounterChange, int]:
    if value > previous:
        delta = value - previous
        is_usual = _is_plausible(signal, delta, elapsed_us)
        return (CounterChange.ADVANCE if is_usual else CounterChange.SUSPECT), delta
    width = signal.rollover
    if width is not None and width * TOP_PART <= previous < width:
        around = value + width - previous
        if around <= width * TOP_PART and _is_plausible(signal, around, elapsed_us):
            return CounterChange.ROLLOVER, around
    since_reset = value - signal.reset_to
    if since_reset >= 0 and _is_plausible(signal, since_reset, elapsed_us):
        return CounterChange.RESET, since_reset
    return CounterChange.SUSPECT, 0


def _is_plausible(signal: Signal, delta: int, elapsed_us: int) -> bool:
    if delta * signal.factor > MAX_QUANTITY:
        return False
    if signal.max_rate_per_s is None:
        return True
    # One count of slack: the change may have happened just before the last sample.
    return delta <= signal.max_rate_per_s * elapsed_us / MICROSECONDS + 1
