"""``mes genealogy``: what a lot came of, in words and as JSON."""

from pathlib import Path

import pytest

from mes_engine.migrations import upgrade
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_day
from tests.commands import mes
from tests.databases import url_in


@pytest.fixture
async def day(tmp_path: Path) -> str:
    """A database with a day's work in it."""
    upgrade(url_in(tmp_path))
    database = Database.open(url_in(tmp_path))
    shop = Shop()
    a_day(shop)
    await SqlStore(database).commit(*shop.take())
    await database.close()
    return url_in(tmp_path)


def test_a_lot_is_told_both_ways(day: str) -> None:
    forward = mes("genealogy", "L-000001", "--forward", "--json", "--database", day)
    edges = [one["edge"] for one in forward.plain["steps"]]
    made, part = dict.fromkeys(one["target"] for one in edges)
    kinds = sorted((one["kind"], one["target"]) for one in edges)
    assert kinds == [
        ("consumed", made),
        ("consumed", made),
        ("consumed", part),
        ("split", part),
    ]

    backward = mes("genealogy", part, "--database", day)
    as_json = mes("genealogy", part, "--json", "--database", day).plain

    assert (backward.code, backward.err) == (0, "")
    assert backward.out.startswith(f"{part} ")
    assert f"  L-000001 BAR -> {part} " in backward.out
    came = [one["edge"]["source"] for one in as_json["steps"]]
    assert sorted(came) == ["L-000001"] * 3 + [made]
    assert as_json["work"][0]["step"]
    assert "\nMeasured:\n" in backward.out
    assert "JO-000002: width 40.1 MMT, by " in backward.out
    assert "JO-000002: width 4.01 MMT (voided: typed), by " in backward.out
    measured = [one["measurement"]["value"] for one in as_json["measurements"]]
    assert measured == ["40.1", "4.01"]


def test_an_unknown_lot_is_refused(day: str) -> None:
    said = mes("genealogy", "L-9", "--database", day)

    assert said.code == 1
    assert "There is no lot 'L-9'." in said.err
