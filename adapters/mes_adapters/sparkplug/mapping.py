"""From what an edge node says to samples. Pure: no network, no clock.

Topics, births, deaths and sequence numbers are those of Sparkplug 3.0.0, chapters 4
to 6. Messages carry a number, so that a lost one is noticed; values are absolute, so
that only what was in between is lost, and a birth tells all of them anew.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mes_adapters.sparkplug.payload import Metric, Payload, Types, as_born
from mes_adapters.sparkplug.settings import SparkplugSettings, SparkplugTag
from mes_engine.core.samples import (
    DataGap,
    LinkReport,
    LinkState,
    Origin,
    Quality,
    Recovered,
    Report,
    Sample,
)

NAMESPACE = "spBv1.0"
REBIRTH = "Node Control/Rebirth"
BIRTH_DEATH = "bdSeq"
NUMBERS = 256
MOST_AHEAD = 128
"""A number so far ahead is one from before, come again."""
OVERTAKEN_S = 0.25
"""A birth on its way when its node died may arrive after the death: MQTT keeps an
order for each topic alone."""


class Kind(StrEnum):
    """What a message is."""

    NODE_BIRTH = "NBIRTH"
    NODE_DATA = "NDATA"
    NODE_DEATH = "NDEATH"
    DEVICE_BIRTH = "DBIRTH"
    DEVICE_DATA = "DDATA"
    DEVICE_DEATH = "DDEATH"


OF_A_DEVICE = frozenset({Kind.DEVICE_BIRTH, Kind.DEVICE_DATA, Kind.DEVICE_DEATH})
_TOPIC = re.compile(rf"{re.escape(NAMESPACE)}/[^/]+/([A-Z]+)/[^/]+(?:/([^/]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What came under one topic.

    Attributes:
        device: Whose it is; None for the node's own.
        received_at: In microseconds of UTC.
    """

    kind: Kind
    device: str | None
    payload: Payload
    received_at: int


def parse_topic(topic: str) -> tuple[Kind, str | None] | None:
    """Return what a topic says; None for what an edge node does not send.

    Example:
        >>> parse_topic("spBv1.0/line/DDATA/cell/press")
        (<Kind.DEVICE_DATA: 'DDATA'>, 'press')
    """
    match = _TOPIC.fullmatch(topic)
    if match is None or match[1] not in {kind.value for kind in Kind}:
        return None
    kind = Kind(match[1])
    return (kind, match[2]) if (match[2] is not None) == (kind in OF_A_DEVICE) else None


def topics(settings: SparkplugSettings) -> list[str]:
    """Return what to subscribe to, for all that the node can say."""
    group, node = settings.group, settings.node
    return [
        f"{NAMESPACE}/{group}/{kind}/{node}" + ("/+" if kind in OF_A_DEVICE else "")
        for kind in Kind
    ]


