"""The journal as the archive keeps it: rows to the letter."""

from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from mes_engine.core.facts import Recorded, decoded
from mes_engine.storage.archive.history import history
from mes_engine.storage.archive.lines import Commit, FactRow
from mes_engine.storage.tables import fact

_COLUMNS = tuple(fact.c[name] for name in FactRow._fields)


def rows_after(
    connection: Connection, partition: str, seq: int, limit: int
) -> list[FactRow]:
    """Return up to ``limit`` rows of the journal after ``seq``, in order."""
    query = (
        select(*_COLUMNS)
        .where(fact.c.partition == partition, fact.c.seq > seq)
        .order_by(fact.c.seq)
        .limit(limit)
    )
    return [
        FactRow._make((*columns, msgspec.Raw(body.encode())))
        for *columns, body in connection.execute(query)
    ]


def commits_after(
    connection: Connection, partition: str, seq: int, limit: int
) -> list[Commit]:
    """Return what was committed after ``seq``; nothing if nothing was."""
    rows = rows_after(connection, partition, seq, limit)
    return [Commit(facts=rows)] if rows else []


def common_seq(connection: Connection, partition: str, folder: Path) -> int:
    """Return the last fact up to which a journal and its archive are the same.

    Raises:
        Refused: The archive is not as it was written.
    """
    common = 0
    for commit in history(folder):
        ours = rows_after(connection, partition, common, len(commit.facts))
        for mine, theirs in zip(ours, commit.facts, strict=False):
            if mine != theirs:
                return common
            common = mine.seq
        if len(ours) < len(commit.facts):
            return common
    return common


def recorded_of(row: FactRow, partition: str) -> Recorded:
    """Return the fact that a row of the archive holds, in today's version."""
    return Recorded(
        partition=partition,
        seq=row.seq,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        cause=row.cause,
        person=row.person,
        fact=decoded(bytes(row.body), version=row.version),
    )
