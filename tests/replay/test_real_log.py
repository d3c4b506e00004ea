"""The execution log of a real machine shop, under the settings that go with it."""

import asyncio
import csv
import gzip
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from mes_engine.replay import ReplayReport, replay

ROOT = Path(__file__).parents[2]
LOG = ROOT.parent / "shared/data/production_log/production_log_60_orders.csv.gz"
SETTINGS = ROOT / "config/replay/job_shop.yaml"

pytestmark = pytest.mark.skipif(
    not LOG.exists(), reason=f"the real log is not here: {LOG}"
)


@pytest.fixture(scope="module")
def reports(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[ReplayReport, ReplayReport]:
    """Replay it twice, on one database."""
    url = f"sqlite:///{tmp_path_factory.mktemp('replay') / 'mes.db'}"

    async def twice() -> tuple[ReplayReport, ReplayReport]:
        first = await replay(LOG, SETTINGS, database_url=url)
        return first, await replay(LOG, SETTINGS, database_url=url)

    return asyncio.run(twice())


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_almost_everything_is_accepted(
    reports: tuple[ReplayReport, ReplayReport],
) -> None:
    assert reports[0].accepted_share >= Decimal("0.99")


def test_rework_is_booked_as_rework_and_material_review_as_suspect(
    reports: tuple[ReplayReport, ReplayReport], rows: list[dict[str, str]]
) -> None:
    pieces = ("Qty Completed", "Qty Rejected", "Qty for MRB")
    rework = sum(int(row[one]) for row in rows if row["Rework"] for one in pieces)
    review = sum(int(row["Qty for MRB"]) for row in rows)

    assert [rework, review] == [100, 76]
    assert reports[0].total.booked.rework == rework
    assert reports[0].total.booked.suspect == review


def test_it_adds_up_and_breaks_no_law(
    reports: tuple[ReplayReport, ReplayReport],
) -> None:
    assert reports[0].differences == ()
    assert reports[0].is_reconciled


def test_the_sums_by_machine_are_those_of_the_file(
    reports: tuple[ReplayReport, ReplayReport], rows: list[dict[str, str]]
) -> None:
    expected: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        hours, _, minutes = row["Span"].partition(":")
        is_span = hours.isdigit()
        pieces = ("Qty Completed", "Qty Rejected", "Qty for MRB")
        sums = expected[row["Resource"]]
        sums[0] += 1
        sums[1] += sum(int(row[name]) for name in pieces)
        sums[2] += int(hours) * 60 + int(minutes) if is_span else 0

    found = {}
    for one in reports[0].machines:
        parts = one.accepted + one.refused + one.repeated
        seconds = parts.setup_s + parts.processing_s + parts.down_s
        found[one.machine] = [parts.rows, parts.pieces, seconds / 60]

    assert found == expected


def test_what_is_repeated_is_what_the_file_has_twice(
    reports: tuple[ReplayReport, ReplayReport], rows: list[dict[str, str]]
) -> None:
    counts = Counter(tuple(row.values()) for row in rows)

    repeats = sum(count - 1 for count in counts.values())
    assert reports[0].total.repeated.rows == repeats == 9


def test_every_refusal_names_its_reason_and_line(
    reports: tuple[ReplayReport, ReplayReport],
) -> None:
    refusals = {one.line: one.reason for one in reports[0].refusals}

    assert refusals[204] == "column Span: is no time in h:mm"
    assert all(refusals.values())
    assert len(refusals) == reports[0].total.refused.rows


def test_the_second_time_it_is_all_repeats(
    reports: tuple[ReplayReport, ReplayReport],
) -> None:
    again = reports[1]

    assert again.is_reconciled
    assert again.total.accepted.rows == 0
    assert again.total.booked.rows == 0
    assert [one.line for one in again.refusals] == [204]  # it never was a report
