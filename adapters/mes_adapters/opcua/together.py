"""Tags whose values have to be of one moment: read in one call, and told as one.

What a subscription reports of them comes one by one, each when its node was looked at.
So it only says that they are worth reading; their values are those of a single Read,
which asks for the gate first and last: if the two differ, it is asked again.
"""

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from structlog.stdlib import BoundLogger

from mes_adapters.opcua.connection import MOST_PER_CALL, Connection
from mes_adapters.opcua.items import Items
from mes_adapters.opcua.mapping import is_gone, to_sample
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.core.samples import Origin, Sample, SampleGroup
from mes_engine.ports import TagGroup, Unfit

AGAIN_S = 10.0
"""How long until a group is read and told again, if nothing is reported of it."""
MOST_READS = 4
"""Reads in a row between whose ends the gate has changed: then it is left for now."""
APART_S = 0.05
SLACK_S = 0.002
US = 1_000_000

Told = tuple[object, ...]


def apart(
    settings: OpcUaSettings,
    tags: Mapping[str, OpcUaTag],
    groups: Iterable[TagGroup],
) -> Iterator[Unfit]:
    """Yield the gate of each group that no server is asked for in one call.

    How many values this one takes in a call, it says itself: that is seen when it is
    connected.
    """
    for group in groups:
        if len(group.tags) >= MOST_PER_CALL:
            text = f"has {len(group.tags)} tags: more than {settings.url} is asked for"
            yield Unfit(
                tag=group.gate, key="id" if tags[group.gate].id else "path", text=text
            )


class _Group:
    """What is known of one group in one connection.

    Attributes:
        due: When it is to be read, by the loop's clock.
        since: Since when its values are as they are, by ours; None if not known.
        heard: What was reported last of each tag.
        differs: Since when, by the loop's clock, a tag was found with another value
            than the one that was reported.
    """

    def __init__(self, group: TagGroup) -> None:
        self.group = group
        self.due = -math.inf
        self.told: Told | None = None
        self.told_at = 0
        self.since: int | None = None
        self.is_steady = False
        self.heard: dict[str, object] = {}
        self.differs: dict[str, float] = {}

    def hear(self, tag: str, value: object) -> None:
        """Take note that something was reported of it: what was is over."""
        self.heard[tag] = value
        self.differs.pop(tag, None)
        if tag in self.group.tags:
            self.since = None
            self.due = -math.inf

    def judge(self, samples: Sequence[Sample], *, at: int, now: float) -> bool:
        """Take what was read at ``at``; return whether it is worth telling."""
        read = tuple((one.value, one.quality) for one in samples)
        if self.since is None or self.told != read:
            self.since = at
        was_steady = self.is_steady and self.told == read
        self.is_steady = at - self.since >= self.group.steady_s * US
        is_news = self.told != read or self.is_steady != was_steady
        if is_news or at - self.told_at >= AGAIN_S * US or at < self.told_at:
            self.told, self.told_at = read, at
            is_news = True
        left_s = self.group.steady_s - (at - self.since) / US
        self.due = now + (AGAIN_S if self.is_steady else max(left_s, 0) + SLACK_S)
        return is_news

    def unreported(self, samples: Iterable[Sample], *, now: float) -> list[str]:
        """Return tags that have had another value than reported for too long."""
        for one in samples:
            if one.value != self.heard.setdefault(one.tag, one.value):
                self.differs.setdefault(one.tag, now)
            else:
                self.differs.pop(one.tag, None)
        return [tag for tag, at in self.differs.items() if now - at >= AGAIN_S / 2]


class Together:
    """The groups of a link, for one connection.

    Attributes:
        tags: Those that are told by their groups, and not by themselves.
        unreadable: Tags of groups that this server does not let be read at one moment,
            and why.
    """

    def __init__(
        self,
        groups: Sequence[TagGroup],
        connection: Connection,
        items: Items,
        log: BoundLogger,
    ) -> None:
        self.tags = frozenset(tag for one in groups for tag in (*one.tags, *one.also))
        self.unreadable: dict[str, str] = {}
        self._groups = [_Group(one) for one in groups]
        self._connection = connection
        self._items = items
        self._log = log

    @property
    def due(self) -> float:
        """When the next one is to be read, by the loop's clock."""
        return min((one.due for one in self._readable()), default=math.inf)

    def hear(self, sample: Sample) -> None:
        """Take note of what was reported of one of the tags."""
        for one in self._groups:
            if sample.tag in one.group.tags or sample.tag in one.group.also:
                one.hear(sample.tag, sample.value)

    async def read(self) -> list[SampleGroup]:
        """Read what is due, and return what of it is worth telling."""
        found: list[SampleGroup] = []
        loop = asyncio.get_running_loop()
        for one in list(self._readable()):
            if one.due > loop.time():
                continue
            one.due = loop.time() + max(one.group.steady_s, APART_S)
            samples = await self._read(one.group)
            if samples is None:
                continue
            now = loop.time()
            for tag in one.unreported(samples, now=now):
                self._items.lose(tag, reason="its changes are not reported any more")
            own = [sample for sample in samples if sample.tag in one.group.tags]
            if one.judge(own, at=samples[0].received_at, now=now):
                found.append(
                    SampleGroup(
                        gate=one.group.gate,
                        samples=tuple(samples),
                        since=one.since or samples[0].received_at,
                    )
                )
        return found

    def _readable(self) -> Iterator[_Group]:
        there = self._items.found
        for one in self._groups:
            if one.group.gate in self.unreadable:
                continue
            if there.issuperset(one.group.tags):
                yield one
            else:
                one.told = one.since = None
                one.due = -math.inf

    async def _read(self, group: TagGroup) -> list[Sample] | None:
        """Return the values of one moment; None if there are none now."""
        most = self._connection.per_call["reads"]
        tags = [group.gate, *(tag for tag in group.tags if tag != group.gate)]
        also = [tag for tag in group.also if tag in self._items.found]
        if len(tags) + len(also) < most:
            tags += also
        nodes = [self._items.node_of(tag) for tag in (*tags, group.gate)]
        for _ in range(MOST_READS):
            # When it was asked: whatever was written before is in the answer.
            at = time.time_ns() // 1000
            values = (
                await self._connection.read_at_once(nodes)
                if len(nodes) <= most
                else None
            )
            if values is None:
                self._give_up(group, len(nodes), most)
                return None
            samples = [
                to_sample(tag, data, received_at=at, origin=Origin.POLL)
                for tag, data in zip(tags, values[:-1], strict=True)
            ]
            for tag, data in zip(tags, values[:-1], strict=True):
                if is_gone(data):
                    self._items.lose(tag, reason="the node is not there any more")
            last = to_sample(group.gate, values[-1], received_at=at)
            if (last.value, last.quality) == (samples[0].value, samples[0].quality):
                return samples
        self._log.info("gate_unsteady", gate=group.gate, reads=MOST_READS)
        return None

    def _give_up(self, group: TagGroup, wanted: int, most: int) -> None:
        reason = (
            f"{wanted} values are to be read in one call with {group.gate}, and the"
            f" server does not take so many (it states {most})"
        )
        self._log.error("group_unreadable", gate=group.gate, reason=reason)
        self.unreadable.update(dict.fromkeys(group.tags, reason))
