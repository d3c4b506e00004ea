"""What outlives a connection: what we subscribed to, and what we have told so far."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from asyncua import ua

from mes_adapters.opcua.event_memory import EventMemory
from mes_adapters.opcua.messages import FoundEvent
from mes_adapters.opcua.sessions import LeftSession
from mes_engine.core.errors import SourceRefused
from mes_engine.core.samples import Sample

HEARTBEAT = 1
"""The client's handle of the server's clock; those of tags and events follow."""
MOST_REFUSALS, REFUSALS_WITHIN_S = 2, 10.0
"""More than that would lock an account on many servers."""

Told = tuple[int | None, object]
"""Source time and value."""


@dataclass(frozen=True, slots=True)
class Revised:
    """What the server has made of what we asked for one item."""

    sampling_ms: float
    queue: int


@dataclass(slots=True)
class Held:
    """A subscription that the server keeps for us while we are away.

    Attributes:
        sequence: The number of its last message that was told in full.
        tag_of: The tags by the handles of their items; ``event_of`` likewise.
        events: What is listened for, as it was found on the server.
        unfiltered: Of these, which come among all others, and why.
    """

    subscription: int
    silence_s: float
    sequence: int = 0
    has_heartbeat: bool = False
    last_handle: int = 0
    tag_of: dict[int, str] = field(default_factory=dict)
    item_of: dict[str, int] = field(default_factory=dict)
    node_of: dict[str, ua.NodeId] = field(default_factory=dict)
    revised: dict[str, Revised] = field(default_factory=dict)
    event_of: dict[int, str] = field(default_factory=dict)
    events: dict[str, FoundEvent] = field(default_factory=dict)
    unfiltered: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Mark:
    """The last source time that was told of a tag, and the values that had it.

    More than one: a burst can fit into one tick of the device's clock.

    Attributes:
        is_recalled: It is of an earlier life of ours, and has the last of the values
            only; those before it in the same tick were told as well.
    """

    at: int
    values: Counter[object]
    is_recalled: bool = False


@dataclass(slots=True)
class Brought:
    """What history has brought of a tag, up to ``until``: it may come again."""

    until: int
    values: Counter[Told]


@dataclass(slots=True)
class Memory:
    """All that a link knows from its earlier connections.

    Attributes:
        vain_transfers: How often the server has handed our subscription over, and then
            said nothing.
        to_recover: Tags of which values may be missing since their marks.
        left: Sessions that could not be closed.
        began_at: When the server began that they were left on.
    """

    held: Held | None = None
    has_worked: bool = False
    vain_transfers: int = 0
    told: dict[str, Sample] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    to_recover: set[str] = field(default_factory=set)
    brought: dict[str, Brought] = field(default_factory=dict)
    events: EventMemory = field(default_factory=EventMemory)
    left: list[LeftSession] = field(default_factory=list)
    began_at: datetime | None = None
    refused_at: deque[float] = field(
        default_factory=lambda: deque(maxlen=MOST_REFUSALS)
    )

    def spare_account(self, url: str, *, now: float) -> None:
        """Ask nothing if we were refused often just now (``now`` is monotonic).

        Raises:
            SourceRefused: Once more could lock the account.
        """
        recent = [at for at in self.refused_at if now - at < REFUSALS_WITHIN_S]
        if len(recent) >= MOST_REFUSALS:
            raise SourceRefused(
                f"{url} has refused us {len(recent)} times just now,"
                " and was not asked again.",
                hint="Check user, password and certificates on both sides.",
            )

    def keep(self, sample: Sample) -> None:
        """Take note that ``sample`` was told."""
        self.told[sample.tag] = sample
        if sample.source_at is None:
            return
        mark = self.marks.get(sample.tag)
        if mark is None or mark.at != sample.source_at:
            mark = self.marks[sample.tag] = Mark(sample.source_at, Counter())
        mark.values[sample.value] += 1

    def recall(self, sample: Sample) -> None:
        """Take note that ``sample`` was told last, in an earlier life of ours."""
        if sample.source_at is None:
            return
        self.told[sample.tag] = sample
        values: Counter[object] = Counter([sample.value])
        self.marks[sample.tag] = Mark(sample.source_at, values, is_recalled=True)

    def is_repeat(self, sample: Sample) -> bool:
        """Whether ``sample`` was brought in from history already; counted off once."""
        brought = self.brought.get(sample.tag)
        if brought is None or sample.source_at is None:
            return False
        if sample.source_at > brought.until:
            del self.brought[sample.tag]
            return False
        one = (sample.source_at, sample.value)
        is_repeat = brought.values[one] > 0
        brought.values[one] -= is_repeat
        return is_repeat
