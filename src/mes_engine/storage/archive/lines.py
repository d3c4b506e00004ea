"""The lines of an archive: each begins with the hash of all that came before it.

A file is ``journal-TIMELINE-FIRST.jsonl``: a header, and then a line a commit. A line
is 64 hexadecimal digits, a space and JSON; the digits are the SHA-256 of those of the
line before and of the JSON. So a line that was torn, edited or left out is seen.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from mes_engine.core.errors import Refused
from mes_engine.storage.chain import Link

FORMAT = 1
NAME = "journal-{timeline:04}-{first:012}.jsonl"
PATTERN = "journal-[0-9]*-[0-9]*.jsonl"
BEGINNING = "0" * 64

_DIGITS = len(BEGINNING)


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a file.

    Attributes:
        timeline: Counts from 1; the next one begins where a restored database goes on.
        first: The first fact in the file.
        before: The hash of the last line of the file before; zeros if there is none.
    """

    format: int = FORMAT
    plant: str
    partition: str
    timeline: int
    first: int
    before: str


class FactRow(NamedTuple):
    """A row of the journal, but for the partition; the body to the letter."""

    seq: int
    type: str
    version: int
    occurred_at: int
    recorded_at: int
    cause: str
    person: str
    body: msgspec.Raw


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What was committed together.

    Attributes:
        link: What closes it in the journal's chain.
    """

    link: Link
    facts: Sequence[FactRow]

    @property
    def first(self) -> int:
        """The first fact of it."""
        return self.facts[0].seq

    @property
    def last(self) -> int:
        """The last fact of it."""
        return self.facts[-1].seq


class Segment(NamedTuple):
    """A file of the archive, by its name."""

    timeline: int
    first: int
    path: Path


class Torn(Exception):
    """The last line of a file is not whole: it was being written.

    Attributes:
        kept: How many bytes before it are.
    """

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.kept = kept


_ENCODER = msgspec.json.Encoder()
_COMMITS: msgspec.json.Decoder[Commit] = msgspec.json.Decoder(Commit)
_HEADERS: msgspec.json.Decoder[Header] = msgspec.json.Decoder(Header)


def line_of(before: str, said: Header | Commit) -> tuple[str, bytes]:
    """Return the hash of a line that follows the one with ``before``, and the line."""
    content = _ENCODER.encode(said)
    digest = _digest(before, content)
    return digest, b"%b %b\n" % (digest.encode(), content)


def segments(folder: Path) -> list[Segment]:
    """Return the files of an archive, by timeline and first fact."""
    found = []
    for path in folder.glob(PATTERN):
        _, timeline, first = path.stem.split("-")
        found.append(Segment(int(timeline), int(first), path))
    return sorted(found)


def header_of(segment: Segment) -> Header:
    """Return the header of a file.

    Raises:
        Torn: It is not whole.
        Refused: It is not as it was written.
    """
    return opening(segment)[0]


def opening(segment: Segment) -> tuple[Header, str]:
    """Return the header of a file, and the hash of its line.

    Raises:
        Torn: It is not whole.
        Refused: It is not as it was written.
    """
    with segment.path.open("rb") as lines:
        return _header(segment, lines.readline())


def commits(segment: Segment) -> Iterator[tuple[str, Commit]]:
    """Yield the commits of a file, each with the hash of its line.

    Raises:
        Torn: Its last line is not whole.
        Refused: A line is not as it was written.
    """
    with segment.path.open("rb") as lines:
        line = lines.readline()
        header, digest = _header(segment, line)
        kept, following = len(line), header.first
        for number, line in enumerate(lines, start=2):
            content = line[_DIGITS + 1 : -1]
            found = _digest(digest, content)
            if not line.endswith(b"\n") or line[:_DIGITS] != found.encode():
                if not lines.readline():
                    raise Torn(kept)
                raise _edited(segment, number, following)
            commit = _COMMITS.decode(content)
            if (commit.first, commit.last) != (following, commit.link.seq):
                raise _edited(segment, number, following)
            digest, kept, following = found, kept + len(line), commit.last + 1
            yield digest, commit


def _header(segment: Segment, line: bytes) -> tuple[Header, str]:
    content = line[_DIGITS + 1 : -1]
    if not line.endswith(b"\n"):
        raise Torn(0)
    try:
        header = _HEADERS.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _edited(segment, 1, segment.first) from None
    if header.format > FORMAT:
        raise Refused(
            f"{segment.path} was written by a newer version.",
            hint="Use that version, or a later one.",
        )
    digest = _digest(header.before, content)
    is_of_name = (header.timeline, header.first) == (segment.timeline, segment.first)
    if line[:_DIGITS] != digest.encode() or not is_of_name:
        raise _edited(segment, 1, segment.first)
    return header, digest


def _edited(segment: Segment, line: int, following: int) -> Refused:
    return Refused(
        f"{segment.path}:{line}: not as it was written; what comes from fact "
        f"{following} on cannot be trusted.",
        hint=f"Take another copy of the file, or stop before: --until-seq "
        f"{following - 1}.",
    )


def _digest(before: str, content: Any) -> str:
    return sha256(before.encode() + content).hexdigest()
