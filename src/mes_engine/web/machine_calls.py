"""Methods of machines over HTTP: what may be called, calling, what came of it."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator, Field

from mes_engine.core.machine_calls import (
    LONGEST_TEXT,
    MOST_ARGUMENTS,
    MOST_ELEMENTS,
    CallOutcome,
    Given,
    MachineCall,
)
from mes_engine.core.messages import CallMachine
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Body, Id, Reason, View, to_plain
from mes_engine.http.paging import (
    DEFAULT_LIMIT,
    Cursor,
    Limit,
    Page,
    number_of_cursor,
)
from mes_engine.web.command_bodies import carried_out, posts
from mes_engine.web.history import is_one, one_by_key, page, table_of
from mes_engine.web.parts import Parts

MOST_DIGITS = 300
NUMBER_BITS = 64


def _argument(value: Any) -> Any:
    """Read an argument: what is not whole is kept in its digits."""
    if isinstance(value, list):
        return tuple(_argument(one) for one in value)
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
            raise ValueError("should be a number")
        return to_plain(value)
    if isinstance(value, int) and value.bit_length() > NUMBER_BITS:
        raise ValueError(f"should be a number of {NUMBER_BITS} bits")
    return value


Word = Annotated[str, Field(max_length=LONGEST_TEXT)]
Argument = Annotated[
    bool
    | int
    | Word
    | Annotated[tuple[bool | int | Word, ...], Field(max_length=MOST_ELEMENTS)],
    BeforeValidator(_argument, json_schema_input_type=bool | float | str | list[Any]),
]
"""A value of an argument: true or false, a number, a text, or a list of them."""

ArgumentName = Annotated[str, Field(min_length=1, max_length=200)]


CallNumber = Annotated[int, Path(ge=1, le=2**63 - 1)]


class CallBody(Body):
    """What to call, with what, and why.

    Attributes:
        method: One that the link's settings declare.
        arguments: By the names that the machine gives them, each in its type; a
            fraction may be a text, times are ISO 8601, bytes hexadecimal digits.
    """

    link: Id
    method: Reason
    arguments: dict[ArgumentName, Argument] = Field(
        default_factory=dict, max_length=MOST_ARGUMENTS
    )
    reason: Reason


class MachineMethodView(View):
    """A method that may be called; ``mes adapters probe`` tells what it takes."""

    link: str
    method: str


class MachineCallView(View):
    """A call, and what came of it.

    Attributes:
        outcome: ``pending`` at first; ``refused`` if nothing was done, or the machine
            says no; ``unknown`` if nobody knows. None of them is called again.
    """

    seq: int
    link: str
    method: str
    arguments: dict[str, Given]
    reason: str
    person: str
    outcome: CallOutcome
    results: dict[str, Given | None]
    message: str
    hint: str
    at: At
    settled_at: At | None


def machine_calls_router(parts: Parts) -> APIRouter:
    """Return the routes of machines' methods."""
    router = api_router(tags=["machines"])
    post = posts(router)

    @router.get("/machine-methods")
    async def list_machine_methods(link: Id | None = None) -> list[MachineMethodView]:
        """List what may be called over links."""
        methods = parts.state.site.plant.methods
        return [
            MachineMethodView(link=name, method=method)
            for name, allowed in sorted(methods.items())
            for method in allowed
            if link in {None, name}
        ]

    @post("/machine-calls")
    async def call_machine(body: CallBody, sender: CommandSender) -> Response:
        """Have a method called, once; ``result.call`` is where its outcome will be."""
        command = CallMachine(
            link=body.link,
            method=body.method,
            arguments=dict(body.arguments),
            reason=body.reason,
        )
        return await carried_out(parts, sender, command, None)

    @router.get("/machine-calls")
    async def list_machine_calls(
        *,
        link: Id | None = None,
        outcome: CallOutcome | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[MachineCallView]:
        """List calls, the newest first."""
        columns = table_of("machine_call").c
        before = [columns.seq < number_of_cursor(cursor)] if cursor else []
        return await page(
            parts.database,
            "machine_call",
            *before,
            *is_one(columns.link, link),
            *is_one(columns.outcome, outcome),
            partition=parts.state.partition,
            by=columns.seq.desc(),
            key=_seq,
            shown=MachineCallView.model_validate,
            limit=limit,
        )

    @router.get("/machine-calls/{call}")
    async def show_machine_call(call: CallNumber) -> MachineCallView:
        """Show a call, and what came of it."""
        found = await one_by_key(
            parts.database,
            "machine_call",
            call,
            partition=parts.state.partition,
            what="call",
        )
        return MachineCallView.model_validate(found)

    return router


def _seq(one: MachineCall) -> int:
    return one.seq
