"""Accounting periods over HTTP: until when the books are closed; what is open."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from mes_engine.core.messages import ClosePeriod, ReopenPeriod
from mes_engine.core.periods import LEDGER, OPEN, Books, day_after
from mes_engine.core.plant import PostingPolicy
from mes_engine.core.production import UnassignedProduction
from mes_engine.core.state import State
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender, Person
from mes_engine.http.fields import At, Decimals, Reason, View
from mes_engine.storage.periods import closings, unsettled_until
from mes_engine.web.command_bodies import Occurred, carried_out, posts, problem_told
from mes_engine.web.parts import Parts
from mes_engine.web.postings import PostingView
from mes_engine.web.previewing import PreviewView, previewed, refusal_of
from mes_engine.web.work_unit_views import UnassignedView

MOST = 200
_PREVIEW_RESPONSES: dict[int | str, dict[str, Any]] = {409: problem_told("refused")}

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


class UnpostedView(View):
    """A job order of which something is reported and not posted yet."""

    job_order: str
    work_request: str
    step: str
    work_center: str
    state: str
    good: Decimals
    scrap: Decimals


class OpenItemsView(View):
    """What is open of the days up to one, before the books are closed on it.

    Attributes:
        until: The day; the last one that is over, if none was asked for.
        against: Why the books cannot be closed until then: conditions by name.
        postings: What the ledger has not booked of these days; the first 200 ...
        has_more: ... if there are more.
        unposted: What was begun on these days, and will be posted on later ones.
        unassigned: What machines counted on these days, and is on no job order.
    """

    until: str
    against: list[str]
    postings: list[PostingView]
    has_more: bool
    unposted: list[UnpostedView]
    unassigned: list[UnassignedView]


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
        return _shown(parts.state.books.get(LEDGER) or OPEN)

    @router.get("/closings")
    async def list_closings() -> list[BooksView]:
        """List how the books were closed and opened again, the newest first."""
        partition = parts.state.partition
        found = await parts.database.read(
            lambda connection: closings(connection, partition, limit=MOST)
        )
        return [_shown(one) for one in found]

    @router.get("/open-items")
    async def show_open_items(until: date | None = None) -> OpenItemsView:
        """Show what is open of the days until one, and what forbids to close them."""
        state = parts.state
        today = state.site.business_date(parts.clock())
        day = day_after(today, -1) if until is None else until.isoformat()
        waiting = await parts.database.read(
            lambda connection: unsettled_until(
                connection, state.partition, day, limit=MOST + 1
            )
        )
        command = ClosePeriod(last_day=day, reason="looked at")
        refusal = refusal_of(parts, command, at=parts.clock())
        return OpenItemsView(
            until=day,
            against=list(refusal),
            postings=[PostingView.model_validate(one) for one in waiting[:MOST]],
            has_more=len(waiting) > MOST,
            unposted=list(islice(_unposted(state, day), MOST)),
            unassigned=[
                UnassignedView.model_validate(one)
                for one in islice(_unassigned(state, day), MOST)
            ],
        )

    @router.post(
        "/close/preview", response_model=PreviewView, responses=_PREVIEW_RESPONSES
    )
    async def preview_closing(
        body: CloseBody, person: Person
    ) -> PreviewView | Response:
        """List what closing the books would do; close nothing."""
        command = ClosePeriod(last_day=body.last_day, reason=body.reason)
        return previewed(parts, command, person=person, at=body.at(parts.clock()))

    @router.post(
        "/reopen/preview", response_model=PreviewView, responses=_PREVIEW_RESPONSES
    )
    async def preview_reopening(
        body: ReopenBody, person: Person
    ) -> PreviewView | Response:
        """List what opening the books again would let go; open nothing."""
        command = ReopenPeriod(first_day=body.first_day, reason=body.reason)
        return previewed(parts, command, person=person, at=body.at(parts.clock()))

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


def _shown(books: Books) -> BooksView:
    return BooksView(
        closed_until=books.closed_until or None,
        first_open=books.first_open or None,
        at=books.at or None,
        person=books.person,
        reason=books.reason,
    )


def _unassigned(state: State, day: str) -> Iterator[UnassignedProduction]:
    """Yield what machines counted until a day, and is on no job order."""
    for one in state.unassigned_production.values():
        if one.left and state.site.business_date(one.at) <= day:
            yield one


def _unposted(state: State, day: str) -> Iterator[UnpostedView]:
    """Yield what was begun until a day, and of which something is not posted yet."""
    site = state.site
    for job in state.job_order.values():
        if (
            (job.good > job.posted_good or job.scrap > job.posted_scrap)
            and job.begun_at is not None
            and site.business_date(job.begun_at) <= day
            and site.work_center(job.work_center).posting is not PostingPolicy.NONE
        ):
            yield UnpostedView(
                job_order=job.id,
                work_request=job.request,
                step=job.step,
                work_center=job.work_center,
                state=job.state.value,
                good=job.good - job.posted_good,
                scrap=job.scrap - job.posted_scrap,
            )
