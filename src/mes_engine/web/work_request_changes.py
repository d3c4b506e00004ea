"""Changes to work requests over HTTP: first what they would do, then that."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender, Person
from mes_engine.http.fields import Amount, Id, Instant, Text
from mes_engine.web.command_bodies import Occurred, carried_out, posts, problem_told
from mes_engine.web.parts import Parts
from mes_engine.web.previewing import PreviewView, previewed


class ChangeBody(Occurred):
    """What is to be another: how many, by when, how urgent, by which revision."""

    quantity: Amount | None = None
    due_at: Instant | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    revision: Id | None = None
    reason: Text = ""

    def command(self, work_request: str) -> m.ChangeWorkRequest:
        """Return it as the engine takes it."""
        return m.ChangeWorkRequest(
            work_request=work_request,
            quantity=self.quantity,
            due_at=self.due_at,
            priority=self.priority,
            revision=self.revision,
            reason=self.reason,
        )


def work_request_changes_router(parts: Parts) -> APIRouter:
    """Return the routes of changes to work requests."""
    router = api_router(prefix="/work-requests", tags=["work requests"])
    post = posts(router)

    @router.post(
        "/{work_request}/changes/preview",
        response_model=PreviewView,
        responses={
            404: problem_told("not-found"),
            409: problem_told("refused"),
        },
    )
    async def preview_change(
        work_request: Id, body: ChangeBody, person: Person
    ) -> PreviewView | Response:
        """List what the change would do, and do nothing; refused as it would be."""
        command = body.command(work_request)
        at = body.at(parts.clock())
        return previewed(parts, command, person=person, at=at)

    @post("/{work_request}/changes")
    async def change_work_request(
        work_request: Id, body: ChangeBody, sender: CommandSender
    ) -> Response:
        """Change a request, and its job orders that are not over."""
        return await carried_out(parts, sender, body.command(work_request), body)

    return router
