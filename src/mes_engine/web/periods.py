"""Accounting periods over HTTP: up to which day the books are closed."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from mes_engine.core.messages import ClosePeriod, ReopenPeriod
from mes_engine.core.periods import LEDGER, OPEN
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Reason, View
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.parts import Parts

Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-11-30"])]


class BooksView(View):
    """Up to which business day the books are closed; null if no day is.

    Attributes:
        first_open: From here on postings are booked.
        at: When that was said; ``person`` and ``reason`` tell by whom and why.
    """

    closed_until: str | None
    first_open: str | None
    at: At | None
    person: str
    reason: str


class CloseBody(Occurred):
    """The last day of the period, and why it is closed."""

    last_day: Day
    reason: Reason


class ReopenBody(Occurred):
    """From which day on the books are open again, and why."""

    first_day: Day
    reason: Reason


def periods_router(parts: Parts) -> APIRouter:
    """Return the routes of accounting periods."""
    router = api_router(prefix="/books", tags=["postings"])
    post = posts(router)

    @router.get("")
    async def show_books() -> BooksView:
        """Show up to which day the books are closed."""
        books = parts.state.books.get(LEDGER) or OPEN
        return BooksView(
            closed_until=books.closed_until or None,
            first_open=books.first_open or None,
            at=books.at or None,
            person=books.person,
            reason=books.reason,
        )

    @post("/close")
    async def close_period(body: CloseBody, sender: CommandSender) -> Response:
        """Close the books up to a day: what is of these days is held from now on."""
        command = ClosePeriod(last_day=body.last_day, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    @post("/reopen")
    async def reopen_period(body: ReopenBody, sender: CommandSender) -> Response:
        """Open the books again from a day on: what was held for it is posted."""
        command = ReopenPeriod(first_day=body.first_day, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    return router
