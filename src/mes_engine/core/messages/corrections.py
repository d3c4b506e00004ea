"""What takes bookings back, and what makes counts into bookings."""

from decimal import Decimal

from mes_engine.core.bookings import AdjustAt, Booking, CountedPieces, ReportedAs
from mes_engine.core.lots import GenealogyEdge
from mes_engine.core.messages.command import BaseCommand


class ReverseBooking(BaseCommand, frozen=True, kw_only=True, tag="reverse_booking"):
    """Take a booking back by what is linked to it; nothing of it is edited.

    The door reads what was booked from the journal, which nothing changes, so that the
    engine need not remember it. What is there now, the engine looks at itself.

    Attributes:
        work_request: That the booking's job order belongs to.
        booking: What is taken back.
        also: Of a completion, everything booked on the job order; of a report on one
            that has ended, what was consumed for it.
        uses: What has become of the lots, to name what a reversal would break.
        counted: What becomes of pieces that a machine counted.
        quantity: Only so much of it; all that is left of it if None.
        reported_as: Of which pieces of a report.
        into_open_period: Whether a booking of a closed period is corrected in the one
            that is open.
        where: Whether pieces that went on are taken out where they are now.
        onward: What was booked on the job orders that they may have come to, if so.
    """

    work_request: str
    booking: Booking
    reason: str
    also: tuple[Booking, ...] = ()
    uses: tuple[GenealogyEdge, ...] = ()
    counted: CountedPieces = CountedPieces.UNASSIGNED
    quantity: Decimal | None = None
    reported_as: ReportedAs = ReportedAs.GOOD
    into_open_period: bool = False
    where: AdjustAt = AdjustAt.HERE
    onward: tuple[Booking, ...] = ()


class AssignProduction(BaseCommand, frozen=True, kw_only=True, tag="assign_production"):
    """Book counted pieces on the job order that they belong to.

    Attributes:
        production: The fact that names the unassigned production.
        quantity: How many of it; all that are open if None.
    """

    production: int
    job_order: str
    reason: str
    quantity: Decimal | None = None


class DismissProduction(
    BaseCommand, frozen=True, kw_only=True, tag="dismiss_production"
):
    """Write counted pieces off: there are none."""

    production: int
    reason: str
    quantity: Decimal | None = None


CorrectionsCommand = ReverseBooking | AssignProduction | DismissProduction
