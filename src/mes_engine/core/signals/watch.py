"""Values that have to last before they count: levels, state words, bad quality.

By the source's time where another value ends the wait, by our clock where nothing does.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec


class WatchKind(StrEnum):
    """What is watched."""

    EDGE = "edge"
    STATE = "state"
    BAD = "bad"
    HEARTBEAT = "heartbeat"


class SignalWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a value that has to last.

    Attributes:
        id: The rule's or the tag's, with what is watched of it.
        tag: Which tag is watched.
        value: What counts now; None before anything did.
        since: Since when, by its source's time.
        pending: What may count soon; None if nothing waits.
        pending_at: Since when that is so.
        due_at: When it counts, by our clock, unless something else comes.
    """

    id: str
    kind: WatchKind
    tag: str
    value: str | None = None
    since: int = 0
    pending: str | None = None
    pending_at: int = 0
    due_at: int | None = None


class Lasting(msgspec.Struct, frozen=True, kw_only=True):
    """What a value means: the watch afterwards, and what counts by now, in order."""

    watch: SignalWatch
    counts: tuple[tuple[str, int], ...] = ()


def hear_value(
    known: SignalWatch,
    value: str,
    *,
    at: int,
    heard_at: int,
    hold: Callable[[str], int],
) -> Lasting:
    """Tell what counts after ``value`` was heard.

    Args:
        known: What was known.
        value: What was heard.
        at: Since when it is so, by its source.
        heard_at: When we heard it, by our clock.
        hold: How long a value has to last, in microseconds.
    """
    counts: list[tuple[str, int]] = []
    pending = known.pending
    if pending is not None and at - known.pending_at >= hold(pending):
        known = _counting(known, pending, known.pending_at)
        counts.append((pending, known.since))
    if value == known.pending:
        return Lasting(watch=known, counts=tuple(counts))
    if value == known.value:
        return Lasting(watch=_waiting(known, None, 0, None), counts=tuple(counts))
    if hold(value) <= 0:
        counts.append((value, at))
        return Lasting(watch=_counting(known, value, at), counts=tuple(counts))
    watch = _waiting(known, value, at, heard_at + hold(value))
    return Lasting(watch=watch, counts=tuple(counts))


def set_value(known: SignalWatch, value: str, *, at: int) -> SignalWatch:
    """Take ``value`` for what counts, without a word: nobody saw it change."""
    return _counting(known, value, at)


def last_on(known: SignalWatch) -> Lasting:
    """Tell what counts once the wait is over by our clock."""
    if known.pending is None:
        return Lasting(watch=_waiting(known, None, 0, None))
    counts = ((known.pending, known.pending_at),)
    return Lasting(
        watch=_counting(known, known.pending, known.pending_at), counts=counts
    )


def _counting(known: SignalWatch, value: str, at: int) -> SignalWatch:
    return _waiting(
        msgspec.structs.replace(known, value=value, since=at), None, 0, None
    )


def _waiting(
    known: SignalWatch, pending: str | None, at: int, due_at: int | None
) -> SignalWatch:
    return msgspec.structs.replace(known, pending=pending, pending_at=at, due_at=due_at)
