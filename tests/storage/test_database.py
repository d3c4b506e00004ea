"""The database keeps what it was told, and says so when it cannot."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from mes_engine.core.errors import Overloaded, SettingsError
from mes_engine.ports import StoreUnavailable
from mes_engine.storage import driver
from mes_engine.storage.database import Database
from tests.databases import url_in


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(url_in(tmp_path), busy_timeout_s=0.2)
    await opened.write(sql("CREATE TABLE tally (n INTEGER NOT NULL) STRICT"))
    await opened.write(sql("INSERT INTO tally VALUES (0)"))
    yield opened
    await opened.close()


def sql(statement: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute(text(statement))

    return work


def tally(connection: Connection) -> int:
    return int(connection.execute(text("SELECT n FROM tally")).scalar_one())


def raise_tally(connection: Connection) -> None:
    value = tally(connection)
    connection.execute(text("UPDATE tally SET n = :n"), {"n": value + 1})


async def test_no_read_modify_write_is_lost(database: Database) -> None:
    async def forty() -> None:
        for _ in range(40):
            await database.write(raise_tally)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(forty())

    assert await database.read(tally) == 320


async def test_two_databases_on_one_file_lose_nothing(tmp_path: Path) -> None:
    one, other = (Database.open(url_in(tmp_path)) for _ in range(2))
    await one.write(sql("CREATE TABLE tally (n INTEGER NOT NULL) STRICT"))
    await one.write(sql("INSERT INTO tally VALUES (0)"))

    async def forty(database: Database) -> None:
        for _ in range(40):
            await database.write(raise_tally)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(forty(one))
        tasks.create_task(forty(other))

    assert await other.read(tally) == 80
    await one.close()
    await other.close()


async def test_an_error_undoes_everything(database: Database) -> None:
    def work(connection: Connection) -> None:
        raise_tally(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work)

    assert await database.read(tally) == 0
    await database.write(raise_tally)
    assert await database.read(tally) == 1


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StoreUnavailable, match="readonly"):
        await database.read(raise_tally)


async def test_a_read_sees_one_moment(database: Database) -> None:
    began, go_on = threading.Event(), threading.Event()

    def work(connection: Connection) -> tuple[int, int]:
        before = tally(connection)
        began.set()
        assert go_on.wait(10)
        return before, tally(connection)

    reading = asyncio.ensure_future(database.read(work))
    await asyncio.to_thread(began.wait, 10)
    await database.write(raise_tally)
    go_on.set()

    assert await reading == (0, 0)


async def test_cancelling_a_caller_does_not_reach_the_driver(
    database: Database,
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        raise_tally(connection)
        began.set()
        assert go_on.wait(10)

    writing = asyncio.ensure_future(database.write(work))
    await asyncio.to_thread(began.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()

    await database.write(raise_tally)
    assert await database.read(tally) == 2


async def test_close_waits_for_what_was_begun(tmp_path: Path) -> None:
    database = Database.open(url_in(tmp_path))
    await database.write(sql("CREATE TABLE tally (n INTEGER NOT NULL) STRICT"))
    writes = [
        asyncio.ensure_future(database.write(sql("INSERT INTO tally VALUES (1)")))
        for _ in range(20)
    ]
    await asyncio.sleep(0)

    await database.close()
    await asyncio.gather(*writes)

    again = Database.open(url_in(tmp_path))
    count = text("SELECT count(*) FROM tally")
    assert await again.read(lambda c: c.execute(count).scalar_one()) == 20
    await again.close()


async def test_too_many_waiting_writes_are_turned_away(tmp_path: Path) -> None:
    database = Database.open(url_in(tmp_path), most_waiting=2)
    go_on = threading.Event()
    waiting = [
        asyncio.ensure_future(database.write(lambda _: go_on.wait(10)))
        for _ in range(2)
    ]
    await asyncio.sleep(0)

    with pytest.raises(Overloaded):
        await database.write(lambda _: None)

    go_on.set()
    await asyncio.gather(*waiting)
    await database.write(lambda _: None)
    await database.close()


async def test_a_full_disk_is_said_and_survived(database: Database) -> None:
    filling = sql("CREATE TABLE more AS SELECT zeroblob(1000000) AS bytes")
    await database.write(sql("PRAGMA max_page_count = 20"))

    with pytest.raises(StoreUnavailable, match="full"):
        await database.write(filling)

    assert await database.read(tally) == 0
    await database.write(raise_tally)
    assert await database.read(tally) == 1


async def test_another_writer_that_does_not_end_is_said(
    database: Database, tmp_path: Path
) -> None:
    other = driver.writer_engine(url_in(tmp_path), busy_timeout_s=0.2)
    with (
        other.connect() as connection,
        connection.begin(),
        pytest.raises(StoreUnavailable, match="locked"),
    ):
        await database.write(raise_tally)
    other.dispose()

    await database.write(raise_tally)
    assert await database.read(tally) == 1


async def test_a_wrong_statement_is_a_bug_and_no_outage(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        await database.write(sql("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(OperationalError, match="no such table"):
        await database.read(sql("SELECT * FROM nowhere"))


@pytest.mark.parametrize("url", ["sqlite://", "mysql://here/mes", "mes.db"])
def test_only_a_file_is_opened(url: str) -> None:
    with pytest.raises(SettingsError, match="Write sqlite:"):
        Database.open(url)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="folder has to exist"):
        Database.open(f"sqlite:///{tmp_path / 'none' / 'mes.db'}")


@pytest.mark.parametrize(
    ("version", "is_sound"),
    [
        ((3, 40, 1), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), False),
        ((3, 53, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_versions_with_the_wal_reset_bug_are_refused(
    version: tuple[int, int, int],
    is_sound: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert driver.is_sound(version) is is_sound


def test_an_old_sqlite_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "OLDEST", (99, 0, 0))

    with pytest.raises(SettingsError, match="pip install 'pysqlite3"):
        driver.sqlite_driver()


def test_a_pragma_that_does_not_take_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(driver.PRAGMAS, "synchronous", ("OFF", 2))

    with pytest.raises(SettingsError, match="synchronous at 0; 2 is needed"):
        Database.open(url_in(tmp_path))
