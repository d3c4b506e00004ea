"""Carriers over HTTP: what is in them, and what is done with all of it at once."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from mes_engine.core import messages as m
from mes_engine.core.carriers import AggregationAction, Carrier, ContentKind
from mes_engine.core.holding import holds_on_carrier
from mes_engine.core.packing import stands_at
from mes_engine.core.runs import Lane
from mes_engine.http.bodies import api_router
from mes_engine.http.commands import CommandSender
from mes_engine.http.fields import At, Decimals, Id, Reason, Text, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, of_cursor
from mes_engine.storage.carriers import Inside, events_of_carrier, inside
from mes_engine.storage.genealogy import Affected, standing_of
from mes_engine.web.command_bodies import Occurred, Word, carried_out, posts
from mes_engine.web.history import is_one, one_by_key, page, table_of
from mes_engine.web.lots import LotView
from mes_engine.web.parts import Parts
from mes_engine.web.terminal_views import OpenHoldView, Who

MOST_CONTENTS = 1_000
MOST_EVENTS = 1_000


class CarrierView(View):
    """A box, a tray, a FOUP, a pallet; in ``carrier``, if that is not null."""

    id: str
    type: str
    registered_at: At
    carrier: str | None
    is_shipped: bool
    location: str = Field(
        description="where it was put down or emptied last; told in 'places' of today"
    )


class AggregationEventView(View):
    """A content went into a carrier, out of it, or out of the plant in it."""

    seq: int
    action: AggregationAction
    kind: ContentKind
    content: str
    carrier: str
    outermost: str
    at: At
    person: str
    reason: str


class PackedLotView(View):
    """A lot in a carrier, directly in ``packed_in``, and where its pieces are."""

    packed_in: str
    lot: LotView
    on_floor: Decimals
    in_stock: Decimals
    shipped: Decimals


class CarrierDetail(View):
    """A carrier: what is in it, or was when it was shipped, at whatever depth.

    Attributes:
        places: Where it is: where its pieces are, else where it was put down, or
            emptied, last. None if nobody knows.
        holds: Those that are open on it, and on the carriers that it is in.
        events: What went in and out, the newest 1000, the newest first.
    """

    carrier: CarrierView
    carriers: list[CarrierView]
    lots: list[PackedLotView]
    places: list[str]
    holds: list[OpenHoldView]
    events: list[AggregationEventView]


class RegisterCarrierBody(Occurred):
    """Which carrier it is, by its SSCC or the plant's id, of which type, and where."""

    carrier: Id
    carrier_type: Id
    location: Id | None = None


Contents = Annotated[list[Id], Field(max_length=MOST_CONTENTS)]


class PackBody(Occurred):
    """Lots, serials and carriers that go in: all of them, or none."""

    contents: Annotated[Contents, Field(min_length=1)]
    reason: Text = ""


class UnpackBody(Occurred):
    """What comes out; everything that is directly in it, if nothing is named."""

    contents: Contents = Field(default_factory=list)
    reason: Text = ""


class MoveCarrierBody(Occurred):
    """Where in stock it goes."""

    to_location: Id
    reason: Text = ""


class ShipCarrierBody(Occurred):
    """What says that it goes: a delivery note."""

    reason: Reason


class LoadCarrierBody(Occurred):
    """Where what is in it is to be worked."""

    work_unit: Id
    lane: Word[Lane] | None = None


