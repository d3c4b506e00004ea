"""``mes db`` and ``mes verify``: they look, say what they see, and touch no more."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mes_engine.migrations import head, upgrade
from mes_engine.storage.chain import UNKEYED, ChainKey, read_or_make_keys
from mes_engine.storage.database import Database
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_day
from tests.commands import CONFIG, mes
from tests.databases import url_in

VERIFY = ("verify", "--json")
LOOKS = [("verify",), ("db", "status")]


@pytest.fixture
async def day(tmp_path: Path) -> str:
    """A database with a day's work in it."""
    return await a_day_in(tmp_path, UNKEYED)


async def a_day_in(folder: Path, key: ChainKey) -> str:
    upgrade(url_in(folder))
    database = Database.open(url_in(folder))
    shop = Shop()
    a_day(shop)
    await SqlStore(database, key=key).commit(*shop.take())
    await database.close()
    return url_in(folder)


def sql(folder: Path, statement: str) -> None:
    """Change the file behind the engine's back."""
    with closing(sqlite_driver().connect(folder / "mes.db")) as raw:
        assert raw.execute(statement).rowcount
        raw.commit()


def test_a_database_is_made_and_then_left_alone(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    made = mes("db", "upgrade", "--database", url)
    again = mes("db", "upgrade", "--database", url)
    assert (made.code, again.code) == (0, 0)
    assert made.out == f"{url} is at {head()} now; it was empty.\n"
    assert again.out == f"{url} is at {head()} already.\n"


def test_the_status_of_a_database(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    upgrade(url)
    said = mes("db", "status", "--database", url)
    assert (said.code, said.err) == (0, "")
    assert mes("db", "status", "--json", "--database", url).plain == {
        "database": url,
        "revision": head(),
        "head": head(),
    }


def test_a_database_that_is_behind_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "mes.db").touch()
    said = mes("db", "status", "--json", "--database", url_in(tmp_path))
    assert said.code == 1
    assert said.plain["revision"] is None


def test_the_database_is_the_one_that_the_site_names(tmp_path: Path) -> None:
    upgrade(url_in(tmp_path))
    said = mes(
        *("db", "status", "--json", "--config", str(CONFIG)),
        MES_DATABASE_URL=url_in(tmp_path),
    )
    assert said.plain["database"] == url_in(tmp_path)


def test_what_the_journal_made_is_verified(day: str) -> None:
    said = mes("verify", "--database", day)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("No problems found in ")
    plain = mes("verify", "--json", "--database", day).plain
    assert plain["ok"]
    assert plain["problems"] == []
    assert all(count > 0 for count in plain["counts"].values())


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE position SET out = out + 1000000 WHERE place LIKE 'WR-1%10%'",
            "position",
        ),
        ("UPDATE job_order SET state = 'aborted' WHERE number = 1", "job_order.state"),
        ("DELETE FROM work_request WHERE id = 'WR-2'", "work_request"),
    ],
)
def test_what_was_changed_by_hand_is_named(
    day: str, tmp_path: Path, statement: str, told: str
) -> None:
    sql(tmp_path, statement)
    said = mes("verify", "--json", "--database", day)
    assert said.code == 1
    assert not said.plain["ok"]
    assert any(one.startswith(told) for one in said.plain["problems"])


def test_what_is_wrong_is_told_in_words(day: str, tmp_path: Path) -> None:
    sql(tmp_path, "UPDATE job_order SET state = 'aborted' WHERE number = 1")
    said = mes("verify", "--database", day)
    assert said.code == 1
    assert said.out.startswith("job_order.state JO-000001: ")
    assert "\n1 problems found in " in said.out


def test_where_the_journal_was_changed_is_said_and_what_to_do(
    day: str, tmp_path: Path
) -> None:
    sql(tmp_path, "DROP TRIGGER fact_no_update")
    sql(tmp_path, "UPDATE fact SET recorded_at = recorded_at + 1 WHERE seq = 7")
    said = mes("verify", "--database", day)
    assert said.code == 1
    assert said.out.startswith("chain 7: it is not what was written there")
    assert "not as it was written, first at 7. Keep this database as it is" in said.out


async def test_a_chain_with_keys_is_followed_by_whoever_names_them(
    tmp_path: Path,
) -> None:
    (key,), _ = read_or_make_keys(tmp_path / "journal.key")
    read_or_make_keys(tmp_path / "other.key")
    url = await a_day_in(tmp_path, key)

    unnamed = mes("verify", "--database", url)
    assert unnamed.code == 0
    assert "facts were not held against the journal's chain" in unnamed.out

    named = mes(*VERIFY, "--key-file", str(tmp_path / "journal.key"), "--database", url)
    assert (named.code, named.plain["unchecked"]) == (0, 0)

    other = mes(*VERIFY, "--key-file", str(tmp_path / "other.key"), "--database", url)
    assert other.code == 1
    assert f"with key {key.id}, which is not known" in other.plain["problems"][0]

    none = mes("verify", "--database", url, "--key-file", str(tmp_path / "no.key"))
    assert none.code == 3


def test_verify_looks_at_its_own_schema_only(day: str, tmp_path: Path) -> None:
    sql(tmp_path, "UPDATE alembic_version SET version_num = '0001'")
    said = mes("verify", "--database", day)
    assert (said.code, said.out) == (3, "")
    assert "revision 0001" in said.err
    assert "mes db upgrade" in said.err


def test_the_schema_of_a_newer_version_is_not_touched(day: str, tmp_path: Path) -> None:
    sql(tmp_path, "UPDATE alembic_version SET version_num = '9999'")
    said = mes("db", "upgrade", "--database", day)
    assert said.code == 3
    assert "Run the version that upgraded it" in said.err


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_looking_for_a_database_does_not_make_one(
    tmp_path: Path, look: tuple[str, ...]
) -> None:
    said = mes(*look, "--database", url_in(tmp_path))
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        f"There is no database {tmp_path / 'mes.db'}. "
        "Look for it elsewhere, or make it with `mes db upgrade`.\n"
    )
    assert not list(tmp_path.iterdir())


def _nothing(_: Path) -> None:
    pass


def _a_text(file: Path) -> None:
    file.write_text("Dear diary, " * 100)


def _a_folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize(
    ("command", "make", "url"),
    [
        ("verify", _a_text, "sqlite:///mes.db"),
        ("db upgrade", _a_text, "sqlite:///mes.db"),
        ("db status", _a_folder, "sqlite:///mes.db"),
        ("verify", _nothing, "postgresql://host/mes"),
        ("db status", _nothing, "nonsense"),
    ],
)
def test_what_is_no_database_is_said_in_a_sentence(
    tmp_path: Path, command: str, make: Callable[[Path], None], url: str
) -> None:
    make(tmp_path / "mes.db")
    said = mes(*command.split(), "--database", url, folder=tmp_path)
    assert (said.code, said.out) == (3, "")
    assert len(said.err.splitlines()) == 1
