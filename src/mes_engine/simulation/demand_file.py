"""Demand from a file: CSV or JSON, one work request a row."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mes_engine.core.errors import Malformed, SettingsError
from mes_engine.core.quantity import MILLION, ZERO, checked_quantity
from mes_engine.core.routing import Routing
from mes_engine.settings.problems import Position, Problem, Problems, guess
from mes_engine.simulation.demand import Demand

MAX_BYTES = 64 * 1024 * 1024
REQUIRED = ("release", "routing", "quantity", "due")
COLUMNS = (*REQUIRED, "work_request", "priority")
_MOST_DIGITS = 20

Row = tuple[int, Mapping[str, str]]
"""A line of the file, and its values by the name of the column."""


def read_demand(path: Path, routings: Sequence[Routing], *, zone: str) -> list[Demand]:
    """Read the work requests of a file.

    Args:
        path: ``.json`` (a list of objects) or CSV with a header; columns ``release``,
            ``routing``, ``quantity``, ``due``, and, if wanted, ``work_request`` and
            ``priority``.
        routings: What may be asked for.
        zone: Of times without an offset.

    Raises:
        SettingsError: The file cannot be used; each problem as file:line:column.
    """
    problems = Problems()
    text = _text(path)
    reader = _Reader(str(path), {one.id: one for one in routings}, zone, problems)
    rows = _json_rows if path.suffix == ".json" else _csv_rows
    demand = [reader.demand(line, row) for line, row in rows(path, text, problems)]
    problems.raise_any()
    found = [one for one in demand if one is not None]
    if not found:
        raise SettingsError(f"{path} asks for nothing.")
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{path} is larger than {MAX_BYTES >> 20} MiB.")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8.") from None


def _csv_rows(path: Path, text: str, problems: Problems) -> Iterator[Row]:
    table = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(table, [])]
        _check_names(path, header, problems)
        for cells in table:
            if any(cell.strip() for cell in cells):
                yield (
                    table.line_num,
                    dict(zip(header, map(str.strip, cells), strict=False)),
                )
    except csv.Error as error:
        place = Position(max(table.line_num, 1), 1)
        problems.add(Problem(str(path), place, "", f"not CSV: {error}"))


def _check_names(path: Path, header: Sequence[str], problems: Problems) -> None:
    for index, name in enumerate(header):
        if name not in COLUMNS:
            text = f"unknown column{guess(name, COLUMNS)}"
            column = 1 + sum(len(one) + 1 for one in header[:index])
            problems.add(Problem(str(path), Position(1, column), name, text))
    for name in REQUIRED:
        if name not in header:
            problems.add(Problem(str(path), Position(1, 1), name, "missing"))


def _json_rows(path: Path, text: str, problems: Problems) -> Iterator[Row]:
    try:
        plain: Any = json.loads(text, parse_float=str, parse_int=str)
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        told = getattr(error, "msg", "cannot be read")
        place = Position(line, column)
        problems.add(Problem(str(path), place, "", f"not JSON: {told}"))
        return
    except RecursionError:
        problems.add(Problem(str(path), Position(1, 1), "", "nested too deeply"))
        return
    if not isinstance(plain, list) or not all(isinstance(one, dict) for one in plain):
        text = "should be a list of objects, one a work request"
        problems.add(Problem(str(path), Position(1, 1), "", text))
        return
    for number, one in enumerate(plain, start=1):
        for name in one:
            if name not in COLUMNS:
                told = f"unknown key{guess(name, COLUMNS)}"
                place = Position(number, 1)
                problems.add(Problem(f"{path}[{number - 1}]", place, name, told))
        yield number, {name: str(value) for name, value in one.items()}


class _Reader:
    """Makes demand of rows; what is wrong with one is a problem of its line."""

    def __init__(
        self,
        file: str,
        routings: Mapping[str, Routing],
        zone: str,
        problems: Problems,
    ) -> None:
        self._file = file
        self._routings = routings
        self._zone = ZoneInfo(zone)
        self._problems = problems
        self._names: dict[str, int] = {}

    def demand(self, line: int, row: Mapping[str, str]) -> Demand | None:
        """Return what a row asks for; None where something is wrong with it."""
        column = 1
        values: dict[str, Any] = {}
        is_good = True
        for name, text in row.items():
            if name in COLUMNS:
                try:
                    values[name] = self._value(name, text, row, line)
                except (Malformed, ValueError) as error:
                    place = Position(line, column)
                    told = str(error)[:200].rstrip(".")
                    self._problems.add(Problem(self._file, place, name, told))
                    is_good = False
            column += len(text) + 1
        for name in REQUIRED:
            if name not in row:
                place = Position(line, 1)
                self._problems.add(Problem(self._file, place, name, "missing"))
                is_good = False
        if not is_good:
            return None
        return Demand(
            work_request=values.get("work_request") or f"WR-{line}",
            routing=values["routing"],
            quantity=values["quantity"],
            release_at=values["release"],
            due_at=values["due"],
            priority=values.get("priority", 0),
        )

    def _value(self, name: str, text: str, row: Mapping[str, str], line: int) -> Any:
        match name:
            case "routing":
                if text not in self._routings:
                    near = guess(text, self._routings)
                    raise ValueError(f"there is no routing '{text:.80}'{near}")
                return text
            case "quantity":
                return self._quantity(text, row.get("routing", ""))
            case "release" | "due":
                return self._moment(text)
            case "priority":
                return _whole(text)
        first = self._names.setdefault(text, line)
        if text and first != line:
            raise ValueError(f"'{text:.80}' is given twice, first in line {first}")
        return text

    def _quantity(self, text: str, routing: str) -> Decimal:
        try:
            amount = Decimal(text) if len(text) <= _MOST_DIGITS else ZERO
        except InvalidOperation:
            amount = ZERO
        known = self._routings.get(routing)
        if known is not None and amount.is_finite():
            checked_quantity(amount, unit=known.unit)
        if not amount.is_finite() or amount <= ZERO:
            raise ValueError(f"'{text:.20}' should be a number above 0")
        return amount

    def _moment(self, text: str) -> int:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            example = "2026-01-05T06:00:00+01:00"
            raise ValueError(f"'{text:.40}' should be a time as {example}") from None
        if found.tzinfo is None:
            found = found.replace(tzinfo=self._zone)
        since = found.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * MILLION + since.microseconds


def _whole(text: str) -> int:
    if not text:
        return 0
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS // 2):
        raise ValueError(f"'{text:.20}' should be a whole number")
    return int(text)
