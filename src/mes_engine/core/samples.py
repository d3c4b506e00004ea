"""What adapters hand over: a tag's value as the device reported it, and link changes.

A value is absolute (a counter's position, never an increase), so that loss, repeats and
replays are harmless. Terms are those of OPC UA Part 8: value, quality, source time.
"""

from enum import StrEnum

import msgspec

from mes_engine.core.machine_jobs import MachineJobList


class Quality(StrEnum):
    """How far a value can be trusted (OPC UA severity)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class LinkState(StrEnum):
    """Whether the device answers. Apart from what the machine itself does."""

    CONNECTED = "connected"
    STALE = "stale"
    DISCONNECTED = "disconnected"


class Origin(StrEnum):
    """How a value came to us.

    ``initial`` is the first one of a connection, ``live`` was reported as it changed,
    ``poll`` was asked for; ``replay`` was kept by the device's subscription while we
    were away, ``backfill`` was read from its history afterwards.
    """

    INITIAL = "initial"
    LIVE = "live"
    POLL = "poll"
    REPLAY = "replay"
    BACKFILL = "backfill"


class Recovered(StrEnum):
    """How much of what a gap would have swallowed was brought in afterwards."""

    ALL = "all"
    PART = "part"
    NONE = "none"


class Sample(msgspec.Struct, frozen=True, kw_only=True, tag="sample"):
    """One value of one tag.

    Attributes:
        tag: As declared in the plant: ``<work unit>.<name>``.
        value: None where the quality is bad.
        source_at: The device's own time, in microseconds of UTC; None if it has none.
        received_at: When we received it, in microseconds of UTC.
        overflow: The device said that values before this one were dropped.
        origin: How it came to us.
    """

    tag: str
    value: bool | int | float | str | None
    quality: Quality
    source_at: int | None
    received_at: int
    overflow: bool = False
    origin: Origin = Origin.LIVE

    @property
    def at(self) -> int:
        """When we received it."""
        return self.received_at


class SampleGroup(msgspec.Struct, frozen=True, kw_only=True, tag="sample_group"):
    """Values that were read together, at one moment, because they belong together.

    Attributes:
        gate: The tag that says what the others are: a request, above all.
        samples: Of all its tags, changed or not; each tag once.
        since: Since when all of them have been as they are, as far as is known, in
            microseconds of UTC, by the clock that their ``received_at`` is of.
    """

    gate: str
    samples: tuple[Sample, ...]
    since: int

    @property
    def at(self) -> int:
        """When they were read."""
        return max(one.received_at for one in self.samples)


class EventSample(msgspec.Struct, frozen=True, kw_only=True, tag="event_sample"):
    """A message of a machine: something that happened, and not a value.

    Attributes:
        kind: Which, as the plant's file names it.
        condition: What it is a state of (OPC UA: ConditionId); empty if of nothing.
        key: Its own id (OPC UA: EventId), the same however often it is told.
        fields: What it says, by name.
        severity: 1 to 1000; 0 if it has none.
        text: In words, for people.
        source_at: The device's own time, in microseconds of UTC; None if it has none.
        received_at: When we received it, in microseconds of UTC.
        origin: How it came to us.
    """

    kind: str
    key: str
    received_at: int
    source_at: int | None = None
    fields: dict[str, bool | int | float | str | None] = msgspec.field(
        default_factory=dict
    )
    severity: int = 0
    text: str = ""
    condition: str = ""
    origin: Origin = Origin.LIVE

    @property
    def at(self) -> int:
        """When we received it."""
        return self.received_at


class EventRefresh(msgspec.Struct, frozen=True, kw_only=True, tag="event_refresh"):
    """The conditions of a machine that are so now: all of them, and no others.

    Attributes:
        kind: Of which messages, as :class:`EventSample` has it.
        standing: The last message of each.
        at: When that was told, in microseconds of UTC.
    """

    kind: str
    standing: tuple[EventSample, ...]
    at: int


KEPT_BY_THE_DEVICE = frozenset({Origin.REPLAY, Origin.BACKFILL})
"""How values come that are late, and by the device's own time."""

MAX_SKEW_US = 120_000_000
"""A device's clock that differs more than this from ours is not believed."""


def occurred_at(sample: Sample | EventSample) -> int:
    """Return when ``sample`` was so: by the device's clock, unless it is far off.

    It was so before we heard of it, whatever the device says. What the device has kept
    while we were away is late by nature: there its clock is all there is.
    """
    if sample.source_at is None:
        return sample.received_at
    is_far_off = abs(sample.source_at - sample.received_at) > MAX_SKEW_US
    if is_far_off and sample.origin not in KEPT_BY_THE_DEVICE:
        return sample.received_at
    return min(sample.source_at, sample.received_at)


TRUSTED_SKEW_US = 5_000_000
"""Within so much, a device's clock says which run a count belongs to."""


def told_at(sample: Sample | EventSample) -> int:
    """Return the time by which ``sample`` is held against what people did.

    The device's own, where its clock agrees with ours; else when we received it, or a
    clock that is a minute behind would have every count come before its run.
    """
    at = occurred_at(sample)
    if sample.origin in KEPT_BY_THE_DEVICE:
        return at
    return at if sample.received_at - at <= TRUSTED_SKEW_US else sample.received_at


class LinkReport(msgspec.Struct, frozen=True, kw_only=True, tag="link_report"):
    """A link changed its state, at ``at`` (microseconds of UTC), for ``reason``.

    Attributes:
        missing: The tags that a connected device does not provide: it is degraded.
    """

    state: LinkState
    at: int
    reason: str = ""
    missing: tuple[str, ...] = ()


class DataGap(msgspec.Struct, frozen=True, kw_only=True, tag="data_gap"):
    """Values may be missing between two times, in microseconds of UTC.

    Attributes:
        tags: Whose; empty for all that the link brings.
        since: The source time of the last value before it; None if there was none.
        until: When values came again.
        recovered: How much of it came in afterwards.
    """

    tags: tuple[str, ...]
    since: int | None
    until: int
    recovered: Recovered
    reason: str

    @property
    def at(self) -> int:
        """When it is told: at its end."""
        return self.until


Report = (
    Sample
    | SampleGroup
    | EventSample
    | EventRefresh
    | LinkReport
    | DataGap
    | MachineJobList
)
"""All that a link can say."""
