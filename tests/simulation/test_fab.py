"""A fab runs by the core's own decisions; the same seed gives the same."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from mes_engine.cli.app import app
from mes_engine.core import facts as f
from mes_engine.core.plant import DispatchRule
from mes_engine.core.site import Site
from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.shop import VirtualShop
from mes_engine.simulation.smt2020 import (
    FabReport,
    plant_of,
    read_fab,
    routings_of,
    simulate_fab,
)
from mes_engine.simulation.smt2020.floor import FabFloor
from mes_engine.simulation.smt2020.lots import Lot
from mes_engine.simulation.smt2020.measures import DAY_US
from mes_engine.simulation.smt2020.tools import Tool, lot_for_setup
from tests.simulation.fabs import NOT_HERE, REAL, write_fab

pytestmark = pytest.mark.usefixtures("logging_as_it_was")
DAYS = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_fab(tmp_path)


def run(folder: Path, *, seed: int = 1, days: int = DAYS) -> FabReport:
    return simulate_fab(read_fab(folder), days=days, seed=seed)


def test_lots_in_are_lots_out_and_lots_there(folder: Path) -> None:
    report = run(folder)
    (product,) = report.products
    assert product.in_process == 1
    assert product.released == DAYS * 12
    assert product.in_process + product.released == product.completed + product.wip
    assert product.completed > 0.8 * product.released
    assert product.pieces == 25 * product.completed
    assert report.law_checks == DAYS


def test_each_lot_takes_as_many_operations_as_its_sample_asks(folder: Path) -> None:
    report = run(folder)
    (product,) = report.products
    # Four steps, and the measurement of about a half; a tenth of those come again.
    assert 4.3 < report.operations / product.completed < 5
    assert 0.01 < report.reworked / product.completed < 0.1


def test_the_same_seed_gives_the_same_to_the_last_lot(folder: Path) -> None:
    assert run(folder) == run(folder)
    assert run(folder) != run(folder, seed=2)


def test_what_stands_still_is_counted_and_makes_lots_late(folder: Path) -> None:
    report = run(folder)
    assert report.breakdowns > 0
    # The furnace on days 3, 10 and 17; each 20 lots on a wet bench besides.
    assert report.maintenance > 3


def test_a_lot_is_rinsed_on_the_tool_that_etched_it(folder: Path) -> None:
    fab = read_fab(folder)
    shop = VirtualShop(plant_of(fab), routings_of(fab), at=fab.start)
    ran: dict[tuple[str, str], str] = {}

    def hear(records: Sequence[f.Recorded]) -> None:
        for one in records:
            if isinstance(one.fact, f.RunOpened):
                job = shop.state.job_order.get(one.fact.run.job_orders[0])
                assert job is not None
                ran[job.request, job.step] = one.fact.run.work_unit

    shop.listen(hear)
    lots = replace(fab, in_process=())
    floor = FabFloor(lots, shop, Calendar(fab.start), Random(1))
    floor.begin()
    floor.run(until=fab.start + 5 * DAY_US)
    rinsed = [lot for lot, step in ran if step == "5"]
    assert len(rinsed) > 40
    assert all(ran[lot, "5"] == ran[lot, "1"] for lot in rinsed)
    assert {ran[lot, "1"] for lot in rinsed} == {"WE-01", "WE-02"}


def test_a_batch_of_too_few_waits(folder: Path) -> None:
    few = write_fab(folder, order=(2, "RPT#", "1"))
    (product,) = run(few).products
    assert (product.in_process, product.released, product.completed) == (1, 1, 2)
    alone = read_fab(write_fab(folder, order=(2, "RPT#", "0")))
    (product,) = simulate_fab(alone, days=2, seed=1).products
    assert (product.completed, product.wip) == (0, 1)


def test_a_tool_is_set_up_once_for_the_only_setup_there_is(folder: Path) -> None:
    assert run(folder).setups == 2  # Both wet benches, at their first lot.


def test_a_setup_runs_its_least_before_it_is_changed(folder: Path) -> None:
    fab = read_fab(write_fab(folder, route=(6, "SETUP", "base")))
    unit = Site(plant_of(fab)).work_unit("WE-01")
    tool = Tool(unit, fab.tool_groups["WE"])
    tool.setup, tool.ran = "base", 6

    def a_lot(at: int, priority: int = 10) -> Lot:
        return Lot(
            "L",
            "p",
            fab.routes["r"],
            pieces=25,
            priority=priority,
            due=0,
            began_at=0,
            at=at,
        )

    etch, rinse, hot = a_lot(0), a_lot(4), a_lot(4, priority=20)
    waiting = {"JO-1": etch, "JO-2": rinse, "JO-3": hot, "JO-4": etch}

    def taken(least: int, *names: str) -> str:
        there = {one: waiting[one] for one in names or waiting}
        return lot_for_setup(tool, least, there, lambda _: True)

    assert taken(7) == "JO-3"
    assert taken(6) == ""  # It has run as many: the rule chooses.
    assert taken(7, "JO-1", "JO-2") == "JO-2"
    assert taken(7, "JO-1", "JO-4") == ""  # None waits for it.
    rinse.bound["5"] = "WE-02"
    assert taken(7, "JO-1", "JO-2") == ""


def test_a_setup_is_kept_in_a_run(folder: Path) -> None:
    for least, is_kept in (("1", False), ("7", True)):
        two_setups = write_fab(
            folder, route=(6, "SETUP", "base"), setupgrp=(2, "MINRUN", least)
        )
        report = simulate_fab(read_fab(two_setups), days=3, seed=1)
        assert bool(report.kept_setups) is is_kept


def test_windows_that_are_over_are_counted_and_the_lot_goes_on(folder: Path) -> None:
    tight = write_fab(folder, route=(2, "CQT", "0.1"))
    report = run(tight)
    (product,) = report.products
    assert report.windows_violated > 0.5 * product.released
    assert product.completed > 0.8 * product.released


def test_mes_simulate_prints_the_balance(folder: Path) -> None:
    answer = CliRunner().invoke(
        app, ["simulate", str(folder), "--days", "3", "--warm-start", "WIP.txt"]
    )
    assert answer.exit_code == 0
    assert "lots in = out + there" in answer.stdout
    assert "lot operations a CPU second" in answer.stdout
    assert "day 3: " in answer.stderr


def test_mes_simulate_takes_another_rule(folder: Path) -> None:
    arguments = ["simulate", str(folder), "--days", "3", "--rule", "edd", "--json"]
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0
    assert '"law_checks": 3' in answer.stdout
    assert DispatchRule.EDD.value in arguments


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason=NOT_HERE)
def test_a_day_of_the_real_fab_loses_nothing() -> None:
    report = simulate_fab(read_fab(REAL), days=1, seed=1)
    came = sum(one.in_process + one.released for one in report.products)
    assert came == sum(one.completed + one.wip for one in report.products)
    assert came >= 2_255 + 55
    assert report.operations > 15_000
