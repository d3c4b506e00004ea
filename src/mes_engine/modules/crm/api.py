"""The crm module over HTTP.

A PUT or POST that is sent again changes nothing and is answered the same way: what was
decided is kept by the order itself. What the engine makes of a confirmation shows in
the order's lines a moment later.
"""

from typing import Annotated

from fastapi import Path
from fastapi.routing import APIRouter
from pydantic import Field

from mes_engine.http.bodies import api_router
from mes_engine.http.commands import Person
from mes_engine.http.fields import (
    Amount,
    At,
    Body,
    Decimals,
    Id,
    Instant,
    Reason,
    View,
)
from mes_engine.http.paging import Cursor, Limit, Page, of_cursor, page_of
from mes_engine.modules.crm.model import (
    Customer,
    LineProgress,
    LineState,
    OrderLine,
    OrderProgress,
    OrderState,
    SalesOrder,
    line_state,
    mendable,
    order_state,
    work_request_id,
)
from mes_engine.modules.crm.service import CrmService

MAX_LINES = 500
MAX_LINE = 9_999

# With "-9999" behind it, an order's id is a work request's of at most 64 characters.
ORDER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,58}$"

OrderId = Annotated[str, Path(pattern=ORDER_PATTERN, examples=["SO-1001"])]
CustomerId = Annotated[Id, Path(examples=["ACME"])]
LineNumber = Annotated[int, Path(ge=1, le=MAX_LINE)]


class CustomerBody(Body):
    """A customer, under the id in the path."""

    name: Annotated[Reason, Field(examples=["Acme Brackets"])]


class CustomerView(View):
    """A customer."""

    id: str
    name: str


class LineBody(Body):
    """A line: so much of a material, promised for a time."""

    line: Annotated[int, Field(ge=1, le=MAX_LINE)]
    material: Annotated[Id, Field(examples=["BRACKET-10"])]
    quantity: Annotated[Amount, Field(examples=["100"])]
    promised_at: Annotated[Instant, Field(examples=["2026-11-30T12:00:00Z"])]
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0


class OrderBody(Body):
    """A sales order, under the id in the path."""

    customer: Id
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)]


class ConfirmBody(Body):
    """How an order is confirmed."""

    release: bool = True


class RetryBody(Body):
    """Which attempt of a line was refused: the one that the sender has seen."""

    attempt: Annotated[int, Field(ge=1)]


class RefusalView(View):
    """Why the engine did not do what a line needs."""

    message: str
    hint: str
    unmet: tuple[str, ...]


class LineView(View):
    """A line, and what has become of it."""

    line: int
    material: str
    quantity: Decimals
    promised_at: At
    priority: int
    state: LineState
    work_request: str | None = Field(description="null before it is asked for")
    finished: Decimals
    attempt: int
    refusal: RefusalView | None = Field(
        description="mend the cause, then POST .../lines/{line}/retry"
    )


class OrderView(View):
    """An order, and what has become of it."""

    id: str
    customer: str
    state: OrderState
    lines: list[LineView]


class MakeableView(View):
    """A material that can be ordered, in ``unit``."""

    material: str
    unit: str
    routing: str
    revision: str


def crm_router(service: CrmService) -> APIRouter:
    """Return the routes of the crm module."""
    router = api_router(prefix="/api/v1/crm", tags=["crm"])

    @router.put("/customers/{customer}")
    async def put_customer(
        customer: CustomerId, body: CustomerBody, person: Person
    ) -> CustomerView:
        """Take a customer down under an id of the sender's choosing."""
        taken = await service.put_customer(
            Customer(id=customer, name=body.name), person=person
        )
        return CustomerView.model_validate(taken)

    @router.get("/customers")
    async def list_customers(
        limit: Limit = 100, cursor: Cursor = None
    ) -> Page[CustomerView]:
        """List customers by id."""
        after = "" if cursor is None else of_cursor(cursor)
        found = await service.customers(after=after, limit=limit + 1)
        return page_of(
            ((one.id, CustomerView.model_validate(one)) for one in found), limit
        )

    @router.get("/makeable")
    async def list_makeable() -> list[MakeableView]:
        """List what can be ordered: what a released routing makes."""
        return [MakeableView.model_validate(one) for one in await service.makeable()]

    @router.put("/sales-orders/{order}")
    async def put_sales_order(
        order: OrderId, body: OrderBody, person: Person
    ) -> OrderView:
        """Take an order down as a draft, under an id of the sender's choosing."""
        lines = tuple(OrderLine(**line.model_dump()) for line in body.lines)
        taken = await service.put_order(
            SalesOrder(id=order, customer=body.customer, lines=lines), person=person
        )
        return _order_view(taken)

    @router.get("/sales-orders")
    async def list_sales_orders(
        customer: Id | None = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[OrderView]:
        """List orders by id, with what has become of them."""
        after = "" if cursor is None else of_cursor(cursor)
        found = await service.orders(customer=customer, after=after, limit=limit + 1)
        return page_of(((one.order.id, _order_view(one)) for one in found), limit)

    @router.get("/sales-orders/{order}")
    async def show_sales_order(order: OrderId) -> OrderView:
        """Show an order: each line's work request, its state and what is finished."""
        return _order_view(await service.order(order))

    @router.post("/sales-orders/{order}/confirm", status_code=202)
    async def confirm_sales_order(
        order: OrderId, person: Person, body: ConfirmBody | None = None
    ) -> OrderView:
        """Ask the engine for a work request a line, to be released at once."""
        is_released = body is None or body.release
        return _order_view(
            await service.confirm(order, is_released=is_released, person=person)
        )

    @router.post("/sales-orders/{order}/cancel", status_code=202)
    async def cancel_sales_order(order: OrderId, person: Person) -> OrderView:
        """Give an order up, as long as no line of it is in work."""
        return _order_view(await service.cancel(order, person=person))

    @router.post("/sales-orders/{order}/lines/{line}/retry", status_code=202)
    async def retry_order_line(
        order: OrderId, line: LineNumber, body: RetryBody, person: Person
    ) -> OrderView:
        """Ask the engine again for what it refused."""
        return _order_view(
            await service.retry_line(order, line, attempt=body.attempt, person=person)
        )

    return router


def _order_view(progress: OrderProgress) -> OrderView:
    return OrderView(
        id=progress.order.id,
        customer=progress.order.customer,
        state=order_state(progress),
        lines=[_line_view(progress, line) for line in progress.lines],
    )


def _line_view(progress: OrderProgress, line: LineProgress) -> LineView:
    refusal = mendable(line, progress.stage, is_released=progress.is_released)
    is_asked_for = line.attempt > 0
    number = line.line.line
    return LineView(
        line=number,
        material=line.line.material,
        quantity=line.line.quantity,
        promised_at=line.line.promised_at,
        priority=line.line.priority,
        state=line_state(line, progress.stage),
        work_request=work_request_id(progress.order.id, number)
        if is_asked_for
        else None,
        finished=line.finished,
        attempt=line.attempt,
        refusal=None if refusal is None else RefusalView.model_validate(refusal),
    )
