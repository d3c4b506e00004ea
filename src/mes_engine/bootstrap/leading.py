"""One engine leads a PostgreSQL database, and others wait to follow it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeVar

import structlog

from mes_engine.ports import Fenced, StoreUnavailable
from mes_engine.storage.fence import Fence
from mes_engine.storage.leadership import Lease

log = structlog.stdlib.get_logger()

T = TypeVar("T")

RENEW_S = 0.5
LOOK_S = 0.25
"""How often one that waits looks whether it may lead."""


class Leading:
    """An engine's way to lead a PostgreSQL database, off the event loop.

    Attributes:
        leader: Where the engine is that leads, as it was last seen; empty before.
    """

    def __init__(self, lease: Lease) -> None:
        self.leader = ""
        self._lease = lease
        self._thread = ThreadPoolExecutor(1, "lease")

    @property
    def fence(self) -> Fence:
        """What the transactions of this engine show."""
        return self._lease.fence

    async def prepare(self) -> None:
        """Make what is needed to lead.

        Raises:
            SettingsError: The database cannot be used.
        """
        await self._run(self._lease.prepare)

    async def take(self) -> bool:
        """Lead from now on, if nobody else does; whether it is so."""
        try:
            leader = await self._run(self._lease.take)
        except StoreUnavailable as down:
            log.warning("lead_not_told", reason=str(down))
            return False
        if leader is not None:
            self.leader = leader.address
        return leader is None

    async def wait(self) -> None:
        """Wait until this engine leads."""
        while not await self.take():  # noqa: ASYNC110 - nobody tells when one is gone
            await asyncio.sleep(LOOK_S)

    async def keep(self) -> None:
        """Go on leading.

        Raises:
            Fenced: Another engine has taken over.
        """
        is_told = True
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._run(self._lease.renew)
            except Fenced:
                raise
            except StoreUnavailable as down:
                if is_told:
                    log.warning("lease_not_renewed", reason=str(down))
                is_told = False
            else:
                is_told = True

    async def end(self) -> None:
        """Let another lead at once, where the database can still be told."""
        with suppress(StoreUnavailable):
            await self._run(self._lease.release)
        await asyncio.to_thread(self._thread.shutdown)

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, work))


@asynccontextmanager
async def kept(leading: Leading | None) -> AsyncIterator[Fence | None]:
    """Go on leading while the engine runs; None for a database that has no lease.

    Raises:
        Fenced: Another engine has taken over.
    """
    if leading is None:
        yield None
        return
    try:
        with one_error():
            async with asyncio.TaskGroup() as tasks:
                keeping = tasks.create_task(leading.keep())
                try:
                    yield leading.fence
                finally:
                    keeping.cancel()
    finally:
        await leading.end()


@contextmanager
def one_error() -> Iterator[None]:
    """Let the one error of a group of tasks be itself; a lost lead is the one."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        fenced: BaseException | None = group.subgroup(Fenced)
        while isinstance(fenced, BaseExceptionGroup):
            fenced = fenced.exceptions[0]
        if fenced is not None:
            raise fenced from group
        raise
