"""A backup beside one who commits: a moment of it, whole, and nobody waits for it."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mes_engine.core.errors import Refused, SettingsError
from mes_engine.migrations import upgrade
from mes_engine.storage.backup.postgresql import dump_moment, restore_dump
from mes_engine.storage.backup.sqlite import copy_moment
from mes_engine.storage.database import Database
from mes_engine.storage.journal import head
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import VerifyReport, verify
from tests import postgres
from tests.builders import Shop, a_request, a_site

COMMITS = 40


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A file of SQLite, whatever else tests are run on."""
    upgrade(f"sqlite:///{tmp_path / 'mes.db'}")
    opened = Database.open(f"sqlite:///{tmp_path / 'mes.db'}")
    yield opened
    await opened.close()


async def a_commit(store: SqlStore, shop: Shop) -> None:
    a_request(shop, f"WR-{shop.batch.seq}")
    await store.commit(*shop.take())


async def looked_at(url: str) -> tuple[int, VerifyReport]:
    """Return how far a database goes, and what verify finds in it."""
    database = Database.open(url)
    try:
        return await database.read(head), await database.read(verify)
    finally:
        await database.close()


async def test_commits_go_on_while_a_moment_is_copied(
    database: Database, tmp_path: Path
) -> None:
    store, shop = SqlStore(database), Shop()
    a_site(shop)
    await store.commit(*shop.take())
    before = shop.committed.seq
    url = f"sqlite:///{tmp_path / 'mes.db'}"

    # So slowly that there are many commits between two parts of it.
    copying = asyncio.get_running_loop().run_in_executor(
        None, lambda: copy_moment(url, tmp_path / "copy.db", pages=5, pause_s=0.005)
    )
    commits = 0
    while not copying.done():
        await a_commit(store, shop)
        commits += 1
    moment = await copying

    assert commits > 1
    assert before <= moment.seq < shop.committed.seq
    assert moment.plant == "TEST"
    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("copy.db-*")))
    seq, report = await looked_at(f"sqlite:///{tmp_path / 'copy.db'}")
    assert seq == moment.seq
    assert not report.problems


async def test_a_copy_has_what_is_in_the_log_only(
    database: Database, tmp_path: Path
) -> None:
    store, shop = SqlStore(database), Shop()
    a_site(shop)
    for _ in range(COMMITS):
        await a_commit(store, shop)
    assert (tmp_path / "mes.db-wal").stat().st_size

    moment = copy_moment(f"sqlite:///{tmp_path / 'mes.db'}", tmp_path / "copy.db")

    assert moment.seq == shop.committed.seq
    file = sqlite3.connect(tmp_path / "copy.db")
    ((last,),) = file.execute("SELECT max(seq) FROM fact").fetchall()
    file.close()
    assert last == moment.seq


def test_what_is_no_file_of_sqlite_is_said(tmp_path: Path) -> None:
    (tmp_path / "diary.db").write_text("Dear diary, " * 100)

    with pytest.raises(SettingsError, match="cannot be used"):
        copy_moment(f"sqlite:///{tmp_path / 'diary.db'}", tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pg_dump and pg_restore on the path."""
    postgres.skip_without()
    monkeypatch.setenv("PATH", str(postgres.programs()), prepend=os.pathsep)


async def test_a_server_is_dumped_and_restored_into_an_empty_database(
    tmp_path: Path, client: None
) -> None:
    url = postgres.shared().migrated()
    database = Database.open(url)
    shop = Shop()
    a_site(shop)
    await SqlStore(database).commit(*shop.take())
    await database.close()

    moment = dump_moment(url, tmp_path / "mes.dump")
    fresh = postgres.shared().fresh()
    restore_dump(fresh, tmp_path / "mes.dump")

    seq, report = await looked_at(fresh)
    assert seq == moment.seq == shop.committed.seq
    assert not report.problems


def test_a_server_is_restored_into_an_empty_database_only(
    tmp_path: Path, client: None
) -> None:
    url = postgres.shared().migrated()
    dump_moment(url, tmp_path / "mes.dump")

    with pytest.raises(Refused, match="is not empty; nothing is overwritten"):
        restore_dump(url, tmp_path / "mes.dump")


def test_what_the_client_says_is_said(tmp_path: Path, client: None) -> None:
    (tmp_path / "mes.dump").write_text("Dear diary")

    with pytest.raises(SettingsError, match="valid archive"):
        restore_dump(postgres.shared().fresh(), tmp_path / "mes.dump")
