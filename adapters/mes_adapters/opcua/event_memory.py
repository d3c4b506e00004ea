"""What is known of a machine's messages from earlier connections."""

from dataclasses import dataclass, field

from mes_engine.core.samples import EventSample

MOST_SEEN = 10_000
"""Ids of messages that are known again; the engine knows them longer, by their keys."""


@dataclass(frozen=True, slots=True)
class EventMark:
    """The message that was told last: its own time, and its id."""

    at: int
    id: bytes


@dataclass(slots=True)
class EventMemory:
    """All that a link knows of messages.

    Attributes:
        missing: Which cannot be listened for, and why.
        began: When each was listened for first, by our clock.
        away_since: Since when nobody listened, by the server's clock.
        to_recover: Of which some may have been missed.
        refreshing: Conditions that are so, as far as the server has told them anew.
    """

    missing: dict[str, str] = field(default_factory=dict)
    marks: dict[str, EventMark] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)
    away_since: dict[str, int] = field(default_factory=dict)
    to_recover: set[str] = field(default_factory=set)
    refreshing: dict[str, dict[str, EventSample]] = field(default_factory=dict)
    _seen: dict[tuple[str, bytes], None] = field(default_factory=dict)

    def is_repeat(self, kind: str, event_id: bytes) -> bool:
        """Whether a message was told already."""
        return bool(event_id) and (kind, event_id) in self._seen

    def keep(self, kind: str, event_id: bytes, at: int | None) -> None:
        """Take note that a message was told."""
        if event_id:
            self._seen[kind, event_id] = None
            if len(self._seen) > MOST_SEEN:
                del self._seen[next(iter(self._seen))]
        mark = self.marks.get(kind)
        if at is not None and (mark is None or at >= mark.at):
            self.marks[kind] = EventMark(at, event_id)
