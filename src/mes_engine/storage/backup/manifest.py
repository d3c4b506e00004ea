"""The manifest: what a backup is of, and the hash that tells whether it still is."""

from hashlib import file_digest
from pathlib import Path
from typing import Literal

import msgspec

from mes_engine.core.errors import Refused

FORMAT = 1
SUFFIX = ".json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a backup.

    Attributes:
        format: Of this file; a newer one is not read.
        database: ``sqlite``, a whole file; or ``postgresql``, what pg_dump made.
        plant: The site's id; empty where none was applied yet.
        revision: Of the schema.
        seq: Of the last fact in its journal; 0 if there is none.
        taken_at: When, in ISO 8601.
        size: In bytes.
        engine: The version of the software that took it.
    """

    format: int = FORMAT
    database: Literal["sqlite", "postgresql"]
    plant: str
    partition: str
    revision: str
    seq: int
    taken_at: str
    size: int
    sha256: str
    engine: str


def beside(backup: Path) -> Path:
    """Return where the manifest of a backup is."""
    return backup.with_name(f"{backup.name}{SUFFIX}")


def encoded(manifest: Manifest) -> bytes:
    """Return a manifest as it is written, for people to read too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def manifest_of(backup: Path) -> Manifest:
    """Return the manifest of a backup that is there.

    Raises:
        Refused: It has none, or one that cannot be read; or it is not there itself.
    """
    if not backup.is_file():
        raise Refused(f"There is no backup {backup}.", hint="Name another file.")
    try:
        found = beside(backup).read_bytes()
    except FileNotFoundError as error:
        raise Refused(
            f"{backup} is no backup: it has no manifest {beside(backup).name} beside "
            "it. A database that was copied as a file may lack what was committed "
            "last, or be torn.",
            hint="Take backups with `mes backup`, and copy both of its files.",
        ) from error
    try:
        manifest = msgspec.json.decode(found, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(
            f"The manifest of {backup} cannot be read: {error}.",
            hint="Take another backup of that time.",
        ) from error
    if manifest.format > FORMAT:
        raise Refused(
            f"{backup} was taken by a newer version, {manifest.engine}.",
            hint="Restore it with that version, or a later one.",
        )
    return manifest


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()


def check_content(backup: Path, manifest: Manifest, found: str) -> None:
    """Refuse a file whose SHA-256 is not that of its manifest.

    Raises:
        Refused: It is not the file that was written.
    """
    if found != manifest.sha256:
        raise Refused(
            f"{backup} is not as it was written: its SHA-256 is {found}, its manifest "
            f"says {manifest.sha256}.",
            hint="Take another copy of it, or the backup before it.",
        )