def carriers_router(parts: Parts) -> APIRouter:
    """Return the routes of carriers."""
    router = api_router(prefix="/carriers", tags=["carriers"])
    post = posts(router)

    @router.get("")
    async def list_carriers(
        *,
        carrier_type: Id | None = None,
        carrier: Annotated[Id | None, Query(description="that they are in")] = None,
        is_shipped: bool | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[CarrierView]:
        """List the carriers, by id."""
        columns = table_of("carrier").c
        return await page(
            parts.database,
            "carrier",
            columns.id > ("" if cursor is None else of_cursor(cursor)),
            *is_one(columns.type, carrier_type),
            *is_one(columns.carrier, carrier),
            *is_one(columns.is_shipped, is_shipped),
            partition=parts.state.partition,
            by=columns.id,
            key=_id,
            shown=CarrierView.model_validate,
            limit=limit,
        )

    @router.get("/{carrier}")
    async def show_carrier(carrier: Id, person: Who = "") -> CarrierDetail:
        """Show a carrier, and what is in it, or was when it was shipped."""
        state, partition = parts.state, parts.state.partition
        known: Carrier = await one_by_key(
            parts.database, "carrier", carrier, partition=partition, what="carrier"
        )
        within, events = await parts.database.read(
            lambda connection: (
                inside(connection, partition, known),
                events_of_carrier(connection, partition, known.id, limit=MOST_EVENTS),
            )
        )
        names = [lot.id for _, lot in within.lots]
        there = await parts.database.read(
            lambda connection: standing_of(connection, partition, names)
        )
        return CarrierDetail(
            carrier=CarrierView.model_validate(known),
            carriers=[
                CarrierView.model_validate(one).model_copy(update={"carrier": at})
                for at, one in within.carriers
            ],
            lots=_packed(within, there),
            places=list(stands_at(state, carrier)),
            holds=[
                OpenHoldView.to(state, one, person)
                for one in holds_on_carrier(state, carrier)
            ],
            events=[AggregationEventView.model_validate(one) for one in events],
        )

    @post("")
    async def register_carrier(
        body: RegisterCarrierBody, sender: CommandSender
    ) -> Response:
        """Say that there is this carrier, empty; again, that it came back."""
        command = m.RegisterCarrier(
            carrier=body.carrier,
            carrier_type=body.carrier_type,
            location=body.location or "",
        )
        return await carried_out(parts, sender, command, body)

    @post("/{carrier}/pack")
    async def pack_carrier(
        carrier: Id, body: PackBody, sender: CommandSender
    ) -> Response:
        """Put lots, serials and other carriers into it."""
        command = m.PackCarrier(
            carrier=carrier, contents=tuple(body.contents), reason=body.reason
        )
        return await carried_out(parts, sender, command, body)

    @post("/{carrier}/unpack")
    async def unpack_carrier(
        carrier: Id, sender: CommandSender, body: UnpackBody | None = None
    ) -> Response:
        """Take contents out of it, or all that is directly in it."""
        command = m.UnpackCarrier(
            carrier=carrier,
            contents=() if body is None else tuple(body.contents),
            reason="" if body is None else body.reason,
        )
        return await carried_out(parts, sender, command, body)

    @post("/{carrier}/move")
    async def move_carrier(
        carrier: Id, body: MoveCarrierBody, sender: CommandSender
    ) -> Response:
        """Put it elsewhere in stock, with everything in it; an empty one anywhere."""
        command = m.MoveCarrier(
            carrier=carrier, to_location=body.to_location, reason=body.reason
        )
        return await carried_out(parts, sender, command, body)

    @post("/{carrier}/ship")
    async def ship_carrier(
        carrier: Id, body: ShipCarrierBody, sender: CommandSender
    ) -> Response:
        """Send it out of the plant, with everything in it, or nothing."""
        command = m.ShipCarrier(carrier=carrier, reason=body.reason)
        return await carried_out(parts, sender, command, body)

    @post("/{carrier}/load")
    async def load_carrier(
        carrier: Id, body: LoadCarrierBody, sender: CommandSender
    ) -> Response:
        """Load what of its lots waits for a work unit, in one run."""
        command = m.LoadCarrier(
            carrier=carrier, work_unit=body.work_unit, lane=body.lane
        )
        return await carried_out(parts, sender, command, body)

    return router


def _packed(within: Inside, there: dict[str, Affected]) -> list[PackedLotView]:
    return [
        PackedLotView(
            packed_in=at,
            lot=LotView.model_validate(lot),
            on_floor=there[lot.id].on_floor,
            in_stock=there[lot.id].in_stock,
            shipped=there[lot.id].shipped,
        )
        for at, lot in within.lots
    ]


def _id(carrier: Carrier) -> str:
    return carrier.id
