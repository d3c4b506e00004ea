"""Take a backup of a database that may be in use."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from mes_engine.storage.backend import is_postgresql
from mes_engine.storage.backup.manifest import Manifest, beside, digest_of, encoded
from mes_engine.storage.backup.moment import Moment
from mes_engine.storage.backup.postgresql import dump_moment
from mes_engine.storage.backup.sqlite import copy_moment
from mes_engine.storage.files import refuse_existing, written
from mes_engine.storage.journal import MAIN

SECOND = 1_000_000


def _never() -> bool:
    return False


def back_up(
    url: str, to: Path, *, now: int, is_ending: Callable[[], bool] = _never
) -> tuple[Path, Manifest]:
    """Write the database as it is at one moment; return where, and its manifest.

    The manifest comes last: a backup without one is none.

    Args:
        url: The database; an engine may run on it.
        to: A file that is not there yet, or a folder for one of its own name.
        now: The time.
        is_ending: Asked again and again: whether to give up, and leave nothing.

    Raises:
        Refused: It would overwrite something, there is nothing to back up, or it was
            given up.
        SettingsError: The database cannot be read, or the backup not be written.
    """
    taken_at = datetime.fromtimestamp(now // SECOND, UTC)
    is_server = is_postgresql(url)
    ending = "dump" if is_server else "db"
    file = to / f"mes-{taken_at:%Y%m%dT%H%M%SZ}.{ending}" if to.is_dir() else to
    for one in (file, beside(file)):
        refuse_existing(one)
    with written(file) as part:
        moment: Moment = (
            dump_moment(url, part)
            if is_server
            else copy_moment(url, part, is_ending=is_ending)
        )
        manifest = Manifest(
            database="postgresql" if is_server else "sqlite",
            plant=moment.plant,
            partition=MAIN,
            revision=moment.revision,
            seq=moment.seq,
            taken_at=taken_at.isoformat(),
            size=part.stat().st_size,
            sha256=digest_of(part),
            engine=version("mes-engine"),
        )
    with written(beside(file)) as part:
        part.write_bytes(encoded(manifest))
    return file, manifest
