"""Messages of machines: each does what its rule says, once."""

from mes_engine.core import facts as f
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.machine_actions import told_of
from mes_engine.core.decide.transacting import Execute, filled, transact
from mes_engine.core.machine_rules import EventRule, MachineAction
from mes_engine.core.samples import EventSample
from mes_engine.core.signals import MachineEvent

USUAL_SEVERITY = 500
NOT_SO = frozenset({"", "false", "0"})


def hear_event(draft: Draft, source: str, event: EventSample, execute: Execute) -> None:
    """Do what the rules of a message's type say, unless it was done already."""
    if not draft.state.has_plant:
        return
    for rule in draft.state.site.events_of.get((source, event.kind), ()):
        told = {name: told_of(value) for name, value in event.fields.items()}
        if all(told.get(name, "") == value for name, value in rule.where.items()):
            _hear(draft, rule, event, told, execute)


def _hear(
    draft: Draft,
    rule: EventRule,
    event: EventSample,
    told: dict[str, str],
    execute: Execute,
) -> None:
    key = told.get(rule.key, "") if rule.key else event.key
    if not key:
        reason = f"a message without '{rule.key or 'an id'}'"
        draft.emit(f.GapSeen(tag=rule.id, reason=reason, at=draft.at))
        return
    if draft.state.machine_event.get((rule.id, key)) is not None:
        return
    seen = MachineEvent(rule=rule.id, key=key, at=draft.at)
    draft.emit(f.MachineEventSeen(event=seen))
    brought = {name: told.get(of, "") for name, of in rule.fields.items()}
    given = filled(rule.given, brought)
    if rule.does is not MachineAction.ALARM:
        transact(draft, rule, ("", key), given, execute)
    elif rule.active and told.get(rule.active, "").lower() in NOT_SO:
        clear_alarm(draft, rule.id)
    else:
        name = rule.id.partition(".")[2]
        raise_alarm(
            draft,
            rule.id,
            rule.work_unit,
            code=given.get("code", name),
            text=given.get("text") or event.text or name,
            severity=event.severity or USUAL_SEVERITY,
        )
