"""Changes to work requests over HTTP: first what they would do, then that."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.decide import decide
from mes_engine.core.effects import Effect, EffectOn, Value, effects
from mes_engine.http.answers import answered
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender, Person
from mes_engine.http.fields import Amount, Id, Instant, Text, View, to_iso, to_plain
from mes_engine.web.command_bodies import Occurred, carried_out, posts, problem_told
from mes_engine.web.parts import Parts

PREVIEW = "preview"


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


class EffectView(View):
    """One thing that would be another.

    Attributes:
        id: Of the request or job order; for pieces, where they are.
        what: The field, the condition or the bucket.
        before: null for what is not there yet.
        why: For a condition, why it would not hold.
    """

    on: EffectOn
    id: str
    what: str
    before: str | int | bool | None
    after: str | int | bool | None
    why: str


class PreviewView(View):
    """Everything that the change would do, as of the fact ``seq``."""

    effects: list[EffectView]
    seq: int


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
        now = parts.clock()
        layer = parts.state.layer()  # Thrown away: nothing of it is ever merged.
        decision = decide(
            layer,
            m.Commanded(
                origin=PREVIEW,
                key=PREVIEW,
                digest="",
                person=person,
                at=body.at(now),
                command=body.command(work_request),
            ),
            now=now,
        )
        answer = decision.answer
        if answer is None or answer.outcome is not m.Outcome.ACCEPTED:
            return answered(answer or m.Answer(outcome=m.Outcome.NOT_FOUND))
        found = effects(parts.state, layer, decision.facts)
        return PreviewView(effects=[_shown(one) for one in found], seq=parts.state.seq)

    @post("/{work_request}/changes")
    async def change_work_request(
        work_request: Id, body: ChangeBody, sender: CommandSender
    ) -> Response:
        """Change a request, and its job orders that are not over."""
        return await carried_out(parts, sender, body.command(work_request), body)

    return router


def _shown(effect: Effect) -> EffectView:
    return EffectView(
        on=effect.on,
        id=effect.id,
        what=effect.what,
        before=_value(effect.what, effect.before),
        after=_value(effect.what, effect.after),
        why=effect.why,
    )


def _value(what: str, value: Value) -> str | int | bool | None:
    if isinstance(value, Decimal):
        return to_plain(value)
    if what == "due_at" and isinstance(value, int):
        return to_iso(value)
    return value
