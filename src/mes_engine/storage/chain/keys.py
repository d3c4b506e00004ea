"""The file with the chain's keys: one secret a line, the last one makes new links.

It is never in the database: whoever has only that cannot make the chain anew. To change
the key, add a line; the lines before it are what older links are checked with.
"""

import os
import secrets
from pathlib import Path

from mes_engine.core.errors import SettingsError
from mes_engine.storage.chain.links import ChainKey
from mes_engine.storage.files import sync

SECRET_BYTES = 32
_ABOUT = b"# The keys of the journal's chain, the newest last. Keep a copy elsewhere.\n"


def read_or_make_keys(path: Path) -> tuple[list[ChainKey], bool]:
    """Return the keys of a file, the newest last, and whether it had to be made.

    Raises:
        SettingsError: It cannot be read, made or understood.
    """
    is_new = not path.exists()
    if is_new:
        try:
            _make(path)
        except OSError as error:
            raise SettingsError(
                f"The journal's key cannot be kept in {path}: {error.strerror}.",
                hint="Name another file as journal.key_file in site.yaml.",
            ) from error
    return read_keys(path), is_new


def read_keys(path: Path) -> list[ChainKey]:
    """Return the keys of a file, the newest last.

    Raises:
        SettingsError: It cannot be read or understood.
    """
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise SettingsError(
            f"The journal's keys cannot be read from {path}: {error.strerror}.",
            hint="Name their file, or put it back from its copy.",
        ) from error
    said = [line.strip() for line in lines]
    found = [ChainKey.of(_secret(path, one)) for one in said if one and one[0] != "#"]
    if not found:
        raise SettingsError(
            f"There is no key in {path}.",
            hint=f"Put its copy back, or remove it to have a new one made. {_HOW}",
        )
    return found


_HOW = f"Each line is a secret of {SECRET_BYTES} bytes in hexadecimal."


def _secret(path: Path, line: str) -> bytes:
    try:
        secret = bytes.fromhex(line)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SettingsError(f"{path} has a line that is no key.", hint=_HOW)
    return secret


def _make(path: Path) -> None:
    """Make the file whole or not at all, for its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}.new")
    made = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(made, "wb") as file:
            file.write(_ABOUT + secrets.token_hex(SECRET_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(half, path)
        except FileExistsError:
            return  # another engine was quicker: its key is the one
    finally:
        half.unlink()
    sync(path.parent)
