"""State words, modes and heartbeats: what is known of a machine itself."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.counting import active_jobs, begin_if
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.transacting import dated
from mes_engine.core.equipment import Equipment, ItemState, OperationMode
from mes_engine.core.plant import Signal
from mes_engine.core.samples import LinkState, Origin, Sample
from mes_engine.core.signals import (
    SignalState,
    SignalWatch,
    WatchKind,
    hear_value,
    last_on,
    set_value,
)
from mes_engine.core.steps import BeginOn

replace = msgspec.structs.replace


def hear_state(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    """Set what the machine does, once its word has lasted."""
    word = str(sample.value)
    if not signal.debounce_us:
        if last is None or last.value != word or last.is_bad:
            _set_state(draft, signal, word)
        return
    name = f"{signal.tag}/state"
    known = draft.state.signal_watch.get(name)
    if known is None:
        known = SignalWatch(id=name, kind=WatchKind.STATE, tag=signal.tag)
        watch = set_value(known, word, at=draft.at)
        draft.emit(f.SignalWatched(watch=watch))
        _set_state(draft, signal, word)
        return
    lasting = hear_value(
        known,
        word,
        at=draft.at,
        heard_at=draft.heard_at,
        hold=lambda _: signal.debounce_us,
    )
    if lasting.watch != known:
        draft.emit(f.SignalWatched(watch=lasting.watch))
    for one, at in lasting.counts:
        with dated(draft, at):
            _set_state(draft, signal, one)
    if last is not None and last.is_bad:
        good = replace(last, is_bad=False, at=draft.at)
        draft.emit(f.SignalRead(signal=good))


def state_lasted(draft: Draft, signal: Signal, known: SignalWatch) -> None:
    """Set what the machine does, its word having lasted by now."""
    lasting = last_on(known)
    draft.emit(f.SignalWatched(watch=lasting.watch))
    for one, at in lasting.counts:
        with dated(draft, at):
            _set_state(draft, signal, one)


def _set_state(draft: Draft, signal: Signal, word: str) -> None:
    draft.emit(
        f.SignalRead(signal=SignalState(tag=signal.tag, value=word, at=draft.at))
    )
    meaning = draft.state.site.item_state(signal, word)
    if meaning is None:
        _unknown(draft, signal, f"state word '{word}' is not in its map")
        return
    known = _known(draft, signal.work_unit)
    changed = replace(
        known,
        item_state=ItemState(meaning),
        word=word,
        since=draft.at,
        map_version=draft.state.site.map_version(signal.state_map),
    )
    set_equipment(draft, known, changed)
    _begin_if_executing(draft, changed)


def hear_mode(
    draft: Draft, signal: Signal, sample: Sample, last: SignalState | None
) -> None:
    """Set what the machine is used for: it may be under maintenance, or by hand."""
    word = str(sample.value)
    if last is not None and last.value == word and not last.is_bad:
        return
    draft.emit(
        f.SignalRead(signal=SignalState(tag=signal.tag, value=word, at=draft.at))
    )
    meaning = draft.state.site.operation_mode(signal, word)
    if meaning is None:
        _unknown(draft, signal, f"mode '{word}' is not in its map")
        return
    known = _known(draft, signal.work_unit)
    changed = replace(known, mode=OperationMode(meaning))
    if changed != known:
        set_equipment(draft, known, changed)
        _begin_if_executing(draft, changed)


def hear_heartbeat(draft: Draft, signal: Signal, sample: Sample) -> None:
    """Take note that the machine lives; seldom enough not to fill the journal."""
    name = f"{signal.tag}/heartbeat"
    known = draft.state.signal_watch.get(name)
    value = str(sample.value)
    is_frozen = known is not None and known.due_at is None
    is_beat = known is None or known.value != value
    is_first = sample.origin is Origin.INITIAL
    if not (is_beat or is_first):
        return
    is_old = known is None or draft.heard_at - known.since >= signal.stale_us // 2
    if is_frozen or is_old or is_first:
        watch = SignalWatch(
            id=name,
            kind=WatchKind.HEARTBEAT,
            tag=signal.tag,
            value=value,
            since=draft.heard_at,
            due_at=draft.heard_at + signal.stale_us,
        )
        draft.emit(f.SignalWatched(watch=watch))
    if is_frozen and is_beat:
        clear_alarm(draft, name)
        _set_link(draft, signal, LinkState.STALE, LinkState.CONNECTED)


def heartbeat_frozen(draft: Draft, signal: Signal, known: SignalWatch) -> None:
    """Know nothing of the machine any more: it stands still behind a live link."""
    draft.emit(f.SignalWatched(watch=replace(known, due_at=None)))
    seconds = signal.stale_us / 1_000_000
    raise_alarm(
        draft,
        known.id,
        signal.work_unit,
        code="heartbeat_frozen",
        text=f"{signal.tag} has stood still for {seconds:g} s: nothing is known",
    )
    _set_link(draft, signal, LinkState.CONNECTED, LinkState.STALE)


def _set_link(
    draft: Draft, signal: Signal, before: LinkState, after: LinkState
) -> None:
    site = draft.state.site
    units = [signal.work_unit]
    if signal.is_of_link:
        told = dict.fromkeys(one.work_unit for one in site.signals_of_link[signal.link])
        units = [one for one in told if site.telling_link(one) == signal.link]
    for unit in units:
        known = _known(draft, unit)
        if known.link is before:
            is_lost = after is not LinkState.CONNECTED
            changed = replace(
                known,
                link=after,
                link_since=draft.at,
                lost_at=draft.at if is_lost else known.lost_at,
            )
            set_equipment(draft, known, changed)


def set_equipment(draft: Draft, known: Equipment, changed: Equipment) -> None:
    """Set what is known of a work unit, and look again at what it can work on."""
    draft.emit(f.EquipmentChanged(equipment=changed))
    if known.is_out_of_service != changed.is_out_of_service:
        unit = draft.state.site.work_unit(changed.work_unit)
        for job in draft.state.job_order.find("live_at", unit.work_center):
            if job.equipment_class in unit.classes:
                draft.touch(job.id)


def _known(draft: Draft, work_unit: str) -> Equipment:
    known = draft.state.equipment.get(work_unit) or Equipment(work_unit=work_unit)
    if known.link is None:
        known = replace(known, link=LinkState.CONNECTED, link_since=draft.at)
    return known


def _begin_if_executing(draft: Draft, changed: Equipment) -> None:
    if changed.effective is ItemState.EXECUTING:
        jobs = active_jobs(draft, draft.state.site.work_unit(changed.work_unit))
        begin_if(draft, jobs, BeginOn.EXECUTING)


def _unknown(draft: Draft, signal: Signal, reason: str) -> None:
    draft.emit(f.GapSeen(tag=signal.tag, reason=reason, at=draft.at))
