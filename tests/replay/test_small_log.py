"""Each kind of trouble that a log brings, in a log of a few rows."""

from decimal import Decimal
from pathlib import Path

import pytest

from mes_engine.core.errors import Refused
from mes_engine.replay import Amounts, MachineReport, ReplayReport
from tests.replay.logs import SETTINGS, replayed, row

STRICT = SETTINGS.replace("step_order: free", "step_order: strict")


def machine(report: ReplayReport, name: str) -> MachineReport:
    return next(one for one in report.machines if one.machine == name)


async def test_what_is_accepted_is_what_the_engine_has_booked(tmp_path: Path) -> None:
    report = await replayed(
        tmp_path,
        row("06:00", "06:30", kind="S", time="0:30"),
        row("06:30", "08:30", good="7", bad="2", review="1", time="1:50"),
        row("08:30", "09:00", kind="B", time="0:20"),
        row("09:00", "10:00", task="Pack", machine="Bench", good="7"),
    )

    assert report.is_reconciled
    assert report.refusals == ()
    assert machine(report, "Mill 1").booked == Amounts(
        rows=3,
        good=Decimal(7),
        scrap=Decimal(2),
        suspect=Decimal(1),
        setup_s=Decimal(1_800),
        processing_s=Decimal(6_600),
        down_s=Decimal(1_200),
    )
    assert machine(report, "Bench").booked.good == 7
    assert report.total.in_file.hours == Decimal("3.67")


async def test_an_exact_repeat_is_booked_once(tmp_path: Path) -> None:
    twice = row("06:00", "07:00", good="3")

    report = await replayed(tmp_path, twice, twice)

    assert (report.total.accepted.rows, report.total.repeated.rows) == (1, 1)
    assert report.total.booked.good == 3
    assert report.is_reconciled


async def test_nearly_a_repeat_is_a_report_of_its_own(tmp_path: Path) -> None:
    report = await replayed(
        tmp_path,
        row("06:00", "07:00", good="3", who="Ada"),
        row("06:00", "07:00", good="3", who="Bob"),
    )

    assert report.total.accepted.rows == 2


async def test_a_log_replayed_again_is_all_repeats(tmp_path: Path) -> None:
    rows = [
        row("06:00", "07:00", good="3"),
        row("06:30", "07:30", good="1"),
        row("06:40", "06:50", order="B", time="0:00"),
        row("08:00", "09:00", task="Pack", machine="Bench", good="99"),
    ]

    first = await replayed(tmp_path, *rows)
    second = await replayed(tmp_path, *rows)

    assert (first.total.accepted.rows, first.total.refused.rows) == (3, 1)
    assert second.total.repeated == second.total.in_file
    assert second.total.booked == Amounts()
    assert second.is_reconciled


async def test_what_was_worked_again_is_booked_in_a_pass_of_its_own(
    tmp_path: Path,
) -> None:
    """As rework, whatever becomes of it: here of five, of which one is scrap."""
    rows = [
        row("06:00", "07:00", good="8"),
        row("07:00", "08:00", good="4", bad="1", again="yes"),
        row("08:00", "09:00", task="Pack", machine="Bench", good="8"),
    ]

    first = await replayed(tmp_path, *rows)
    second = await replayed(tmp_path, *rows)

    assert first.is_reconciled
    assert first.total.accepted.rows == 3
    assert first.total.booked.rework == 5
    assert second.total.repeated == second.total.in_file


async def test_rework_of_more_than_is_tolerated_is_refused_by_name(
    tmp_path: Path,
) -> None:
    rows = [
        row("06:00", "07:00", good="8"),
        row("07:00", "08:00", good="99", again="yes"),
    ]

    report = await replayed(tmp_path, *rows)

    (refusal,) = report.refusals
    assert refusal.reason == "quantity_accounted"
    assert "99 reported, 2 there, 10 more tolerated" in refusal.why
    assert report.is_reconciled


async def test_a_log_that_has_grown_adds_what_is_new(tmp_path: Path) -> None:
    old = row("06:00", "07:00", good="3")
    await replayed(tmp_path, old)

    report = await replayed(tmp_path, old, row("07:00", "08:00", good="4"))

    assert report.total.repeated.rows == 1
    assert report.total.booked.good == 4
    assert report.is_reconciled


