"""Methods of machines: asked for before they are called, and settled after."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.machine_calls import (
    LONGEST_TEXT,
    MOST_ARGUMENTS,
    MOST_ELEMENTS,
    MOST_PENDING,
    CallOutcome,
    Given,
    MachineCall,
)
from mes_engine.core.messages import CallMachine, RecordMachineCall


def call_machine(draft: Draft, command: CallMachine) -> dict[str, str]:
    """Keep that a method is to be called; whoever listens to that calls it."""
    link, method = command.link, command.method
    allowed = draft.state.site.plant.methods
    if link not in allowed:
        raise NotFound(
            f"No methods can be called over a link '{link}'.",
            hint="Say methods: at the link in plant.yaml, if its protocol has any.",
        )
    if method not in allowed[link]:
        raise NotFound(
            f"Link '{link}' allows no method '{method}'.",
            hint=f"It allows {', '.join(sorted(allowed[link])) or 'none'}.",
        )
    if not command.reason.strip():
        raise Malformed("A method of a machine is not called without a reason.")
    _check(command.arguments)
    pending = draft.state.machine_call.find("pending", link)
    if len(list(pending)) >= MOST_PENDING:
        raise Refused(
            f"{MOST_PENDING} calls over link '{link}' have no answer yet.",
            hint="Wait for them, and look at the machine if they do not end.",
        )
    call = MachineCall(
        seq=draft.next_seq,
        link=link,
        method=method,
        arguments=command.arguments,
        reason=command.reason,
        person=draft.person,
        at=draft.at,
    )
    draft.emit(f.MachineCallAsked(call=call))
    return {"call": str(call.seq), "outcome": call.outcome.value}


def record_call(draft: Draft, command: RecordMachineCall) -> dict[str, str]:
    """Keep what came of a call; once."""
    known = draft.state.machine_call.get(command.call)
    if known is None or not known.is_pending:
        raise NotFound(f"No call {command.call} waits for an answer.")
    if command.outcome is CallOutcome.PENDING:
        raise Malformed("That it is pending is no outcome.")
    settled = msgspec.structs.replace(
        known,
        outcome=command.outcome,
        results=command.results,
        message=command.message,
        hint=command.hint,
        settled_at=max(draft.at, known.at),
    )
    draft.emit(f.MachineCallSettled(call=settled))
    return {"call": str(known.seq), "outcome": settled.outcome.value}


def _check(arguments: dict[str, Given]) -> None:
    if len(arguments) > MOST_ARGUMENTS:
        raise Malformed(f"A call has {MOST_ARGUMENTS} arguments at most.")
    for name, value in arguments.items():
        several = value if isinstance(value, tuple) else (value,)
        is_long = any(
            isinstance(one, str) and len(one) > LONGEST_TEXT for one in several
        )
        if is_long or len(several) > MOST_ELEMENTS or not 0 < len(name) <= LONGEST_TEXT:
            raise Malformed(f"The argument '{name:.40}' is too long.")
