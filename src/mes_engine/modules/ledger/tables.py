"""Tables of the ledger: entries, that nothing may change, and what is announced."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    Index,
    RowMapping,
    Table,
    UniqueConstraint,
    event,
    func,
    insert,
    select,
    text,
)

from mes_engine.core.postings import PostingKind
from mes_engine.core.quantity import ZERO
from mes_engine.modules.ledger.model import (
    MEASURES,
    Amounts,
    Entry,
    StreamTotals,
    Totals,
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
from mes_engine.storage.dialect import written_once

ledger_entry = strict_table(
    "ledger_entry",
    number_key("number"),
    string("key"),
    string("stream"),
    whole("stream_seq"),
    word("kind", PostingKind),
    string("job_order"),
    string("step"),
    string("work_center"),
    string("material"),
    string("unit"),
    quantity("good"),
    quantity("scrap"),
    quantity("setup_s"),
    quantity("processing_s"),
    quantity("labour_s"),
    quantity("repeated"),
    whole("pass_number"),
    flag("is_final"),
    whole("occurred_at"),
    string("business_date"),
    string("reverses", is_optional=True),
    string("content"),
    whole("booked_at"),
    UniqueConstraint("key"),
    UniqueConstraint("reverses"),
    UniqueConstraint("stream", "stream_seq"),
    ForeignKeyConstraint(["reverses"], ["ledger_entry.key"]),
    CheckConstraint("stream_seq >= 1", name="stream_seq_from_1"),
    CheckConstraint(
        "(kind = 'reverse') = (reverses IS NOT NULL)", name="a_reversal_reverses"
    ),
    Index(None, "work_center", "business_date"),
)

ledger_announced = strict_table(
    "ledger_announced",
    key("key"),
    string("stream"),
    whole("stream_seq"),
    flag("is_waived"),
    UniqueConstraint("stream", "stream_seq"),
)

ledger_books = strict_table(
    "ledger_books",
    key("partition"),
    string("closed_until"),
)

_NO_REPLACE = """
CREATE TRIGGER ledger_entry_no_replace BEFORE INSERT ON ledger_entry
WHEN EXISTS (
    SELECT 1 FROM ledger_entry
    WHERE number = NEW.number OR key = NEW.key OR reverses = NEW.reverses
    OR (stream = NEW.stream AND stream_seq = NEW.stream_seq)
)
BEGIN SELECT RAISE(ABORT, 'ledger_entry is written once'); END"""


def _put_triggers(_table: Table, connection: Connection, **_how: object) -> None:
    """Make ``ledger_entry`` append-only.

    In SQLite, INSERT OR REPLACE deletes without asking the other triggers.
    """
    dialect = connection.dialect.name
    for trigger in written_once(dialect, "ledger_entry"):
        connection.execute(text(trigger))
    if dialect == "sqlite":
        connection.execute(text(_NO_REPLACE))


event.listen(ledger_entry, "after_create", _put_triggers)


def insert_entry(connection: Connection, entry: Entry) -> None:
    """Write ``entry``, for ever."""
    row = msgspec.structs.asdict(entry)
    row |= msgspec.structs.asdict(row.pop("amounts"))
    connection.execute(insert(ledger_entry).values(**row))


def entry_of_key(connection: Connection, key: str) -> Entry | None:
    """Return the entry of the posting ``key``, if it is booked."""
    found = read_entries(connection, ledger_entry.c.key == key)
    return found[0] if found else None


def read_entries(
    connection: Connection, *where: ColumnElement[bool], limit: int | None = None
) -> list[Entry]:
    """Return entries in the order of their numbers."""
    query = select(ledger_entry).where(*where)
    rows = connection.execute(query.order_by(ledger_entry.c.number).limit(limit))
    return [_entry(row) for row in rows.mappings()]


def read_totals(
    connection: Connection,
    by: Sequence[str],
    *,
    where: Iterable[ColumnElement[bool]],
    limit: int | None = None,
) -> list[Totals]:
    """Return the totals of the entries that agree in the columns ``by``."""
    columns = [ledger_entry.c[name] for name in by]
    query = select(*columns, *_sums()).where(*where)
    query = query.group_by(*columns).order_by(*columns).limit(limit)
    return [
        Totals(
            group={name: row[name] for name in by},
            entries=row["entries"],
            amounts=_amounts(row),
        )
        for row in connection.execute(query).mappings()
    ]


def booked(connection: Connection) -> dict[str, str]:
    """Return the canonical content of everything booked, by key."""
    query = select(ledger_entry.c.key, ledger_entry.c.content)
    return {row.key: row.content for row in connection.execute(query)}


def stream_totals(connection: Connection) -> dict[str, StreamTotals]:
    """Return what is booked of each stream, by its name."""
    stream = ledger_entry.c.stream
    last_seq = func.max(ledger_entry.c.stream_seq).label("last_seq")
    query = select(stream, last_seq, *_sums()).group_by(stream)
    return {
        row["stream"]: StreamTotals(
            stream=row["stream"],
            last_seq=row["last_seq"],
            entries=row["entries"],
            amounts=_amounts(row),
        )
        for row in connection.execute(query).mappings()
    }


def _sums() -> list[ColumnElement[Any]]:
    return [
        func.count().label("entries"),
        *(func.sum(ledger_entry.c[name]).label(name) for name in MEASURES),
    ]


def _amounts(row: RowMapping) -> Amounts:
    return Amounts(**{name: row[name] or ZERO for name in MEASURES})


def _entry(row: RowMapping) -> Entry:
    fields = {name: row[name] for name in row if name not in MEASURES}
    return Entry(**fields, amounts=_amounts(row))
