"""``mes``, ``mes check``, ``mes routing show``: what needs no database."""

import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.commands import CONFIG, ROUTINGS, SITE, mes

POSITION = re.compile(r"\S+\.yaml:\d+:\d+: ")
DEAR = {"asyncua", "sqlalchemy", "fastapi", "pymodbus"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the demo's site, to be spoilt."""
    shutil.copytree(CONFIG, tmp_path / "config")
    shutil.copytree(ROUTINGS, tmp_path / "routings")
    return tmp_path


def spoil(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


def test_it_says_its_version() -> None:
    assert mes("version").out == f"mes-engine {version('mes-engine')}\n"
    assert mes("version", "--json").plain == {"version": version("mes-engine")}


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["check", "--nonsense"],
        ["routing", "show"],
        ["run", "--ready-file"],
        ["demo", "--orders", "many"],
        ["demo", "--port", "70000"],
        ["--log-level", "LOUD", "version"],
    ],
    ids=" ".join,
)
def test_what_it_does_not_understand_is_a_usage_error(arguments: list[str]) -> None:
    said = mes(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "Error: " in said.err
    assert "Traceback" not in said.err


def test_help_names_every_command() -> None:
    said = mes("--help")
    assert said.code == 0
    for name in ("demo", "run", "check", "routing", "db", "verify", "replay"):
        assert f"\n  {name} " in said.out


@pytest.mark.parametrize("argument", ["--help", "version"])
def test_what_is_asked_often_imports_nothing_dear(argument: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "mes_engine", argument]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    names = (line.rpartition("|")[2].strip() for line in done.stderr.splitlines())
    imported = {name.partition(".")[0] for name in names}
    assert "typer" in imported
    assert imported.isdisjoint(DEAR)


def test_good_files_are_good() -> None:
    said = mes("check", *SITE)
    assert (said.code, said.err) == (0, "")
    assert "8 work units" in said.out
    plain = mes("check", "--json", *SITE).plain
    assert plain["ok"]
    assert plain["routings"] == ["bracket A", "housing A", "shaft B"]
    assert plain["links"] == ["cell", "line"]


def test_every_problem_is_named_with_its_place(site: Path) -> None:
    spoil(site / "config/plant.yaml", "zone: Europe/Berlin", "zone: Europe/Bärlin")
    spoil(site / "routings/bracket.yaml", "work_center: MILLING", "work_center: MILING")

    said = mes("check", folder=site)

    assert (said.code, said.out) == (3, "")
    problems = said.err.splitlines()
    assert len(problems) == 2
    assert all(POSITION.match(problem) for problem in problems)
    assert problems[0].startswith("config/plant.yaml:8:9: ")
    assert "did you mean 'MILLING'?" in problems[1]
    in_json = mes("check", "--json", folder=site)
    assert in_json.code == 3
    assert in_json.plain == {"ok": False, "problems": problems}


def test_a_site_without_files_is_told_what_is_missing(tmp_path: Path) -> None:
    said = mes("check", folder=tmp_path)
    assert said.code == 3
    assert "config/plant.yaml:1:1: no such file" in said.err


def test_a_routing_is_shown() -> None:
    said = mes("routing", "show", "shaft", *SITE)
    assert said.code == 0
    for told in ("shaft revision B", "SHAFT-30", "Gauge and look", "alternative"):
        assert told in said.out
    plain = mes("routing", "show", "shaft", "--json", *SITE).plain
    assert plain["steps"][0]["id"] == "turn"
    assert plain["over_tolerance"] == "0.1"


def test_an_unknown_routing_is_refused_with_those_that_are_known() -> None:
    said = mes("routing", "show", "shift", *SITE)
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "There is no routing 'shift'. Known: bracket, housing, shaft.\n"
    )


def test_a_routing_of_a_spoilt_site_is_not_shown(site: Path) -> None:
    spoil(site / "routings/shaft.yaml", "revision: B", "revisoin: B")
    said = mes("routing", "show", "bracket", folder=site)
    assert said.code == 3
    assert POSITION.match(said.err)


def test_a_plan_tells_what_devices_will_be_asked_for() -> None:
    said = mes("adapters", "plan", "line", "--config", str(CONFIG), "--json")
    weigher, first, *_ = said.plain["plan"]
    assert (weigher["unit"], weigher["tags"][0]) == (4, "pack-1.request")
    assert (first["link"], first["unit"], first["table"]) == ("line", 1, "holding")
    assert (first["start"], first["count"], first["period_s"]) == (0, 5, 0.1)
    assert first["tags"] == ["press-1.good", "press-1.scrap", "press-1.state"]
    assert len(said.plain["plan"]) == 5
    plain = mes("adapters", "plan", "line", "--config", str(CONFIG)).out.splitlines()
    assert plain[1].startswith(
        "line: unit 1, table holding, start 0, count 5, every 0.1 s"
    )
    assert plain[-1].startswith("line: handshake pack-1.weighed does measure")
    assert len(plain) == 6


def test_a_plan_of_no_link_says_which_there_are() -> None:
    said = mes("adapters", "plan", "lines", "--config", str(CONFIG))
    assert said.code != 0
    assert "cell, line" in said.err


def test_tags_that_do_not_go_together_are_shown_where_they_stand(site: Path) -> None:
    plant = site / "config" / "plant.yaml"
    spoil(plant, "    poll_s: 0.1\n", '    poll_s: 0.1\n    forbid: ["2"]\n')
    said = mes("check", "--config", str(plant.parent), "--routings", str(ROUTINGS))
    assert said.code == 3
    lines = [line for line in said.err.splitlines() if "forbidden" in line]
    assert POSITION.search(lines[0])
    assert "work_units.press-1.signals.scrap.at.address: is forbidden" in lines[0]
