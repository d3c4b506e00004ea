"""The plant's calendar: which day a moment belongs to."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mes_engine.core.errors import NotFound
from mes_engine.core.plant import Shift
from mes_engine.core.site import Site
from tests.core.plants import a_plant

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = (1, 2, 3, 4, 5)
NIGHT = Shift(id="n", name="Night", starts=22 * 60, ends=6 * 60, days=WORKDAYS)
EARLY = Shift(id="e", name="Early", starts=6 * 60, ends=14 * 60, days=WORKDAYS)
ALL_DAY = Shift(id="a", name="All day", starts=6 * 60, ends=6 * 60, days=(1,))


def at(local: str, *, fold: int = 0) -> int:
    moment = datetime.fromisoformat(local).replace(tzinfo=BERLIN, fold=fold)
    return round(moment.timestamp() * 1_000_000)


def business_date(local: str, *shifts: Shift, fold: int = 0) -> str:
    return Site(a_plant(shifts=shifts)).business_date(at(local, fold=fold))


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-01-06 21:59", "2026-01-06"),
        ("2026-01-06 22:00", "2026-01-06"),
        ("2026-01-07 00:00", "2026-01-06"),
        ("2026-01-07 05:59:59.999999", "2026-01-06"),
        ("2026-01-07 06:00", "2026-01-07"),
        ("2026-01-01 03:00", "2025-12-31"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(local: str, day: str) -> None:
    assert business_date(local, EARLY, NIGHT) == day


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-01-10 03:00", "2026-01-09"),
        ("2026-01-11 03:00", "2026-01-11"),
        ("2026-01-12 03:00", "2026-01-12"),
    ],
)
def test_where_no_night_began_the_day_is_the_calendars(local: str, day: str) -> None:
    """Friday's night ends on Saturday; none begins on Saturday or Sunday."""
    assert business_date(local, NIGHT) == day


def test_a_plant_without_shifts_has_the_calendars_days() -> None:
    assert business_date("2026-01-07 00:00") == "2026-01-07"
    assert business_date("2026-01-06 23:59") == "2026-01-06"


def test_a_shift_of_a_whole_day_runs_into_the_next() -> None:
    assert business_date("2026-01-06 05:00", ALL_DAY) == "2026-01-05"
    assert business_date("2026-01-06 07:00", ALL_DAY) == "2026-01-06"


@pytest.mark.parametrize(
    ("local", "fold", "day"),
    [
        ("2026-03-29 01:59", 0, "2026-03-28"),
        ("2026-03-29 03:00", 0, "2026-03-28"),
        ("2026-03-29 05:59", 0, "2026-03-28"),
        ("2026-03-29 06:00", 0, "2026-03-29"),
        ("2026-10-25 02:30", 0, "2026-10-24"),
        ("2026-10-25 02:30", 1, "2026-10-24"),
        ("2026-10-25 06:00", 0, "2026-10-25"),
    ],
)
def test_a_night_in_which_the_clocks_change_is_one_night(
    local: str, fold: int, day: str
) -> None:
    saturday = Shift(id="n", name="Night", starts=22 * 60, ends=6 * 60, days=(6,))

    assert business_date(local, saturday, fold=fold) == day


@pytest.mark.parametrize("moment", [-(2**63), 2**63 - 1, 0])
def test_a_moment_beyond_the_calendar_has_some_day(moment: int) -> None:
    """A device may say any time; that stops no posting."""
    assert Site(a_plant()).business_date(moment)


def test_a_work_unit_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="There is no work unit 'mill-9'"):
        Site(a_plant()).work_unit("mill-9")
    with pytest.raises(NotFound, match="There is no work center 'WC-9'"):
        Site(a_plant()).work_center("WC-9")


def test_the_capable_units_are_those_of_the_class() -> None:
    site = Site(a_plant())

    assert [unit.id for unit in site.capable_units("WC-MILL", "mill")] == [
        "mill-1",
        "mill-2",
    ]
    assert site.capable_units("WC-MILL", "drill") == []
    assert site.capable_units("WC-9", "mill") == []
