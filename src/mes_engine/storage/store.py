"""The journal and its projections in the database: ``ports.WipStore``."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from mes_engine.core.facts import FACT_VERSION, Recorded, fact_name
from mes_engine.core.messages import Answer
from mes_engine.core.state import State
from mes_engine.ports import CommitInDoubt, DuplicateKey
from mes_engine.storage.bulk import BULK, WRITE_FACTS
from mes_engine.storage.codec import CODECS
from mes_engine.storage.database import Database
from mes_engine.storage.journal import head
from mes_engine.storage.load import load_state
from mes_engine.storage.tables import handled

_ENCODER = msgspec.json.Encoder()


class SqlStore:
    """One partition's journal, and the rows that are projections of it."""

    def __init__(self, database: Database, partition: str = "main") -> None:
        self._database = database
        self._partition = partition

    async def load(self) -> State:
        """Return what is live, as it was last committed."""
        return await self._database.read(
            lambda connection: load_state(connection, self._partition)
        )

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Write facts and the rows that ``layer`` changed: all of it, or nothing.

        Raises:
            DuplicateKey: A command of the batch was handled before.
            StoreUnavailable: Nothing was written; the same commit may be tried again.
            CommitInDoubt: It may have been written or not: ``reached`` tells.
        """
        if records:
            batch = _Batch.of(self._partition, records, layer)
            await self._database.raw(batch.write)

    async def reached(self) -> int:
        """Return the seq of the last fact that is committed; 0 if there is none.

        Raises:
            StoreUnavailable: It cannot be told now.
        """
        return await self._database.read(
            lambda connection: head(connection, self._partition)
        )

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        """Return digest and answer of the command with this key, if there is one."""
        query = select(handled.c.digest, handled.c.answer).where(
            handled.c.partition == self._partition,
            handled.c.origin == origin,
            handled.c.key == key,
        )

        def work(connection: Connection) -> tuple[str, Answer] | None:
            row = connection.execute(query).first()
            return None if row is None else (row.digest, row.answer)

        return await self._database.read(work)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one commit writes, taken from the layer before the layer goes on living."""

    partition: str
    records: Sequence[Recorded]
    changes: Sequence[tuple[str, dict[Hashable, Any]]]

    @classmethod
    def of(cls, partition: str, records: Sequence[Recorded], layer: State) -> "_Batch":
        changes = [
            (name, table.changes())
            for name, table in layer.tables.items()
            if table.changes()
        ]
        return cls(partition, records, changes)

    def write(self, driven: Any) -> None:
        """Write everything in one transaction on the driver's connection."""
        driven.execute("BEGIN IMMEDIATE")
        self._send(driven, WRITE_FACTS, [_fact_row(one) for one in self.records])
        for name, changes in self.changes:
            codec, sql = CODECS[name], BULK[name]
            rows = [codec.row(one) for one in changes.values() if one is not None]
            if rows and name == "handled":
                self._send_handled(driven, sql.write, rows)
            elif rows:
                self._send(driven, sql.write, rows)
            if len(rows) < len(changes):
                dropped = [
                    codec.key(key) for key, value in changes.items() if value is None
                ]
                self._send(driven, sql.drop, dropped)
        try:
            driven.execute("COMMIT")
        except driven.IntegrityError:
            raise  # A deferred constraint: it is certain that nothing was written.
        except driven.DatabaseError as error:
            raise CommitInDoubt(str(error)) from error

    def _send(self, driven: Any, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        driven.execute(sql, (_ENCODER.encode(rows).decode(), self.partition))

    def _send_handled(
        self, driven: Any, sql: str, rows: Sequence[Sequence[Any]]
    ) -> None:
        try:
            self._send(driven, sql, rows)
        except driven.IntegrityError as error:
            if str(error).startswith("UNIQUE constraint failed: handled."):
                raise DuplicateKey("a command was handled before") from error
            raise


def _fact_row(recorded: Recorded) -> tuple[Any, ...]:
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
