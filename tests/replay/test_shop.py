"""The plant and the routings that are made of a log."""

from pathlib import Path

from mes_engine.core.routing_problems import routing_problems
from mes_engine.replay.log_settings import read_log_settings
from mes_engine.replay.rows import read_log
from mes_engine.replay.shop import Shop, ids_of, shop_of
from tests.replay.logs import SETTINGS, row, write


def shop(folder: Path, *rows: str, settings: str = SETTINGS) -> Shop:
    log, yaml = write(folder, rows, settings=settings)
    says = read_log_settings(yaml)
    return shop_of(read_log(log, says).rows, says)


def test_names_that_would_share_an_id_get_one_each() -> None:
    ids = ids_of(["Mill 1", "Mill-1", "MILL 1", "Oven", "\u00f6\u00e4"])

    assert len({one.casefold() for one in ids.values()}) == 5
    assert ids["Oven"] == "Oven"
    assert ids_of(reversed(ids)) == ids


def test_steps_follow_each_other_by_their_first_start(tmp_path: Path) -> None:
    made = shop(
        tmp_path,
        row("09:00", "10:00", task="Pack"),
        row("06:00", "07:00", task="Mill"),
        row("08:00", "09:00", task="Turn"),
        row("09:30", "09:40", task="Mill"),
    )

    routing = made.orders["A"].routing
    assert [one.name for one in routing.steps] == ["Mill", "Turn", "Pack"]
    assert routing_problems(routing) == []


def test_machines_that_took_turns_are_one_work_center(tmp_path: Path) -> None:
    made = shop(
        tmp_path,
        row("06:00", "07:00", machine="M1"),
        row("07:00", "08:00", machine="M2"),
        row("08:00", "09:00", machine="M3", order="B"),
        row("09:00", "10:00", machine="M2", order="B"),
        row("06:00", "07:00", machine="Bench", order="B", task="Pack"),
    )

    centers = {one.name: one.work_center for one in made.plant.work_units}
    assert centers == {"M1": "M1", "M2": "M1", "M3": "M1", "Bench": "Bench"}
    assert {one.id for one in made.plant.work_centers} == {"M1", "Bench"}


def test_lanes_are_as_the_shop_says(tmp_path: Path) -> None:
    made = shop(
        tmp_path,
        row("06:00", "07:00"),
        row("07:00", "08:00", machine="Bench"),
        settings=f"{SETTINGS}  lanes_of: {{Bench: {{active: 7}}}}\n",
    )

    assert {one.name: one.active for one in made.plant.work_units} == {
        "Mill 1": 2,
        "Bench": 7,
    }
