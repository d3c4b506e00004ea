"""The scm module over HTTP.

A PUT or POST that is sent again changes nothing and is answered the same way. The lot
that comes of a receipt shows in it, and in the stock, a moment later.
"""

from typing import Annotated

from fastapi import Path
from fastapi.routing import APIRouter
from pydantic import Field
from starlette.exceptions import HTTPException

from mes_engine.http.bodies import api_router
from mes_engine.http.commands import Person
from mes_engine.http.fields import Amount, At, Body, Decimals, Id, Reason, Text, View
from mes_engine.http.paging import Cursor, Limit, Page, of_cursor, page_of
from mes_engine.modules.scm.model import (
    Material,
    Receipt,
    ReceiptProgress,
    ReceiptState,
    Supplier,
)
from mes_engine.modules.scm.service import ScmService

SupplierId = Annotated[Id, Path(examples=["STEELWORKS"])]
MaterialCode = Annotated[Id, Path(examples=["STEEL-2MM"])]
ReceiptId = Annotated[Id, Path(examples=["GR-1001"])]


class SupplierBody(Body):
    """A supplier, under the id in the path."""

    name: Annotated[Reason, Field(examples=["Steelworks Ltd"])]


class SupplierView(View):
    """A supplier."""

    id: str
    name: str


class MaterialBody(Body):
    """A bought material, under the code in the path."""

    unit: Annotated[str, Field(examples=["KGM"], description="UN/CEFACT Rec 20")]
    name: Annotated[Reason, Field(examples=["Steel sheet, 2 mm"])]


class MaterialView(View):
    """A bought material."""

    code: str
    unit: str
    name: str


class ReceiptBody(Body):
    """What a supplier sent, under the id in the path."""

    supplier: Id
    material: Id
    quantity: Annotated[Amount, Field(examples=["250.5"])]
    supplier_lot: Text = ""
    location: Id | None = Field(
        default=None, description="null: where the plant receives"
    )


class RetryBody(Body):
    """Which attempt was refused: the one that the sender has seen."""

    attempt: Annotated[int, Field(ge=1)]


class RefusalView(View):
    """Why the engine did not take a receipt in."""

    message: str
    hint: str
    unmet: tuple[str, ...]


class ReceiptView(View):
    """A receipt, and the lot that came of it."""

    id: str
    supplier: str
    material: str
    quantity: Decimals
    unit: str
    supplier_lot: str
    location: str | None
    received_at: At
    received_by: str
    state: ReceiptState
    lot: str | None
    attempt: int
    refusal: RefusalView | None = Field(
        description="mend the cause, then POST .../retry"
    )


class OnHandView(View):
    """How much of a material is at a location."""

    material: str
    location: str
    quantity: Decimals
    unit: str
    lots: int


class StockedLotView(View):
    """How much of a lot is at a location."""

    lot: str
    location: str
    material: str
    quantity: Decimals
    unit: str
    supplier: str
    supplier_lot: str
    work_request: str | None


def scm_router(service: ScmService) -> APIRouter:
    """Return the routes of the scm module."""
    router = api_router(prefix="/api/v1/scm", tags=["scm"])

    @router.put("/suppliers/{supplier}")
    async def put_supplier(
        supplier: SupplierId, body: SupplierBody, person: Person
    ) -> SupplierView:
        """Take a supplier down under an id of the sender's choosing."""
        taken = await service.put_supplier(
            Supplier(id=supplier, name=body.name), person=person
        )
        return SupplierView.model_validate(taken)

    @router.get("/suppliers")
    async def list_suppliers(
        limit: Limit = 100, cursor: Cursor = None
    ) -> Page[SupplierView]:
        """List suppliers by id."""
        found = await service.suppliers(after=_after(cursor), limit=limit + 1)
        return page_of(
            ((one.id, SupplierView.model_validate(one)) for one in found), limit
        )

    @router.put("/materials/{material}")
    async def put_material(
        material: MaterialCode, body: MaterialBody, person: Person
    ) -> MaterialView:
        """Take a bought material down under a code of the sender's choosing."""
        taken = await service.put_material(
            Material(code=material, unit=body.unit, name=body.name), person=person
        )
        return MaterialView.model_validate(taken)

    @router.get("/materials")
    async def list_materials(
        limit: Limit = 100, cursor: Cursor = None
    ) -> Page[MaterialView]:
        """List bought materials by code."""
        found = await service.materials(after=_after(cursor), limit=limit + 1)
        return page_of(
            ((one.code, MaterialView.model_validate(one)) for one in found), limit
        )

    @router.put("/receipts/{receipt}", status_code=202)
    async def put_receipt(
        receipt: ReceiptId, body: ReceiptBody, person: Person
    ) -> ReceiptView:
        """Take a receipt down; the engine makes a lot of it, in stock."""
        taken = await service.put_receipt(
            Receipt(id=receipt, **body.model_dump()), person=person
        )
        return _receipt_view(taken)

    @router.get("/receipts")
    async def list_receipts(
        material: Id | None = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[ReceiptView]:
        """List receipts by id, with the lots that came of them."""
        found = await service.receipts(
            material=material, after=_after(cursor), limit=limit + 1
        )
        return page_of(((one.receipt.id, _receipt_view(one)) for one in found), limit)

    @router.get("/receipts/{receipt}")
    async def show_receipt(receipt: ReceiptId) -> ReceiptView:
        """Show a receipt, and the lot that came of it."""
        return _receipt_view(await service.receipt(receipt))

    @router.post("/receipts/{receipt}/retry", status_code=202)
    async def retry_receipt(
        receipt: ReceiptId, body: RetryBody, person: Person
    ) -> ReceiptView:
        """Ask the engine again to take in what it refused."""
        taken = await service.retry_receipt(
            receipt, attempt=body.attempt, person=person
        )
        return _receipt_view(taken)

    _add_stock_routes(router, service)
    return router


def _add_stock_routes(router: APIRouter, service: ScmService) -> None:
    @router.get("/stock")
    async def list_stock(material: Id | None = None) -> list[OnHandView]:
        """Show what is on hand, by material and location."""
        found = await service.on_hand(material=material)
        return [OnHandView.model_validate(one) for one in found]

    @router.get("/stock/lots")
    async def list_stocked_lots(
        material: Id | None = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[StockedLotView]:
        """Show what is on hand, by lot and location."""
        after = ("", "") if cursor is None else _pair(of_cursor(cursor))
        found = await service.stocked_lots(
            material=material, after=after, limit=limit + 1
        )
        return page_of(
            (
                (f"{one.lot}/{one.location}", StockedLotView.model_validate(one))
                for one in found
            ),
            limit,
        )


def _after(cursor: str | None) -> str:
    return "" if cursor is None else of_cursor(cursor)


def _pair(cursor: str) -> tuple[str, str]:
    lot, slash, location = cursor.partition("/")
    if not slash:
        raise HTTPException(400, "The cursor is not one that a page gave.")
    return lot, location


def _receipt_view(progress: ReceiptProgress) -> ReceiptView:
    refusal = progress.refusal
    receipt = progress.receipt
    return ReceiptView(
        id=receipt.id,
        supplier=receipt.supplier,
        material=receipt.material,
        quantity=receipt.quantity,
        unit=progress.unit,
        supplier_lot=receipt.supplier_lot,
        location=receipt.location,
        received_at=progress.received_at,
        received_by=progress.received_by,
        state=progress.state,
        lot=progress.lot,
        attempt=progress.attempt,
        refusal=None if refusal is None else RefusalView.model_validate(refusal),
    )
