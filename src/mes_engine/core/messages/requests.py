"""What work requests are asked."""

from decimal import Decimal

from mes_engine.core.messages.command import BaseCommand


class CreateWorkRequest(
    BaseCommand, frozen=True, kw_only=True, tag="create_work_request"
):
    """Plan to make ``quantity`` by ``due_at``; the newest revision if none is named."""

    work_request: str
    routing: str
    quantity: Decimal
    due_at: int
    revision: str | None = None
    priority: int = 0
    demand: str = ""
    releases_job_orders: bool = True
    lot_size: Decimal | None = None


class ReleaseWorkRequest(
    BaseCommand, frozen=True, kw_only=True, tag="release_work_request"
):
    """Let its job orders start."""

    work_request: str


class CloseWorkRequest(
    BaseCommand, frozen=True, kw_only=True, tag="close_work_request"
):
    """Seal a request all of whose job orders are over."""

    work_request: str


class CancelWorkRequest(
    BaseCommand, frozen=True, kw_only=True, tag="cancel_work_request"
):
    """Give up a request on which nothing was booked."""

    work_request: str
    reason: str = ""


class ChangeWorkRequest(
    BaseCommand, frozen=True, kw_only=True, tag="change_work_request"
):
    """Make more or fewer of it, by another time, priority or routing revision.

    It reaches the job orders that are not over; another revision, those not begun.
    """

    work_request: str
    quantity: Decimal | None = None
    due_at: int | None = None
    priority: int | None = None
    revision: str | None = None
    reason: str = ""


class ChooseAlternative(
    BaseCommand, frozen=True, kw_only=True, tag="choose_alternative"
):
    """Say which of the alternatives after a step a request takes, in one pass.

    Attributes:
        lot: The only lot that takes it, where measured data tells the way of each.
    """

    work_request: str
    step: str
    target: str
    pass_number: int = 1
    lot: str | None = None
    reason: str = ""


RequestsCommand = (
    CreateWorkRequest
    | ReleaseWorkRequest
    | CloseWorkRequest
    | CancelWorkRequest
    | ChangeWorkRequest
    | ChooseAlternative
)