async def test_a_row_of_nothing_counts_as_presence(tmp_path: Path) -> None:
    nothing = row("06:00", "07:15", time="0:00")

    report = await replayed(tmp_path, nothing, nothing)

    assert (report.presence, report.total.accepted.rows) == (1, 1)
    assert report.total.repeated.rows == 1
    assert report.total.booked == Amounts()
    assert report.is_reconciled


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"good": "three"}, "column good: is no number (got 'three')"),
        ({"good": "-1"}, "column good: is no number (got '-1')"),
        ({"good": "1.5"}, "column good: is no amount of C62 (got '1.5')"),
        ({"bad": "9999999999"}, "column bad: is no amount of C62 (got '9999999999')"),
        ({"time": "999999:00"}, "column time: is no amount of SEC (got '999999:00')"),
        ({"bad": ""}, "column bad: is empty"),
        ({"time": "1:75"}, "column time: is no time in h:mm (got '1:75')"),
        ({"kind": "X"}, "column kind: is none of S, P, B (got 'X')"),
        ({"who": " "}, "column who: is empty"),
        ({"review": "nan"}, "column review: is no number (got 'nan')"),
        ({"again": "yes,1"}, "has more than 14 cells"),
        ({"part": "\ufffd"}, "column part: not of the file's encoding (got '\ufffd')"),
    ],
)
async def test_a_bad_cell_is_refused_by_name_and_place(
    changes: dict[str, str], problem: str, tmp_path: Path
) -> None:
    report = await replayed(
        tmp_path, row("06:00", "07:00", good="1"), row("07:00", "08:00", **changes)
    )

    assert [one.why for one in report.refusals] == [f"{tmp_path}/log.csv:3: {problem}"]
    assert report.total.accepted.rows == 1
    assert report.is_reconciled


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("26:00", "07:00", "column from: is no time in %Y-%m-%d %H:%M"),
        ("06:00", "soon", "column to: is no time in %Y-%m-%d %H:%M"),
        ("08:00", "07:00", "column to: is before the start"),
    ],
)
async def test_a_bad_time_is_refused(
    start: str, end: str, problem: str, tmp_path: Path
) -> None:
    report = await replayed(tmp_path, row(start, end, good="2"))

    assert report.reasons == {problem: 1}
    assert report.total.refused.good == 2
    assert report.is_reconciled


async def test_a_short_row_misses_its_column(tmp_path: Path) -> None:
    report = await replayed(tmp_path, "A,Mill,Mill 1,2024-03-04 06:00")

    assert report.reasons == {"column to: missing": 1}
    assert report.is_reconciled


async def test_more_than_is_tolerated_is_refused(tmp_path: Path) -> None:
    report = await replayed(
        tmp_path,
        row("06:00", "07:00", good="20"),
        row("07:00", "08:00", good="1"),
    )

    assert report.total.accepted.good == 20
    assert report.reasons == {"quantity_accounted": 1}
    assert report.is_reconciled


async def test_a_machine_has_no_more_lanes_than_allowed(tmp_path: Path) -> None:
    report = await replayed(
        tmp_path,
        row("06:00", "08:00", order="A", good="1"),
        row("06:10", "08:00", order="B", good="1"),
        row("06:20", "08:00", order="C", good="1"),
        row("08:00", "09:00", order="C", good="2"),
    )

    assert [(one.line, one.reason) for one in report.refusals] == [(4, "lane_free")]
    assert report.total.accepted.good == 4
    assert report.is_reconciled


async def test_a_row_that_was_refused_a_lane_stays_refused(tmp_path: Path) -> None:
    rows = [row("06:00", "08:00", order=order, good="1") for order in "ABCC"]

    first = await replayed(tmp_path, *rows)
    second = await replayed(tmp_path, *rows)

    fates = first.total.accepted.rows, first.total.refused.rows
    assert (*fates, first.total.repeated.rows) == (2, 1, 1)
    assert second.total.repeated.rows == 4
    assert second.is_reconciled


async def test_steps_booked_out_of_order_need_a_shop_that_allows_it(
    tmp_path: Path,
) -> None:
    rows = [
        row("06:00", "12:00", good="5"),
        row("07:00", "08:00", task="Pack", machine="Bench", good="2"),
    ]

    free = await replayed(tmp_path / "free", *rows)
    strict = await replayed(tmp_path / "strict", *rows, settings=STRICT)

    assert free.total.accepted.rows == 2
    assert (strict.total.accepted.rows, strict.total.refused.rows) == (1, 1)
    assert free.is_reconciled
    assert strict.is_reconciled


async def test_a_step_that_changes_machines_is_booked_on_each(tmp_path: Path) -> None:
    report = await replayed(
        tmp_path,
        row("06:00", "07:00", machine="Mill 1", good="1"),
        row("07:00", "08:00", machine="Mill 2", good="2"),
        row("08:00", "10:00", machine="Mill 1", good="3"),
        row("08:30", "09:00", machine="Mill 2", good="1"),
    )

    assert machine(report, "Mill 1").booked.good == 4
    assert machine(report, "Mill 2").booked.good == 3
    assert report.is_reconciled


async def test_a_database_of_another_plant_is_left_alone(tmp_path: Path) -> None:
    await replayed(tmp_path, row("06:00", "07:00", good="1"))
    other = SETTINGS.replace("id: SHOP", "id: OTHER")

    with pytest.raises(Refused, match="cannot be replayed here"):
        await replayed(tmp_path, row("06:00", "07:00", good="1"), settings=other)


async def test_an_empty_log_adds_up(tmp_path: Path) -> None:
    report = await replayed(tmp_path)

    assert report.is_reconciled
    assert report.accepted_share == 1
