"""Files that are whole once they have their name, also after a loss of power."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from mes_engine.core.errors import Refused, SettingsError

_AT_ONCE = 1 << 20


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Give a name to write under; once that is done and synced, rename it to ``path``.

    Raises:
        SettingsError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        yield part
        sync(part)
        part.rename(path)
        sync(path.parent)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Its folder has to exist, with room, and be writable.",
        ) from error
    finally:
        _remove(part)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copied(source: Path, target: Path) -> str:
    """Copy a file to a new one; return the SHA-256 of what was read."""
    digest = sha256()
    with source.open("rb") as content, target.open("xb") as copy:
        while part := content.read(_AT_ONCE):
            digest.update(part)
            copy.write(part)
    return digest.hexdigest()


def refuse_existing(path: Path) -> None:
    """Refuse to write over anything.

    Raises:
        Refused: There is something of that name.
    """
    if path.exists():
        raise Refused(
            f"There is a {path} already; it is not overwritten.",
            hint="Name another file, or a folder for one of its own name.",
        )


def _remove(part: Path) -> None:
    # What SQLite had open beside it goes as well.
    for ending in ("", "-journal", "-wal", "-shm"):
        part.with_name(part.name + ending).unlink(missing_ok=True)
