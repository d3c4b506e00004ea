"""Backups by the clock, and which of them are kept."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import NamedTuple

import structlog

from mes_engine.bootstrap.backing_up import back_up
from mes_engine.core.errors import Refused
from mes_engine.runtime.jobs import SECOND, Job, every
from mes_engine.runtime.pace import Clock
from mes_engine.settings import BackupSettings
from mes_engine.storage.backup.manifest import beside, manifest_of

log = structlog.stdlib.get_logger()

HOUR_S = 3_600
LOOK_S = 30


class Kept(NamedTuple):
    """A backup in the folder, by when it was taken."""

    taken_at: datetime
    file: Path


class ScheduledBackups:
    """Takes backups of a file of SQLite each so many hours, beside the engine.

    Attributes:
        last_at: When the newest was taken, or when we began if there is none.
    """

    def __init__(
        self,
        settings: BackupSettings,
        folder: Path,
        url: str,
        *,
        plant: str,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._url = url
        self._plant = plant
        self._clock = clock
        newest = max(backups_in(folder, plant), default=None)
        self.last_at = clock() if newest is None else _us(newest.taken_at)

    def job(self) -> Job:
        """Return the job that takes them."""
        return Job(
            name="backup",
            slot_at=every(round(self._settings.every_hours * HOUR_S)),
            wake_s=LOOK_S,
            work=self._work,
        )

    async def _work(self, _: int) -> None:
        """Take one; what is being written when the engine ends is given up."""
        now, ending = self._clock(), Event()
        # Without it, the folder's name would be taken for the backup's.
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        try:
            await asyncio.to_thread(
                back_up, self._url, self._folder, now=now, is_ending=ending.is_set
            )
        finally:
            ending.set()
        self.last_at = now
        removed = await asyncio.to_thread(
            remove_old, self._folder, self._settings, self._plant
        )
        log.info("backup_taken", folder=str(self._folder), removed=len(removed))


def remove_old(folder: Path, settings: BackupSettings, plant: str) -> list[Path]:
    """Remove the plant's backups that need not be kept; return them.

    What is no backup, or another plant's, is left alone.
    """
    found = backups_in(folder, plant)
    kept = to_keep(found, newest=settings.keep, days=settings.keep_days)
    old = [one.file for one in found if one not in kept]
    for file in old:
        beside(file).unlink()  # from here it is no backup any more
        file.unlink()
    return old


def to_keep(some: Iterable[Kept], *, newest: int, days: int) -> set[Kept]:
    """Return the backups to keep.

    They are the newest ones, the last one of each of the newest days, and the first of
    each year, which is the archive of the years before.

    >>> at = datetime.fromisoformat
    >>> found = [Kept(at(f"2026-0{month}-01"), Path()) for month in (1, 2, 3, 4)]
    >>> [one.taken_at.month for one in sorted(to_keep(found, newest=1, days=2))]
    [1, 3, 4]
    """
    ordered = sorted(some)
    first_of_year = {one.taken_at.year: one for one in reversed(ordered)}
    last_of_day = {one.taken_at.date(): one for one in ordered}
    of_days = [one for _, one in sorted(last_of_day.items())]
    return {*ordered[-newest:], *of_days[-days:], *first_of_year.values()}


def backups_in(folder: Path, plant: str) -> list[Kept]:
    """Return the plant's backups that are in a folder."""
    found = []
    for file in folder.glob("*.db"):
        try:
            manifest = manifest_of(file)
        except Refused:
            continue
        if manifest.plant == plant:
            found.append(Kept(datetime.fromisoformat(manifest.taken_at), file))
    return found


def _us(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp()) * SECOND
