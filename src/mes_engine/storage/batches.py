"""What one commit writes, and how it is said to each of the databases.

It is the one place that appends to the journal, and so to its chain.

Both databases get one statement a table. SQLite runs each as it comes. PostgreSQL gets
them all at once, with BEGIN and COMMIT around them: one round trip, whatever the batch.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from mes_engine.core.facts import FACT_VERSION, Recorded, fact_name
from mes_engine.core.state import State
from mes_engine.ports import CommitInDoubt, DuplicateKey
from mes_engine.storage import bulk, bulk_postgresql
from mes_engine.storage.chain import (
    GENESIS,
    ChainKey,
    Head,
    Link,
    encoded_fact,
    fact_digest,
    linked,
)
from mes_engine.storage.codec import CODECS
from mes_engine.storage.database import Database
from mes_engine.storage.fence import LOCK, Fence

_ENCODER = msgspec.json.Encoder()

Rows = Sequence[Sequence[Any]]

_HEAD = (
    "SELECT seq, digest, anchors FROM chain_link WHERE partition = {} "
    "ORDER BY seq DESC LIMIT 1"
)


def changes_of(layer: State) -> list[tuple[str, dict[Hashable, Any]]]:
    """Return what of which tables was changed in a layer, by key."""
    return [
        (name, table.changes())
        for name, table in layer.tables.items()
        if table.changes()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Facts and changed rows, taken from the layer before the layer goes on living.

    Attributes:
        key: What its link is made with.
        head: Where the chain was left; looked up where another has gone on with it.
        anchors: How often the head has been anchored outside the database.
    """

    partition: str
    records: Sequence[Recorded]
    changes: Sequence[tuple[str, dict[Hashable, Any]]]
    key: ChainKey
    head: Head | None
    anchors: int

    @classmethod
    def of(
        cls,
        partition: str,
        records: Sequence[Recorded],
        layer: State,
        *,
        key: ChainKey,
        head: Head | None,
        anchors: int,
    ) -> "Batch":
        """Return what a commit of ``records``, and of what they changed, writes."""
        return cls(
            partition=partition,
            records=records,
            changes=changes_of(layer),
            key=key,
            head=head,
            anchors=anchors,
        )

    def writer(self, database: Database) -> Callable[[Any], Head]:
        """Return what writes it in one transaction, for ``Database.raw``.

        It returns where the chain ends then.
        """
        if database.dialect == "sqlite":
            return self._write_sqlite
        fence = database.fence
        return lambda driven: self._write_postgresql(driven, fence)

    def _encoded(self) -> Sequence[bytes]:
        """Return the rows of the journal, each as its digest has it."""
        return [encoded_fact(fact_row(one)) for one in self.records]

    def _link(self, driven: Any, encoded: Sequence[bytes], mark: str) -> Link:
        """Return the link for the facts of this batch."""
        digests = [fact_digest(self.key, one) for one in encoded]
        first, last = self.records[0].seq, self.records[-1].seq
        head = self.head
        if head is None or head.seq != first - 1:
            query = _HEAD.format(mark)
            row = driven.execute(query, (self.partition,)).fetchone()
            head = GENESIS if row is None else Head(*row)
        anchors = max(self.anchors, head.anchors)
        return linked(self.key, self.partition, head, last, digests, anchors=anchors)

    def _rows(self) -> Iterator[tuple[str, Rows, Rows]]:
        """Yield, by table, the rows to write and the keys of those to delete."""
        for name, changes in self.changes:
            codec = CODECS[name]
            rows = [codec.row(one) for one in changes.values() if one is not None]
            dropped = [
                codec.key(key) for key, value in changes.items() if value is None
            ]
            yield name, rows, dropped

    def _write_sqlite(self, driven: Any) -> Head:
        def send(statement: str, rows: Rows) -> None:
            driven.execute(statement, (_encoded(rows), self.partition))

        driven.execute("BEGIN IMMEDIATE")
        head = self.append_sqlite(driven)
        for name, rows, dropped in self._rows():
            statements = bulk.BULK[name]
            if rows:
                with _telling_duplicates(driven, name):
                    send(statements.write, rows)
            if dropped:
                send(statements.drop, dropped)
        try:
            driven.execute("COMMIT")
        except driven.IntegrityError:
            raise  # A deferred constraint: it is certain that nothing was written.
        except driven.DatabaseError as error:
            raise CommitInDoubt(str(error)) from error
        return head

    def append_sqlite(self, driven: Any) -> Head:
        """Append the facts and their link, within the transaction."""
        encoded = self._encoded()
        facts = b"[%b]" % b",".join(encoded)
        driven.execute(bulk.WRITE_FACTS, (facts.decode(), self.partition))
        link = self._link(driven, encoded, "?")
        driven.execute(bulk.WRITE_LINK, (_encoded([link]), self.partition))
        return link.head

    def _write_postgresql(self, driven: Any, fence: Fence | None) -> Head:
        def send(statement: str, rows: Rows) -> None:
            columns = [_encoded(column) for column in zip(*rows, strict=True)]
            driven.execute(statement, [self.partition, *columns], prepare=True)

        facts = [fact_row(one) for one in self.records]
        encoded = [encoded_fact(one) for one in facts]
        try:
            with driven.pipeline():
                driven.execute(LOCK)
                if fence is not None:
                    driven.execute(*fence.statement())
                link = self._link(driven, encoded, "%s")
                send(bulk_postgresql.WRITE_FACTS, facts)
                send(bulk_postgresql.WRITE_LINK, [link])
                for name, rows, dropped in self._rows():
                    statements = bulk_postgresql.BULK[name]
                    if rows:
                        send(statements.write, rows)
                    if dropped:
                        send(statements.drop, dropped)
                driven.commit()
        except driven.Error as error:
            if not _is_certain(error):
                raise CommitInDoubt(str(error)) from error
            if getattr(error.diag, "constraint_name", None) == "pk_handled":
                raise DuplicateKey("a command was handled before") from error
            raise
        return link.head


def _is_certain(error: Any) -> bool:
    """Whether the server has said that it undid this, and has not gone away itself."""
    return error.sqlstate is not None and error.diag.severity_nonlocalized == "ERROR"


@contextmanager
def _telling_duplicates(driven: Any, name: str) -> Iterator[None]:
    try:
        yield
    except driven.IntegrityError as error:
        is_key = str(error).startswith("UNIQUE constraint failed: handled.")
        if name == "handled" and is_key:
            raise DuplicateKey("a command was handled before") from error
        raise


def _encoded(values: Sequence[Any]) -> str:
    return _ENCODER.encode(values).decode()


def fact_row(recorded: Recorded) -> tuple[Any, ...]:
    """Return a row in the order of ``bulk.FACT_COLUMNS``."""
    return (
        recorded.seq,
        fact_name(recorded.fact),
        FACT_VERSION,
        recorded.occurred_at,
        recorded.recorded_at,
        recorded.cause,
        recorded.person,
        recorded.fact,
    )
