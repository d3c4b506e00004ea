"""What job orders are asked."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import Lane


class JobOrderCommand(BaseCommand, frozen=True, kw_only=True):
    """A command to one job order."""

    job_order: str


class AssertTrigger(JobOrderCommand, frozen=True, kw_only=True, tag="assert_trigger"):
    """Ask for a trigger that needs nothing said: release, unload, close ..."""

    trigger: JobOrderTrigger
    reason: str = ""


class LoadJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="load_job_order"):
    """Claim a lane of a work unit for it; the active one if free, unless named.

    Attributes:
        quantity: How many pieces this run takes, of a step with a job order for each;
            as many as the work unit takes if not said.
    """

    work_unit: str
    lane: Lane | None = None
    quantity: Decimal | None = None


class BeginJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="begin_job_order"):
    """Begin to process; ``in_process`` of the queued pieces go in at once."""

    in_process: Decimal = ZERO


class Scrapped(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that are scrap, and why.

    Attributes:
        caused_by: The step at fault, where it is another than the one that found it.
    """

    quantity: Decimal
    reason: str
    caused_by: str = ""


class ReportFrom(StrEnum):
    """Where reported pieces are taken from."""

    WORK = "work"
    SUSPECT = "suspect"


class ReportQuantity(JobOrderCommand, frozen=True, kw_only=True, tag="report_quantity"):
    """Say what became of pieces: amounts since the last report, in the job's unit.

    Attributes:
        reason: Why, for what is suspect, lost, tested, or more than was expected.
        taken_from: ``work`` (in process, then queued), or ``suspect`` to dispose of it.
        lot: Which of the lots at the step; the oldest first if not said.
        setup_s: Seconds that no clock of ours has seen: setup, processing, breakdown.
        completes: Whether that was all: booked and completed, or neither.
    """

    good: Decimal = ZERO
    scrap: tuple[Scrapped, ...] = ()
    suspect: Decimal = ZERO
    lost: Decimal = ZERO
    tested: Decimal = ZERO
    reason: str = ""
    taken_from: ReportFrom = ReportFrom.WORK
    lot: str | None = None
    setup_s: Decimal = ZERO
    processing_s: Decimal = ZERO
    down_s: Decimal = ZERO
    completes: bool = False


class PauseJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="pause_job_order"):
    """Interrupt it; it keeps its place on the work unit unless ``gives_up_slot``."""

    reason: str
    gives_up_slot: bool = False


class MoveJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="move_job_order"):
    """Go on at another work unit: the old run is closed, a new one opened."""

    work_unit: str
    lane: Lane | None = None


class ResumeJobOrder(
    JobOrderCommand, frozen=True, kw_only=True, tag="resume_job_order"
):
    """Go on; ``work_unit`` claims a place again where the slot was given up."""

    work_unit: str | None = None


class Remainder(StrEnum):
    """What happens to the pieces that a stopped job order has not accounted for."""

    FOLLOW_ON = "follow_on"
    QUEUE = "queue"
    SCRAP = "scrap"


class StopJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="stop_job_order"):
    """End it early, saying what happens to the remainder."""

    remainder: Remainder
    reason: str


class AbortJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="abort_job_order"):
    """End it at once; what is in process becomes suspect.

    Attributes:
        in_process: Queued pieces that were being worked on after all.
        signature: Who answers for it, where material was touched.
    """

    reason: str
    in_process: Decimal = ZERO
    signature: str = ""


class UpdateJobOrder(
    JobOrderCommand, frozen=True, kw_only=True, tag="update_job_order"
):
    """Change the due date or the priority of one that no material is loaded in."""

    due_at: int | None = None
    priority: int | None = None


class SplitJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="split_job_order"):
    """Give ``quantity`` of what it has left to do to a second one, at the same visit.

    Both draw from the pieces there: two machines work on one operation in parallel.
    """

    quantity: Decimal


WorkCommand = (
    AssertTrigger
    | LoadJobOrder
    | BeginJobOrder
    | ReportQuantity
    | PauseJobOrder
    | MoveJobOrder
    | ResumeJobOrder
    | StopJobOrder
    | AbortJobOrder
    | UpdateJobOrder
    | SplitJobOrder
)
