"""What machines say: links, state words and counts, and what they mean for work."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.counting import (
    active_jobs,
    begin_if,
    book_count,
    counted_for,
)
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.sensing import hear_measurement
from mes_engine.core.equipment import Equipment, ItemState
from mes_engine.core.plant import Signal, SignalMeaning
from mes_engine.core.production import UnassignedReason
from mes_engine.core.quantity import MAX_QUANTITY, ZERO, floored
from mes_engine.core.routing import BeginOn
from mes_engine.core.samples import DataGap, LinkReport, LinkState, Quality, Sample
from mes_engine.core.signals import (
    CounterChange,
    CounterReading,
    SignalState,
    read_counter,
)

replace = msgspec.structs.replace
MAX_COUNT = 2**64
"""No counter of a machine is wider."""
DEFAULT_UNIT = "C62"
"""What a machine makes while nothing is loaded on it."""


def hear_link(draft: Draft, source: str, report: LinkReport) -> None:
    """Set the link region of every work unit that the link brings signals of."""
    if not draft.state.has_plant:
        return
    site = draft.state.site
    signals = site.signals_of_link[source]
    for unit in dict.fromkeys(signal.work_unit for signal in signals):
        if site.telling_link(unit) != source:
            continue
        known = draft.state.equipment.get(unit) or Equipment(work_unit=unit)
        if known.link is not report.state:
            is_lost = report.state is not LinkState.CONNECTED
            changed = replace(
                known,
                link=report.state,
                link_since=report.at,
                lost_at=report.at if is_lost else known.lost_at,
            )
            _set_equipment(draft, known, changed)


def hear_gap(draft: Draft, source: str, gap: DataGap) -> None:
    """Keep that values of a link may be missing."""
    draft.emit(f.DataGapSeen(link=source, gap=gap, at=draft.at))


def hear_sample(draft: Draft, source: str, sample: Sample) -> None:
    """Do what a tag's value means."""
    if not draft.state.has_plant:
        _gap(draft, sample.tag, "there is no plant yet")
        return
    signal = draft.state.site.signals.get(sample.tag)
    if signal is None or signal.link != source:
        _gap(draft, sample.tag, f"link {source} brings no such signal")
        return
    if sample.overflow:
        _gap(draft, sample.tag, "the device dropped values before this one")
    last = draft.state.signal.get(sample.tag)
    if sample.quality is Quality.BAD or sample.value is None:
        if last is None or not last.is_bad:
            _mark_bad(draft, sample.tag, last, "bad quality")
        return
    if signal.means is SignalMeaning.STATE:
        _hear_state(draft, signal, sample, last)
    elif signal.means is SignalMeaning.MEASUREMENT:
        hear_measurement(draft, signal, sample, last)
    elif signal.means is SignalMeaning.VALUE:
        if last is not None and last.is_bad:
            good = replace(last, is_bad=False, at=draft.heard_at)
            draft.emit(f.SignalRead(signal=good))
    else:
        _hear_counter(draft, signal, sample, last)


def _hear_state(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    word = str(sample.value)
    if last is not None and last.value == word and not last.is_bad:
        return
    draft.emit(
        f.SignalRead(signal=SignalState(tag=signal.tag, value=word, at=draft.at))
    )
    meaning = draft.state.site.item_state(signal, word)
    if meaning is None:
        _gap(draft, signal.tag, f"state word '{word}' is not in its map")
        return
    unit = signal.work_unit
    known = draft.state.equipment.get(unit) or Equipment(work_unit=unit)
    if known.link is None:
        known = replace(known, link=LinkState.CONNECTED, link_since=draft.at)
    changed = replace(known, item_state=ItemState(meaning), word=word, since=draft.at)
    _set_equipment(draft, known, changed)
    if changed.item_state is ItemState.EXECUTING:
        jobs = active_jobs(draft, draft.state.site.work_unit(unit))
        begin_if(draft, jobs, BeginOn.EXECUTING)


def _set_equipment(draft: Draft, known: Equipment, changed: Equipment) -> None:
    draft.emit(f.EquipmentChanged(equipment=changed))
    if known.is_out_of_service != changed.is_out_of_service:
        unit = draft.state.site.work_unit(changed.work_unit)
        for job in draft.state.job_order.find("live_at", unit.work_center):
            if job.equipment_class in unit.classes:
                draft.touch(job.id)


def _hear_counter(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    count = _as_count(sample.value)
    if count is None:
        if last is None or not last.is_bad:
            _mark_bad(draft, signal.tag, last, f"'{sample.value}' is no count")
        return
    was_bad = last is not None and last.is_bad
    if last is not None and was_bad:
        last = replace(last, is_bad=False)
    reading = read_counter(signal, last, count, draft.heard_at)
    equipment = draft.state.equipment.get(signal.work_unit)
    lost_at = 0 if equipment is None else equipment.lost_at
    if reading is None:
        if last is not None and (was_bad or last.at <= lost_at):
            # Nothing was made in the outage: what comes now came after it.
            draft.emit(f.SignalRead(signal=replace(last, at=draft.heard_at)))
        return
    draft.emit(
        f.SignalRead(signal=reading.state, change=reading.change, delta=reading.delta)
    )
    counted = counted_for(draft, draft.state.site.work_unit(signal.work_unit))
    unit = counted.jobs[0].unit if counted.jobs else DEFAULT_UNIT
    pieces = _pieces(signal, last, reading, unit)
    if pieces > MAX_QUANTITY:
        _gap(draft, signal.tag, f"a jump by {reading.delta} is no production")
    elif pieces > ZERO:
        doubt = None
        if reading.change is CounterChange.SUSPECT:
            doubt = UnassignedReason.SUSPECT_COUNT
        elif last is not None and _is_of_an_outage(counted.begun_at, last, lost_at):
            doubt = UnassignedReason.SPANS_OUTAGE
        book_count(draft, signal, pieces, doubt)


def _is_of_an_outage(begun_at: int | None, last: SignalState, lost_at: int) -> bool:
    """Whether the run was begun in an outage, so that others made some of it."""
    return begun_at is not None and last.at <= lost_at < begun_at


def _pieces(
    signal: Signal, last: SignalState | None, reading: CounterReading, unit: str
) -> Decimal:
    """Return what a reading has made, in whole numbers of what ``unit`` counts.

    Where several counts make a piece, it is made by the last of them.
    """
    if reading.change is CounterChange.SUSPECT:
        return floored(reading.delta * signal.factor, unit=unit)
    before = 0 if last is None else last.position
    made = floored(reading.state.position * signal.factor, unit=unit)
    return made - floored(before * signal.factor, unit=unit)


def _as_count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value <= MAX_COUNT or value != value // 1:
        return None
    return int(value)


def _mark_bad(draft: Draft, tag: str, last: SignalState | None, reason: str) -> None:
    known = last or SignalState(tag=tag)
    draft.emit(f.SignalRead(signal=replace(known, is_bad=True)))
    _gap(draft, tag, reason)


def _gap(draft: Draft, tag: str, reason: str) -> None:
    draft.emit(f.GapSeen(tag=tag, reason=reason, at=draft.at))
