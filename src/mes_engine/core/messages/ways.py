"""Ways that pieces take besides the straight one: back for rework, and around steps."""

from decimal import Decimal
from enum import StrEnum

from mes_engine.core.messages.command import BaseCommand


class ReworkFrom(StrEnum):
    """Where at a visit the pieces are that are to be worked again."""

    WORK = "work"
    SUSPECT = "suspect"
    OUT = "out"


class SendToRework(BaseCommand, frozen=True, kw_only=True, tag="send_to_rework"):
    """Send pieces at a job order back along one of the routing's rework loops.

    Attributes:
        loop: One that starts at the job order's step.
        lot: Whose pieces; the oldest lot's first if not said.
        taken_from: ``work`` (in process, then queued), ``suspect``, or ``out``:
            reported good, and waiting to move.
    """

    job_order: str
    quantity: Decimal
    loop: str
    reason: str
    lot: str | None = None
    taken_from: ReworkFrom = ReworkFrom.WORK


class DeviateLot(BaseCommand, frozen=True, kw_only=True, tag="deviate_lot"):
    """Send pieces at a job order to another step than the routing has next.

    Attributes:
        to_step: A step of the routing; they go on from there as it says.
        quantity: All that are there if not said.
        lot: Whose pieces; the oldest lot's first if not said.
        taken_from: As for rework.
    """

    job_order: str
    to_step: str
    reason: str
    quantity: Decimal | None = None
    lot: str | None = None
    taken_from: ReworkFrom = ReworkFrom.WORK


class SkipStep(BaseCommand, frozen=True, kw_only=True, tag="skip_step"):
    """Let the pieces of a job order that was not begun go past its optional step."""

    job_order: str
    reason: str


WaysCommand = SendToRework | DeviateLot | SkipStep
