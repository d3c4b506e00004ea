"""PostgreSQL is used only where it keeps what it is told, and said to be so."""

import asyncio
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import Connection, text

from mes_engine.core.errors import SettingsError
from mes_engine.ports import StoreUnavailable
from mes_engine.storage import postgresql
from mes_engine.storage.database import Database
from mes_engine.storage.fence import WRITERS_LOCK
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import verify
from tests import postgres
from tests.builders import Shop, a_day, a_request, a_site


@pytest.fixture
def url() -> str:
    postgres.skip_without()
    return postgres.shared().migrated()


def test_without_the_driver_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(postgresql, "import_module", without)
    with pytest.raises(SettingsError, match=r"pip install 'mes-engine\[postgresql\]'"):
        Database.open("postgresql://here/mes")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("postgresql+asyncpg://here/mes", "names a driver that is not used"),
        ("postgresql://here", "names no database"),
        ("postgresql://here:0x/mes", "no database URL"),
    ],
)
def test_a_wrong_url_is_said(wrong: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Database.open(wrong)


def test_a_password_is_not_said(url: str) -> None:
    secret = url.replace("postgres@", "nobody:hush@").replace("/mes_", "/none_")

    with pytest.raises(SettingsError, match="cannot be used") as caught:
        Database.open(secret)

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [("synchronous_commit", "off"), ("synchronous_commit", "local")],
)
def test_a_server_that_may_lose_commits_is_refused(
    url: str, setting: str, wrong: str
) -> None:
    name = url.split("/")[3].split("?", maxsplit=1)[0]
    postgres.shared().run(f"ALTER DATABASE {name} SET {setting} = {wrong}")

    with pytest.raises(SettingsError, match=f"keeps {setting} at '{wrong}'"):
        Database.open(url)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_pages_is_refused(setting: str) -> None:
    postgres.skip_without()
    with postgres.a_server(f"{setting}=off") as server:
        server.run("CREATE DATABASE mes")
        with pytest.raises(SettingsError, match=f"keeps {setting} at 'off'"):
            Database.open(server.dsn("mes"))


async def test_a_reader_cannot_write(url: str) -> None:
    database = Database.open(url)
    try:
        with pytest.raises(Exception, match="read-only"):
            await database.read(_raise_counter)
    finally:
        await database.close()


async def test_no_read_modify_write_is_lost_between_two(url: str) -> None:
    """Writers stand in one queue, whatever process they are of."""
    one, other = Database.open(url), Database.open(url)
    await one.write(_begin_counter)

    async def forty(database: Database) -> None:
        for _ in range(40):
            await database.write(_raise_counter)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(forty(one))
        tasks.create_task(forty(other))

    assert await other.read(_counter) == 80
    await one.close()
    await other.close()


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_what_was_undone_for_anothers_sake_is_done_again(
    url: str, state: str
) -> None:
    database = Database.open(url)
    await database.write(_begin_counter)
    tries = 0

    def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        _raise_counter(connection)
        if tries < 3:
            say = f"DO $$ BEGIN RAISE EXCEPTION 'so' USING ERRCODE = '{state}'; END $$"
            connection.exec_driver_sql(say)

    await database.write(work)

    assert tries == 3
    assert await database.read(_counter) == 1
    await database.close()


async def test_a_lost_connection_is_made_again(url: str) -> None:
    database, shop = Database.open(url), Shop()
    store = SqlStore(database)
    a_site(shop)
    await store.commit(*shop.take())
    _cut_all(url)

    with pytest.raises(StoreUnavailable):
        await database.write(_counter)
    a_request(shop, "WR-1")
    await store.commit(*shop.take())

    assert await store.reached() == shop.committed.seq
    assert (await database.read(verify)).is_sound
    await database.close()


async def test_a_lock_that_another_holds_is_said_in_time(url: str) -> None:
    database, shop = Database.open(url, busy_timeout_s=0.2), Shop()
    store = SqlStore(database)
    a_day(shop)
    batch = shop.take()
    psycopg = import_module("psycopg")
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS_LOCK,))
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await store.commit(*batch)

    await store.commit(*batch)
    assert await store.reached() == shop.committed.seq
    await database.close()


def _cut_all(url: str) -> None:
    name = url.split("/")[3].split("?", maxsplit=1)[0]
    postgres.shared().run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        f"WHERE datname = '{name}'"
    )


def _begin_counter(connection: Connection) -> None:
    connection.execute(text("INSERT INTO counter VALUES ('main', 'tally', 0)"))


def _counter(connection: Connection) -> int:
    return int(connection.execute(text("SELECT last FROM counter")).scalar_one())


def _raise_counter(connection: Connection) -> None:
    value = int(
        connection.execute(
            text("SELECT coalesce(max(last), 0) FROM counter")
        ).scalar_one()
    )
    connection.execute(text("UPDATE counter SET last = :n"), {"n": value + 1})
