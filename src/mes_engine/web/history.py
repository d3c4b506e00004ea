"""Read the rows that the engine's state is kept in: whole values, a page at a time.

Lists come from here, and things that are over and no longer in memory.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table

from mes_engine.core.errors import NotFound
from mes_engine.http.paging import Page, page_of
from mes_engine.storage.codec import CODECS
from mes_engine.storage.database import Database
from mes_engine.storage.journal import one
from mes_engine.storage.tables import PROJECTIONS

T = TypeVar("T")
Shown = TypeVar("Shown")

Condition = ColumnElement[bool]


def table_of(name: str) -> Table:
    """Return the table in which the state's table ``name`` is kept."""
    return PROJECTIONS[name]


def is_one(column: ColumnElement[Any], value: object | None) -> list[Condition]:
    """Return the condition that ``column`` is ``value``; none where that is None."""
    return [] if value is None else [column == value]


def found(
    connection: Connection,
    name: str,
    *where: Condition,
    partition: str,
    order_by: ColumnElement[Any] | None = None,
    limit: int | None = None,
) -> list[Any]:
    """Return the values of a table of the state that meet every condition.

    Args:
        connection: One that reads.
        name: Of the state's table.
        where: Conditions on its columns.
        partition: Whose.
        order_by: What they are sorted by; any order if None.
        limit: At most so many; all if None.
    """
    codec = CODECS[name]
    query = codec.query(partition).where(*where).order_by(order_by).limit(limit)
    return codec.values(connection.execute(query))


async def one_by_key(
    database: Database, name: str, key: str | int, *, partition: str, what: str
) -> Any:
    """Return the value with this key.

    Raises:
        NotFound: There is none.
    """
    value = await database.read(
        lambda connection: one(connection, name, partition, key)
    )
    if value is None:
        raise NotFound(f"There is no {what} {key}.")
    return value


async def page(
    database: Database,
    name: str,
    *where: Condition,
    partition: str,
    by: ColumnElement[Any],
    key: Callable[[T], str | int],
    shown: Callable[[T], Shown],
    limit: int,
) -> Page[Shown]:
    """Return a page of a table of the state.

    Args:
        database: Where it is kept.
        name: Of the state's table.
        where: Conditions on its columns, the cursor's among them.
        partition: Whose.
        by: What the pages are sorted by: a column, either way.
        key: Tells of a value what the cursor after it is made of.
        shown: Makes of a value what the page shows.
        limit: At most so many.
    """
    values = await database.read(
        lambda connection: found(
            connection,
            name,
            *where,
            partition=partition,
            order_by=by,
            limit=limit + 1,
        )
    )
    return page_of(((key(value), shown(value)) for value in values), limit)
