"""Tables of the crm module, and how their rows are read and written."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    Index,
    Row,
    Text,
    UniqueConstraint,
    and_,
    cast,
    insert,
    select,
)

from mes_engine.core.messages import Answer
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import WorkRequestState
from mes_engine.modules.crm.model import (
    ORIGIN,
    Customer,
    LineProgress,
    Makeable,
    OrderLine,
    OrderProgress,
    OrderStage,
    SalesOrder,
    Verb,
    work_request_id,
)
from mes_engine.storage.columns import (
    flag,
    key,
    number_key,
    quantity,
    strict_table,
    string,
    whole,
    word,
)
from mes_engine.storage.intents import intent

crm_customer = strict_table(
    "crm_customer",
    key("id"),
    string("name"),
    whole("created_at"),
    string("created_by"),
)

crm_sales_order = strict_table(
    "crm_sales_order",
    key("id"),
    string("customer"),
    word("stage", OrderStage),
    flag("is_released"),
    whole("created_at"),
    string("created_by"),
    whole("decided_at", is_optional=True),
    string("decided_by", is_optional=True),
    ForeignKeyConstraint(["customer"], ["crm_customer.id"]),
    Index(None, "customer"),
)

crm_order_line = strict_table(
    "crm_order_line",
    key("sales_order"),
    number_key("line"),
    string("material"),
    quantity("quantity"),
    whole("promised_at"),
    whole("priority"),
    whole("attempt"),
    string("work_request"),
    word("production", WorkRequestState, is_optional=True),
    quantity("finished"),
    ForeignKeyConstraint(["sales_order"], ["crm_sales_order.id"]),
    UniqueConstraint("work_request"),
    CheckConstraint("quantity > 0", name="quantity_above_0"),
)

crm_makeable = strict_table(
    "crm_makeable",
    key("routing"),
    string("revision"),
    string("material"),
    string("unit"),
    whole("released_seq"),
    Index(None, "material"),
)


def read_customers(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[Customer]:
    """Return customers in the order of their ids."""
    query = select(crm_customer.c.id, crm_customer.c.name)
    query = query.where(*where).order_by(crm_customer.c.id).limit(limit)
    return [Customer(id=row.id, name=row.name) for row in connection.execute(query)]


def read_makeable(
    connection: Connection, materials: Iterable[str] | None = None
) -> dict[str, Makeable]:
    """Return by material the routing released last for it."""
    query = select(crm_makeable).order_by(crm_makeable.c.released_seq)
    if materials is not None:
        query = query.where(crm_makeable.c.material.in_(set(materials)))
    return {
        row.material: Makeable(
            material=row.material,
            routing=row.routing,
            revision=row.revision,
            unit=row.unit,
        )
        for row in connection.execute(query)
    }


def insert_order(
    connection: Connection, order: SalesOrder, *, person: str, now: int
) -> None:
    """Write a draft."""
    connection.execute(
        insert(crm_sales_order).values(
            id=order.id,
            customer=order.customer,
            stage=OrderStage.DRAFT,
            is_released=False,
            created_at=now,
            created_by=person,
        )
    )
    connection.execute(
        insert(crm_order_line),
        [
            {
                "sales_order": order.id,
                "line": line.line,
                "material": line.material,
                "quantity": line.quantity,
                "promised_at": line.promised_at,
                "priority": line.priority,
                "attempt": 0,
                "work_request": work_request_id(order.id, line.line),
                "production": None,
                "finished": ZERO,
            }
            for line in order.lines
        ],
    )


def read_orders(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[OrderProgress]:
    """Return orders in the order of their ids, with what has become of them."""
    query = select(crm_sales_order).where(*where)
    query = query.order_by(crm_sales_order.c.id).limit(limit)
    orders = connection.execute(query).all()
    line = crm_order_line.c
    query = select(crm_order_line).where(line.sales_order.in_([o.id for o in orders]))
    lines = connection.execute(query.order_by(line.sales_order, line.line)).all()
    answers = _answers(connection, [row.id for row in orders])
    lines_of: defaultdict[str, list[LineProgress]] = defaultdict(list)
    for row in lines:
        progress = _line(row, answers[row.sales_order, row.line])
        lines_of[row.sales_order].append(progress)
    return [
        OrderProgress(
            order=SalesOrder(
                id=row.id,
                customer=row.customer,
                lines=tuple(one.line for one in lines_of[row.id]),
            ),
            stage=row.stage,
            is_released=row.is_released,
            lines=tuple(lines_of[row.id]),
        )
        for row in orders
    ]


def _answers(
    connection: Connection, orders: Sequence[str]
) -> dict[tuple[str, int], dict[Verb, Answer | None]]:
    """Return the engine's answers to what the last attempt of each line asked."""
    line = crm_order_line.c
    number, attempt = cast(line.line, Text), cast(line.attempt, Text)
    asked = line.sales_order + "/" + number + "/" + attempt + "/"
    keys = [asked + verb.value for verb in Verb]
    query = (
        select(line.sales_order, line.line, intent.c.key, intent.c.answer)
        .join(intent, and_(intent.c.origin == ORIGIN, intent.c.key.in_(keys)))
        .where(line.sales_order.in_(orders))
        .order_by(intent.c.number)
    )
    answers: defaultdict[tuple[str, int], dict[Verb, Answer | None]] = defaultdict(dict)
    for row in connection.execute(query):
        verb = Verb(row.key.rpartition("/")[2])
        answers[row.sales_order, row.line][verb] = row.answer
    return answers


def _line(row: Row[Any], answers: dict[Verb, Answer | None]) -> LineProgress:
    return LineProgress(
        line=OrderLine(
            line=row.line,
            material=row.material,
            quantity=row.quantity,
            promised_at=row.promised_at,
            priority=row.priority,
        ),
        attempt=row.attempt,
        production=row.production,
        finished=row.finished,
        answers=answers,
    )
