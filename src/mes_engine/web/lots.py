"""Lots over HTTP: where their pieces are, every move, and what went into what."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import literal_column, or_

from mes_engine.core.lots import (
    EdgeKind,
    LotExistence,
    LotOrigin,
    LotQuality,
    MaterialLot,
)
from mes_engine.core.wip_ledger import Bucket
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, Decimals, Id, View
from mes_engine.http.paging import DEFAULT_LIMIT, Cursor, Limit, Page, number_of_cursor
from mes_engine.storage.tables.material import IS_SERIAL
from mes_engine.web.history import Condition, found, is_one, page, table_of
from mes_engine.web.job_order_views import PositionView
from mes_engine.web.parts import Parts
from mes_engine.web.serials import lot_of

MOST_MOVES = 1000
IS_A_SERIAL: Condition = literal_column(IS_SERIAL)


class LotView(View):
    """A quantity of one material that stays together."""

    id: str
    material: str
    unit: str
    created_at: At
    work_request: str | None = Field(validation_alias="request")
    origin: LotOrigin
    parent: str | None
    supplier: str
    supplier_lot: str
    quality: LotQuality
    existence: LotExistence
    serial: str
    carrier: str | None
    bound_units: dict[str, str] = Field(
        description="by step: the work unit that a later step has to come back to"
    )


class MoveView(View):
    """A quantity went from one bucket to another."""

    seq: int
    lot: str
    material: str
    unit: str
    quantity: Decimals
    place: str
    bucket: Bucket
    to_place: str
    to_bucket: Bucket
    work_request: str | None = Field(validation_alias="request")
    job_order: str | None
    run: str | None
    at: At
    person: str
    reason: str
    connection: str
    caused_by: str
    to_lot: str | None
    reverses: int | None


class EdgeView(View):
    """``quantity`` of one lot went into another."""

    seq: int
    source: str
    target: str
    quantity: Decimals
    unit: str
    job_order: str | None
    at: At
    kind: EdgeKind
    reverses: int | None


class LotDetail(View):
    """A lot: where it is, its newest moves, what went in and where it went.

    Attributes:
        moves: The newest 1000, the newest first.
    """

    lot: LotView
    positions: list[PositionView]
    moves: list[MoveView]
    made_of: list[EdgeView]
    went_into: list[EdgeView]


def lots_router(parts: Parts) -> APIRouter:
    """Return the routes of lots."""
    router = api_router(prefix="/lots", tags=["lots"])

    @router.get("")
    async def list_lots(
        *,
        material: Annotated[str | None, Query(max_length=64)] = None,
        work_request: Id | None = None,
        existence: LotExistence | None = None,
        serial: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[LotView]:
        """List lots, the oldest first."""
        columns = table_of("lot").c
        return await page(
            parts.database,
            "lot",
            columns.number > number_of_cursor(cursor),
            *is_one(columns.material, material),
            *is_one(columns.request, work_request),
            *is_one(columns.existence, existence),
            *([] if serial is None else [columns.serial == serial, IS_A_SERIAL]),
            partition=parts.state.partition,
            by=columns.number,
            key=_number,
            shown=LotView.model_validate,
            limit=limit,
        )

    @router.get("/{lot}")
    async def show_lot(lot: Id) -> LotDetail:
        """Show a lot: its positions, its moves, and its genealogy both ways."""
        partition = parts.state.partition
        shown = await lot_of(parts, lot)
        lot = shown.id
        move, edge = table_of("move").c, table_of("genealogy_edge").c
        positions, moves, made_of, went_into = await parts.database.read(
            lambda connection: (
                found(
                    connection,
                    "position",
                    table_of("position").c.lot == lot,
                    partition=partition,
                ),
                found(
                    connection,
                    "move",
                    or_(move.lot == lot, move.to_lot == lot),
                    partition=partition,
                    order_by=move.seq.desc(),
                    limit=MOST_MOVES,
                ),
                found(
                    connection,
                    "genealogy_edge",
                    edge.target == lot,
                    partition=partition,
                    order_by=edge.seq,
                ),
                found(
                    connection,
                    "genealogy_edge",
                    edge.source == lot,
                    partition=partition,
                    order_by=edge.seq,
                ),
            )
        )
        return LotDetail(
            lot=LotView.model_validate(shown),
            positions=[PositionView.model_validate(one) for one in positions],
            moves=[MoveView.model_validate(one) for one in moves],
            made_of=[EdgeView.model_validate(one) for one in made_of],
            went_into=[EdgeView.model_validate(one) for one in went_into],
        )

    return router


def _number(lot: MaterialLot) -> int:
    return lot.number
