"""Bring in afterwards what was missed, and tell what could not be brought in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.history import Past, read_past
from mes_adapters.opcua.items import Items
from mes_adapters.opcua.mapping import to_sample
from mes_adapters.opcua.memory import Brought, Mark, Memory
from mes_adapters.opcua.settings import OpcUaSettings
from mes_engine.core.samples import DataGap, Origin, Recovered, Sample

LONGEST_S = 600.0
"""How long all of it may take; each request has its own time."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What came in afterwards, in the order of the device's time, and what did not."""

    samples: list[Sample]
    gaps: list[DataGap]


async def catch_up(
    connection: Connection,
    settings: OpcUaSettings,
    items: Items,
    memory: Memory,
    tags: Iterable[str],
    *,
    now: int,
    reason: str,
    log: BoundLogger,
) -> CaughtUp:
    """Read what became of ``tags`` since the values that were told of them last."""
    async with connection.asking(within_s=LONGEST_S):
        known = set(tags) & memory.told.keys()
        changed = await _changed(items, memory, known)
        since = {tag: memory.marks[tag].at for tag in changed & memory.marks.keys()}
        pasts: dict[str, Past] = {}
        if settings.history == "auto" and since:
            nodes = {tag: items.node_of(tag) for tag in since}
            pasts = await read_past(connection, nodes, since, now=now, log=log)
    samples: list[Sample] = []
    outcome: dict[Recovered, list[str]] = {}
    for tag in sorted(changed):
        past = pasts.get(tag)
        if past is None:
            outcome.setdefault(Recovered.NONE, []).append(tag)
            continue
        missed, recovered = _missed(tag, past, memory.marks[tag], received_at=now)
        outcome.setdefault(recovered, []).append(tag)
        if missed:
            samples += missed
            memory.brought[tag] = Brought(
                until=max(sample.source_at or 0 for sample in missed),
                values=Counter((one.source_at, one.value) for one in missed),
            )
    samples.sort(key=lambda sample: sample.source_at or 0)
    gaps = [
        DataGap(
            tags=tuple(missing),
            since=min((since[tag] for tag in missing if tag in since), default=None),
            until=now,
            recovered=recovered,
            reason=reason,
        )
        for recovered, missing in sorted(outcome.items())
    ]
    if gaps:
        log.info(
            "opcua_caught_up",
            reason=reason,
            samples=len(samples),
            tags={gap.recovered.value: len(gap.tags) for gap in gaps},
        )
    return CaughtUp(samples, gaps)


async def _changed(items: Items, memory: Memory, tags: set[str]) -> set[str]:
    """Return those of ``tags`` whose value is not the very one that was told last."""
    changed: set[str] = set()
    for tag, data in await items.read(tags):
        sample = to_sample(tag, data, received_at=0)
        mark = memory.marks.get(tag)
        is_same = (
            mark is not None
            and sample.source_at == mark.at
            and mark.values[sample.value] > 0
        )
        if not is_same:
            changed.add(tag)
    return changed


def _missed(
    tag: str, past: Past, mark: Mark, *, received_at: int
) -> tuple[list[Sample], Recovered]:
    """Return what ``past`` has that was not told, and whether that is all there was.

    It is all if the past begins with what was told last: then nothing that came after
    it has been forgotten.
    """
    told = mark.values.copy()
    missed: list[Sample] = []
    has_start = False
    for data in past.values:
        sample = _from_history(tag, data, received_at)
        if _is_where_we_left(sample, mark):
            has_start = True
            missed.clear()
            continue
        if sample.source_at is None or sample.source_at < mark.at:
            continue
        if sample.source_at == mark.at and told[sample.value] > 0:
            told[sample.value] -= 1
            has_start = True
            continue
        missed.append(sample)
    if past.is_whole and has_start:
        return missed, Recovered.ALL
    return missed, Recovered.PART if missed else Recovered.NONE


def _is_where_we_left(sample: Sample, mark: Mark) -> bool:
    """Whether it is the last that was told in an earlier life of ours.

    Then those before it in the same tick of the device's clock were told as well.
    """
    is_then = mark.is_recalled and sample.source_at == mark.at
    return is_then and sample.value in mark.values


def _from_history(tag: str, data: ua.DataValue, received_at: int) -> Sample:
    return to_sample(tag, data, received_at=received_at, origin=Origin.BACKFILL)
