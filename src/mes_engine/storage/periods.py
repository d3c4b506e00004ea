"""Accounting periods: how the books were closed, and what is open of their days."""

from sqlalchemy import Connection, literal_column, select

from mes_engine.core.facts import BooksClosed
from mes_engine.core.periods import Books
from mes_engine.core.postings import Posting
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.journal import recorded
from mes_engine.storage.tables.journal import IS_OF_BOOKS
from mes_engine.storage.tables.material import IS_UNSETTLED


def closings(connection: Connection, partition: str, *, limit: int) -> list[Books]:
    """Return how the books were closed and opened again, the newest first."""
    fact = t.fact.c
    query = (
        select(t.fact)
        .where(fact.partition == partition, literal_column(IS_OF_BOOKS))
        .order_by(fact.seq.desc())
        .limit(limit)
    )
    found = (recorded(row).fact for row in connection.execute(query))
    return [one.books for one in found if isinstance(one, BooksClosed)]


def unsettled_until(
    connection: Connection, partition: str, day: str, *, limit: int
) -> list[Posting]:
    """Return what the ledger has not booked of business days up to one, by stream."""
    posting = t.posting.c
    codec = CODECS["posting"]
    query = (
        codec.query(partition)
        .where(literal_column(IS_UNSETTLED), posting.business_date <= day)
        .order_by(posting.stream, posting.stream_seq)
        .limit(limit)
    )
    return codec.values(connection.execute(query))
