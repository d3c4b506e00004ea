"""Every column of every table that is made from the journal is held against it."""

from enum import StrEnum

import pytest
from sqlalchemy import Column, Text

from mes_engine.storage.codec import CODECS
from mes_engine.storage.metadata import Body, Flag, Word
from mes_engine.storage.tables import PROJECTIONS
from tests.storage.tampering import Site


def other(column: Column[object]) -> str:
    """Return the SQL of another value than the one that is there."""
    name, kind = column.name, column.type
    if isinstance(kind, Word):
        first, second = (_words(kind.enumeration) * 2)[:2]
        return f"CASE WHEN {name} = '{first}' THEN '{second}' ELSE '{first}' END"
    if isinstance(kind, Flag):
        return f"1 - {name}"
    if isinstance(kind, Body):
        return f"'[' || {name}"
    if isinstance(kind, Text):
        return f"coalesce({name}, '') || '.'"
    return f"coalesce({name}, 0) + 1"


def _words(enumeration: type[StrEnum]) -> list[str]:
    return [one.value for one in enumeration]


@pytest.mark.parametrize("table", PROJECTIONS)
async def test_each_column_of_a_row(site: Site, table: str) -> None:
    codec = CODECS[table]
    keys = ", ".join(codec.keys)
    first = f"SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1"
    key = await site.scalar(f"SELECT concat_ws(', ', {keys}) FROM ({first}) AS it")
    columns = [one for one in codec.columns if one not in codec.keys]
    changes = ", ".join(f"{one} = {other(codec.table.c[one])}" for one in columns)

    site.corrupt(f"UPDATE {table} SET {changes} WHERE ({keys}) = ({first})")

    found = await site.found()
    missed = [one for one in columns if (f"{table}.{one}", key) not in found]
    assert missed == []
