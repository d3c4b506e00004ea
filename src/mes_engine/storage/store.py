"""The journal and its projections in the database: ``ports.WipStore``."""

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from mes_engine.core.facts import FACT_VERSION, Recorded, fact_name
from mes_engine.core.messages import Answer
from mes_engine.core.state import State
from mes_engine.ports import DuplicateKey, StoreUnavailable
from mes_engine.storage.bulk import BULK, WRITE_FACTS
from mes_engine.storage.codec import CODECS
from mes_engine.storage.database import Database
from mes_engine.storage.journal import head
from mes_engine.storage.load import load_state
from mes_engine.storage.tables import handled

ENQUIRY_S = 1.0

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
        """
        if not records:
            return
        batch = _Batch.of(self._partition, records, layer)
        try:
            await self._database.raw(batch.write)
        except StoreUnavailable:
            if not await self._is_written(records[-1].seq):
                raise

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

    async def _is_written(self, seq: int) -> bool:
        """Find out, however long it takes, whether the journal has come to ``seq``."""
        while True:
            try:
                reached = await self._database.read(
                    lambda connection: head(connection, self._partition)
                )
            except StoreUnavailable:
                await asyncio.sleep(ENQUIRY_S)
            else:
                return reached >= seq


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
        driven.execute("COMMIT")

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
