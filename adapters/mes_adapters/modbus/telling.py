"""What a poll is worth telling: changes, now and then the same again, and gaps."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mes_adapters.modbus.mapping import decode
from mes_adapters.modbus.plan import Block
from mes_adapters.modbus.reading import Answer
from mes_adapters.modbus.settings import ModbusSettings
from mes_engine.core.samples import (
    DataGap,
    LinkReport,
    LinkState,
    Origin,
    Quality,
    Recovered,
    Sample,
    SampleGroup,
)
from mes_engine.ports import Emit, TagGroup

GAP_PERIODS = 3
US = 1_000_000


@dataclass(frozen=True, slots=True)
class _ToldGroup:
    """What was told of a group: its values, since when, when, and whether as steady."""

    values: tuple[object, ...]
    since: int
    at: int
    is_steady: bool


class Teller:
    """Emits for one life of a link. Nothing is told before the device has answered.

    Args:
        name: The device, as messages call it.
        settings: The link's.
        emit: Where to.
        good_at: When each block was read last, also in the lives before; by its first
            tag.
        groups: What is told together.
    """

    def __init__(
        self,
        name: str,
        settings: ModbusSettings,
        emit: Emit,
        good_at: dict[str, int],
        groups: Sequence[TagGroup] = (),
    ) -> None:
        self.is_connected = False
        self._name = name
        self._settings = settings
        self._emit = emit
        self._good_at = good_at
        self._told: dict[str, Sample] = {}
        self._words: dict[str, Sequence[int | bool]] = {}
        self._groups = groups
        self._told_groups: dict[str, _ToldGroup] = {}
        self._grouped = frozenset(
            tag for one in groups for tag in (*one.tags, *one.also)
        )
        self.missing: frozenset[str] = frozenset()
        self._waiting: list[Sample] = []

    async def good(
        self, block: Block, answer: Answer, *, leave_out: Collection[str] = ()
    ) -> None:
        """Tell what the words of a block mean."""
        await self._tell_connected()
        await self._tell_gap(block, answer.at)
        grouped: dict[str, Sample] = {}
        for name, tag in block.tags:
            if name in leave_out:
                continue
            at = tag.address - block.start
            words = answer.words[at : at + tag.width]
            if self._words.get(name) == words and self._is_fresh(name, answer.at):
                continue  # to read them again would say the same
            value, quality = decode(tag, words)
            sample = Sample(
                tag=name,
                value=value,
                quality=quality,
                source_at=None,
                received_at=answer.at,
                origin=Origin.POLL if name in self._told else Origin.INITIAL,
            )
            if name in self._grouped:
                grouped[name] = sample
            else:
                self._words[name] = words
                await self._tell(sample)
        for group in self._groups:
            if grouped.keys() >= set(group.tags):
                await self._tell_group(group, grouped)

    async def bad(self, tags: Iterable[str]) -> None:
        """Tell that nothing is known of ``tags``."""
        now = time.time_ns() // 1000
        for tag in tags:
            self._words.pop(tag, None)
            sample = Sample(
                tag=tag,
                value=None,
                quality=Quality.BAD,
                source_at=None,
                received_at=now,
                origin=Origin.POLL,
            )
            if self.is_connected:
                await self._tell(sample)
            else:
                self._waiting.append(sample)

    async def now_missing(self, tags: Iterable[str]) -> None:
        """Tell which tags the device does not have, if that has changed."""
        missing = frozenset(tags)
        if missing != self.missing:
            self.missing = missing
            if self.is_connected:
                await self._report()

    async def _tell_connected(self) -> None:
        if self.is_connected:
            return
        self.is_connected = True
        await self._report()
        for sample in self._waiting:
            await self._tell(sample)
        self._waiting.clear()

    async def _report(self) -> None:
        await self._emit(
            LinkReport(
                state=LinkState.CONNECTED,
                at=time.time_ns() // 1000,
                reason=f"{self._name} answers",
                missing=tuple(sorted(self.missing)),
            )
        )

    async def _tell_gap(self, block: Block, at: int) -> None:
        first = block.tags[0][0]
        before = self._good_at.get(first)
        self._good_at[first] = at
        longest_s = self._settings.gap_s or GAP_PERIODS * block.period_s
        if before is None or at - before <= longest_s * US:
            return
        await self._emit(
            DataGap(
                tags=tuple(name for name, _ in block.tags),
                since=before,
                until=at,
                recovered=Recovered.NONE,
                reason=f"{block} was not read for {(at - before) / US:.1f} s",
            )
        )

    async def _tell_group(self, group: TagGroup, samples: Mapping[str, Sample]) -> None:
        values = tuple((samples[tag].value, samples[tag].quality) for tag in group.tags)
        at = samples[group.gate].received_at
        told = self._told_groups.get(group.gate)
        since = at if told is None or told.values != values else told.since
        is_steady = at - since >= group.steady_s * US
        if told is not None and (since, is_steady) == (told.since, told.is_steady):
            age_s = (at - told.at) / US
            if 0 <= age_s < self._settings.heartbeat_s:
                return
        self._told_groups[group.gate] = _ToldGroup(values, since, at, is_steady)
        tags = (*group.tags, *(tag for tag in group.also if tag in samples))
        for tag in tags:
            self._told[tag] = samples[tag]
        await self._emit(
            SampleGroup(
                gate=group.gate,
                samples=tuple(samples[tag] for tag in tags),
                since=since,
            )
        )

    async def _tell(self, sample: Sample) -> None:
        told = self._told.get(sample.tag)
        if told is not None:
            is_same = (sample.value, sample.quality) == (told.value, told.quality)
            if is_same and self._is_fresh(sample.tag, sample.received_at):
                return
        self._told[sample.tag] = sample
        await self._emit(sample)

    def _is_fresh(self, tag: str, at: int) -> bool:
        """Whether the tag was told so lately that it need not be told again."""
        age_s = (at - self._told[tag].received_at) / US
        return 0 <= age_s < self._settings.heartbeat_s
