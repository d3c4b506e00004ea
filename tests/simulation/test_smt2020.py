"""SMT2020's tables are read whole, and what is wrong in them is told by its place."""

from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.site import Site
from mes_engine.simulation.smt2020 import Fab, plant_of, read_fab, routings_of
from mes_engine.simulation.smt2020.model import Per, Shape, Spread
from tests.simulation.fabs import NOT_HERE, REAL, write_fab

MINUTE = 60_000_000
is_there = pytest.mark.skipif(not REAL.exists(), reason=NOT_HERE)


@pytest.fixture(scope="module")
def real() -> Fab:
    return read_fab(REAL)


@is_there
def test_the_real_fab_counts_as_its_readme_says(real: Fab) -> None:
    assert {name: len(steps) for name, steps in real.routes.items()} == {
        "r_3": 583,
        "r_4": 343,
    }
    assert real.part_routes == {"part_3": "r_3", "part_4": "r_4"}
    assert real.tools == 1_443
    assert len(real.tool_groups) == 106
    assert len(real.in_process) == 2_255
    assert {one.pieces for one in real.in_process} == {25}
    assert {one.priority for one in real.releases} == {10, 20, 30}
    assert (len(real.maintenance), len(real.breakdowns)) == (292, 11)


@is_there
def test_the_real_fab_is_an_ordinary_plant_with_ordinary_routings(real: Fab) -> None:
    site = Site(plant_of(real))
    assert len(site.work_units) == 1_443
    for routing in routings_of(real):
        assert routing_problems(routing) == []
        for step in routing.steps:
            assert site.capable_units(step.work_center, step.equipment_class)


@is_there
def test_only_tools_that_take_the_next_lot_early_hold_two(real: Fab) -> None:
    for steps in real.routes.values():
        for one in steps:
            assert (real.tool_groups[one.tool_group].at_once == 2) is bool(one.interval)


def test_the_small_fab_is_read_whole(tmp_path: Path) -> None:
    fab = read_fab(write_fab(tmp_path))
    etch, furnace, look, *_ = fab.routes["r"]
    assert (etch.per, etch.processing.mean, etch.interval) == (
        Per.PIECE,
        MINUTE,
        MINUTE // 2,
    )
    assert (etch.setup, etch.setup_time) == ("acid", 5 * MINUTE)
    assert (etch.window_to, etch.window) == ("2", 120 * MINUTE)
    assert (furnace.batch_least, furnace.batch_most) == (50, 75)
    assert (look.sampled, look.rework, look.rework_from) == (0.5, 0.1, "1")
    assert fab.changeovers == {("acid", "base"): 7 * MINUTE}
    assert fab.minimum_runs == {"base": 7}
    clean, swap = fab.maintenance
    assert (clean.tool_group, clean.first) == ("Furnace", 3 * 1440 * MINUTE)
    assert (swap.tool_group, swap.every_pieces) == ("WE", 500)
    assert fab.breakdowns[0].area == "Wet"
    assert fab.in_process[0].step == "2"
    plant, (routing,) = plant_of(fab), routings_of(fab)
    assert [one.id for one in plant.work_units] == [
        *("WE-01", "WE-02", "Furnace-01", "Met-01", "Bench-01"),
    ]
    assert routing.step("1").setup_family == "acid"
    assert routing.step("2").run_s == Decimal(240 * 60) / 25
    assert [(one.source, one.target) for one in routing.connections] == [
        ("1", "2"),
        ("2", "3"),
        ("2", "4"),
        ("3", "4"),
        ("4", "5"),
    ]
    assert routing.step("5").same_unit_as == "1"
    (loop,) = routing.rework
    assert (loop.source, loop.target) == ("3", "1")
    (window,) = routing.time_windows
    assert (window.source, window.target, window.max_s) == ("1", "2", Decimal(7_200))
    furnaces = Site(plant).work_unit("Furnace-01")
    rule = Site(plant).batch_rule(furnaces)
    assert rule is not None
    assert (rule.least, rule.most) == (Decimal(50), Decimal(75))


@pytest.mark.parametrize(
    ("table", "line", "column", "value", "told"),
    [
        ("route", 3, "STNFAM", "Furnce", "no 'Furnce'; did you mean 'Furnace'?"),
        ("route", 2, "PTIME", "-1", "PTIME: '-1' is no number of 0 or more"),
        ("route", 2, "PTUNITS", "week", "'week' is none of sec, min, hr, day"),
        ("route", 2, "PTPER", "per_wafer", "is none of per_piece, per_lot, per_batch"),
        ("route", 3, "BATCHMN", "80", "a batch, and only a batch, has a least"),
        ("route", 3, "STEP", "1", "STEP: '1' is in line 2 already"),
        ("route", 4, "RWKSTEP", "3", "the step has to come before this one"),
        ("route", 4, "StepPercent", "101", "101 % is more than all"),
        ("route", 2, "STEP_CQT", "9", "there is no '9'"),
        ("part", 2, "ROUTEFILE", "none.txt", "none.txt:1:1: cannot be read"),
        ("tool", 2, "STNQTY", "0", "a group has at least one tool"),
        ("tool", 2, "STNFAMLOC", "Out", "there is no 'Out'"),
        ("pmcal", 2, "MTBPM", "0", "maintenance cannot be due all the time"),
        ("pmcal", 2, "MTTR2", "9", "'9' lets the time fall below 0"),
        ("downcal", 2, "MTTF", "0", "the mean of an exponential time is above 0"),
        ("attach", 2, "CALNAME", "clear", "there is no 'clear'; did you mean 'clean'?"),
        ("attach", 4, "RESNAME", "Wat", "there is no 'Wat'; did you mean 'Wet'?"),
        ("order", 2, "START", "2018-01-01", "is no date such as"),
        ("order", 2, "REPEAT", "0", "lots are started at a constant interval above 0"),
        ("WIP", 2, "CURSTEP", "9", "there is no '9'"),
        ("WIP", 2, "PIECES", "2.5", "'2.5' is no whole number"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_line(
    tmp_path: Path, *, table: str, line: int, column: str, value: str, told: str
) -> None:
    folder = write_fab(tmp_path, **{table: (line, column, value)})
    with pytest.raises(SettingsError) as caught:
        read_fab(folder)
    message = str(caught.value)
    assert told in message
    if table != "part":
        suffix = "txt.1l" if table == "tool" else "txt"
        assert f"{folder / table}.{suffix}:{line}:" in message


def test_a_folder_without_the_tables_names_each(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_fab(tmp_path)
    for name in ("tool.txt.1l", "part.txt", "order.txt", "WIP.txt", "setup.txt"):
        assert f"{tmp_path / name}:1:1: cannot be read" in str(caught.value)


def test_times_spread_about_their_mean() -> None:
    chance = Random(1)
    uniform = [Spread(Shape.UNIFORM, 100, 20).sample(chance) for _ in range(2_000)]
    assert 90 <= min(uniform) < 92
    assert 108 < max(uniform) <= 110
    drawn = [Spread(Shape.EXPONENTIAL, 1_000).sample(chance) for _ in range(20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(1_000, rel=0.03)
    assert Spread(Shape.CONSTANT, 7).sample(chance) == 7
