"""An archive as one history: later timelines take the place of what they left."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from mes_engine.core.errors import Refused
from mes_engine.storage.archive.lines import (
    BEGINNING,
    Commit,
    Header,
    Segment,
    Torn,
    commits,
    header_of,
    segments,
)


def history(
    folder: Path, *, after: int = 0, timeline: int | None = None
) -> Iterator[Commit]:
    """Yield the commits of an archive in order, from the one with fact ``after`` + 1.

    Each is whole: the first may have facts before that one.

    Args:
        folder: Where its files are.
        after: The last fact that is known already.
        timeline: As it was on this one; None for the newest.

    Raises:
        Refused: A file is missing, or not as it was written.
    """
    found = [
        one for one in segments(folder) if not timeline or one.timeline <= timeline
    ]
    ends = _ends(found)
    for number, some in groupby(found, key=attrgetter("timeline")):
        end = ends[number]
        before = BEGINNING
        own = list(some)
        for segment, following in zip(own, [*own[1:], None], strict=True):
            if segment.first > end:
                break
            _check_follows(segment, before)
            is_needed = following is None or following.first > after + 1
            # All the hashes lead to the last one: where nothing is taken, it stands in
            # the header of the file that follows.
            if not is_needed and following is not None:
                before = header_of(following).before
                continue
            try:
                for digest, commit in commits(segment):
                    before = digest
                    if commit.last > end:
                        break
                    if commit.last > after:
                        yield commit
            except Torn:
                if following is not None:
                    raise _missing(following.first, following.path) from None


def plant_of(folder: Path) -> Header | None:
    """Return the header of the first file of an archive; None if there is none.

    Raises:
        Refused: It is not as it was written.
    """
    for segment in segments(folder):
        try:
            return header_of(segment)
        except Torn:
            continue
    return None


def _ends(found: list[Segment]) -> dict[int, int]:
    """Return the last fact of each timeline that those after it have left standing."""
    firsts: dict[int, int] = {}
    for one in found:
        firsts.setdefault(one.timeline, one.first)
    return {
        number: min((f for t, f in firsts.items() if t > number), default=1 << 63) - 1
        for number in firsts
    }


def _check_follows(segment: Segment, before: str) -> None:
    try:
        header = header_of(segment)
    except Torn:
        return  # There is nothing in it.
    if header.before != before:
        raise _missing(segment.first, segment.path)


def _missing(first: int, path: Path) -> Refused:
    return Refused(
        f"Something is missing before {path}: it does not follow the file before it.",
        hint=f"Put the missing file back, or stop before: --until-seq {first - 1}.",
    )
