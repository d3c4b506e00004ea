"""Commands to lots: ``POST /lots/merge``, and ``/lots/{id}/split``, ``consume`` ..."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.lot_names import lot_named
from mes_engine.core.wip_ledger import Bucket
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import ID_PATTERN, Amount, Id, Reason, Text
from mes_engine.storage.regrouping import regrouping_of
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.parts import Parts

MOST_AT_ONCE = 1_000

LotId = Annotated[str, Path(pattern=ID_PATTERN, examples=["L-000012"])]
Place = Annotated[str, Field(min_length=1, max_length=200)]
"""A visit (``request/step/pass``), or a stock location."""


class SplitBody(Occurred):
    """How many go into each new lot; what is left stays in the old one."""

    quantities: Annotated[list[Amount], Field(min_length=1, max_length=MOST_AT_ONCE)]
    reason: Reason
    place: Place | None = None
    bucket: Word[Bucket] | None = None


class MergeBody(Occurred):
    """The lots that are to be one."""

    lots: Annotated[list[Id], Field(min_length=2, max_length=MOST_AT_ONCE)]
    reason: Reason


class PutBackBody(Occurred):
    """Why it should never have been split off, or merged."""

    reason: Reason


class ConsumeBody(Occurred):
    """How much of the lot a job order used up, and whether it is in its pieces."""

    job_order: Id
    quantity: Amount
    reason: Text = ""
    is_damaged: bool = False
    into: Id | None = None
    place: Place | None = None


class MoveStockBody(Occurred):
    """Where in stock it goes; all that is there, unless a quantity is named."""

    to_location: Id
    quantity: Amount | None = None
    place: Place | None = None
    reason: Text = ""


class ShipBody(Occurred):
    """What says that it goes; all that is there, unless a quantity is named."""

    reason: Reason
    quantity: Amount | None = None
    place: Place | None = None
    is_return: bool = False


def lot_commands_router(parts: Parts) -> APIRouter:
    """Return the routes of the commands to lots."""
    router = api_router(prefix="/lots", tags=["lots"])
    post = posts(router)

    @post("/merge")
    async def merge_lots(body: MergeBody, sender: CommandSender) -> Response:
        """Make one new lot of several that are alike and in the same place."""
        command = m.MergeLots(lots=tuple(body.lots), reason=body.reason)
        return await carried_out(parts, sender, command, body)

    @post("/{lot}/split")
    async def split_lot(lot: LotId, body: SplitBody, sender: CommandSender) -> Response:
        """Make lots of their own of some of its pieces, where they are."""
        command = m.SplitLot(
            lot=lot,
            quantities=tuple(body.quantities),
            reason=body.reason,
            place=body.place,
            bucket=body.bucket,
        )
        return await carried_out(parts, sender, command, body)

    @post("/{lot}/reverse")
    async def reverse_regrouping(
        lot: LotId, body: PutBackBody, sender: CommandSender
    ) -> Response:
        """Put a lot back into those that it was split off or merged from.

        Refused where anything has happened to it since; the answer names what.
        """
        partition = parts.state.partition
        name = lot_named(parts.state, lot)
        made = await parts.database.read(
            lambda connection: regrouping_of(connection, partition, name)
        )
        command = m.ReverseRegrouping(
            lot=name,
            reason=body.reason,
            moves=made.moves,
            edges=made.edges,
            uses=made.uses,
        )
        return await carried_out(parts, sender, command, body)

    @post("/{lot}/consume")
    async def consume_material(
        lot: LotId, body: ConsumeBody, sender: CommandSender
    ) -> Response:
        """Take a component out of stock for a job order that is at work."""
        members = body.model_dump(exclude={"occurred_at"})
        command = m.ConsumeMaterial(lot=lot, **members)
        return await carried_out(parts, sender, command, body)

    @post("/{lot}/move")
    async def move_stock(
        lot: LotId, body: MoveStockBody, sender: CommandSender
    ) -> Response:
        """Put it elsewhere in stock."""
        members = body.model_dump(exclude={"occurred_at"})
        command = m.MoveStock(lot=lot, **members)
        return await carried_out(parts, sender, command, body)

    @post("/{lot}/ship")
    async def ship_lot(lot: LotId, body: ShipBody, sender: CommandSender) -> Response:
        """Send it out of the plant, or back to where it came from."""
        members = body.model_dump(exclude={"occurred_at"})
        command = m.ShipLot(lot=lot, **members)
        return await carried_out(parts, sender, command, body)

    return router
