"""Genealogy over HTTP: what a lot came of and went into, and what a recall concerns."""

from typing import Annotated

from fastapi import APIRouter, Query

from mes_engine.core.carriers import Carrier
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, Decimals, Id, Instant, View
from mes_engine.storage.genealogy import (
    Affected,
    Direction,
    Genealogy,
    genealogy,
    genealogy_of_carrier,
    recall,
    recall_by_tool,
)
from mes_engine.storage.tool_uses import Tooled
from mes_engine.web.carriers import AggregationEventView
from mes_engine.web.history import one_by_key
from mes_engine.web.lots import EdgeView, LotView, MoveView
from mes_engine.web.measurements import MeasurementView
from mes_engine.web.parts import Parts
from mes_engine.web.serials import lot_of

MOST_DEPTH = 1_000


class StepView(EdgeView):
    """An edge, and at which remove it was come to."""

    depth: int


class WorkView(View):
    """Who worked on a lot, by which job order, where and when."""

    lot: str
    job_order: str
    work_request: str
    step: str
    work_center: str
    work_unit: str | None
    person: str
    began_at: At
    ended_at: At


class ToolWorkView(View):
    """A lot was worked with a tool, while a run had it; null if it still has."""

    lot: str
    tool: str
    asset_class: str
    job_order: str
    step: str
    run: str
    work_unit: str
    since: At
    until: At | None

    @classmethod
    def of(cls, told: Tooled) -> "ToolWorkView":
        """Show with what a lot was worked."""
        use = told.use
        return cls(
            lot=told.lot,
            tool=use.asset,
            asset_class=use.asset_class,
            job_order=told.job_order,
            step=told.step,
            run=use.run,
            work_unit=use.work_unit,
            since=use.claimed_at,
            until=use.freed_at,
        )


class GenealogyView(View):
    """What a lot came of, or went into.

    Attributes:
        edges: The nearest first.
        measurements: Of any of the lots, or of all at a job order that worked on one.
        tools: With what any of the lots was worked.
        packing: What carriers any of the lots went into, and out of.
        is_cut: Whether there are more, further away.
        holds: Of a carrier, what is in it, or was when it was shipped.
    """

    lot: str
    direction: Direction
    edges: list[StepView]
    lots: list[LotView]
    work: list[WorkView]
    measurements: list[MeasurementView]
    tools: list[ToolWorkView]
    packing: list[AggregationEventView]
    is_cut: bool
    holds: list[str]

    @classmethod
    def of(cls, found: Genealogy) -> "GenealogyView":
        """Show what was found."""
        return cls(
            lot=found.lot,
            direction=found.direction,
            edges=[
                StepView(depth=one.depth, **EdgeView.model_validate(one.edge).__dict__)
                for one in found.steps
            ],
            lots=[LotView.model_validate(one) for one in found.lots],
            work=[WorkView.model_validate(one) for one in found.work],
            measurements=[MeasurementView.of(one) for one in found.measurements],
            tools=[ToolWorkView.of(one) for one in found.tools],
            packing=[AggregationEventView.model_validate(one) for one in found.packing],
            is_cut=found.is_cut,
            holds=found.holds,
        )


class AffectedView(View):
    """A lot that a recall speaks of, and where its pieces are.

    Attributes:
        shipped_in: The carriers in which it left the plant, each with the outermost.
    """

    lot: LotView
    depth: int
    on_floor: Decimals
    in_stock: Decimals
    shipped: Decimals
    shipments: list[MoveView]
    shipped_in: list[AggregationEventView]


class RecallView(View):
    """What contains a supplier's lot.

    Attributes:
        received: The supplier's lot, as it came in.
        shipped: What contains it and has left the plant, in part or whole.
        others: What contains it and has not.
    """

    supplier_lot: str
    received: list[AffectedView]
    shipped: list[AffectedView]
    others: list[AffectedView]

    @classmethod
    def of(cls, supplier_lot: str, found: list[Affected]) -> "RecallView":
        """Show what was found."""
        shown = [AffectedView.model_validate(one) for one in found]
        made = [one for one in shown if one.depth]
        return cls(
            supplier_lot=supplier_lot,
            received=[one for one in shown if not one.depth],
            shipped=[one for one in made if one.shipped],
            others=[one for one in made if not one.shipped],
        )


class ToolRecallView(View):
    """What was worked with a tool, or contains something that was.

    Attributes:
        shipped: What has left the plant of it, in part or whole; ``others`` have not.
            At depth 0 are the lots that were worked with the tool themselves.
    """

    tool: str
    shipped: list[AffectedView]
    others: list[AffectedView]

    @classmethod
    def of(cls, tool: str, found: list[Affected]) -> "ToolRecallView":
        """Show what was found."""
        shown = [AffectedView.model_validate(one) for one in found]
        return cls(
            tool=tool,
            shipped=[one for one in shown if one.shipped],
            others=[one for one in shown if not one.shipped],
        )


def genealogy_router(parts: Parts) -> APIRouter:
    """Return the routes of genealogies and recalls."""
    router = api_router(tags=["lots"])

    @router.get("/lots/{lot}/genealogy")
    async def show_genealogy(
        lot: Id,
        direction: Direction = Direction.BACKWARD,
        depth: Annotated[int | None, Query(ge=1, le=MOST_DEPTH)] = None,
    ) -> GenealogyView:
        """Show what a lot came of, or went into, with the work on each."""
        partition = parts.state.partition
        known = await lot_of(parts, lot)
        found = await parts.database.read(
            lambda connection: genealogy(
                connection, partition, known.id, direction, depth=depth
            )
        )
        return GenealogyView.of(found)

    @router.get("/carriers/{carrier}/genealogy")
    async def show_genealogy_of_carrier(
        carrier: Id,
        direction: Direction = Direction.BACKWARD,
        depth: Annotated[int | None, Query(ge=1, le=MOST_DEPTH)] = None,
    ) -> GenealogyView:
        """Show what the lots in a carrier came of, or went into, all at once."""
        partition = parts.state.partition
        known: Carrier = await one_by_key(
            parts.database, "carrier", carrier, partition=partition, what="carrier"
        )
        found = await parts.database.read(
            lambda connection: genealogy_of_carrier(
                connection, partition, known, direction, depth=depth
            )
        )
        return GenealogyView.of(found)

    @router.get("/recall")
    async def show_recall(
        supplier_lot: Annotated[str, Query(min_length=1, max_length=200)],
        supplier: Annotated[str | None, Query(max_length=200)] = None,
    ) -> RecallView:
        """Show which shipped units contain a supplier's lot, and where the rest is."""
        partition = parts.state.partition
        found = await parts.database.read(
            lambda connection: recall(
                connection, partition, supplier_lot=supplier_lot, supplier=supplier
            )
        )
        return RecallView.of(supplier_lot, found)

    @router.get("/tools/{tool}/recall")
    async def show_tool_recall(
        tool: Id,
        since: Annotated[Instant | None, Query()] = None,
        until: Annotated[Instant | None, Query()] = None,
    ) -> ToolRecallView:
        """Show what was worked with a tool between two times, and what that is in."""
        partition = parts.state.partition
        await one_by_key(
            parts.database, "physical_asset", tool, partition=partition, what="tool"
        )
        found = await parts.database.read(
            lambda connection: recall_by_tool(
                connection, partition, tool=tool, since=since, until=until
            )
        )
        return ToolRecallView.of(tool, found)

    return router
