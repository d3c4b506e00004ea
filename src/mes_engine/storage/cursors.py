"""Cursors: how far a consumer has read the journal, kept with what came of it."""

from sqlalchemy import Connection, select

from mes_engine.storage.columns import key, partition, strict_table, whole
from mes_engine.storage.dialect import greatest, insert
from mes_engine.storage.journal import MAIN

consumer_cursor = strict_table(
    "consumer_cursor", partition(), key("consumer"), whole("seq")
)


def cursor_of(connection: Connection, consumer: str, partition: str = MAIN) -> int:
    """Return the seq of the last fact that ``consumer`` has handled; 0 if none."""
    query = select(consumer_cursor.c.seq).where(
        consumer_cursor.c.partition == partition,
        consumer_cursor.c.consumer == consumer,
    )
    return connection.execute(query).scalar_one_or_none() or 0


def advance_cursor(
    connection: Connection, consumer: str, seq: int, partition: str = MAIN
) -> None:
    """Note, with its effects, that ``consumer`` has handled all up to ``seq``."""
    row = insert(consumer_cursor).values(
        partition=partition, consumer=consumer, seq=seq
    )
    furthest = greatest(consumer_cursor.c.seq, row.excluded.seq)
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["partition", "consumer"], set_={"seq": furthest}
        )
    )
