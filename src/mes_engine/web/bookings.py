"""Bookings over HTTP: what was booked on a job order, and taking it back."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from mes_engine.core.bookings import (
    WAYS,
    AdjustAt,
    Booking,
    BookingKind,
    CountedPieces,
    ReportedAs,
    Reversal,
)
from mes_engine.core.errors import NotFound
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import EdgeKind
from mes_engine.core.messages import (
    AssignProduction,
    DismissProduction,
    ReverseBooking,
)
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender, Person
from mes_engine.http.fields import Amount, At, Decimals, Id, Reason, View
from mes_engine.http.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    number_of_cursor,
    page_of,
)
from mes_engine.storage import bookings as stored
from mes_engine.storage.journal import one
from mes_engine.storage.onward import bookings_onward
from mes_engine.web.command_bodies import (
    Occurred,
    Word,
    carried_out,
    posts,
    problem_told,
)
from mes_engine.web.history import one_by_key
from mes_engine.web.parts import Parts
from mes_engine.web.previewing import PreviewView, previewed

Seq = Annotated[int, Path(ge=1, lt=10**18, examples=[4711])]


class ReversalView(View):
    """That a booking was taken back, or how much of it, and why.

    Attributes:
        seq: What took back the last of it; ``earlier``, what took back parts before.
        good: Of a report, how many of its good pieces; the others likewise.
        adjusts: The booking at an earlier step because of which it was, if one.
    """

    seq: int
    earlier: list[int]
    adjusts: int | None
    quantity: Decimals
    good: Decimals
    scrap: Decimals
    suspect: Decimals
    lost: Decimals
    tested: Decimals
    is_whole: bool
    at: At
    person: str
    reason: str


class BookedMove(View):
    """Pieces or material that a booking moved."""

    lot: str
    quantity: Decimals
    unit: str
    place: str
    bucket: str
    to_bucket: str


class BookingView(View):
    """One booking on a job order; ``seq`` names it.

    Attributes:
        sent: Of rework or a deviation: how many pieces went, as which lot and where.
        reversed_by: What took it back, if anything did.
        reverses: Of a reversal: the booking that it takes back.
        adjusts: Of a reversal: the booking at an earlier step because of which it is.
    """

    seq: int
    kind: BookingKind
    at: At
    person: str
    run: str | None
    source: str
    reason: str
    good: Decimals
    scrap: Decimals
    suspect: Decimals
    lost: Decimals
    tested: Decimals
    sent: Decimals
    lot: str
    to_visit: str
    moves: list[BookedMove]
    reverses: int | None
    adjusts: int | None
    reversed_by: ReversalView | None = None

    @classmethod
    def of(cls, booking: Booking, reversal: Reversal | None) -> "BookingView":
        """Show ``booking``, with what took it back."""
        shown = None if reversal is None else ReversalView.model_validate(reversal)
        return cls.model_validate(booking).model_copy(update={"reversed_by": shown})


class ReverseBody(Occurred):
    """Why it is taken back, and what becomes of pieces that a machine counted.

    Attributes:
        quantity: Only so much of it, of a report of the pieces ``reported_as`` that.
        into_open_period: What is of a closed period is corrected in the open one.
        where: Whether pieces that went on are taken out where they are now, with what
            later steps have reported of them.
    """

    reason: Reason
    counted: Word[CountedPieces] = CountedPieces.UNASSIGNED
    quantity: Amount | None = None
    reported_as: Word[ReportedAs] = ReportedAs.GOOD
    into_open_period: bool = False
    where: Word[AdjustAt] = AdjustAt.HERE


class DismissBody(Occurred):
    """Why; how many, if not all that are open."""

    reason: Reason
    quantity: Amount | None = None


class AssignBody(DismissBody):
    """On which job order, and why."""

    job_order: Id


def bookings_router(parts: Parts) -> APIRouter:
    """Return the routes of bookings."""
    router = api_router(tags=["bookings"])
    post = posts(router)

    @router.get("/job-orders/{job_order}/bookings")
    async def list_bookings(
        job_order: Id, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Page[BookingView]:
        """List what was booked on a job order, the newest first, and taken back."""
        partition = parts.state.partition
        before = None if cursor is None else number_of_cursor(cursor)
        job: JobOrder = await one_by_key(
            parts.database,
            "job_order",
            job_order,
            partition=partition,
            what="job order",
        )
        booked, reversals = await parts.database.read(
            lambda connection: _with_reversals(
                connection,
                partition,
                stored.newest_bookings(
                    connection, partition, job, before=before, limit=limit + 1
                ),
            )
        )
        by = {reversal.booking: reversal for reversal in reversals}
        shown = ((one.seq, BookingView.of(one, by.get(one.seq))) for one in booked)
        return page_of(shown, limit)

    @post("/bookings/{booking}/reverse")
    async def reverse_booking(
        booking: Seq, body: ReverseBody, sender: CommandSender
    ) -> Response:
        """Take a booking back, or a part of it, by what is linked to it.

        Refused where what it brought about is no longer to be had; the answer names
        who has it. Pieces that later steps have reported are taken out where they are
        now, and of those reports, if 'where' says so. A reversal is not reversed:
        report afresh.
        """
        command = await _command(booking, body)
        return await carried_out(parts, sender, command, body)

    async def _command(booking: int, body: ReverseBody) -> ReverseBooking:
        partition = parts.state.partition
        return await parts.database.read(
            lambda connection: reversing(connection, partition, booking, body)
        )

    @router.post(
        "/bookings/{booking}/reverse/preview",
        response_model=PreviewView,
        responses={
            404: problem_told("not-found"),
            409: problem_told("refused"),
        },
    )
    async def preview_reversal(
        booking: Seq, body: ReverseBody, person: Person
    ) -> PreviewView | Response:
        """List each booking, piece and job order that it would change; do nothing."""
        command = await _command(booking, body)
        at = body.at(parts.clock())
        return previewed(parts, command, person=person, at=at)

    @post("/unassigned-production/{production}/assign")
    async def assign_production(
        production: Seq, body: AssignBody, sender: CommandSender
    ) -> Response:
        """Book counted pieces on the job order that they belong to."""
        command = AssignProduction(
            production=production,
            job_order=body.job_order,
            quantity=body.quantity,
            reason=body.reason,
        )
        return await carried_out(parts, sender, command, body)

    @post("/unassigned-production/{production}/dismiss")
    async def dismiss_production(
        production: Seq, body: DismissBody, sender: CommandSender
    ) -> Response:
        """Write counted pieces off: there are none."""
        command = DismissProduction(
            production=production, quantity=body.quantity, reason=body.reason
        )
        return await carried_out(parts, sender, command, body)

    return router


def _with_reversals(
    connection: Connection, partition: str, booked: list[Booking]
) -> tuple[list[Booking], list[Reversal]]:
    seqs = [one.seq for one in booked]
    return booked, stored.reversals_of(connection, partition, seqs)


def reversing(
    connection: Connection,
    partition: str,
    seq: int,
    body: ReverseBody,
) -> ReverseBooking:
    """Return the command that takes a booking back, with what was booked.

    Raises:
        NotFound: No such booking was ever made.
    """
    booking = stored.booking_at(connection, partition, seq)
    job: JobOrder | None = None
    if booking is not None:
        job = one(connection, "job_order", partition, booking.job_order)
    if booking is None or job is None:
        raise NotFound(
            f"Fact {seq} books nothing that could be reversed.",
            hint="A job order's bookings are listed with it.",
        )
    also: list[Booking] = []
    if booking.kind is BookingKind.COMPLETION:
        also = stored.bookings_of_job(connection, partition, job)
    elif booking.kind is BookingKind.REPORT or booking.kind in WAYS:
        also = stored.consumption_of_job(connection, partition, job)
    lots = {move.lot for made in (booking, *also) for move in made.moves}
    uses = stored.uses_of_lots(connection, partition, lots)
    onward: list[Booking] = []
    if body.where is AdjustAt.WHERE_IT_IS:
        onward = bookings_onward(
            connection,
            partition,
            job,
            lots=lots | {edge.target for edge in uses if edge.kind is EdgeKind.SPLIT},
            quantity=body.quantity or job.good,
        )
        lots |= {move.lot for made in onward for move in made.moves}
        uses = stored.uses_of_lots(connection, partition, lots)
    return ReverseBooking(
        work_request=job.request,
        booking=booking,
        reason=body.reason,
        also=tuple(also),
        uses=tuple(uses),
        counted=body.counted,
        quantity=body.quantity,
        reported_as=body.reported_as,
        into_open_period=body.into_open_period,
        where=body.where,
        onward=tuple(onward),
    )
