"""Many rows at once, gathered into columns; by SQLite while others are made use of.

SQLite's driver takes the interpreter and gives it back for every row, and makes an
object of every column of it. So it is asked for some thousand rows in one: each of
their columns as a list in JSON. The next are gathered by a thread of its own meanwhile.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from queue import Queue
from threading import Event, Thread
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, select

AT_ONCE = 5_000
AHEAD = 8

Query = Select[*tuple[Any, ...]]
Columns = list[Sequence[Any]]

_LISTS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list)


def gathered(
    connection: Connection, queries: Iterable[tuple[str, Query]]
) -> Generator[tuple[str, Columns], None, None]:
    """Yield what each query finds, some thousand rows at a time, column by column.

    The connection is for nothing else until it is closed.

    Args:
        connection: Where to read.
        queries: Each with the name that what it finds is given back under.
    """
    if connection.dialect.name != "sqlite":
        for name, query in queries:
            for rows in connection.execute(query).partitions(AT_ONCE):
                yield name, list(zip(*rows, strict=True))
        return
    with closing(_Ahead(connection, queries)) as ahead:
        for name, texts in ahead:
            yield name, [_LISTS.decode(text) for text in texts]


def _in_lists(query: Query) -> Query:
    number = func.row_number().over() // AT_ONCE
    rows = query.add_columns(number.label("gathered")).subquery()
    lists = [func.json_group_array(one) for one in rows.c if one.name != "gathered"]
    return select(*lists).group_by(rows.c.gathered)


class _Ahead:
    """What a thread of its own has found, in order; ``close`` ends it."""

    def __init__(
        self, connection: Connection, queries: Iterable[tuple[str, Query]]
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._found: Queue[tuple[str, Sequence[str]] | BaseException | None]
        self._found = Queue(AHEAD)
        self._is_over = Event()
        self._thread = Thread(target=self._find, name="database-gathering")
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[str, Sequence[str]]]:
        while (one := self._found.get()) is not None:
            if isinstance(one, BaseException):
                raise one
            yield one

    def close(self) -> None:
        """End it, whether all was taken or not."""
        self._is_over.set()
        while self._thread.is_alive():
            if not self._found.empty():
                self._found.get()
            self._thread.join(0.001)

    def _find(self) -> None:
        try:
            for name, query in self._queries:
                for row in self._connection.execute(_in_lists(query)):
                    self._found.put((name, tuple(row)))
                    if self._is_over.is_set():
                        return
            self._found.put(None)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._found.put(error)
