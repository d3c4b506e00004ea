"""What can be wrong with the settings of a log, and with the log as a whole."""

import gzip
from pathlib import Path

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.replay import replay
from mes_engine.replay.log_settings import read_log_settings
from mes_engine.settings import installed_adapters, load_site
from tests.replay.logs import HEADER, SETTINGS, replayed, row

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("span: h:mm", "span: h:m", "3:7: span: should be 'h:mm', 'h:mm:ss',"),
        ("Europe/Berlin", "Europe/Berlim", "did you mean 'Europe/Berlin'?"),
        ("%Y-%m-%d %H:%M", "%Q", "2:17: times.format: '%Q' cannot be used to read"),
        ("%Y-%m-%d %H:%M", "%Y %Y", "cannot be used to read times"),
        ("%Y-%m-%d %H:%M", "%H:%M", "does not tell day and minute"),
        ("machine", "machine\n  machines: x", "columns.machines: unknown key"),
        ("B: breakdown", "B: breakdwon", "did you mean 'breakdown'?"),
        ("rework_words: [yes]", "", "say which words of this column mean rework"),
        ("active: 2", "active: 0", "allows.lanes.active: should be at least 1"),
        ("over_tolerance: 1", "over_tolerance: -1", "should be at least 0"),
        ("span: h:mm", "span: h:mm\nfile: {encoding: utf-9}", "no text encoding"),
        ("span: h:mm", "span: h:mm\nfile: {encoding: hex}", "no text encoding"),
    ],
)
def test_a_problem_is_named_by_its_place(
    old: str, new: str, problem: str, tmp_path: Path
) -> None:
    assert SETTINGS.count(old) >= 1
    path = tmp_path / "log.yaml"
    path.write_text(SETTINGS.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(SettingsError) as caught:
        read_log_settings(path)

    assert f"{path}:" in str(caught.value)
    assert problem in str(caught.value)


async def test_a_column_that_the_log_has_not(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        await replayed(tmp_path, header=HEADER.replace("machine", "maschine"))

    assert str(caught.value) == (
        f"{tmp_path}/log.yaml:7:13: columns.resource: the log has no column 'machine'; "
        "did you mean 'maschine'?"
    )


async def test_a_column_that_the_log_has_twice(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="the log has 2 columns 'good'"):
        await replayed(tmp_path, header=HEADER.replace("bad", "good"))


async def test_lanes_of_a_machine_that_the_log_has_not(tmp_path: Path) -> None:
    settings = f"{SETTINGS}  lanes_of: {{Mil 1: {{active: 3}}}}\n"

    with pytest.raises(SettingsError, match="did you mean 'Mill 1'"):
        await replayed(tmp_path, row("06:00", "07:00"), settings=settings)


@pytest.mark.parametrize("compression", ["gzip", "none"])
async def test_a_log_that_cannot_be_unpacked(compression: str, tmp_path: Path) -> None:
    log, yaml = tmp_path / "log.csv.gz", tmp_path / "log.yaml"
    log.write_bytes(gzip.compress(HEADER.encode())[:-9])
    yaml.write_text(f"{SETTINGS}file: {{compression: {compression}}}\n")

    with pytest.raises(SettingsError):
        await replay(log, yaml, database_url=f"sqlite:///{tmp_path}/mes.db")
    assert not (tmp_path / "mes.db").exists()


async def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    yaml = tmp_path / "log.yaml"
    yaml.write_text(SETTINGS)

    with pytest.raises(SettingsError, match="No such file"):
        await replay(tmp_path / "no.csv", yaml, database_url="sqlite:///no.db")


def test_the_settings_of_the_real_log_can_be_used() -> None:
    assert read_log_settings(ROOT / "config/replay/job_shop.yaml").says.unit == "C62"


def test_they_do_not_disturb_the_site() -> None:
    site = load_site(
        ROOT / "config", None, environment={}, adapters=installed_adapters()
    )

    assert site.plant.site
