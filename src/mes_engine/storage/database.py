"""The database: one writer thread with one connection, and readers that only read.

Cancelling a caller never reaches the driver: what has begun is finished, and ``close``
waits for it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.ports import CommitInDoubt, Fenced, StoreUnavailable
from mes_engine.storage.backend import Backend, backend_of
from mes_engine.storage.fence import Fence

T = TypeVar("T")

log = structlog.stdlib.get_logger()

TRIES = 10
"""How often work is begun anew that the database has undone for another's sake."""

MakeExecutor = Callable[[int, str], Executor]


class Database:
    """One database, as the engine and the modules use it.

    Attributes:
        dialect: ``sqlite`` or ``postgresql``.
        fence: On PostgreSQL, what lets only the engine that leads write.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        readers: int,
        fence: Fence | None,
        most_waiting: int,
        executor: MakeExecutor,
    ) -> None:
        self.dialect = backend.name
        self.fence = fence
        self._backend = backend
        self._writing = backend.writer()
        self._reading = backend.reader(readers)
        self._connection: Connection | None = backend.connected(self._writing)
        self._most_waiting = most_waiting
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._writer = executor(1, "database-writer")
        self._readers = executor(readers, "database-reader")

    @classmethod
    def open(
        cls,
        url: str,
        *,
        readers: int = 4,
        busy_timeout_s: float = 5.0,
        most_waiting: int = 1_000,
        fence: Fence | None = None,
        executor: MakeExecutor = ThreadPoolExecutor,
    ) -> "Database":
        """Open the database at ``url``; its tables are made by ``migrations``.

        Args:
            url: ``sqlite:///path``, a file on a local disk, or ``postgresql://...``.
            readers: How many reads may run at a time, each on its own connection.
            busy_timeout_s: How long to wait for another process that writes.
            most_waiting: How many writes may wait before more are turned away.
            fence: On PostgreSQL, what lets only the engine that leads write.
            executor: Where the work is run, given how much at a time, and a name.

        Raises:
            SettingsError: It cannot be opened, or not so that it can be trusted.
        """
        return cls(
            backend_of(url, busy_timeout_s=busy_timeout_s, fence=fence),
            readers=readers,
            fence=fence,
            most_waiting=most_waiting,
            executor=executor,
        )

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction, alone, in the writer's thread.

        Keep it short: the engine's next commit waits behind it, but never behind two:
        those that wait are begun one at a time. It is run again where the database has
        undone it for another's sake.

        Raises:
            Overloaded: Too many writes wait already; nothing was done.
            Fenced: Another engine has taken over; nothing was done.
            StoreUnavailable: The database did not take it; nothing was done.
            OutcomeUnknown: The commit itself failed.
        """
        if self._waiting >= self._most_waiting:
            raise Overloaded(
                "The database has more to write than it can take now.",
                hint="Try again in a moment.",
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await _finished(self._writer, partial(self._transact, work))
        finally:
            self._waiting -= 1

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a connection that cannot write; it sees one moment.

        Raises:
            StoreUnavailable: The database cannot be read now.
        """
        return await _finished(self._readers, partial(self._look, work))

    async def raw(self, work: Callable[[Any], T]) -> T:
        """Run ``work`` on the driver's own connection, in the writer's thread.

        For the hot path: ``work`` begins and commits itself. What it leaves open when
        it raises is undone. It is run again where the database has undone it.

        Raises:
            Fenced: Another engine has taken over; nothing was done.
            StoreUnavailable: The database failed before COMMIT; nothing was done.
            CommitInDoubt: ``work`` raised it, as COMMIT failed.
        """
        return await _finished(self._writer, partial(self._drive, work))

    async def close(self) -> None:
        """Finish what was begun, and close every connection."""
        async with self._turn:  # and let those go first who wait for it
            await asyncio.shield(asyncio.to_thread(self._shut))

    def _transact(self, work: Callable[[Connection], T], tries: int = TRIES) -> T:
        is_committing = False
        try:
            connection = self._connected()
            with connection.begin():
                result = work(connection)
                is_committing = True
        except DBAPIError as error:
            self._disconnect()
            if self._backend.is_fenced(error.orig):
                raise Fenced(str(error.orig)) from error
            if self._backend.is_retried(error.orig) and tries > 1:
                return self._transact(work, tries - 1)
            if not self._backend.is_outage(error.orig):
                raise
            if is_committing:
                raise OutcomeUnknown(
                    "The database failed while it was writing this.",
                    hint="Send it again under the same key.",
                ) from error
            raise StoreUnavailable(str(error.orig)) from error
        return result

    def _look(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._reading.connect() as connection, connection.begin():
                return work(connection)
        except DBAPIError as error:
            if not self._backend.is_outage(error.orig):
                raise
            raise StoreUnavailable(str(error.orig)) from error

    def _drive(self, work: Callable[[Any], T], tries: int = TRIES) -> T:
        try:
            driven: Any = self._connected().connection.driver_connection
        except DBAPIError as error:
            raise StoreUnavailable(str(error.orig)) from error
        try:
            return work(driven)
        except driven.Error as error:
            if self._backend.is_fenced(error):
                self._disconnect()
                raise Fenced(str(error)) from error
            if self._backend.is_retried(error) and tries > 1:
                self._disconnect()
                return self._drive(work, tries - 1)
            if self._backend.is_outage(error):
                self._disconnect()
                raise StoreUnavailable(str(error)) from error
            driven.rollback()
            raise
        except CommitInDoubt:
            self._disconnect()
            raise
        except BaseException:
            driven.rollback()
            raise

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._writing.connect()
        return self._connection

    def _disconnect(self) -> None:
        # After an I/O error a handle may say anything: it is not used again.
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _shut(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        if self._connection is not None:
            self._connection.close()
        self._reading.dispose()
        self._writing.dispose()


async def _finished(executor: Executor, call: Callable[[], T]) -> T:
    """Wait for ``call``, which goes on if we are cancelled."""
    future = asyncio.get_running_loop().run_in_executor(executor, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(_log_failure)
        raise


def _log_failure(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.warning("abandoned_work_failed", error=str(error))
