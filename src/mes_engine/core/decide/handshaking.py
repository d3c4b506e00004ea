"""Handshakes: what a machine requests is done first, and acknowledged afterwards.

Committing comes before the ack: a phase that waits for a write is state, which a part
of the runtime carries out and reports back. Whatever is lost on the way, the request is
still up, and its number tells that it was done.
"""

from collections.abc import Mapping

import msgspec

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.machine_actions import told_of
from mes_engine.core.decide.transacting import (
    Execute,
    filled,
    refused_alarm,
    transact,
)
from mes_engine.core.errors import NotFound
from mes_engine.core.machine_rules import HandshakeRule
from mes_engine.core.samples import Quality, Sample, SampleGroup
from mes_engine.core.signals import (
    HandshakePhase,
    HandshakeState,
    Request,
    TransactionOutcome,
    Turn,
    Wanted,
    turn_of,
)
from mes_engine.core.signals.handshake import WRITING, remembering
from mes_engine.core.time_windows import CLOCK

replace = msgspec.structs.replace


def hear_group(draft: Draft, source: str, group: SampleGroup, execute: Execute) -> None:
    """Do what a handshake's request asks for, if it is one's."""
    if not draft.state.has_plant:
        return
    rule = draft.state.site.handshake_of_request.get(group.gate)
    if rule is None or rule.link != source:
        return
    samples = {one.tag: one for one in group.samples}
    seen = _request(rule, group, samples)
    if seen is None:
        return
    known = draft.state.handshake.get(rule.id) or HandshakeState(id=rule.id)
    match turn_of(known, seen, debounce_us=rule.debounce_us):
        case Turn.DECIDE:
            name = seen.boot, seen.key
            outcome = transact(draft, rule, name, seen.given, execute)
            _acknowledge(draft, rule, known, seen, outcome)
        case Turn.ACK_AGAIN:
            _acknowledge(draft, rule, known, seen, TransactionOutcome.EXECUTED)
        case Turn.FALL:
            _fall(draft, rule, known)


def _request(
    rule: HandshakeRule, group: SampleGroup, samples: Mapping[str, Sample]
) -> Request | None:
    """Return what the request says; None where some of it is not known."""
    request = samples.get(rule.request)
    if request is None or not _is_known(request):
        return None
    is_high = bool(request.value)
    if is_high and not all(
        tag in samples and _is_known(samples[tag]) for tag in rule.read_together
    ):
        return None
    given: dict[str, str] = {}
    if is_high:
        told = {name: told_of(samples[tag].value) for name, tag in rule.payload.items()}
        given = filled(rule.given, told)
    ack = samples.get(rule.ack)
    return Request(
        is_high=is_high,
        boot=told_of(samples[rule.boot].value) if is_high and rule.boot else "",
        key=told_of(samples[rule.key].value) if is_high else "",
        is_ack_up=None if ack is None or not _is_known(ack) else bool(ack.value),
        at=group.at,
        steady_us=group.at - group.since,
        given=given,
    )


def _is_known(sample: Sample) -> bool:
    return sample.quality is not Quality.BAD and sample.value is not None


def _acknowledge(
    draft: Draft,
    rule: HandshakeRule,
    known: HandshakeState,
    seen: Request,
    outcome: TransactionOutcome,
) -> None:
    """Want the ack written, now that what it stands for is a fact."""
    is_done = outcome is TransactionOutcome.EXECUTED
    wanted = [Wanted(tag=rule.ack, value=rule.ack_on)]
    if rule.result is not None:
        code = rule.done if is_done else rule.refused
        wanted.insert(0, Wanted(tag=rule.result, value=code))
    is_another = (known.boot, known.key) != (seen.boot, seen.key)
    if known.phase is not HandshakePhase.IDLE and is_another:
        # The ack of the one before may be up still, and is not to be taken for ours.
        wanted.insert(0, Wanted(tag=rule.ack, value=rule.ack_off))
    is_told = is_done or rule.result is not None
    executed = known.executed
    if is_done:
        executed = remembering(executed, seen.boot, seen.key)
    clear_alarm(draft, _late(rule))
    draft.emit(
        f.HandshakeMoved(
            handshake=HandshakeState(
                id=rule.id,
                phase=HandshakePhase.ACKNOWLEDGING
                if is_told
                else HandshakePhase.UNANSWERED,
                boot=seen.boot,
                key=seen.key,
                outcome=outcome,
                since=draft.heard_at,
                wanted=tuple(wanted) if is_told else (),
                executed=executed,
            )
        )
    )


def _fall(draft: Draft, rule: HandshakeRule, known: HandshakeState) -> None:
    """Take the ack back: the machine has seen it, or has given up."""
    clear_alarm(draft, _late(rule))
    clear_alarm(draft, refused_alarm(rule))
    is_up = known.phase is not HandshakePhase.UNANSWERED
    wanted = (Wanted(tag=rule.ack, value=rule.ack_off),) if is_up else ()
    draft.emit(
        f.HandshakeMoved(
            handshake=replace(
                known,
                phase=HandshakePhase.CLEARING if is_up else HandshakePhase.IDLE,
                since=draft.heard_at,
                wanted=wanted,
                due_at=None,
                is_late=False,
            )
        )
    )


def record_acknowledgement(
    draft: Draft, command: m.RecordAcknowledgement
) -> dict[str, str]:
    """Take note of what became of a write, if it is still of the phase."""
    known = draft.state.handshake.get(command.handshake)
    rule = draft.state.site.handshakes.get(command.handshake)
    if known is None or rule is None:
        raise NotFound(f"There is no handshake '{command.handshake}'.")
    meant = (command.boot, command.key, command.phase)
    if (known.boot, known.key, known.phase) == meant and known.phase in WRITING:
        if command.is_written:
            clear_alarm(draft, _unwritten(rule))
            known = _written(draft, rule, known)
        else:
            text = f"{rule.id} cannot be answered: {command.reason}"
            raise_alarm(
                draft, _unwritten(rule), rule.work_unit, code="not_written", text=text
            )
    return {"handshake": known.id, "phase": known.phase.value}


def _written(
    draft: Draft, rule: HandshakeRule, known: HandshakeState
) -> HandshakeState:
    is_ack = known.phase is HandshakePhase.ACKNOWLEDGING
    after = replace(
        known,
        phase=HandshakePhase.ACKNOWLEDGED if is_ack else HandshakePhase.IDLE,
        since=draft.at,
        wanted=(),
        due_at=draft.at + rule.clear_us if is_ack else None,
    )
    draft.emit(f.HandshakeMoved(handshake=after))
    return after


def check_handshakes(draft: Draft) -> int:
    """Tell which requests are late to fall; nothing is forced. Return how many."""
    due = [
        one
        for one in draft.state.handshake.find("due", CLOCK)
        if one.due_at is not None and one.due_at <= draft.at
    ]
    for known in due:
        draft.emit(
            f.HandshakeMoved(handshake=replace(known, due_at=None, is_late=True))
        )
        rule = draft.state.site.handshakes.get(known.id)
        if rule is not None:
            raise_alarm(
                draft,
                _late(rule),
                rule.work_unit,
                code="request_not_cleared",
                text=f"{rule.id} {known.key} was acknowledged, and its request is "
                f"still up {rule.clear_us / 1_000_000:g} s later",
            )
    return len(due)


def _late(rule: HandshakeRule) -> str:
    return f"{rule.id}/late"


def _unwritten(rule: HandshakeRule) -> str:
    return f"{rule.id}/unwritten"
