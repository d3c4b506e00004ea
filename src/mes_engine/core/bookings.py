"""Bookings and their reversals: what was written wrongly is taken back, never edited.

A booking is named by the fact that it is known by. What it wrote stays in the journal;
of its reversal no more is kept than tells that nothing is taken back twice.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.lots import GenealogyEdge
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import Move


class BookingKind(StrEnum):
    """What was booked."""

    REPORT = "report"
    CONSUMPTION = "consumption"
    COMPLETION = "completion"
    REVERSAL = "reversal"
    REWORK = "rework"
    DEVIATION = "deviation"


WAYS = frozenset({BookingKind.REWORK, BookingKind.DEVIATION})
"""What sent pieces another way than straight on."""


class ReportedAs(StrEnum):
    """What a report says became of pieces."""

    GOOD = "good"
    SCRAP = "scrap"
    SUSPECT = "suspect"
    LOST = "lost"
    TESTED = "tested"


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was booked on a job order, as the journal has it.

    Attributes:
        seq: The fact that it is known by: the report, the move out of stock, the end of
            the job order, or the reversal.
        source: ``person`` or ``machine``, of a report.
        suspect: Reported suspect, and counted as worked by nobody.
        unworked: Of its scrap, what had never been worked on when the job was stopped.
        setup_us: Time that the report told of; the others likewise.
        moves: Of the ledger, in order. Pieces that went on to the next step are not
            among them: they are looked for where they are.
        edges: Into which lots consumed material went.
        posting: The key of what was posted with it.
        work_unit: Of the machine that counted it, with its tag.
        tools: Those on whose lives its pieces counted.
        reverses: What a reversal takes back.
        adjusts: The booking at an earlier step because of which it does, if one.
        sent: Pieces that it sent another way; ``reworked`` or ``deviated`` of them had
            not been reported good.
        lot: As which those went, and to which visit.
        parent: The lot that they were split from; None where the whole lot went.
        repeats: By visit, how many of them it had confirmed as good before.
    """

    seq: int
    kind: BookingKind
    job_order: str
    at: int
    person: str
    run: str | None = None
    source: str = ""
    reason: str = ""
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    suspect: Decimal = ZERO
    lost: Decimal = ZERO
    tested: Decimal = ZERO
    unworked: Decimal = ZERO
    setup_us: int = 0
    processing_us: int = 0
    down_us: int = 0
    moves: tuple[Move, ...] = ()
    edges: tuple[GenealogyEdge, ...] = ()
    posting: str | None = None
    work_unit: str = ""
    tag: str = ""
    tools: tuple[str, ...] = ()
    reverses: int | None = None
    adjusts: int | None = None
    sent: Decimal = ZERO
    reworked: Decimal = ZERO
    deviated: Decimal = ZERO
    lot: str = ""
    to_visit: str = ""
    parent: str | None = None
    repeats: dict[str, Decimal] = {}

    def of(self, kind: ReportedAs) -> Decimal:
        """Return how many pieces it says were ``kind``."""
        amount: Decimal = getattr(self, kind)
        return amount

    @property
    def worked(self) -> Decimal:
        """Pieces that it says were worked on, whatever became of them."""
        return self.good + self.scrap + self.lost + self.tested

    @property
    def total(self) -> Decimal:
        """Pieces that it speaks of; of a consumption, what was consumed."""
        if self.kind is BookingKind.CONSUMPTION:
            return sum((move.quantity for move in self.moves), ZERO)
        if self.kind in WAYS:
            return self.sent
        return self.worked + self.suspect


class Reversal(msgspec.Struct, frozen=True, kw_only=True):
    """That a booking was taken back, or how much of it.

    Attributes:
        booking: The fact that the booking is known by.
        seq: The last fact that took something of it back; ``earlier`` are those before.
        quantity: How much is taken back by now; less than all where only a part was, or
            of a consumption, of which goes back what the pieces of a report had used.
        good: Of a report, how many of its good pieces; the others likewise.
        entered: Of the pieces that it had brought in, how many are gone again.
        good_of: Of its good pieces, how many of which lot.
        adjusts: The booking at an earlier step that was wrong about the same pieces,
            if this one was taken back because of it.
    """

    booking: int
    seq: int
    kind: BookingKind
    job_order: str
    request: str
    quantity: Decimal
    is_whole: bool
    at: int
    person: str
    reason: str
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    suspect: Decimal = ZERO
    lost: Decimal = ZERO
    tested: Decimal = ZERO
    entered: Decimal = ZERO
    earlier: tuple[int, ...] = ()
    good_of: dict[str, Decimal] = {}
    adjusts: int | None = None

    @property
    def seqs(self) -> tuple[int, ...]:
        """Every fact that took something of the booking back, in order."""
        return (*self.earlier, self.seq)

    def of(self, kind: ReportedAs) -> Decimal:
        """Return how many pieces that had been reported ``kind`` are taken back."""
        amount: Decimal = getattr(self, kind)
        return amount


class AdjustAt(StrEnum):
    """Where pieces are taken out that a report was wrong about.

    Where they were reported, if nobody has worked on them since; or wherever they are
    now, with everything that was reported of them on the way.
    """

    HERE = "here"
    WHERE_IT_IS = "where_it_is"


class CountedPieces(StrEnum):
    """What becomes of what a machine counted, once the report of it is reversed."""

    UNASSIGNED = "unassigned"
    DISMISSED = "dismissed"
