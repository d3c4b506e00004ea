"""The journal as the archive keeps it: rows to the letter."""

from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from mes_engine.core.facts import Recorded, decoded
from mes_engine.storage.archive.history import history
from mes_engine.storage.archive.lines import Commit, FactRow
from mes_engine.storage.chain import Link
from mes_engine.storage.tables import chain_link, fact

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
    """Return up to ``limit`` commits after the one that ended with ``seq``."""
    link = chain_link.c
    query = (
        select(*(link[name] for name in Link._fields))
        .where(link.partition == partition, link.seq > seq)
        .order_by(link.seq)
        .limit(limit)
    )
    links = [Link(*row) for row in connection.execute(query)]
    if not links:
        return []
    rows = iter(rows_after(connection, partition, seq, links[-1].seq - seq))
    return [
        Commit(link=one, facts=list(islice(rows, one.seq - one.first + 1)))
        for one in links
    ]


def common_seq(connection: Connection, partition: str, folder: Path) -> int:
    """Return the last commit up to which a journal and its archive are the same.

    Raises:
        Refused: The archive is not as it was written.
    """
    common = 0
    for commit in history(folder):
        if commits_after(connection, partition, common, 1) != [commit]:
            break
        common = commit.last
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
