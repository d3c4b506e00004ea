"""Edges: alarms that are up with a level, and what is done when one rises or falls."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.machine_actions import told_of
from mes_engine.core.decide.transacting import Execute, dated, filled, transact
from mes_engine.core.machine_rules import EdgeRule, MachineAction
from mes_engine.core.plant import Signal
from mes_engine.core.samples import Origin, Sample
from mes_engine.core.signals import (
    Lasting,
    SignalState,
    SignalWatch,
    WatchKind,
    fires,
    hear_value,
    hold_us,
    last_on,
    level_of,
    set_value,
)


def hear_value_of(
    draft: Draft,
    signal: Signal,
    sample: Sample,
    last: SignalState | None,
    execute: Execute,
) -> None:
    """Keep a plain value if a rule needs it, and tell what its level means."""
    site = draft.state.site
    was_bad = last is not None and last.is_bad
    value = told_of(sample.value) if signal.tag in site.kept_values else None
    if was_bad or (value is not None and (last is None or last.value != value)):
        read = SignalState(tag=signal.tag, value=value, at=draft.heard_at)
        draft.emit(f.SignalRead(signal=read))
    is_first = sample.origin is Origin.INITIAL or was_bad
    for rule in site.edges_of_tag.get(signal.tag, ()):
        _hear_edge(draft, rule, level_of(sample.value), execute, is_first=is_first)


def _hear_edge(
    draft: Draft, rule: EdgeRule, level: str, execute: Execute, *, is_first: bool
) -> None:
    known = draft.state.signal_watch.get(rule.id)
    if known is None or is_first:
        known = known or SignalWatch(id=rule.id, kind=WatchKind.EDGE, tag=rule.tag)
        if known.value != level or known.pending is not None:
            watch = set_value(known, level, at=draft.at)
            draft.emit(f.SignalWatched(watch=watch))
        if rule.does is MachineAction.ALARM:
            _alarm(draft, rule, level)
        return
    lasting = hear_value(
        known,
        level,
        at=draft.at,
        heard_at=draft.heard_at,
        hold=lambda one: hold_us(rule, one),
    )
    take_effect(draft, rule, known, lasting, execute)


def edge_lasted(
    draft: Draft, rule: EdgeRule, known: SignalWatch, execute: Execute
) -> None:
    """Tell what a level means that has lasted by now."""
    take_effect(draft, rule, known, last_on(known), execute)


def take_effect(
    draft: Draft,
    rule: EdgeRule,
    known: SignalWatch,
    lasting: Lasting,
    execute: Execute,
) -> None:
    """Keep what is known of a level, and do what its edges do, each at its time."""
    if lasting.watch != known:
        draft.emit(f.SignalWatched(watch=lasting.watch))
    for level, at in lasting.counts:
        with dated(draft, at):
            if rule.does is MachineAction.ALARM:
                _alarm(draft, rule, level)
            elif fires(rule, level):
                transact(draft, rule, ("", str(at)), _given(draft, rule), execute)


def _alarm(draft: Draft, rule: EdgeRule, level: str) -> None:
    if not fires(rule, level):
        clear_alarm(draft, rule.id)
        return
    given = _given(draft, rule)
    name = rule.id.partition(".")[2]
    raise_alarm(
        draft,
        rule.id,
        rule.work_unit,
        code=given.get("code", name),
        text=given.get("text", name),
        severity=rule.severity,
    )


def _given(draft: Draft, rule: EdgeRule) -> dict[str, str]:
    """Return what an edge brings: the last values of its tags."""
    last = {name: draft.state.signal.get(tag) for name, tag in rule.payload.items()}
    told = {name: one.value or "" for name, one in last.items() if one is not None}
    return filled(rule.given, told)


def dropped(known: SignalWatch) -> SignalWatch:
    """Return a watch that waits for nothing: its rule is no longer declared."""
    return msgspec.structs.replace(known, pending=None, pending_at=0, due_at=None)
