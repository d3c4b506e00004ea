"""Write every commit to the journal's archive, soon after it was made.

No commit waits for it: the archive reads behind the engine, and where its disk fails
the engine works on, and what is missing is written once it can be.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog

from mes_engine.core.errors import Refused
from mes_engine.core.facts import Recorded
from mes_engine.ports import StoreUnavailable
from mes_engine.runtime.pace import BackOff
from mes_engine.storage.archive.reading import commits_after, common_seq, rows_after
from mes_engine.storage.archive.writing import ArchiveWriter
from mes_engine.storage.database import Database

log = structlog.stdlib.get_logger()

AT_A_TIME = 2_000
PAUSE_S = 0.5
"""So long after a commit it is written at the latest, together with those since."""


class Archiving:
    """The archive at work; ``hear`` is a tap of the feed.

    Attributes:
        reached: The last fact that is in the archive, on its disk.
        is_lost: Whether it cannot be written now.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        plant: str,
        partition: str = "main",
        pause_s: float = PAUSE_S,
        back_off: BackOff | None = None,
    ) -> None:
        self.reached = 0
        self.is_lost = False
        self._database = database
        self._folder = folder
        self._partition = partition
        self._writer = ArchiveWriter(folder, plant=plant, partition=partition)
        self._pause_s = pause_s
        self._back_off = back_off or BackOff(first_s=0.5, longest_s=30.0)
        self._woken = asyncio.Event()
        self._is_open = False
        self._at_work = asyncio.Lock()

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit."""
        self._woken.set()

    async def run(self) -> None:
        """Write for as long as the task lives, and once more when it ends.

        Raises:
            SettingsError: The archive is another plant's.
        """
        try:
            while True:
                self._woken.clear()
                if await self._caught_up():
                    await self._woken.wait()
                    await asyncio.sleep(self._pause_s)
                else:
                    await self._back_off.wait()
        except asyncio.CancelledError:
            await self.catch_up()
            raise

    async def _caught_up(self) -> bool:
        """Catch up, to its end also where we are told to end: a thread is at it."""
        working = asyncio.get_running_loop().create_task(self.catch_up())
        return await asyncio.shield(working)

    async def catch_up(self) -> bool:
        """Write all there is; whether that could be done. One does so at a time.

        Raises:
            SettingsError: The archive is another plant's.
        """
        async with self._at_work:
            return await self._catch_up()

    async def _catch_up(self) -> bool:
        try:
            if not self._is_open:
                await self._open()
            while await self._write_some():
                pass
        except (OSError, StoreUnavailable, Refused) as error:
            self._is_open = False
            if not self.is_lost:
                self.is_lost = True
                log.warning("archive_lost", folder=str(self._folder), reason=str(error))
            return False
        if self.is_lost:
            self.is_lost = False
            log.info("archive_recovered", reached=self.reached)
        self._back_off.reset()
        return True

    async def _open(self) -> None:
        """Find the end of the archive; begin another timeline if we are on one."""
        await asyncio.to_thread(self._writer.open)
        last = self._writer.last
        self.reached = 0 if last is None else last.seq
        if last is not None:
            look = partial(
                rows_after, partition=self._partition, seq=last.seq - 1, limit=1
            )
            if await self._database.read(look) != [last]:
                self.reached = await self._branch()
        self._is_open = True

    async def _branch(self) -> int:
        """Leave what is not in the database, which was restored; return what is."""
        look = partial(common_seq, partition=self._partition, folder=self._folder)
        common = await self._database.read(look)
        log.warning("archive_branched", after=common)
        await asyncio.to_thread(self._writer.branch, common + 1)
        return common

    async def _write_some(self) -> bool:
        look = partial(
            commits_after,
            partition=self._partition,
            seq=self.reached,
            limit=AT_A_TIME,
        )
        some = await self._database.read(look)
        await asyncio.to_thread(self._writer.append, some)
        if some:
            self.reached = some[-1].last
        return bool(some)
