"""Documents over HTTP: release one for work, withdraw it."""

from fastapi import APIRouter, Response

from mes_engine.core import messages as m
from mes_engine.core.documents import Document
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Id, Reason, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, of_cursor
from mes_engine.web.command_bodies import Occurred, carried_out, posts
from mes_engine.web.history import is_one, page, table_of
from mes_engine.web.parts import Parts


class DocumentView(View):
    """A document's newest revision; ``since`` when it is released or withdrawn."""

    id: str
    revision: str
    title: str
    is_released: bool
    since: At
    person: str
    reason: str


class ReleaseDocumentBody(Occurred):
    """Which revision, and what it is called."""

    revision: Id
    title: Reason


class WithdrawDocumentBody(Occurred):
    """Why no more work is to be done by it."""

    reason: Reason


def documents_router(parts: Parts) -> APIRouter:
    """Return the routes of documents."""
    router = api_router(prefix="/documents", tags=["documents"])
    post = posts(router)

    @router.get("")
    async def list_documents(
        is_released: bool | None = None,  # noqa: FBT001 - a query's member, by name
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[DocumentView]:
        """List the documents, by id."""
        columns = table_of("document").c
        return await page(
            parts.database,
            "document",
            columns.id > ("" if cursor is None else of_cursor(cursor)),
            *is_one(columns.is_released, is_released),
            partition=parts.state.partition,
            by=columns.id,
            key=_id,
            shown=DocumentView.model_validate,
            limit=limit,
        )

    @post("/{document}/release")
    async def release_document(
        document: Id, body: ReleaseDocumentBody, sender: CommandSender
    ) -> Response:
        """Let work be done by this revision of a document."""
        command = m.ReleaseDocument(
            document=document, revision=body.revision, title=body.title
        )
        return await carried_out(parts, sender, command, body)

    @post("/{document}/withdraw")
    async def withdraw_document(
        document: Id, body: WithdrawDocumentBody, sender: CommandSender
    ) -> Response:
        """Let no more work be done by it: what is loaded comes off its machine."""
        command = m.WithdrawDocument(document=document, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    return router


def _id(document: Document) -> str:
    return document.id
