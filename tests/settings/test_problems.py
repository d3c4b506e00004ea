"""Each kind of problem, word for word; most of them as data in ``cases/``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.settings import load_site
from tests.settings.builders import (
    ADAPTERS,
    PLANT,
    ROUTING,
    SITE,
    changed,
    load,
    problems,
    write_site,
)

CASES = Path(__file__).parent / "cases"


@pytest.fixture(autouse=True)
def _in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path)
    monkeypatch.chdir(tmp_path)


def cases(name: str) -> Iterator[tuple[str, str, list[str]]]:
    blocks = (CASES / f"{name}.txt").read_text("utf-8").split("\n\n")
    for block in blocks[1:]:
        lines = block.splitlines()
        old, new = (
            "".join(f"{line[1:]}\n" for line in lines if line[0] == sign)
            for sign in "-+"
        )
        yield old, new, [line[2:] for line in lines if line[0] == ">"]


@pytest.mark.parametrize(("old", "new", "expected"), [*cases("plant")])
def test_plant(old: str, new: str, expected: list[str], tmp_path: Path) -> None:
    write_site(tmp_path, plant=changed(PLANT, old, new))

    assert problems() == [f"config/plant.yaml:{line}" for line in expected]


@pytest.mark.parametrize(("old", "new", "expected"), [*cases("site")])
def test_site(old: str, new: str, expected: list[str], tmp_path: Path) -> None:
    write_site(tmp_path, site=changed(SITE, old, new))

    assert problems() == [f"config/site.yaml:{line}" for line in expected]


@pytest.mark.parametrize(("old", "new", "expected"), [*cases("routing")])
def test_routing(old: str, new: str, expected: list[str], tmp_path: Path) -> None:
    write_site(tmp_path, routings={"bracket.yaml": changed(ROUTING, old, new)})

    assert problems() == [f"routings/bracket.yaml:{line}" for line in expected]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a\x01b", "16:12: the character U+0001 is not allowed"),
        ('"a\\0b"', "16:11: work_units.mill-1.name: holds the character U+0000"),
        ('"\\uD800"', "16:11: work_units.mill-1.name: holds the character U+D800"),
        ("[" * 40 + "]" * 40, "16:32: nested deeper than 24 levels"),
        ("[" * 5000, "16:32: nested deeper than 24 levels"),
        (
            "a\n\tb: c",
            "17:1: not YAML: found character '\\t' that cannot start any token",
        ),
    ],
    ids=["control", "escaped-nul", "surrogate", "deep", "very-deep", "tab"],
)
def test_hostile_text(name: str, expected: str, tmp_path: Path) -> None:
    write_site(tmp_path, plant=changed(PLANT, "name: Mill 1", f"name: {name}"))

    assert problems() == [f"config/plant.yaml:{expected}"]


def test_what_is_not_utf_8_is_pointed_at(tmp_path: Path) -> None:
    text = changed(PLANT, "Mill 1", "M\u00fchle M\u00fcller").encode("latin-1")
    (tmp_path / "config/plant.yaml").write_bytes(text)

    assert problems() == ["config/plant.yaml:16:12: not UTF-8"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "config/site.yaml").write_text(SITE + "#" * 512 * 1024)

    assert problems() == ["config/site.yaml:1:1: larger than 512 KiB"]


def test_an_empty_file_and_a_missing_one_say_so(tmp_path: Path) -> None:
    (tmp_path / "config/site.yaml").write_text("# nothing\n")
    (tmp_path / "config/plant.yaml").unlink()

    assert problems() == [
        "config/plant.yaml:1:1: no such file; start from 'plant.example.yaml'",
        "config/site.yaml:1:1: the file is empty",
    ]


def test_directories_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_site(Path("config"), Path("routing"), environment={}, adapters=ADAPTERS)

    assert str(caught.value) == "routing:1:1: no such directory"


def test_a_file_with_a_slip_in_its_name_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "config/plants.yaml").write_text("a: b\n")
    (tmp_path / "routings/shaft.yml").write_text("a: b\n")

    assert problems() == [
        "config/plants.yaml:1:1: no file of this name is read; "
        "did you mean 'plant.yaml'?",
        "routings/shaft.yml:1:1: no file of this name is read; "
        "did you mean 'shaft.yaml'?",
    ]


def test_a_revision_exists_once(tmp_path: Path) -> None:
    write_site(tmp_path, routings={"bracket.yaml": ROUTING, "copy.yaml": ROUTING})

    assert problems() == [
        "routings/copy.yaml:2:11: revision: 'bracket' has this revision in "
        "bracket.yaml already"
    ]


def test_two_revisions_of_one_routing_are_fine(tmp_path: Path) -> None:
    other = changed(ROUTING, "revision: 01", "revision: 02")
    write_site(tmp_path, routings={"bracket.yaml": ROUTING, "copy.yaml": other})

    assert [one.revision for one in load().routings] == ["01", "02"]


def test_a_value_from_the_environment_is_not_repeated(tmp_path: Path) -> None:
    plant = changed(PLANT, "port: 5020", "port: ${PORT}")
    write_site(tmp_path, plant=plant)

    assert problems({"PORT": "s3cret"}) == [
        "config/plant.yaml:31:11: links.cell.port: should be a whole number"
    ]


def test_all_unset_variables_of_a_value_are_named(tmp_path: Path) -> None:
    write_site(tmp_path, site=changed(SITE, "mes.db", "${DIR}/${FILE}.db"))

    assert problems() == [
        "config/site.yaml:2:8: database.url: not set in the environment: DIR and FILE"
    ]
