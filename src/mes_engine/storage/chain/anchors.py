"""The head of the chain, kept outside the database in a file that only grows.

A chain alone does not tell that its end was cut off, nor that an old copy of the whole
database was put in its place. So its head is written elsewhere from time to time: a
line is the HMAC of what it says, a space and JSON. Lines are numbered, and each link of
the chain has the number of the last line before it, so that lines are missed as well.
"""

import fcntl
import hmac
import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec

from mes_engine.core.errors import SettingsError
from mes_engine.storage.chain.links import ChainKey, Head, Keyring
from mes_engine.storage.files import sync

_CONTEXT = b"mes journal anchor "
_DIGITS = 64
_TAIL = 65536
_ENCODER = msgspec.json.Encoder()


class AnchorKind(StrEnum):
    """What a line says."""

    ANCHORED = "anchored"
    RESTORED = "restored"


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A line: at that time the journal went up to ``seq``, and its head was ``digest``.

    Attributes:
        number: Counts from 1.
        kind: ``restored`` where somebody says that the journal was put back to ``seq``:
            what was anchored before, and beyond it, is not looked for any more.
        key: The id of the key that it is made with.
        person: Who says so, and ``reason`` why; empty for what the engine writes.
    """

    number: int
    at: int
    kind: AnchorKind
    partition: str
    seq: int
    digest: str
    key: str
    person: str = ""
    reason: str = ""


_DECODER = msgspec.json.Decoder(Anchor)


class AnchorLog(NamedTuple):
    """What a file of anchors says.

    Attributes:
        anchors: In the order of their numbers.
        strange: Lines that cannot be told to be ours, each as ``file:line``.
    """

    anchors: Sequence[Anchor]
    strange: Sequence[str]

    @property
    def last(self) -> int:
        """The number of its last line; 0 if there is none."""
        return self.anchors[-1].number if self.anchors else 0


def read_anchors(paths: Iterable[Path], keys: Keyring) -> AnchorLog:
    """Return what files say together; a file that is not there says nothing.

    Raises:
        SettingsError: One of them cannot be read.
    """
    found: list[Anchor] = []
    strange = []
    for path in paths:
        for number, line in enumerate(_lines(path), start=1):
            anchor = _read(line, keys)
            if anchor is None:
                strange.append(f"{path}:{number}")
            else:
                found.append(anchor)
    return AnchorLog(sorted(found, key=attrgetter("number")), strange)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SettingsError(
            f"The anchors of the journal cannot be read from {path}: {error.strerror}.",
            hint="Let this user read them, or name another file with --anchors.",
        ) from error


def _read(line: bytes, keys: Keyring) -> Anchor | None:
    content = line[_DIGITS + 1 :]
    if line[_DIGITS : _DIGITS + 1] != b" ":
        return None
    try:
        anchor = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    key = keys.get(anchor.key)
    if key is None or not hmac.compare_digest(line[:_DIGITS], _digest(key, content)):
        return None
    return anchor


def _digest(key: ChainKey, content: bytes) -> bytes:
    return hmac.digest(key.secret, _CONTEXT + content, "sha256").hex().encode()


def write_anchor(
    path: Path,
    key: ChainKey,
    head: Head,
    *,
    partition: str,
    at: int,
    kind: AnchorKind = AnchorKind.ANCHORED,
    person: str = "",
    reason: str = "",
) -> Anchor:
    """Add a line to the file, and return it once it is on the disk.

    Args:
        path: The file; made where there is none.
        key: What it is made with.
        head: Where the chain ends.
        partition: Whose chain.
        at: The time.
        kind: Whether the head was come to, or put back.
        person: Who says so.
        reason: Why.

    Raises:
        OSError: It may be there or not.
    """
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = _end_of(file)
        anchor = Anchor(
            number=max(_last_number(end), head.anchors) + 1,
            at=at,
            kind=kind,
            partition=partition,
            seq=head.seq,
            digest=head.digest,
            key=key.id,
            person=person,
            reason=reason,
        )
        content = _ENCODER.encode(anchor)
        line = b"%b %b\n" % (_digest(key, content), content)
        # A line that was torn when the power went is ended, and left as it is.
        _write_all(file, line if end.endswith(b"\n") or not end else b"\n" + line)
        os.fsync(file)
    finally:
        os.close(file)
    if is_new:
        sync(path.parent)
    return anchor


def last_anchor(path: Path) -> int:
    """Return the number of the last line of a file; 0 if there is none."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        return _last_number(_end_of(file))
    finally:
        os.close(file)


def _end_of(file: int) -> bytes:
    size = os.fstat(file).st_size
    return os.pread(file, _TAIL, max(0, size - _TAIL))


def _last_number(end: bytes) -> int:
    """Return the number of the last line that is whole; 0 if there is none."""
    for line in reversed(end.splitlines()):
        try:
            return _DECODER.decode(line[_DIGITS + 1 :]).number
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return 0


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
