"""Rows as the driver has them, and where they differ from what they should be."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from mes_engine.storage.codec import CODECS, Codec
from mes_engine.storage.metadata import Body
from mes_engine.storage.verify.findings import Findings

AT_ONCE = 1_000


def raw_rows(
    connection: Connection, name: str, partition: str
) -> Iterator[Sequence[Any]]:
    """Yield the rows of a projection by key, as the driver has them."""
    codec = CODECS[name]
    query = (
        codec.query(partition)
        .order_by(*(codec.table.c[one] for one in codec.keys))
        .execution_options(yield_per=AT_ONCE)
    )
    yield from connection.execute(query)


def key_of(codec: Codec, row: Sequence[Any]) -> Hashable:
    """Return the key that the state has for what ``row`` stands for."""
    key = tuple(row[codec.columns.index(name)] for name in codec.keys)
    return key[0] if len(key) == 1 else key


def named(key: Hashable) -> str:
    """Return a key as people read it."""
    return ", ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def value_of(codec: Codec, row: Sequence[Any]) -> Any:
    """Return what a raw row stands for; None if it cannot be read."""
    try:
        (value,) = codec.values([row])
    except (KeyError, TypeError, ValueError, msgspec.MsgspecError):
        return None
    return value


def compare(
    findings: Findings, codec: Codec, wanted: Any, row: Sequence[Any], seq: int
) -> None:
    """Note every column of ``row`` that is not as fact ``seq`` left it."""
    name = codec.table.name
    values = codec.row(wanted)
    for field, value, raw in zip(codec.columns, values, row, strict=True):
        if not _is_same(codec, field, value, raw):
            findings.add(
                f"{name}.{field}",
                named(key_of(codec, row)),
                f"the row has {raw!r}, fact {seq} made it {_shown(value)!r}",
            )


def _is_same(codec: Codec, field: str, value: Any, raw: Any) -> bool:
    if not isinstance(codec.table.c[field].type, Body):
        return bool(value == raw)
    try:
        return bool(codec.field(field, raw) == value)
    except (TypeError, msgspec.MsgspecError):
        return False


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value if not isinstance(value, bool) else int(value)
    return msgspec.json.encode(value).decode()
