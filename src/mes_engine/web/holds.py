"""Holds over HTTP: open one, release it, see which are open."""

from fastapi import APIRouter, Response

from mes_engine.core.messages import OpenHold, ReleaseHold
from mes_engine.core.runs import Hold, HoldMode, HoldScope
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Id, Reason, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.parts import Parts


class HoldView(View):
    """What forbids work on one thing; open while ``released_at`` is null."""

    id: str
    scope: HoldScope
    target: str
    mode: HoldMode
    reason: str
    owner: str
    opened_at: At
    released_at: At | None
    released_by: str


class OpenHoldBody(Occurred):
    """On what, why, and how it stops the work that it falls on."""

    scope: Word[HoldScope]
    target: Id
    reason: Reason
    mode: Word[HoldMode] = HoldMode.STOP_NOW


class ReleaseHoldBody(Occurred):
    """Whether what it interrupted goes on at once."""

    resumes: bool = False


def holds_router(parts: Parts) -> APIRouter:
    """Return the routes of holds."""
    router = api_router(prefix="/holds", tags=["holds"])
    post = posts(router)

    @router.get("")
    async def list_holds(
        target: Id | None = None,
        is_open: bool | None = None,  # noqa: FBT001 - a query's member, by name
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[HoldView]:
        """List holds, the oldest first."""
        columns = table_of("hold").c
        by_openness = [] if is_open is None else [columns.released_at.is_(None)]
        if is_open is False:
            by_openness = [columns.released_at.is_not(None)]
        return await page(
            parts.database,
            "hold",
            columns.number > number_of_cursor(cursor),
            *is_one(columns.target, target),
            *by_openness,
            partition=parts.state.partition,
            by=columns.number,
            key=_number,
            shown=HoldView.model_validate,
            limit=limit,
        )

    @post("")
    async def open_hold(body: OpenHoldBody, sender: CommandSender) -> Response:
        """Forbid work on a job order or a whole request."""
        command = OpenHold(
            scope=body.scope, target=body.target, reason=body.reason, mode=body.mode
        )
        return await carried_out(parts, sender, command, body)

    @post("/{hold}/release")
    async def release_hold(
        hold: Id, sender: CommandSender, body: ReleaseHoldBody | None = None
    ) -> Response:
        """Take a hold back; work is free again once no hold on it is open."""
        command = ReleaseHold(
            hold=hold, resumes=False if body is None else body.resumes
        )
        return await carried_out(parts, sender, command, body)

    return router


def _number(hold: Hold) -> int:
    return hold.number
