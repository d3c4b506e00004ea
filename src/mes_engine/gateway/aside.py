"""Reports that the engine refused: what they say, and what a person decides of them.

The file is the gateway's, which may be running: a decision is written down beside the
reports, and the gateway carries it out, each once, in the transaction that keeps the
report anew.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from mes_engine.core.errors import NotFound, Refused, SettingsError
from mes_engine.core.messages import Sensed
from mes_engine.core.samples import (
    DataGap,
    EventSample,
    Origin,
    Quality,
    Report,
    Sample,
)
from mes_engine.storage.driver import sqlite_driver
from mes_engine.wire import sensed_decoder

SPOOL = "spool.db"


class Fate(StrEnum):
    """What is to become of a report that was set aside."""

    PUT_BACK = "put_back"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A report that was refused.

    Attributes:
        seq: Its number in the spool.
        at: When it was received, in microseconds of UTC.
        reason: Why it was refused.
        kind: What it is; ``unreadable`` if this version cannot read it.
        tells: What it says, for people.
        fate: What somebody has decided already.
        hindrance: Why it cannot be put back; empty if it can.
    """

    seq: int
    source: str
    at: int
    reason: str
    kind: str
    tells: str
    fate: str
    hindrance: str


def read_back(body: bytes) -> Sensed | None:
    """Return what was kept; None if this version cannot read it."""
    try:
        return sensed_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def hindrance(
    report: Report | None, measurements: Collection[str], *, is_elsewhere: bool
) -> str:
    """Return why a report cannot be told late; empty if it can.

    A value is of its moment. What it would have counted came with the next one of its
    tag; told now, a counter's old position would look like a reset. What was measured
    was measured, and has the time of it.

    Args:
        report: What was kept; None if this version cannot read it.
        measurements: The tags that measure.
        is_elsewhere: Another gateway feeds its link. It has told the same message,
            which is known by its key; a measured value would be there twice.
    """
    if report is None:
        return "this version cannot read it"
    if isinstance(report, EventSample | DataGap):
        return ""
    if not isinstance(report, Sample) or report.tag not in measurements:
        return "later reports of the same link have taken its place"
    if report.value is None or report.quality is Quality.BAD:
        return "it has no value"
    return "the gateway that feeds its link has told it" if is_elsewhere else ""


def belated(report: Report) -> Report:
    """Return a report as it is told late: as if the device had kept it until now."""
    if isinstance(report, Sample):
        return msgspec.structs.replace(report, origin=Origin.BACKFILL)
    return report


def list_set_aside(folder: Path) -> list[SetAside]:
    """Return what a gateway with this folder has set aside, oldest first."""
    with _opened(folder) as db:
        rows = db.execute(
            "SELECT set_aside.seq, source, tag, at, body, reason, is_elsewhere,"
            " coalesce(what, '')"
            " FROM set_aside LEFT JOIN fate USING (seq) ORDER BY set_aside.seq"
        ).fetchall()
    return [_shown(*row) for row in rows]


def decide_fate(
    folder: Path, seqs: Sequence[int], fate: Fate, *, person: str
) -> list[SetAside]:
    """Write down what is to become of reports; the gateway does it.

    Raises:
        NotFound: One of them is not there.
        Refused: One of them cannot be put back. Nothing was written down.
    """
    there = {one.seq: one for one in list_set_aside(folder)}
    for seq in seqs:
        if seq not in there:
            raise NotFound(f"There is no report {seq} that was set aside.")
        why = there[seq].hindrance
        if fate is Fate.PUT_BACK and why:
            raise Refused(
                f"Report {seq} cannot be put back: {why}.", hint="It can be dropped."
            )
    with _opened(folder) as db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT INTO fate (seq, what, person) VALUES (?, ?, ?) ON CONFLICT (seq)"
            " DO UPDATE SET what = excluded.what, person = excluded.person",
            [(seq, fate.value, person) for seq in seqs],
        )
        db.execute("COMMIT")
    return [there[seq] for seq in seqs]


def _shown(  # noqa: PLR0917 a row
    seq: int,
    source: str,
    tag: str | None,
    at: int,
    body: bytes,
    reason: str,
    is_elsewhere: int,
    fate: str,
) -> SetAside:
    sensed = read_back(body)
    report = None if sensed is None else sensed.report
    kind = "unreadable" if report is None else str(report.__struct_config__.tag)
    tells = "" if report is None else msgspec.json.encode(report).decode()
    return SetAside(
        seq=seq,
        source=source,
        at=at,
        reason=reason,
        kind=kind,
        tells=tells,
        fate=fate,
        hindrance=hindrance(
            report, () if tag is None else (tag,), is_elsewhere=bool(is_elsewhere)
        ),
    )


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    path = folder / SPOOL
    driver = sqlite_driver()
    if not path.exists():
        raise SettingsError(
            f"There is no spool in {folder}.", hint="Name the folder of a gateway."
        )
    try:
        with closing(driver.connect(str(path), isolation_level=None)) as db:
            yield db
    except driver.DatabaseError as error:
        raise SettingsError(f"The spool {path} cannot be used: {error}.") from error
