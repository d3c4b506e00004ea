"""The SQL of the hot path for PostgreSQL: all rows of a table in one statement.

The rows come by columns, each as one JSON array, that the server takes apart again: the
driver has nothing to do for a row or a value, and JSON within is kept to the letter.
"""

from collections.abc import Sequence

from sqlalchemy import Column, Table

from mes_engine.storage.bulk import FACT_COLUMNS, INSERTED_ONLY, BulkSql
from mes_engine.storage.chain import Link
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import Whole
from mes_engine.storage.metadata import Flag, Quantity
from mes_engine.storage.tables import chain_link, fact


def _quoted(name: str) -> str:
    return f'"{name}"'


def _given(names: Sequence[str]) -> str:
    """Return the rows that come, as a part of FROM; by ``c0``, ``c1``, ..."""
    arrays = ", ".join("json_array_elements_text(%s)" for _ in names)
    called = ", ".join(f"c{index}" for index, _ in enumerate(names))
    return f"ROWS FROM ({arrays}) AS given({called})"


def _read(table: Table, names: Sequence[str]) -> str:
    return ", ".join(
        f"c{index}{_cast(table.c[name])}" for index, name in enumerate(names)
    )


def _cast(column: Column[object]) -> str:
    if isinstance(column.type, Flag):
        return "::boolean::int"
    if isinstance(column.type, Quantity | type(Whole)):
        return "::bigint"
    return ""


def _write(table: Table, columns: Sequence[str]) -> str:
    # The partition comes first among the values, as a row of its own.
    names = ", ".join(_quoted(name) for name in ("partition", *columns))
    statement = (
        f"INSERT INTO {_quoted(table.name)} ({names}) "  # noqa: S608 - ours
        f"SELECT whose.partition, {_read(table, columns)} "
        f"FROM (SELECT %s::text) AS whose(partition), {_given(columns)}"
    )
    if table.name in INSERTED_ONLY:
        return statement
    keys = [column.name for column in table.primary_key]
    target = ", ".join(_quoted(name) for name in keys)
    changed = [_quoted(name) for name in columns if name not in keys]
    if not changed:
        return f"{statement} ON CONFLICT ({target}) DO NOTHING"
    sets = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f"{statement} ON CONFLICT ({target}) DO UPDATE SET {sets}"


def _drop(table: Table, keys: Sequence[str]) -> str:
    names = ", ".join(f"{_quoted(table.name)}.{_quoted(name)}" for name in keys)
    return (
        f"DELETE FROM {_quoted(table.name)} "  # noqa: S608 - ours
        f"WHERE {_quoted(table.name)}.partition = %s AND ({names}) IN "
        f"(SELECT {_read(table, keys)} FROM {_given(keys)})"
    )


BULK: dict[str, BulkSql] = {
    name: BulkSql(_write(codec.table, codec.columns), _drop(codec.table, codec.keys))
    for name, codec in CODECS.items()
}
"""By name of the state's table; the parameters are the partition, and each column."""

WRITE_FACTS = _write(fact, FACT_COLUMNS)
WRITE_LINK = _write(chain_link, Link._fields)
