"""Append to an archive; whatever a crash left of a line is taken away first."""

import os
from collections.abc import Sequence
from pathlib import Path

from mes_engine.core.errors import SettingsError
from mes_engine.storage.archive.history import history, plant_of
from mes_engine.storage.archive.lines import (
    BEGINNING,
    NAME,
    Commit,
    FactRow,
    Header,
    Segment,
    Torn,
    commits,
    header_of,
    line_of,
    opening,
    segments,
)
from mes_engine.storage.files import sync

SEGMENT_BYTES = 64 << 20


class ArchiveWriter:
    """The end of an archive; for one thread at a time.

    Attributes:
        last: The last fact that is in it; None if there is none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        plant: str,
        partition: str,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        self.last: FactRow | None = None
        self._folder = folder
        self._plant = plant
        self._partition = partition
        self._segment_bytes = segment_bytes
        self._timeline = 1
        self._digest = BEGINNING
        self._path: Path | None = None
        self._written = 0
        self._is_bare = False

    def open(self) -> None:
        """Find the end, and cut off what was being written when it ended.

        Raises:
            SettingsError: It is another plant's.
            Refused: Its last file is not as it was written.
            OSError: It cannot be read or written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.last, self._path, self._digest = None, None, BEGINNING
        found = segments(self._folder)
        while found and self._is_empty(found[-1]):
            found.pop()
        if not found:
            return
        header = plant_of(self._folder)
        if header is not None and header.plant != self._plant:
            raise SettingsError(
                f"archive.folder: {self._folder} has the journal of {header.plant}; "
                f"this is {self._plant}.",
                hint="Give each plant a folder of its own.",
            )
        segment = found[-1]
        self._timeline = segment.timeline
        _, self._digest = opening(segment)
        self._is_bare = True
        try:
            for digest, _commit in commits(segment):
                self._digest, self._is_bare = digest, False
        except Torn as torn:
            os.truncate(segment.path, torn.kept)
            sync(segment.path)
        for commit in history(self._folder, after=max(segment.first - 2, 0)):
            self.last = commit.facts[-1]
        self._path, self._written = segment.path, segment.path.stat().st_size

    def branch(self, first: int) -> None:
        """Begin another timeline, in which ``first`` is the first fact of its own."""
        self._timeline += 1
        self._path, self._digest = None, BEGINNING
        self._begin(first)

    def append(self, some: Sequence[Commit]) -> None:
        """Have commits on the disk.

        Raises:
            OSError: It could not be written: ``open`` again before the next.
        """
        if not some:
            return
        is_full = self._written >= self._segment_bytes and not self._is_bare
        if self._path is None or is_full:
            self._begin(some[0].first)
        lines = []
        digest = self._digest
        for commit in some:
            digest, line = line_of(digest, commit)
            lines.append(line)
        self._write(b"".join(lines))
        self._is_bare = False
        self._digest, self.last = digest, some[-1].facts[-1]

    def _begin(self, first: int) -> None:
        name = NAME.format(timeline=self._timeline, first=first)
        self._path, self._written = self._folder / name, 0
        header = Header(
            plant=self._plant,
            partition=self._partition,
            timeline=self._timeline,
            first=first,
            before=self._digest,
        )
        digest, line = line_of(self._digest, header)
        self._write(line)
        sync(self._folder)
        self._digest, self._is_bare = digest, True

    def _write(self, content: bytes) -> None:
        if self._path is None:
            raise AssertionError("it was begun")
        with self._path.open("ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._written += len(content)

    @staticmethod
    def _is_empty(segment: Segment) -> bool:
        """Whether not even its header is whole; then the file goes."""
        try:
            header_of(segment)
        except Torn:
            segment.path.unlink()
            return True
        return False
