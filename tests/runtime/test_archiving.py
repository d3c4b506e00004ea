"""The archive follows the journal, through failures and restores."""

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from mes_engine.core.errors import SettingsError
from mes_engine.runtime.archiving import Archiving
from mes_engine.runtime.pace import BackOff
from mes_engine.storage.archive.history import history
from mes_engine.storage.archive.lines import Commit, FactRow
from mes_engine.storage.archive.reading import rows_after
from mes_engine.storage.archive.writing import ArchiveWriter
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_request, a_site
from tests.databases import open_database


@pytest.fixture
async def database(tmp_path: Path, either_database: str) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.01)


@asynccontextmanager
async def archived(
    database: Database, folder: Path, *, plant: str = "TEST"
) -> AsyncIterator[Archiving]:
    """Have the archive at work meanwhile."""
    found = Archiving(
        database,
        folder,
        plant=plant,
        pause_s=0.01,
        back_off=BackOff(first_s=0.01, longest_s=0.01),
    )
    running = asyncio.get_running_loop().create_task(found.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def journal(database: Database) -> list[FactRow]:
    return await database.read(
        lambda connection: rows_after(connection, "main", 0, 10_000)
    )


def in_archive(folder: Path, timeline: int | None = None) -> list[FactRow]:
    return [row for one in history(folder, timeline=timeline) for row in one.facts]


async def commit(database: Database, shop: Shop, work: Callable[[], object]) -> int:
    work()
    await SqlStore(database).commit(*shop.take())
    return shop.committed.seq


async def test_what_is_committed_is_archived_to_the_letter(
    database: Database, folder: Path
) -> None:
    shop = Shop()
    await commit(database, shop, lambda: a_site(shop))
    async with archived(database, folder) as archiving:
        await until(lambda: archiving.reached == shop.committed.seq)
        await commit(database, shop, lambda: a_request(shop, "WR-1"))
        archiving.hear(())
        await until(lambda: archiving.reached == shop.committed.seq)

    assert in_archive(folder) == await journal(database)


async def test_what_was_just_committed_is_archived_in_the_end(
    database: Database, folder: Path
) -> None:
    shop = Shop()
    async with archived(database, folder) as archiving:
        await commit(database, shop, lambda: a_site(shop))
        await until(lambda: archiving.reached == 0)

    assert in_archive(folder) == await journal(database)


async def test_a_lost_disk_holds_nobody_up_and_is_made_good(
    database: Database, folder: Path
) -> None:
    shop = Shop()
    await commit(database, shop, lambda: a_site(shop))
    aside = folder.with_name("aside")

    async with archived(database, folder) as archiving:
        await until(lambda: archiving.reached == shop.committed.seq)
        await asyncio.to_thread(lose, folder, aside)
        await commit(database, shop, lambda: a_request(shop, "WR-1"))
        archiving.hear(())
        await until(lambda: archiving.is_lost)
        await commit(database, shop, lambda: a_request(shop, "WR-2"))
        await asyncio.to_thread(find_again, folder, aside)
        await until(lambda: not archiving.is_lost)

    assert in_archive(folder) == await journal(database)


def lose(folder: Path, aside: Path) -> None:
    """Take the disk away; nothing can be written where it was."""
    folder.rename(aside)
    folder.touch()


def find_again(folder: Path, aside: Path) -> None:
    """Bring the disk back, with half a line that it had taken."""
    (path,) = aside.iterdir()
    with path.open("ab") as file:
        file.write(b"0123")
    folder.unlink()
    aside.rename(folder)


@pytest.mark.parametrize("more", [1, 3], ids=["shorter", "longer"])
async def test_a_restored_database_leaves_what_it_has_not(
    tmp_path: Path, folder: Path, more: int
) -> None:
    place, copy = tmp_path / "now", tmp_path / "then"
    place.mkdir()
    shop = Shop()
    async with open_database(place) as database, archived(database, folder):
        await commit(database, shop, lambda: a_site(shop))
    shutil.copytree(place, copy)
    async with open_database(place) as database, archived(database, folder):
        await commit(database, shop, lambda: a_request(shop, "WR-LOST"))
        await commit(database, shop, lambda: a_request(shop, "WR-LOST-TOO"))
        lost = await journal(database)

    async with open_database(copy) as database:
        state = await SqlStore(database).load()
        other = Shop(state)
        for number in range(more):
            request = f"WR-OTHER-{number}"
            await commit(database, other, partial(a_request, other, request, 2))
        kept = await journal(database)
        async with archived(database, folder) as archiving:
            await until(lambda: archiving.reached == len(kept))

    assert in_archive(folder) == kept
    assert in_archive(folder, timeline=1) == lost
    assert (len(kept) > len(lost)) == (more > 1)
    assert lost != kept


async def test_it_ends_in_the_middle_of_a_write_and_writes_nothing_twice(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    append = ArchiveWriter.append

    def slowly(self: ArchiveWriter, some: Sequence[Commit]) -> None:
        begun.set()
        assert go_on.wait(20)
        append(self, some)

    monkeypatch.setattr(ArchiveWriter, "append", slowly)
    shop = Shop()
    async with open_database(tmp_path) as database:
        await commit(database, shop, lambda: a_site(shop))
        archiving = Archiving(database, folder, plant="TEST")
        running = asyncio.get_running_loop().create_task(archiving.run())
        await until(begun.is_set)
        running.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(running, return_exceptions=True)
        kept = await journal(database)

    assert in_archive(folder) == kept


async def test_an_archive_of_another_plant_is_left_alone(
    database: Database, folder: Path
) -> None:
    shop = Shop()
    await commit(database, shop, lambda: a_site(shop))
    async with archived(database, folder) as archiving:
        await until(lambda: archiving.reached > 0)

    other = Archiving(database, folder, plant="OTHER")
    with pytest.raises(SettingsError, match="has the journal of TEST"):
        await other.run()


async def test_an_archive_that_was_edited_is_said_and_waited_for(
    database: Database, folder: Path
) -> None:
    shop = Shop()
    await commit(database, shop, lambda: a_site(shop))
    async with archived(database, folder) as archiving:
        await until(lambda: archiving.reached > 0)
    (path,) = await asyncio.to_thread(lambda: list(folder.iterdir()))
    content = await asyncio.to_thread(path.read_bytes)
    await asyncio.to_thread(path.write_bytes, content.replace(b"TEST", b"ABCD"))

    async with archived(database, folder) as archiving:
        await until(lambda: archiving.is_lost)
        await asyncio.to_thread(path.write_bytes, content)
        await until(lambda: not archiving.is_lost)
