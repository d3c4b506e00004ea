"""What goes into the engine, and what it answers.

A message is either a command (of a person, a module, the relay), which has a key, or
something sensed by a link, which has a number. Commands are imperatives.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.plant import Plant
from mes_engine.core.postings import PostingState
from mes_engine.core.quantity import ZERO
from mes_engine.core.routing import Routing
from mes_engine.core.runs import HoldMode, HoldScope, Lane
from mes_engine.core.samples import LinkReport, Sample


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every command is: a frozen struct that knows its own name."""


class ApplyPlant(_Command, frozen=True, kw_only=True, tag="apply_plant"):
    """Make ``plant`` the plant that the engine works with."""

    plant: Plant


class ReleaseRouting(_Command, frozen=True, kw_only=True, tag="release_routing"):
    """Allow work by this revision of a routing."""

    routing: Routing


class WithdrawRouting(_Command, frozen=True, kw_only=True, tag="withdraw_routing"):
    """Store no more work by this revision; what is stored keeps it."""

    routing: str
    revision: str


class CreateWorkRequest(_Command, frozen=True, kw_only=True, tag="create_work_request"):
    """Plan to make ``quantity`` by ``due_at``; the newest revision if none is named."""

    work_request: str
    routing: str
    quantity: Decimal
    due_at: int
    revision: str | None = None
    priority: int = 0
    demand: str = ""
    releases_job_orders: bool = True


class ReleaseWorkRequest(
    _Command, frozen=True, kw_only=True, tag="release_work_request"
):
    """Let its job orders start."""

    work_request: str


class CloseWorkRequest(_Command, frozen=True, kw_only=True, tag="close_work_request"):
    """Seal a request all of whose job orders are over."""

    work_request: str


class CancelWorkRequest(_Command, frozen=True, kw_only=True, tag="cancel_work_request"):
    """Give up a request on which nothing was booked."""

    work_request: str
    reason: str = ""


class JobOrderCommand(_Command, frozen=True, kw_only=True):
    """A command to one job order."""

    job_order: str


class AssertTrigger(JobOrderCommand, frozen=True, kw_only=True, tag="assert_trigger"):
    """Ask for a trigger that needs nothing said: release, unload, close ..."""

    trigger: JobOrderTrigger
    reason: str = ""


class LoadJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="load_job_order"):
    """Claim a lane of a work unit for it; the active one if free, unless named."""

    work_unit: str
    lane: Lane | None = None


class BeginJobOrder(JobOrderCommand, frozen=True, kw_only=True, tag="begin_job_order"):
    """Begin to process; ``in_process`` of the queued pieces go in at once."""

    in_process: Decimal = ZERO


class Scrapped(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that are scrap, and why."""

    quantity: Decimal
    reason: str


class ReportFrom(StrEnum):
    """Where reported pieces are taken from."""

    WORK = "work"
    SUSPECT = "suspect"


class ReportQuantity(JobOrderCommand, frozen=True, kw_only=True, tag="report_quantity"):
    """Say what became of pieces: amounts since the last report, in the job's unit.

    Attributes:
        reason: Why, for what is suspect, lost, tested, or more than was expected.
        taken_from: ``work`` (in process, then queued), or ``suspect`` to dispose of it.
        setup_s: Seconds that no clock of ours has seen: setup, processing, breakdown.
    """

    good: Decimal = ZERO
    scrap: tuple[Scrapped, ...] = ()
    suspect: Decimal = ZERO
    lost: Decimal = ZERO
    tested: Decimal = ZERO
    reason: str = ""
    taken_from: ReportFrom = ReportFrom.WORK
    setup_s: Decimal = ZERO
    processing_s: Decimal = ZERO
    down_s: Decimal = ZERO


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


class OpenHold(_Command, frozen=True, kw_only=True, tag="open_hold"):
    """Forbid work on a job order or a whole request."""

    scope: HoldScope
    target: str
    reason: str
    mode: HoldMode = HoldMode.STOP_NOW


class ReleaseHold(_Command, frozen=True, kw_only=True, tag="release_hold"):
    """Take a hold back; ``resumes`` lets what it interrupted go on at once."""

    hold: str
    resumes: bool = False


class DispatchWorkUnit(_Command, frozen=True, kw_only=True, tag="dispatch_work_unit"):
    """Load the job order that the work center's rule puts first."""

    work_unit: str
    lane: Lane | None = None


class ChooseAlternative(_Command, frozen=True, kw_only=True, tag="choose_alternative"):
    """Say which of the alternatives after a step a request takes."""

    work_request: str
    step: str
    target: str


class ReceiveMaterial(_Command, frozen=True, kw_only=True, tag="receive_material"):
    """Take ``quantity`` of a material into stock, as a lot of its own."""

    material: str
    unit: str
    quantity: Decimal
    supplier: str
    supplier_lot: str = ""
    location: str | None = None


class RecordPosting(_Command, frozen=True, kw_only=True, tag="record_posting"):
    """The relay: how far a posting has come with the ledger."""

    posting: str
    state: PostingState
    reference: str = ""
    reason: str = ""


class RetryPosting(_Command, frozen=True, kw_only=True, tag="retry_posting"):
    """Send a parked posting again."""

    posting: str


class WaivePosting(_Command, frozen=True, kw_only=True, tag="waive_posting"):
    """Do without the ledger's booking of a parked posting."""

    posting: str
    reason: str


Command = (
    ApplyPlant
    | ReleaseRouting
    | WithdrawRouting
    | CreateWorkRequest
    | ReleaseWorkRequest
    | CloseWorkRequest
    | CancelWorkRequest
    | AssertTrigger
    | LoadJobOrder
    | BeginJobOrder
    | ReportQuantity
    | PauseJobOrder
    | MoveJobOrder
    | ResumeJobOrder
    | StopJobOrder
    | AbortJobOrder
    | UpdateJobOrder
    | OpenHold
    | ReleaseHold
    | DispatchWorkUnit
    | ChooseAlternative
    | ReceiveMaterial
    | RecordPosting
    | RetryPosting
    | WaivePosting
)


class Commanded(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way in.

    Attributes:
        origin: Whose key it is: an authenticated client, a module, the relay.
        key: The same message, sent again, has the same; a scope of its origin.
        digest: Of route, person and the sender's body; another one under the same key
            is refused. Not of what we added.
        at: When it happened, by the sender's word; else when it came in.
    """

    origin: str
    key: str
    digest: str
    person: str
    at: int
    command: Command


class Sensed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a link heard, numbered by (source, epoch, n).

    Attributes:
        epoch: Grows with each life of the source's numbering.
        n: Counts within the epoch, from 1.
    """

    source: str
    epoch: int
    n: int
    report: Sample | LinkReport


Message = Commanded | Sensed


class Outcome(StrEnum):
    """What became of a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    KEY_REUSED = "key_reused"
    MALFORMED = "malformed"
    NOT_FOUND = "not_found"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's answer: the same for every delivery of the same message.

    Attributes:
        result: Ids and states that the command led to, by name.
        unmet: The conditions that do not hold, as ``name: why``.
        allowed: The triggers that would have been accepted.
        seq: The last fact of it: a reader that has seen this seq sees its effects.
    """

    outcome: Outcome
    result: dict[str, str] = {}
    message: str = ""
    hint: str = ""
    unmet: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    seq: int = 0


KEPT = frozenset({Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_FOUND})
"""The outcomes that are kept under their key; a malformed command may be mended."""
