"""Put a backup back into an empty place, or try it and leave nothing."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from mes_engine.bootstrap.replaying import Onward, Reached, check_archive, replay
from mes_engine.bootstrap.verifying import verified
from mes_engine.core.errors import Refused, SettingsError
from mes_engine.migrations import is_known, upgrade
from mes_engine.storage.backend import is_postgresql
from mes_engine.storage.backup.manifest import (
    Manifest,
    check_content,
    digest_of,
    manifest_of,
)
from mes_engine.storage.backup.postgresql import restore_dump
from mes_engine.storage.driver import file_url
from mes_engine.storage.files import copied, written
from mes_engine.storage.lock import sole_engine
from mes_engine.storage.verify import VerifyReport

OF_SQLITE = ("", "-wal", "-shm", "-journal")
"""What a database in a file consists of: an old log would be put into a new file."""


def restore(
    backup: Path, url: str, *, plant: str, onward: Onward | None = None
) -> tuple[Manifest, Reached]:
    """Put a backup into an empty place; the tables are brought up to this version.

    Returns:
        What the backup was, and how far the database goes now.

    Args:
        backup: What ``back_up`` has written, with its manifest beside it.
        url: Where; no database may be there.
        plant: The site's id: another plant's is not restored.
        onward: What has been committed since is taken from there.

    Raises:
        Refused: The backup is not whole, of another plant or of a newer version; or
            there is a database already. Nothing was changed.
        SettingsError: An engine runs there, or it cannot be written to.
    """
    manifest = usable(backup)
    if manifest.plant not in {"", plant}:
        raise Refused(
            f"{backup} is of the plant {manifest.plant}; the configuration is of "
            f"{plant}.",
            hint="Name that plant's folder with --config, or another backup.",
        )
    if is_postgresql(url) != (manifest.database == "postgresql"):
        raise Refused(
            f"{backup} is of a {manifest.database} database; {url} is none.",
            hint="Name one of its kind as the database.url of site.yaml.",
        )
    if not is_postgresql(url):
        return manifest, _restore_file(backup, manifest, url, onward)
    if onward is not None:
        raise Refused(
            "A PostgreSQL database has no archive of ours: its WAL is its own.",
            hint="See docs/running-on-postgresql.md for a point in time.",
        )
    check_content(backup, manifest, digest_of(backup))
    restore_dump(url, backup)
    upgrade(url)
    return manifest, Reached(manifest.seq, None)


def usable(backup: Path) -> Manifest:
    """Return the manifest of a backup that this version can read.

    Raises:
        Refused: It is none, or a newer version took it.
    """
    manifest = manifest_of(backup)
    if not is_known(manifest.revision):
        raise Refused(
            f"{backup} has the schema {manifest.revision}, which this version does not "
            f"know: it was taken by version {manifest.engine}.",
            hint="Restore it with that version, or a later one.",
        )
    return manifest


def drill(
    backup: Path, *, onward: Onward | None = None, key_file: Path | None = None
) -> tuple[Manifest, Reached, VerifyReport]:
    """Restore a backup to a temporary place, verify everything, and leave nothing.

    Args:
        backup: What ``back_up`` has written, with its manifest beside it.
        onward: What has been committed since is taken from there.
        key_file: The keys of the journal's chain; None if they are not known here.

    Raises:
        Refused: The backup is not whole, or of a newer version.
        SettingsError: There is no room for it.
    """
    manifest = usable(backup)
    if manifest.database == "postgresql":
        raise Refused(
            f"{backup} is of a PostgreSQL database, which needs a server to be tried.",
            hint="Restore it into a new database, and run `mes verify` on that.",
        )
    with TemporaryDirectory(prefix="mes-restore-") as folder:
        url = f"sqlite:///{folder}/mes.db"
        reached = _restore_file(backup, manifest, url, onward)
        return manifest, reached, asyncio.run(verified(url, key_file=key_file))


def _restore_file(
    backup: Path, manifest: Manifest, url: str, onward: Onward | None
) -> Reached:
    """Make the database whole under another name; it gets its own in the end."""
    if onward is not None:
        check_archive(onward.folder, manifest.plant)
    database = Path(str(file_url(url).database)).resolve()
    database.parent.mkdir(parents=True, exist_ok=True)
    reached = Reached(manifest.seq, None)
    with sole_engine(url):
        _refuse_occupied(database)
        with written(database) as part:
            check_content(backup, manifest, copied(backup, part))
            upgrade(f"sqlite:///{part}")
            if onward is not None:
                reached = asyncio.run(replay(f"sqlite:///{part}", onward))
            _refuse_open(part)
    return reached


def _refuse_open(part: Path) -> None:
    """See that nothing of it is left in a log, which has not its new name."""
    if part.with_name(f"{part.name}-wal").exists():
        raise SettingsError(
            f"Another program has {part} open; nothing was restored.",
            hint="End it, and try again.",
        )


def _refuse_occupied(database: Path) -> None:
    found = [database.with_name(database.name + one) for one in OF_SQLITE]
    found = [one for one in found if one.exists()]
    if found:
        raise Refused(
            f"There is a {found[0]} already; a backup is restored into an empty place "
            "only.",
            hint="Move the database aside, with the files beside it that are named "
            "after it, or name another place in site.yaml.",
        )
