"""Serials over HTTP: ``POST /lots/{id}/serialise``, and lots that are named by one."""

from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.lots import MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.serials import LONGEST, KnownSerial, counter_of, upcoming
from mes_engine.core.wip_ledger import Bucket
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender, Person
from mes_engine.http.fields import Amount, Id, Reason
from mes_engine.storage.serials import lot_called, taken_serials
from mes_engine.web.command_bodies import (
    Occurred,
    Word,
    carried_out,
    posts,
    problem_told,
)
from mes_engine.web.parts import Parts
from mes_engine.web.previewing import PreviewView, previewed

MOST_AT_ONCE = 1_000
MOST_LOOKED_AT = 100_000
"""How many numbers of a pattern may be taken by hand, one after the other."""

Serial = Annotated[str, Field(max_length=2 * LONGEST)]


class SerialiseBody(Occurred):
    """The serials, one for each piece; else the material's pattern makes them."""

    reason: Reason
    serials: Annotated[list[Serial], Field(max_length=MOST_AT_ONCE)] = Field(
        default_factory=list
    )
    quantity: Amount | None = None
    place: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    bucket: Word[Bucket] | None = None


def serials_router(parts: Parts) -> APIRouter:
    """Return the routes of serials."""
    router = api_router(prefix="/lots", tags=["lots"])
    post = posts(router)

    async def command_of(lot: str, body: SerialiseBody) -> m.SerialiseLot:
        known = await lot_of(parts, lot)
        return m.SerialiseLot(
            lot=known.id,
            reason=body.reason,
            serials=tuple(body.serials),
            quantity=body.quantity,
            place=body.place,
            bucket=body.bucket,
            taken=await _taken(parts, known, body),
        )

    @router.post(
        "/{lot}/serialise/preview",
        response_model=PreviewView,
        responses={
            404: problem_told("not-found"),
            409: problem_told("refused"),
        },
    )
    async def preview_serials(
        lot: Id, body: SerialiseBody, person: Person
    ) -> PreviewView | Response:
        """List the serials that the pieces would have, and give none."""
        command = await command_of(lot, body)
        at = body.at(parts.clock())
        return previewed(parts, command, person=person, at=at)

    @post("/{lot}/serialise")
    async def serialise_lot(
        lot: Id, body: SerialiseBody, sender: CommandSender
    ) -> Response:
        """Make lots of one of its pieces, each with a serial; or name a lot of one."""
        command = await command_of(lot, body)
        return await carried_out(parts, sender, command, body)

    return router


async def lot_of(parts: Parts, name: str) -> MaterialLot:
    """Return the lot of this number, or with this serial.

    Raises:
        NotFound: There is none.
        Refused: Lots of several materials have the serial.
    """
    partition = parts.state.partition
    return await parts.database.read(
        lambda connection: lot_called(connection, partition, name)
    )


async def _taken(
    parts: Parts, lot: MaterialLot, body: SerialiseBody
) -> tuple[KnownSerial, ...]:
    """Return which of the serials that are asked for, or come next, lots have."""
    state, material = parts.state, lot.material
    if body.serials:
        return await _taken_of(parts, material, body.serials)
    pattern = state.site.plant.serials.get(material)
    if pattern is None:
        return ()
    held = sum((one.held for one in state.position.find("lot", lot.id)), ZERO)
    wanted = min(int(body.quantity or held), MOST_AT_ONCE)
    day = state.site.business_date(body.at(parts.clock()))
    next_ones = upcoming(pattern, state.last_number(counter_of(material)), day)
    found: tuple[KnownSerial, ...] = ()
    free = 0
    while free < wanted and len(found) < MOST_LOOKED_AT:
        some = list(islice(next_ones, MOST_AT_ONCE))
        taken = await _taken_of(parts, material, some)
        found += taken
        free += len(some) - len(taken)
    return found


async def _taken_of(
    parts: Parts, material: str, serials: list[str]
) -> tuple[KnownSerial, ...]:
    partition = parts.state.partition
    return tuple(
        await parts.database.read(
            lambda connection: taken_serials(connection, partition, material, serials)
        )
    )
