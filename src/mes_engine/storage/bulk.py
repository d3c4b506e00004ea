"""The SQL of the hot path for SQLite: all rows of a table in one statement.

Its text is made once, from the tables. The rows come as one JSON array of arrays, so
that the driver takes the interpreter lock once a statement and not once a row; as
``jsonb_each`` hands on what it has parsed, wide rows cost no more than ``executemany``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Table,
    delete,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.sqlite import dialect, insert

from mes_engine.storage.chain import Link
from mes_engine.storage.codec import CODECS
from mes_engine.storage.tables import WRITTEN_ONCE, chain_link, fact

_ROWS = func.jsonb_each(literal_column("?1")).table_valued("value", name="row")
_PARTITION: ColumnElement[str] = literal_column("?2")
# A command has one answer for ever: writing another is refused, not merged.
INSERTED_ONLY = (*WRITTEN_ONCE, "handled")

FACT_COLUMNS = tuple(column.name for column in fact.c if column.name != "partition")


@dataclass(frozen=True, slots=True)
class BulkSql:
    """Statements with two parameters: ``?1`` the rows (or keys), ``?2`` the partition.

    Attributes:
        write: Insert the rows; where they are there, set them, unless written once.
        drop: Delete the rows with these keys.
    """

    write: str
    drop: str


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=dialect(paramstyle="named")))


def _read(count: int) -> Iterator[ColumnElement[Any]]:
    return (literal_column(f"value ->> {index}") for index in range(count))


def _write(table: Table, columns: Sequence[str]) -> str:
    read = _read(len(columns))
    # Without a WHERE, SQLite takes the ON of ON CONFLICT for that of a join.
    rows = select(_PARTITION, *read).select_from(_ROWS).where(literal_column("true"))
    statement = insert(table).from_select(["partition", *columns], rows)
    if table.name in INSERTED_ONLY:
        return _sql(statement)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    return _sql(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def _drop(table: Table, keys: Sequence[str]) -> str:
    read = _read(len(keys))
    is_listed = tuple_(*(table.c[name] for name in keys)).in_(
        select(*read).select_from(_ROWS)
    )
    return _sql(delete(table).where(table.c.partition == _PARTITION, is_listed))


BULK: dict[str, BulkSql] = {
    name: BulkSql(_write(codec.table, codec.columns), _drop(codec.table, codec.keys))
    for name, codec in CODECS.items()
}
"""By name of the state's table."""

WRITE_FACTS = _write(fact, FACT_COLUMNS)
WRITE_LINK = _write(chain_link, Link._fields)