class EdgeNode:
    """One edge node as it was heard, from one message to the next.

    It lives through the lives of our connection: what is known of the node from before
    tells what a gap has swallowed.
    """

    def __init__(
        self, settings: SparkplugSettings, tags: Mapping[str, SparkplugTag]
    ) -> None:
        self._settings = settings
        self._tags = {(tag.device, tag.metric): name for name, tag in tags.items()}
        self._types: dict[str | None, Types] = {}
        self._values: dict[str, Metric] = {}
        self._is_alive = False
        self._birth_death: int | None = None
        self._died_at_s: float | None = None
        self._last_at: int | None = None
        self._heard_at = 0
        self._next_seq = 0
        self._ahead: dict[int, Message] = {}
        self._gap_s: float | None = None
        self._settle_s: float | None = None
        self._missing: tuple[str, ...] = ()
        self._has_lost = False
        self._wants_birth = True
        self._asked_s: float | None = None
        self._not_before_s = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether the node was born, and is not known to have died."""
        return self._is_alive

    def born(self, tag: str) -> Metric | None:
        """Return the metric of a tag as its birth declared it; None without a birth."""
        for (device, name), known in self._tags.items():
            if known == tag and device in self._types:
                return self._types[device].of(name, None)
        return None

    def value(self, tag: str) -> Metric | None:
        """Return what the tag was last; None if it is not known."""
        return self._values.get(tag)

    def begin(self) -> None:
        """Begin a connection: whether the node lives, only a new birth can tell."""
        self._has_lost = self._last_at is not None
        self._lie_down()
        self._wants_birth, self._asked_s, self._not_before_s = True, None, 0.0

    def lost_some(self) -> None:
        """Take note that messages were dropped on our side: a birth tells the rest."""
        self._has_lost = self._wants_birth = True

    def asks_for_birth(self, now_s: float) -> bool:
        """Whether to ask for a birth now; asked once, it is not for a while.

        Args:
            now_s: On the monotonic clock.
        """
        if not self._wants_birth or now_s < self._next_ask_s():
            return False
        self._asked_s = now_s
        return True

    def look_at_s(self) -> float | None:
        """Return when to call ``look`` or ``asks_for_birth``, if nothing comes."""
        ask = self._next_ask_s() if self._wants_birth else None
        return min(
            (one for one in (self._gap_s, self._settle_s, ask) if one is not None),
            default=None,
        )

    def hear(self, message: Message, *, now_s: float) -> Iterator[Report]:
        """Take a message; yield what it tells."""
        self._heard_at = message.received_at
        match message.kind:
            case Kind.NODE_BIRTH:
                yield from self._node_birth(message, now_s)
            case Kind.NODE_DEATH:
                yield from self._node_death(message, now_s)
            case _:
                yield from self._numbered(message, now_s)

    def look(self, *, now_s: float) -> Iterator[Report]:
        """Yield what is so because nothing has come."""
        if self._gap_s is not None and now_s >= self._gap_s:
            yield from self._give_up_waiting()
        if self._settle_s is not None and now_s >= self._settle_s:
            self._settle_s = None
            yield from self._degraded()

    def _next_ask_s(self) -> float:
        if self._asked_s is None:
            return self._not_before_s
        return max(self._asked_s + self._settings.rebirth_s, self._not_before_s)

    def _lie_down(self) -> None:
        """Nothing is known of the node any more, but what it was last."""
        self._is_alive = False
        self._types.clear()
        self._ahead.clear()
        self._gap_s = self._settle_s = None
        self._missing = ()

    def _node_birth(self, message: Message, now_s: float) -> Iterator[Report]:
        birth_death = message.payload.number(BIRTH_DEATH)
        if (
            self._died_at_s is not None
            and birth_death == self._birth_death
            and now_s < self._died_at_s + OVERTAKEN_S
        ):
            self._wants_birth = True
            self._not_before_s = now_s + OVERTAKEN_S
            return
        self._has_lost = self._has_lost or bool(self._ahead)
        was_alive = self._is_alive
        self._lie_down()
        self._is_alive, self._wants_birth, self._died_at_s = True, False, None
        self._birth_death = birth_death
        self._next_seq = ((message.payload.seq or 0) + 1) % NUMBERS
        self._settle_s = now_s + self._settings.settle_s
        if not was_alive:
            yield LinkReport(state=LinkState.CONNECTED, at=message.received_at)
        if self._has_lost:
            self._has_lost = False
            yield self._gap("The edge node, or we, were away.")
        yield from self._birth(message)

    def _node_death(self, message: Message, now_s: float) -> Iterator[Report]:
        if not self._is_alive:
            return
        birth_death = message.payload.number(BIRTH_DEATH)
        if None not in (birth_death, self._birth_death) and (
            birth_death != self._birth_death
        ):
            return  # of a session before the one that we know
        self._lie_down()
        self._died_at_s, self._has_lost = now_s, True
        yield LinkReport(
            state=LinkState.DISCONNECTED,
            at=message.received_at,
            reason=f"The edge node {self._settings.node} has died.",
        )

    def _numbered(self, message: Message, now_s: float) -> Iterator[Report]:
        seq = message.payload.seq
        if not self._is_alive or seq is None:
            self._wants_birth = True
            return
        ahead = (seq - self._next_seq) % NUMBERS
        if ahead >= MOST_AHEAD:
            return  # it was given up, or has come twice
        self._ahead[seq] = message
        yield from self._in_order()
        if not self._ahead:
            self._gap_s = None
        elif self._gap_s is None:
            self._gap_s = now_s + self._settings.reorder_s

    def _in_order(self) -> Iterator[Report]:
        while (message := self._ahead.pop(self._next_seq, None)) is not None:
            self._next_seq = (self._next_seq + 1) % NUMBERS
            yield from self._take(message)

    def _give_up_waiting(self) -> Iterator[Report]:
        """Go on with what there is, though what came before it has not."""
        lost = self._next_seq
        self._next_seq = min(self._ahead, key=lambda seq: (seq - lost) % NUMBERS)
        count = (self._next_seq - lost) % NUMBERS
        yield self._gap(f"{count} messages did not come, from number {lost} on.")
        self._wants_birth = True
        yield from self._in_order()
        if not self._ahead:
            self._gap_s = None

    def _gap(self, reason: str) -> DataGap:
        return DataGap(
            tags=(),
            since=self._last_at,
            until=self._heard_at,
            recovered=Recovered.NONE,
            reason=reason,
        )

    def _take(self, message: Message) -> Iterator[Report]:
        match message.kind:
            case Kind.DEVICE_BIRTH:
                yield from self._birth(message)
                if self._settle_s is None:
                    yield from self._degraded()
            case Kind.DEVICE_DEATH:
                self._types.pop(message.device, None)
                yield from self._unknown(message.device, message.received_at)
                if self._settle_s is None:
                    yield from self._degraded()
            case _:
                yield from self._data(message)

    def _birth(self, message: Message) -> Iterator[Report]:
        """A birth tells every metric there is, whether it has changed or not."""
        metrics = message.payload.metrics
        types = self._types[message.device] = Types(metrics)
        yield from self._samples(message, metrics, Origin.INITIAL)
        for (device, name), tag in self._tags.items():
            if device == message.device and types.of(name, None) is None:
                yield no_value(tag, message.received_at)

    def _data(self, message: Message) -> Iterator[Report]:
        types = self._types.get(message.device)
        if types is None:
            self._wants_birth = True
            return
        known = []
        for metric in message.payload.metrics:
            born = types.of(metric.name, metric.alias)
            if born is None:
                self._wants_birth = True
            else:
                known.append(metric)
        yield from self._samples(message, known, Origin.LIVE)

    def _samples(
        self, message: Message, metrics: Iterable[Metric], origin: Origin
    ) -> Iterator[Sample]:
        types = self._types[message.device]
        for told in metrics:
            born = types.of(told.name, told.alias)
            tag = self._tags.get((message.device, born.name)) if born else None
            if born is None or tag is None:
                continue
            metric = as_born(told, born)
            if not metric.is_historical:
                self._values[tag] = metric
                if metric.at is not None:
                    self._last_at = max(self._last_at or 0, metric.at)
            yield Sample(
                tag=tag,
                value=metric.value,
                quality=metric.quality,
                source_at=metric.at,
                received_at=message.received_at,
                origin=Origin.BACKFILL if metric.is_historical else origin,
            )

    def _unknown(self, device: str | None, at: int) -> Iterator[Sample]:
        for (owner, _), tag in self._tags.items():
            if owner == device:
                self._values.pop(tag, None)
                yield no_value(tag, at)

    def _degraded(self) -> Iterator[LinkReport]:
        """Name the tags that nobody was born with, if they are others than before."""
        missing = tuple(
            sorted(
                tag
                for (device, name), tag in self._tags.items()
                if (types := self._types.get(device)) is None
                or (born := types.of(name, None)) is None
                or born.type is None
            )
        )
        if self._is_alive and missing != self._missing:
            self._missing = missing
            named = ", ".join(missing[:5])
            yield LinkReport(
                state=LinkState.CONNECTED,
                at=self._heard_at,
                reason=f"Not there, or no single value: {named}." if missing else "",
                missing=missing,
            )


def no_value(tag: str, at: int) -> Sample:
    """Return what is known of a tag that nobody tells."""
    return Sample(
        tag=tag, value=None, quality=Quality.BAD, source_at=None, received_at=at
    )
