"""Holds over HTTP: open one, release it, see which are open."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, field_validator

from mes_engine.core.messages import OpenHold, ReleaseHold
from mes_engine.core.runs import Hold, HoldMode, HoldQuery, HoldScope
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import MAX_NAME, CommandSender
from mes_engine.http.fields import At, Body, Id, Reason, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.parts import Parts

Who = Annotated[str, Field(max_length=MAX_NAME)]


class HoldView(View):
    """What forbids work on one thing; open while ``released_at`` is null.

    Attributes:
        releaser: The person or role that may release it; anybody if empty.
        query: What a hold of mode ``future`` waits for, without a target ...
        opens_as: ... and the mode of the holds that it opens on what gets there.
        from_hold: The hold of mode ``future`` that opened this one.
    """

    id: str
    scope: HoldScope
    target: str
    mode: HoldMode
    reason: str
    owner: str
    opened_at: At
    released_at: At | None
    released_by: str
    releaser: str
    query: dict[str, str]
    opens_as: HoldMode
    from_hold: str | None

    @field_validator("query", mode="before")
    @classmethod
    def _members(cls, query: HoldQuery) -> dict[str, str]:
        return query.members


class QueryBody(Body):
    """What is to be held when it gets there; all that is said has to match."""

    step: Id | None = None
    material: Id | None = None
    routing: Id | None = None
    work_request: Id | None = None
    supplier_lot: Reason | None = None
    equipment: Id | None = None


class OpenHoldBody(Occurred):
    """On what, why, and how it stops the work that it falls on."""

    scope: Word[HoldScope]
    reason: Reason
    target: Id | None = None
    mode: Word[HoldMode] = HoldMode.STOP_NOW
    owner: Who = ""
    releaser: Who = ""
    query: QueryBody | None = None
    opens_as: Word[HoldMode] = HoldMode.STOP_NOW


class ReleaseHoldBody(Occurred):
    """Whether what it interrupted goes on at once."""

    resumes: bool = False


def holds_router(parts: Parts) -> APIRouter:
    """Return the routes of holds."""
    router = api_router(prefix="/holds", tags=["holds"])
    post = posts(router)

    @router.get("")
    async def list_holds(
        *,
        target: Id | None = None,
        scope: HoldScope | None = None,
        mode: HoldMode | None = None,
        owner: str | None = None,
        from_hold: Id | None = None,
        is_open: bool | None = None,
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
            *is_one(columns.scope, scope),
            *is_one(columns.mode, mode),
            *is_one(columns.owner, owner),
            *is_one(columns.from_hold, from_hold),
            *by_openness,
            partition=parts.state.partition,
            by=columns.number,
            key=_number,
            shown=HoldView.model_validate,
            limit=limit,
        )

    @post("")
    async def open_hold(body: OpenHoldBody, sender: CommandSender) -> Response:
        """Forbid work on a job order, a whole request, a lot, or what gets there."""
        query = body.query
        command = OpenHold(
            scope=body.scope,
            target=body.target or "",
            reason=body.reason,
            mode=body.mode,
            owner=body.owner,
            releaser=body.releaser,
            query=None if query is None else HoldQuery(**query.model_dump()),
            opens_as=body.opens_as,
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
