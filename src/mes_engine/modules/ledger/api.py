"""The ledger over HTTP, to be read: what is booked, per work center and per order."""

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import Query
from fastapi.routing import APIRouter
from pydantic import Field

from mes_engine.core.errors import NotFound
from mes_engine.core.postings import PostingKind
from mes_engine.http.bodies import api_router
from mes_engine.http.fields import At, Decimals, Id, View
from mes_engine.http.paging import (
    Cursor,
    Limit,
    Page,
    number_of_cursor,
    of_cursor,
    page_of,
)
from mes_engine.modules.ledger.model import Entry, Totals
from mes_engine.modules.ledger.service import LedgerService

Day = Annotated[date | None, Query(examples=["2026-11-30"])]


class AmountsView(View):
    """Pieces and seconds; what was confirmed less what was reversed.

    Attributes:
        repeated: Of ``good``, what had been confirmed as good in an earlier pass.
    """

    good: Decimals
    scrap: Decimals
    repeated: Decimals
    setup_s: Decimals
    processing_s: Decimals
    labour_s: Decimals


class WorkCenterView(AmountsView):
    """What a work center has done, in pieces of ``unit``."""

    work_center: str
    business_date: str | None = Field(
        default=None, description="of which day; null: of the whole period"
    )
    unit: str
    entries: int


class OrderView(AmountsView):
    """What is booked on an order: the sums over its operations."""

    order: str
    material: str
    unit: str
    entries: int


class StepView(AmountsView):
    """What is booked on an operation of an order, over all its passes.

    Attributes:
        yielded: Good pieces, each once however often it came: the operation's yield.
    """

    yielded: Decimals

    step: str
    work_center: str
    unit: str
    entries: int


class EntryView(AmountsView):
    """An entry; a reversal has the amounts of its original, negative."""

    number: int
    reference: str
    key: str
    kind: PostingKind
    order: str
    stream_seq: int
    job_order: str
    step: str
    pass_number: int
    work_center: str
    material: str
    unit: str
    is_final: bool
    occurred_at: At
    business_date: str
    reverses: str | None
    booked_at: At


def ledger_router(service: LedgerService) -> APIRouter:
    """Return the routes of the ledger."""
    router = api_router(prefix="/api/v1/ledger", tags=["ledger"])

    @router.get("/work-centers")
    async def list_work_center_totals(
        first_day: Day = None,
        last_day: Day = None,
        *,
        by_day: Annotated[bool, Query(description="one item a business day")] = False,
    ) -> list[WorkCenterView]:
        """Total what each work center has done, in a period of business days."""
        found = await service.work_center_totals(
            first_day=None if first_day is None else first_day.isoformat(),
            last_day=None if last_day is None else last_day.isoformat(),
            is_by_day=by_day,
        )
        return [WorkCenterView(**_members(one)) for one in found]

    @router.get("/orders")
    async def list_order_totals(
        limit: Limit = 100, cursor: Cursor = None
    ) -> Page[OrderView]:
        """Total what is booked on each order."""
        after = "" if cursor is None else of_cursor(cursor)
        found = await service.order_totals(after=after, limit=limit + 1)
        views = [OrderView(order=one.group["stream"], **_members(one)) for one in found]
        return page_of(((view.order, view) for view in views), limit)

    @router.get("/orders/{order}")
    async def show_order_steps(order: Id) -> list[StepView]:
        """Total what is booked on each operation of an order."""
        found = await service.order_steps(order)
        if not found:
            raise NotFound(f"Nothing is booked on an order {order}.")
        return [StepView(yielded=one.amounts.yielded, **_members(one)) for one in found]

    @router.get("/entries")
    async def list_entries(
        work_center: Id | None = None,
        order: Id | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Page[EntryView]:
        """List entries as they were booked."""
        found = await service.entries(
            work_center=work_center,
            stream=order,
            after=number_of_cursor(cursor),
            limit=limit + 1,
        )
        return page_of(((one.number, _entry_view(one)) for one in found), limit)

    return router


def _members(totals: Totals) -> dict[str, Any]:
    amounts = msgspec.structs.asdict(totals.amounts)
    return {**totals.group, "entries": totals.entries, **amounts}


def _entry_view(entry: Entry) -> EntryView:
    fields = msgspec.structs.asdict(entry)
    amounts = msgspec.structs.asdict(fields.pop("amounts"))
    return EntryView(**fields, **amounts, order=entry.stream, reference=entry.reference)
