"""Calling methods of machines, and what came of it."""

import msgspec

from mes_engine.core.machine_calls import CallOutcome, Given
from mes_engine.core.messages.command import BaseCommand


class CallMachine(BaseCommand, frozen=True, kw_only=True, tag="call_machine"):
    """Have a method of a machine called, once.

    Attributes:
        link: Over which link.
        method: One that the link's settings declare.
        arguments: By the names that the machine gives them.
        reason: Why.
    """

    link: str
    method: str
    reason: str
    arguments: dict[str, Given] = msgspec.field(default_factory=dict)


class RecordMachineCall(
    BaseCommand, frozen=True, kw_only=True, tag="record_machine_call"
):
    """Keep what came of a call; a part of our own tells it.

    Attributes:
        call: Its number.
        results: What the machine answered, by name.
        message: Why it did not.
    """

    call: int
    outcome: CallOutcome
    results: dict[str, Given | None] = msgspec.field(default_factory=dict)
    message: str = ""
    hint: str = ""


MachineCallsCommand = CallMachine | RecordMachineCall
"""Calls of machines' methods."""
