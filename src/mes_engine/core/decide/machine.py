"""What machines say: links, state words and counts, and what they mean for work."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.counting import (
    book_count,
    counted_for,
)
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.edges import dropped, hear_value_of
from mes_engine.core.decide.machine_states import (
    hear_heartbeat,
    hear_mode,
    hear_state,
    set_equipment,
)
from mes_engine.core.decide.sensing import hear_measurement
from mes_engine.core.decide.transacting import Execute, dated
from mes_engine.core.equipment import Equipment
from mes_engine.core.plant import Signal, SignalMeaning
from mes_engine.core.production import UnassignedReason
from mes_engine.core.quantity import MAX_QUANTITY, ZERO, floored
from mes_engine.core.samples import DataGap, LinkReport, LinkState, Quality, Sample
from mes_engine.core.signals import (
    CounterChange,
    CounterReading,
    SignalState,
    SignalWatch,
    WatchKind,
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
            set_equipment(draft, known, changed)


def hear_gap(draft: Draft, source: str, gap: DataGap) -> None:
    """Keep that values of a link may be missing."""
    draft.emit(f.DataGapSeen(link=source, gap=gap, at=draft.at))


def hear_sample(draft: Draft, source: str, sample: Sample, execute: Execute) -> None:
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
        _hear_bad(draft, signal, last)
        return
    if signal.bad_us:
        _no_longer_bad(draft, signal)
    _hear_good(draft, signal, sample, last, execute)
    is_uncertain = sample.quality is Quality.UNCERTAIN
    if is_uncertain or (last is not None and last.is_uncertain):
        _flag(draft, signal, is_uncertain=is_uncertain)


def _hear_good(
    draft: Draft,
    signal: Signal,
    sample: Sample,
    last: SignalState | None,
    execute: Execute,
) -> None:
    match signal.means:
        case SignalMeaning.GOOD_COUNT | SignalMeaning.SCRAP_COUNT:
            _hear_counter(draft, signal, sample, last)
        case SignalMeaning.STATE:
            hear_state(draft, signal, sample, last)
        case SignalMeaning.MEASUREMENT:
            hear_measurement(draft, signal, sample, last)
        case SignalMeaning.MODE:
            hear_mode(draft, signal, sample, last)
        case SignalMeaning.HEARTBEAT:
            hear_heartbeat(draft, signal, sample)
        case SignalMeaning.VALUE:
            hear_value_of(draft, signal, sample, last, execute)


def _flag(draft: Draft, signal: Signal, *, is_uncertain: bool) -> None:
    """Keep that a value is accepted though it is uncertain, or no longer is."""
    known = draft.state.signal.get(signal.tag) or SignalState(tag=signal.tag)
    if known.is_uncertain == is_uncertain:
        return
    flagged = replace(known, is_uncertain=is_uncertain)
    draft.emit(f.SignalRead(signal=flagged))
    if is_uncertain:
        _gap(draft, signal.tag, "uncertain quality")


def _hear_bad(draft: Draft, signal: Signal, last: SignalState | None) -> None:
    """Let a bad value move nothing; tell it once it has lasted."""
    if last is not None and last.is_bad:
        return
    if not signal.bad_us:
        _mark_bad(draft, signal.tag, last, "bad quality")
        return
    name = f"{signal.tag}/bad"
    known = draft.state.signal_watch.get(name)
    if known is None or known.due_at is None:
        watch = SignalWatch(
            id=name,
            kind=WatchKind.BAD,
            tag=signal.tag,
            pending="bad",
            pending_at=draft.at,
            due_at=draft.heard_at + signal.bad_us,
        )
        draft.emit(f.SignalWatched(watch=watch))


def _no_longer_bad(draft: Draft, signal: Signal) -> None:
    known = draft.state.signal_watch.get(f"{signal.tag}/bad")
    if known is not None and known.due_at is not None:
        draft.emit(f.SignalWatched(watch=dropped(known)))


def bad_lasted(draft: Draft, signal: Signal, known: SignalWatch) -> None:
    """Tell that a signal is bad, having been so for long enough by now."""
    draft.emit(f.SignalWatched(watch=dropped(known)))
    with dated(draft, known.pending_at):
        last = draft.state.signal.get(signal.tag)
        _mark_bad(draft, signal.tag, last, "bad quality")


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
