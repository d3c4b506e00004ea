"""A machine's transaction: a person's command, and what became of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide.alarms import clear_alarm, raise_alarm
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.machine_actions import Given, command_of
from mes_engine.core.machine_rules import Rule
from mes_engine.core.signals import MachineTransaction, TransactionOutcome

Make = Callable[[Draft], m.Command]
Execute = Callable[[Draft, Make], m.Answer]
"""Decide the command that is made, as if a person had sent it, whole or not at all."""


def transact(
    draft: Draft,
    rule: Rule,
    name: tuple[str, str],
    given: dict[str, str],
    execute: Execute,
) -> TransactionOutcome:
    """Do what a machine asks for, or keep why not.

    Args:
        draft: The decision, at the time at which the machine asked.
        rule: By which it asks.
        name: The machine's epoch, and its number within: what it asks for.
        given: The values, by field of the action.
        execute: Decides the command.
    """
    job_order = given.get("job_order", "")

    def make(draft: Draft) -> m.Command:
        nonlocal job_order
        read = Given(rule.does, given)
        command = command_of(draft, rule.does, rule.work_unit, read)
        job_order = getattr(command, "job_order", job_order)
        return command

    draft.person, before = given.get("person", ""), draft.person
    answer = execute(draft, make)
    draft.person = before
    boot, key = name
    is_done = answer.outcome is m.Outcome.ACCEPTED
    outcome = TransactionOutcome.EXECUTED if is_done else TransactionOutcome.REFUSED
    draft.emit(
        f.TransactionDecided(
            transaction=MachineTransaction(
                seq=draft.next_seq,
                rule=rule.id,
                work_unit=rule.work_unit,
                link=rule.link,
                boot=boot,
                key=key,
                does=rule.does,
                outcome=outcome,
                job_order=answer.result.get("job_order", job_order),
                given=given,
                message=answer.message,
                hint=answer.hint,
                unmet=answer.unmet,
                at=draft.at,
            )
        )
    )
    if is_done:
        clear_alarm(draft, refused_alarm(rule))
    else:
        told = f"{boot}/{key}" if boot else key
        raise_alarm(
            draft,
            refused_alarm(rule),
            rule.work_unit,
            code="request_refused",
            text=f"{rule.id} {told} was refused: {answer.message}",
        )
    return outcome


def refused_alarm(rule: Rule) -> str:
    """Return the name of the alarm that something of ``rule`` was refused."""
    return f"{rule.id}/refused"


def filled(given: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Return what is always given, and over it what was told and is not empty."""
    return {**given, **{name: value for name, value in told.items() if value}}


@contextmanager
def dated(draft: Draft, at: int) -> Iterator[None]:
    """Let what is done within have happened ``at`` a time before the message."""
    before = draft.at, draft.told_at
    draft.at = draft.told_at = min(at, draft.at)
    yield
    draft.at, draft.told_at = before
