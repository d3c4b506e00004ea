"""What keeps a site's work safe beside its database: archive and backups, watched."""

from collections.abc import Coroutine

from prometheus_client import CollectorRegistry, Gauge

from mes_engine.bootstrap.core import Core
from mes_engine.bootstrap.scheduled_backups import ScheduledBackups
from mes_engine.core.errors import SettingsError
from mes_engine.runtime.archiving import Archiving
from mes_engine.runtime.jobs import SECOND, Job
from mes_engine.settings import Site
from mes_engine.storage.backend import is_postgresql


def refuse_unsafe(site: Site) -> None:
    """Refuse to be told of an archive or of backups where there will be none.

    Raises:
        SettingsError: The database is on a server.
    """
    named = {"archive.folder": site.archive.folder, "backup.folder": site.backup.folder}
    wanted = [name for name, folder in named.items() if folder is not None]
    if wanted and is_postgresql(site.database.url):
        raise SettingsError(
            f"{wanted[0]}: a PostgreSQL database is kept safe by its own means.",
            hint="Leave it out, and see docs/running-on-postgresql.md.",
        )


class Safekeeping:
    """The archive and the backups of a site, as far as it has any."""

    def __init__(self, core: Core, site: Site, registry: CollectorRegistry) -> None:
        self._core = core
        self._archiving: Archiving | None = None
        self._backups: ScheduledBackups | None = None
        if site.archive.folder is not None:
            self._archiving = Archiving(
                core.database, site.archive.folder, plant=site.plant.site
            )
            core.feed.tap(self._archiving.hear)
        if site.backup.folder is not None:
            self._backups = ScheduledBackups(
                site.backup,
                site.backup.folder,
                site.database.url,
                plant=site.plant.site,
                clock=core.clock,
            )
        for name, says, tell in (
            ("archive_is_lost", "1 while the archive cannot be written.", self._lost),
            ("archive_behind_facts", "Facts not in the archive yet.", self._behind),
            ("backup_age_seconds", "Since the last scheduled backup.", self._age),
        ):
            gauge = Gauge(f"mes_{name}", says, registry=registry)
            gauge.set_function(tell)

    def parts(self) -> dict[str, Coroutine[None, None, None]]:
        """Return what works for as long as the site does."""
        return {} if self._archiving is None else {"archive": self._archiving.run()}

    def jobs(self) -> list[Job]:
        """Return what is done by the clock."""
        return [] if self._backups is None else [self._backups.job()]

    def _lost(self) -> float:
        return float(self._archiving is not None and self._archiving.is_lost)

    def _behind(self) -> float:
        if self._archiving is None:
            return 0.0
        return float(self._core.engine.committed.seq - self._archiving.reached)

    def _age(self) -> float:
        if self._backups is None:
            return 0.0
        return (self._core.clock() - self._backups.last_at) / SECOND
