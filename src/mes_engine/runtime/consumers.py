"""Tell the modules what happened: each reads the journal at its own pace.

A consumer's cursor is moved in the same transaction as what it made of the facts, so
that it handles each once, whatever happens in between.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from mes_engine.core.errors import MesError
from mes_engine.core.facts import Fact, Recorded
from mes_engine.ports import StoreUnavailable
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.pace import BackOff
from mes_engine.storage.cursors import advance_cursor, cursor_of
from mes_engine.storage.database import Database
from mes_engine.storage.journal import facts_after, head

log = structlog.stdlib.get_logger()

AT_A_TIME = 500
SKIPPED_MAX = 1_000
"""So many facts that are none of its own, and its cursor is moved over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A module that listens.

    Attributes:
        name: Names its cursor, for ever.
        types: The facts that it is told of.
        handle: Does what follows from facts, in the transaction of ``connection``.
    """

    name: str
    types: tuple[type[Fact], ...]
    handle: Callable[[Connection, Sequence[Recorded]], None]


class Consuming:
    """One consumer at work, woken by the feed."""

    def __init__(
        self,
        consumer: Consumer,
        database: Database,
        feed: Feed,
        *,
        partition: str = "main",
        back_off: BackOff | None = None,
    ) -> None:
        self._consumer = consumer
        self._names = [str(one.__struct_config__.tag) for one in consumer.types]
        self._database = database
        self._partition = partition
        self._back_off = back_off or BackOff(first_s=0.5, longest_s=30.0)
        self._woken = asyncio.Event()
        self._scanned = 0
        feed.tap(self._hear)

    async def run(self) -> None:
        """Handle what there is and what comes, for as long as the task lives."""
        with structlog.contextvars.bound_contextvars(consumer=self._consumer.name):
            while True:
                self._woken.clear()
                try:
                    is_finished = await self._handle_some()
                except (MesError, StoreUnavailable) as down:
                    log.warning("consumer_held_up", reason=str(down))
                    await self._back_off.wait()
                except Exception:
                    log.exception("consumer_failed")
                    await self._back_off.wait()
                else:
                    self._back_off.reset()
                    if is_finished:
                        await self._woken.wait()

    def _hear(self, records: Sequence[Recorded]) -> None:
        if any(isinstance(one.fact, self._consumer.types) for one in records):
            self._woken.set()

    async def _handle_some(self) -> bool:
        """Handle the next facts; whether there are no more."""
        cursor, records, end = await self._database.read(self._look)
        if not records:
            self._scanned = end
            if end - cursor < SKIPPED_MAX:
                return True
        reached = records[-1].seq if records else end
        await self._database.write(
            lambda connection: self._take(connection, cursor, records, reached)
        )
        return not records

    def _look(self, connection: Connection) -> tuple[int, list[Recorded], int]:
        cursor = cursor_of(connection, self._consumer.name, self._partition)
        records = facts_after(
            connection,
            self._partition,
            max(cursor, self._scanned),
            AT_A_TIME,
            self._names,
        )
        return cursor, records, head(connection, self._partition)

    def _take(
        self,
        connection: Connection,
        cursor: int,
        records: Sequence[Recorded],
        reached: int,
    ) -> None:
        name = self._consumer.name
        if cursor_of(connection, name, self._partition) != cursor:
            return  # The module has read on by itself meanwhile: look again.
        if records:
            self._consumer.handle(connection, records)
        advance_cursor(connection, name, reached, self._partition)
