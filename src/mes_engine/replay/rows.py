"""Read a log: each row is a report, or says what keeps it from being one."""

import csv
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from mes_engine.core.errors import Malformed, SettingsError
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.replay.amounts import Amounts
from mes_engine.replay.log_file import column_numbers, open_log, records
from mes_engine.replay.log_settings import LogSettings, ReportType, SpanFormat

REPLACED = "\ufffd"
"""What stands where bytes were not of the file's encoding."""

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_SPANS = {
    SpanFormat.HOURS_MINUTES: re.compile(r"([0-9]{1,6}):([0-5][0-9])"),
    SpanFormat.HOURS_MINUTES_SECONDS: re.compile(
        r"([0-9]{1,6}):([0-5][0-9]):([0-5][0-9])"
    ),
}
_SECONDS = {SpanFormat.HOURS: 3_600, SpanFormat.MINUTES: 60, SpanFormat.SECONDS: 1}
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST_TOLD = 40
_CUT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One report from the floor.

    Attributes:
        line: Where it begins in the file, from 1.
        key: Of its content, so that an exact repeat has the same.
        start: Microseconds of UTC; ``complete`` too.
    """

    line: int
    key: str
    case: str
    activity: str
    resource: str
    start: int
    complete: int
    order_quantity: Decimal
    part: str
    person: str
    is_rework: bool
    amounts: Amounts

    @property
    def goes_back(self) -> bool:
        """Whether it tells of pieces that were worked again."""
        return self.is_rework and self.amounts.pieces > ZERO

    @property
    def is_empty(self) -> bool:
        """Whether it reports neither pieces nor time."""
        return self.amounts == Amounts(rows=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that is no report.

    Attributes:
        resource: The machine, as far as it can be read.
        reason: What is wrong, the same for all rows of which it is.
        told: The same for a person: ``file:line: column X: problem``.
        amounts: Of what could be read.
    """

    line: int
    resource: str
    reason: str
    told: str
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Log:
    """A log, read; ``rows`` and ``bad`` are all there is in it."""

    rows: tuple[Row, ...]
    bad: tuple[BadRow, ...]


def read_log(path: Path, settings: LogSettings) -> Log:
    """Read the whole log.

    Raises:
        SettingsError: It cannot be opened or unpacked, or a column is not there.
    """
    rows: list[Row] = []
    bad: list[BadRow] = []
    with open_log(path, settings) as file:
        reader = csv.reader(file, delimiter=settings.says.file.delimiter)
        try:
            header = next(reader, [])
        except csv.Error as error:
            raise SettingsError(f"{path}:1: no header: {error}") from None
        columns = column_numbers(header, settings)
        read = _Reader(path, settings, columns, len(header))
        for line, cells in records(reader):
            row = read.row(line, cells)
            if isinstance(row, Row):
                rows.append(row)
            else:
                bad.append(row)
    return Log(tuple(rows), tuple(bad))


@dataclass(slots=True)
class _Cells:
    """The cells of a row by use, and the first thing that is wrong with one."""

    by_use: dict[str, str]
    names: dict[str, str]
    problem: tuple[str, str, str] | None = None

    def text(self, use: str) -> str:
        text = self.by_use.get(use)
        if text is None:
            return self.bad(use, "missing", "")
        if REPLACED in text:
            return self.bad(use, "not of the file's encoding", text)
        return text or self.bad(use, "is empty", "")

    def bad(self, use: str, problem: str, text: str) -> str:
        if self.problem is None:
            self.problem = (self.names[use], problem, text[:_LONGEST_TOLD])
        return ""

    def number(self, use: str) -> Decimal:
        text = self.text(use)
        if _NUMBER.fullmatch(text):
            return Decimal(text)
        self.bad(use, "is no number", text)
        return ZERO

    def pieces(self, use: str, *, unit: str) -> Decimal:
        return self._usable(use, self.number(use), unit=unit)

    def span(self, written: SpanFormat) -> Decimal:
        if written in _SECONDS:
            seconds = self.number("span") * _SECONDS[written]
        else:
            text = self.text("span")
            match = _SPANS[written].fullmatch(text)
            if match is None:
                self.bad("span", f"is no time in {written}", text)
                return ZERO
            hours, minutes, *rest = (int(part) for part in match.groups())
            seconds = Decimal(hours * 3_600 + minutes * 60 + sum(rest))
        return self._usable("span", seconds, unit="SEC")

    def _usable(self, use: str, value: Decimal, *, unit: str) -> Decimal:
        """Return ``value``, noting it where the core would not take it as it is."""
        try:
            checked_quantity(value, unit=unit)
        except Malformed:
            self.bad(use, f"is no amount of {unit}", self.by_use[use])
        return value


