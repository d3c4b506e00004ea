"""Postings over HTTP: what goes up to the ERP, and what a person does about it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from mes_engine.core.messages import ReleasePosting, RetryPosting, WaivePosting
from mes_engine.core.postings import Posting, PostingKind, PostingState
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Decimals, Id, Reason, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, of_cursor
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.parts import Parts


class PostingView(View):
    """One confirmation of one operation, and how far it has come with the ledger."""

    key: str
    stream: str
    stream_seq: int
    kind: PostingKind
    job_order: str
    step: str
    work_center: str
    material: str
    unit: str
    good: Decimals
    scrap: Decimals
    setup_s: Decimals
    processing_s: Decimals
    labour_s: Decimals
    repeated: Decimals
    pass_number: int
    is_final: bool
    occurred_at: At
    business_date: str
    reverses: str | None
    state: PostingState
    reference: str
    reason: str


class WaiveBody(Occurred):
    """Why the ledger's booking is done without, or is of another day."""

    reason: Reason


def postings_router(parts: Parts) -> APIRouter:
    """Return the routes of postings."""
    router = api_router(prefix="/postings", tags=["postings"])
    post = posts(router)

    @router.get("")
    async def list_postings(
        state: Annotated[list[PostingState] | None, Query()] = None,
        work_request: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[PostingView]:
        """List postings, by key."""
        columns = table_of("posting").c
        return await page(
            parts.database,
            "posting",
            columns.key > ("" if cursor is None else of_cursor(cursor)),
            *is_one(columns.stream, work_request),
            *([columns.state.in_(state)] if state else []),
            partition=parts.state.partition,
            by=columns.key,
            key=_key,
            shown=PostingView.model_validate,
            limit=limit,
        )

    @post("/{posting}/retry")
    async def retry_posting(
        posting: Id, sender: CommandSender, body: Occurred | None = None
    ) -> Response:
        """Send a parked posting again."""
        return await carried_out(parts, sender, RetryPosting(posting=posting), body)

    @post("/{posting}/waive")
    async def waive_posting(
        posting: Id, body: WaiveBody, sender: CommandSender
    ) -> Response:
        """Do without the ledger's booking of a posting that is parked or held."""
        command = WaivePosting(posting=posting, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    @post("/{posting}/release")
    async def release_posting(
        posting: Id, body: WaiveBody, sender: CommandSender
    ) -> Response:
        """Let a held posting be booked, on the first day of the open period."""
        command = ReleasePosting(posting=posting, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    return router


def _key(posting: Posting) -> str:
    return posting.key
