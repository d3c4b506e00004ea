"""Tables of the scm module, and how their rows are read."""

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    Index,
    Row,
    func,
    select,
)

from mes_engine.core.messages import Answer
from mes_engine.modules.scm.model import (
    ORIGIN,
    Material,
    OnHand,
    Receipt,
    ReceiptProgress,
    StockedLot,
    Supplier,
    intent_key,
)
from mes_engine.storage.columns import key, quantity, strict_table, string, whole
from mes_engine.storage.intents import intent

scm_supplier = strict_table(
    "scm_supplier",
    key("id"),
    string("name"),
    whole("created_at"),
    string("created_by"),
)

scm_material = strict_table(
    "scm_material",
    key("code"),
    string("unit"),
    string("name"),
    whole("created_at"),
    string("created_by"),
)

scm_receipt = strict_table(
    "scm_receipt",
    key("id"),
    string("supplier"),
    string("material"),
    quantity("quantity"),
    string("supplier_lot"),
    string("location", is_optional=True),
    whole("received_at"),
    string("received_by"),
    whole("attempt"),
    string("lot", is_optional=True),
    ForeignKeyConstraint(["supplier"], ["scm_supplier.id"]),
    ForeignKeyConstraint(["material"], ["scm_material.code"]),
    CheckConstraint("quantity > 0", name="quantity_above_0"),
    Index(None, "supplier"),
    Index(None, "material"),
)

scm_lot = strict_table(
    "scm_lot",
    key("lot"),
    string("material"),
    string("unit"),
    string("supplier"),
    string("supplier_lot"),
    string("work_request", is_optional=True),
    Index(None, "material"),
)

scm_stock = strict_table(
    "scm_stock",
    key("lot"),
    key("location"),
    quantity("quantity"),
    ForeignKeyConstraint(["lot"], ["scm_lot.lot"]),
    CheckConstraint("quantity > 0", name="quantity_above_0"),
)


def read_suppliers(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[Supplier]:
    """Return suppliers in the order of their ids."""
    query = select(scm_supplier).where(*where).order_by(scm_supplier.c.id)
    rows = connection.execute(query.limit(limit))
    return [Supplier(id=row.id, name=row.name) for row in rows]


def read_materials(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[Material]:
    """Return materials in the order of their codes."""
    query = select(scm_material).where(*where).order_by(scm_material.c.code)
    rows = connection.execute(query.limit(limit))
    return [Material(code=row.code, unit=row.unit, name=row.name) for row in rows]


def read_receipts(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[ReceiptProgress]:
    """Return receipts in the order of their ids, with what has become of them."""
    query = (
        select(scm_receipt, scm_material.c.unit)
        .join(scm_material, scm_material.c.code == scm_receipt.c.material)
        .where(*where)
        .order_by(scm_receipt.c.id)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    asked = select(intent.c.key, intent.c.answer).where(
        intent.c.origin == ORIGIN,
        intent.c.key.in_([intent_key(row.id, row.attempt) for row in rows]),
    )
    answers = {row.key: row.answer for row in connection.execute(asked)}
    return [_receipt(row, answers.get(intent_key(row.id, row.attempt))) for row in rows]


def read_stocked_lots(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[StockedLot]:
    """Return what is on stock, by lot and location."""
    query = (
        select(scm_lot, scm_stock.c.location, scm_stock.c.quantity)
        .join(scm_stock, scm_stock.c.lot == scm_lot.c.lot)
        .where(*where)
        .order_by(scm_lot.c.lot, scm_stock.c.location)
        .limit(limit)
    )
    return [StockedLot(**row) for row in connection.execute(query).mappings()]


def read_on_hand(connection: Connection, *where: ColumnElement[bool]) -> list[OnHand]:
    """Return what is on stock, by material and location."""
    by = (scm_lot.c.material, scm_lot.c.unit, scm_stock.c.location)
    query = (
        select(
            *by,
            func.sum(scm_stock.c.quantity).label("quantity"),
            func.count().label("lots"),
        )
        .join(scm_stock, scm_stock.c.lot == scm_lot.c.lot)
        .where(*where)
        .group_by(*by)
        .order_by(*by)
    )
    return [OnHand(**row) for row in connection.execute(query).mappings()]


def _receipt(row: Row[Any], answer: Answer | None) -> ReceiptProgress:
    return ReceiptProgress(
        receipt=Receipt(
            id=row.id,
            supplier=row.supplier,
            material=row.material,
            quantity=row.quantity,
            supplier_lot=row.supplier_lot,
            location=row.location,
        ),
        unit=row.unit,
        received_at=row.received_at,
        received_by=row.received_by,
        attempt=row.attempt,
        lot=row.lot,
        answer=answer,
    )