@dataclass(slots=True)
class _Reader:
    """Makes reports of cells."""

    path: Path
    settings: LogSettings
    columns: dict[str, int]
    width: int
    zone: ZoneInfo = field(init=False)

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.settings.says.times.zone)

    def row(self, line: int, cells: list[str] | None) -> Row | BadRow:
        names = {use: name for use, name in self.settings.says.columns if name}
        by_use = {
            use: cells[number].strip()
            for use, number in self.columns.items()
            if cells is not None and number < len(cells)
        }
        found = _Cells(by_use, names)
        row = self._report(line, found, cells or [])
        problem, value = "", ""
        if cells is None:
            problem = "is no CSV"
        elif len(cells) > self.width:
            problem = f"has more than {self.width} cells"
        elif found.problem is not None:
            name, what, value = found.problem
            problem = f"column {name}: {what}"
        if not problem:
            return row
        got = f" (got {value!r})" if value else ""
        return BadRow(
            line=line,
            resource=by_use.get("resource", "")[:_CUT],
            reason=problem,
            told=f"{self.path}:{line}: {problem}{got}",
            amounts=row.amounts,
        )

    def _report(self, line: int, found: _Cells, cells: list[str]) -> Row:
        says = self.settings.says
        start, complete = self._time(found, "start"), self._time(found, "complete")
        if start > complete:
            found.bad("complete", "is before the start", "")
        has_rework = says.columns.rework is not None
        rework = found.by_use.get("rework", "") if has_rework else ""
        is_rework, amounts = rework in says.rework_words, self._amounts(found)
        return Row(
            line=line,
            key=sha256(json.dumps(cells).encode()).hexdigest(),
            case=found.text("case"),
            activity=found.text("activity"),
            resource=found.text("resource"),
            start=start,
            complete=complete,
            order_quantity=found.pieces("order_quantity", unit=says.unit),
            part=found.text("part"),
            person=found.text("person"),
            is_rework=is_rework,
            amounts=replace(amounts, rework=amounts.pieces) if is_rework else amounts,
        )

    def _amounts(self, found: _Cells) -> Amounts:
        says = self.settings.says
        word = found.text("report_type")
        kind = says.report_types.get(word)
        if kind is None:
            known = ", ".join(says.report_types)
            found.bad("report_type", f"is none of {known}", word)
        seconds = found.span(says.span)
        times = dict.fromkeys(("setup_s", "processing_s", "down_s", "unknown_s"), ZERO)
        times[TIME_OF[kind]] = seconds
        suspect = ZERO
        if says.columns.mrb is not None:
            suspect = found.pieces("mrb", unit=says.unit)
        return Amounts(
            rows=1,
            good=found.pieces("good", unit=says.unit),
            scrap=found.pieces("rejected", unit=says.unit),
            suspect=suspect,
            **times,
        )

    def _time(self, found: _Cells, use: str) -> int:
        text = found.text(use)
        try:
            # A zone of its own, if the format has one, goes before that of the log.
            read = datetime.strptime(text, self.settings.says.times.format)  # noqa: DTZ007
            if read.tzinfo is None:
                read = read.replace(tzinfo=self.zone)
            is_usable = _EARLIEST <= read < _LATEST
        except (ValueError, OverflowError):
            found.bad(use, f"is no time in {self.settings.says.times.format}", text)
            return 0
        if not is_usable:
            found.bad(use, "is a time out of all reason", text)
            return 0
        return round(read.timestamp() * 1_000_000)


TIME_OF = {
    ReportType.SETUP: "setup_s",
    ReportType.PRODUCTION: "processing_s",
    ReportType.BREAKDOWN: "down_s",
    None: "unknown_s",
}
