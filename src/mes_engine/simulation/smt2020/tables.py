"""The fab's tables: tab-separated, a header row, each value with its unit beside it."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

from mes_engine.settings.problems import Position, Problem, Problems, guess
from mes_engine.simulation.smt2020.model import Shape, Spread

E = TypeVar("E", bound=StrEnum)

SECOND = 1_000_000
UNITS = {
    "sec": SECOND,
    "min": 60 * SECOND,
    "hr": 3_600 * SECOND,
    "day": 86_400 * SECOND,
}
MOST = Decimal(10**9)


class Row:
    """One row of a table: reads its values, and keeps what is wrong with them.

    Attributes:
        line: Where it is in the file, from 1.
    """

    def __init__(
        self, file: Path, line: int, values: Mapping[str, str], problems: Problems
    ) -> None:
        self._file = file
        self.line = line
        self._values = values
        self._problems = problems

    def wrong(self, column: str, text: str) -> None:
        """Keep that the value in ``column`` cannot be used, and why."""
        number = list(self._values).index(column) + 1
        place = Position(self.line, number)
        self._problems.add(
            Problem(file=str(self._file), position=place, key=column, text=text)
        )

    def text(self, column: str) -> str:
        """Return the value; empty where there is none."""
        return self._values[column].strip()

    def named(self, column: str, known: Iterable[str]) -> str:
        """Return the value, which has to be one of ``known``."""
        value, names = self.text(column), set(known)
        if value not in names:
            self.wrong(column, f"there is no '{value}'{guess(value, names)}")
        return value

    def one_of(self, column: str, kind: type[E]) -> E:
        """Return the value as one of the words of ``kind``."""
        value = self.text(column)
        try:
            return kind(value)
        except ValueError:
            words = ", ".join(one.value for one in kind)
            self.wrong(column, f"'{value}' is none of {words}")
            return next(iter(kind))

    def number(self, column: str, *, default: int | None = None) -> Decimal:
        """Return the value as a number of 0 or more."""
        value = self.text(column)
        if not value and default is not None:
            return Decimal(default)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number <= MOST:
            self.wrong(column, f"'{value}' is no number of 0 or more")
            return Decimal(0)
        return number

    def whole(self, column: str, *, default: int | None = None) -> int:
        """Return the value as a whole number of 0 or more."""
        number = self.number(column, default=default)
        if number != int(number):
            self.wrong(column, f"'{self.text(column)}' is no whole number")
        return int(number)

    def share(self, column: str, *, default: int) -> float:
        """Return a percentage as a share of 1."""
        percent = self.number(column, default=default)
        if percent > Decimal(100):
            self.wrong(column, f"{percent} % is more than all")
        return float(percent / 100)

    def time(self, column: str, unit: str, *, default: int | None = None) -> int:
        """Return a time, whose unit is in the column ``unit``."""
        if not self.text(column) and default is not None:
            return default
        return int(self.number(column) * self._scale(unit))

    def spread(self, shape: str, mean: str, unit: str, *, width: str = "") -> Spread:
        """Return a time that chance decides."""
        kind = self.one_of(shape, Shape)
        found = self.time(mean, unit)
        if kind is Shape.EXPONENTIAL and not found:
            self.wrong(mean, "the mean of an exponential time is above 0")
        across = self.time(width, unit) if width and kind is Shape.UNIFORM else 0
        if across > 2 * found:
            self.wrong(width, f"'{self.text(width)}' lets the time fall below 0")
        return Spread(kind, found, across)

    def moment(self, column: str) -> int:
        """Return a date and time as microseconds of UTC."""
        value = self.text(column)
        try:
            at = datetime.strptime(value, "%m/%d/%y %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            self.wrong(column, f"'{value}' is no date such as 01/31/18 06:00:00")
            return 0
        return int(at.timestamp()) * SECOND

    def _scale(self, column: str) -> int:
        unit = self.text(column)
        if unit not in UNITS:
            self.wrong(column, f"'{unit}' is none of {', '.join(UNITS)}")
            return SECOND
        return UNITS[unit]


def read_rows(file: Path, columns: Iterable[str], problems: Problems) -> Iterator[Row]:
    """Yield the rows of ``file``, which has at least these columns."""
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is no plain text"
        problems.add(Problem(str(file), Position(1, 1), "", f"cannot be read: {told}"))
        return
    lines = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = [one.strip() for one in next(lines, [])]
    for missing in set(columns) - set(header):
        told = f"there is no column '{missing}'{guess(missing, header)}"
        problems.add(Problem(str(file), Position(1, 1), missing, told))
    if not set(columns) <= set(header):
        return
    for number, values in enumerate(lines, start=2):
        if not any(one.strip() for one in values):
            continue
        if len(values) > len(header):
            told = f"{len(values)} values under {len(header)} columns"
            problems.add(Problem(str(file), Position(number, 1), "", told))
        # What stands empty at the end of a row may be left out.
        told_of = dict(zip_longest(header, values[: len(header)], fillvalue=""))
        yield Row(file, number, told_of, problems)
