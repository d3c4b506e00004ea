"""Add a log up straight from the file, past the reader that the replay uses.

It shares nothing with ``rows`` but the opened file, so that a row which the replay
loses, doubles or misreads shows as a difference.
"""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from mes_engine.core.quantity import ZERO
from mes_engine.replay.amounts import Amounts
from mes_engine.replay.log_file import open_log
from mes_engine.replay.log_settings import LogSettings, ReportType, SpanFormat

_LONGEST_MACHINE = 200
_UNITS_S = {
    SpanFormat.HOURS: Decimal(3_600),
    SpanFormat.MINUTES: Decimal(60),
    SpanFormat.SECONDS: Decimal(1),
}


def file_sums(path: Path, settings: LogSettings) -> dict[str, Amounts]:
    """Return what the file says, by machine; a cell that is no number counts as 0."""
    sums: dict[str, Amounts] = defaultdict(Amounts)
    says = settings.says
    with open_log(path, settings) as file:
        table = csv.reader(file, delimiter=says.file.delimiter)
        header = [name.strip().lstrip("\ufeff") for name in next(table)]
        at = {use: header.index(name) for use, name in says.columns if name}
        while True:
            try:
                cells = next(table)
            except StopIteration:
                break
            except csv.Error:
                sums[""] += Amounts(rows=1)
                continue
            if not cells:
                continue
            padded = [one.strip() for one in cells] + [""] * len(header)
            seconds = _seconds(padded[at["span"]], says.span)
            kind = says.report_types.get(padded[at["report_type"]])
            good = _number(padded[at["good"]])
            scrap = _number(padded[at["rejected"]])
            suspect = _number(padded[at["mrb"]]) if "mrb" in at else ZERO
            is_rework = "rework" in at and padded[at["rework"]] in says.rework_words
            sums[padded[at["resource"]][:_LONGEST_MACHINE]] += Amounts(
                rows=1,
                good=good,
                scrap=scrap,
                suspect=suspect,
                rework=good + scrap + suspect if is_rework else ZERO,
                setup_s=seconds if kind is ReportType.SETUP else ZERO,
                processing_s=seconds if kind is ReportType.PRODUCTION else ZERO,
                down_s=seconds if kind is ReportType.BREAKDOWN else ZERO,
                unknown_s=seconds if kind is None else ZERO,
            )
    return dict(sums)


def _number(text: str) -> Decimal:
    whole, point, part = text.partition(".")
    is_whole = whole.isascii() and whole.isdigit() and len(whole) <= 12  # noqa: PLR2004
    is_part = part.isascii() and part.isdigit() and len(part) <= 6  # noqa: PLR2004
    return Decimal(text) if is_whole and (is_part or not point) else ZERO


def _seconds(text: str, written: SpanFormat) -> Decimal:
    if written in _UNITS_S:
        return _number(text) * _UNITS_S[written]
    parts = text.split(":")
    is_told = (
        len(parts) == written.count(":") + 1
        and all(one.isascii() and one.isdigit() for one in parts)
        and len(parts[0]) <= 6  # noqa: PLR2004
        and all(len(one) == 2 and one < "60" for one in parts[1:])  # noqa: PLR2004
    )
    if not is_told:
        return ZERO
    return sum(
        (int(one) * unit for one, unit in zip(parts, _CLOCK_S, strict=False)), ZERO
    )


_CLOCK_S = (Decimal(3_600), Decimal(60), Decimal(1))
