"""What the bodies and the answers of every command have in common."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Response
from pydantic import Strict

from mes_engine.core.errors import Malformed
from mes_engine.core.messages import Command
from mes_engine.http.answers import answered
from mes_engine.http.catalogue import PROBLEMS
from mes_engine.http.commands import Sender
from mes_engine.http.fields import Body, Instant, View, to_iso
from mes_engine.http.problems import MEDIA_TYPE
from mes_engine.web.parts import Parts

E = TypeVar("E", bound=StrEnum)

MOST_AHEAD_US = 300_000_000
"""Five minutes: how far the clock of a device may be ahead of ours."""

Word = Annotated[E, Strict(strict=False)]
"""One of the words of an enumeration."""


class Occurred(Body):
    """A command's body; ``occurred_at`` is when it happened, if not now."""

    occurred_at: Instant | None = None

    def at(self, now: int) -> int:
        """Return when it happened, in microseconds of UTC.

        Raises:
            Malformed: In the future, by more than clocks may differ.
        """
        if self.occurred_at is None:
            return now
        if self.occurred_at > now + MOST_AHEAD_US:
            raise Malformed(
                f"'occurred_at' is {to_iso(self.occurred_at)}, and it is "
                f"{to_iso(now)} now.",
                hint="Set the clock of the device.",
            )
        return min(self.occurred_at, now)


class Done(View):
    """The command was carried out and is committed.

    Attributes:
        result: Ids and states that it led to, by name.
        seq: Its last fact: a reader that has seen this one sees its effects.
    """

    result: dict[str, str]
    seq: int


class ProblemView(View):
    """A problem (RFC 9457); ``type`` opens a page of help."""

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""
    unmet: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


def problem_told(slug: str) -> dict[str, Any]:
    """Return how the API's description tells of a kind of problem."""
    return {
        "model": ProblemView,
        "description": PROBLEMS[slug].title,
        "content": {MEDIA_TYPE: {}},
    }


Endpoint = Callable[..., Awaitable[Response]]

_PROBLEM_OF_STATUS = {
    400: "bad-header",
    404: "not-found",
    409: "refused",
    422: "invalid",
    503: "overloaded",
}


def posts(router: APIRouter) -> Callable[..., Callable[[Endpoint], Endpoint]]:
    """Return ``router.post`` for commands: their answers are documented."""
    responses: dict[int | str, dict[str, Any]] = {
        status: problem_told(slug) for status, slug in _PROBLEM_OF_STATUS.items()
    }

    def post(path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        done: dict[int | str, dict[str, Any]] = {200: {"model": Done}}
        return router.post(path, responses=done | responses, **options)

    return post


async def carried_out(
    parts: Parts, sender: Sender, command: Command, body: Occurred | None
) -> Response:
    """Have the engine carry a command out, and answer as it does."""
    now = parts.clock()
    at = now if body is None else body.at(now)
    return answered(await parts.engine.submit(sender.commanded(command, at=at)))
