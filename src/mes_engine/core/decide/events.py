"""Messages of machines: each does what its rule says, once."""

from mes_engine.core import facts as f
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.machine_actions import told_of
from mes_engine.core.decide.transacting import Execute, filled, transact
from mes_engine.core.machine_rules import EventRule, MachineAction
from mes_engine.core.samples import EventRefresh, EventSample
from mes_engine.core.signals import MachineEvent

USUAL_SEVERITY = 500
NOT_SO = frozenset({"", "false", "0"})


def hear_event(draft: Draft, source: str, event: EventSample, execute: Execute) -> None:
    """Do what the rules of a message's type say, unless it was done already."""
    if not draft.state.has_plant:
        return
    for rule in draft.state.site.events_of.get((source, event.kind), ()):
        if (told := _told(rule, event)) is not None:
            _hear(draft, rule, event, told, execute)


def hear_refresh(
    draft: Draft, source: str, refresh: EventRefresh, execute: Execute
) -> None:
    """Have the alarms be as the conditions are, whatever was missed of them."""
    if not draft.state.has_plant:
        return
    for rule in draft.state.site.events_of.get((source, refresh.kind), ()):
        standing: set[str] = set()
        for event in refresh.standing:
            told = _told(rule, event)
            if told is None:
                continue
            if rule.does is not MachineAction.ALARM:
                _hear(draft, rule, event, told, execute)
                continue
            _see(draft, rule, _key(rule, event, told))
            if _is_so(rule, told):
                standing.add(_alarm_of(rule, event))
                _raise(draft, rule, event, told)
        if rule.does is MachineAction.ALARM:
            for alarm in list(draft.state.alarm.find("work_unit", rule.work_unit)):
                is_its = alarm.id == rule.id or alarm.id.startswith(f"{rule.id}/")
                if is_its and alarm.id not in standing:
                    clear_alarm(draft, alarm.id)


def _told(rule: EventRule, event: EventSample) -> dict[str, str] | None:
    """Return what a message says, as text; None if it is not the rule's business."""
    told = {name: told_of(value) for name, value in event.fields.items()}
    is_its = all(told.get(name, "") == value for name, value in rule.where.items())
    return told if is_its else None


def _hear(
    draft: Draft,
    rule: EventRule,
    event: EventSample,
    told: dict[str, str],
    execute: Execute,
) -> None:
    key = _key(rule, event, told)
    if not key:
        reason = f"a message without '{rule.key or 'an id'}'"
        draft.emit(f.GapSeen(tag=rule.id, reason=reason, at=draft.at))
        return
    if not _see(draft, rule, key):
        return
    if rule.does is not MachineAction.ALARM:
        transact(draft, rule, ("", key), _given(rule, told), execute)
    elif _is_so(rule, told):
        _raise(draft, rule, event, told)
    else:
        clear_alarm(draft, _alarm_of(rule, event))


def _key(rule: EventRule, event: EventSample, told: dict[str, str]) -> str:
    return told.get(rule.key, "") if rule.key else event.key


def _see(draft: Draft, rule: EventRule, key: str) -> bool:
    """Take note of a message; whether it is the first time."""
    if not key or draft.state.machine_event.get((rule.id, key)) is not None:
        return False
    seen = MachineEvent(rule=rule.id, key=key, at=draft.at)
    draft.emit(f.MachineEventSeen(event=seen))
    return True


def _given(rule: EventRule, told: dict[str, str]) -> dict[str, str]:
    brought = {name: told.get(of, "") for name, of in rule.fields.items()}
    return filled(rule.given, brought)


def _is_so(rule: EventRule, told: dict[str, str]) -> bool:
    return not rule.active or told.get(rule.active, "").lower() not in NOT_SO


def _alarm_of(rule: EventRule, event: EventSample) -> str:
    return f"{rule.id}/{event.condition}" if event.condition else rule.id


def _raise(
    draft: Draft, rule: EventRule, event: EventSample, told: dict[str, str]
) -> None:
    name = rule.id.partition(".")[2]
    given = _given(rule, told)
    raise_alarm(
        draft,
        _alarm_of(rule, event),
        rule.work_unit,
        code=given.get("code", name),
        text=given.get("text") or event.text or name,
        severity=event.severity or USUAL_SEVERITY,
    )
