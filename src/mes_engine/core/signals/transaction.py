"""Transactions: what a machine asked for by itself, and what became of it."""

from enum import StrEnum

import msgspec

from mes_engine.core.machine_rules import MachineAction


class TransactionOutcome(StrEnum):
    """What the engine made of a machine's transaction."""

    EXECUTED = "executed"
    REFUSED = "refused"


class MachineTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a machine asked for; written once, when it was decided.

    Attributes:
        seq: The fact that it was written by; its id.
        rule: The handshake, edge or event of the plant that it came by.
        boot: The machine's own epoch; with ``key`` it names the transaction.
        job_order: That it was about; empty if it was about none.
        given: What the machine gave, by field of the action, as text.
        message: Why it was refused; empty if it was not.
        unmet: The conditions that did not hold.
        at: When the machine asked, by its time.
    """

    seq: int
    rule: str
    work_unit: str
    link: str
    boot: str
    key: str
    does: MachineAction
    outcome: TransactionOutcome
    job_order: str
    given: dict[str, str]
    message: str
    hint: str
    unmet: tuple[str, ...]
    at: int
