"""The moments of a log, in the order in which they are driven, and their clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mes_engine.replay.rows import Row


class VirtualClock:
    """Tells the time that the log has come to."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """Return microseconds of UTC."""
        return self.now


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A row's start or completion, in the order in which they are driven.

    At one time machines are given free before others claim them; a row of no length
    ends after it has begun.
    """

    at: int
    turn: int
    line: int
    row: Row = field(compare=False)

    @property
    def is_start(self) -> bool:
        """Whether the row begins; else it is complete."""
        return self.turn == _START


_END, _START, _END_AT_ONCE = range(3)


def moments_of(rows: Iterable[Row]) -> list[Moment]:
    """Return the start and the completion of each row, in order."""
    return sorted(_moments(rows))


def _moments(rows: Iterable[Row]) -> Iterator[Moment]:
    for row in rows:
        turn = _END if row.start < row.complete else _END_AT_ONCE
        yield Moment(row.start, _START, row.line, row)
        yield Moment(row.complete, turn, row.line, row)
