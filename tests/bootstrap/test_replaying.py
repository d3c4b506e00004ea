"""A point in time: a backup, and the journal's archive on from there."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mes_engine.bootstrap.backing_up import back_up
from mes_engine.bootstrap.replaying import Onward
from mes_engine.bootstrap.restoring import restore
from mes_engine.bootstrap.verifying import verified
from mes_engine.core.errors import Refused
from mes_engine.core.messages import RecordPosting
from mes_engine.core.postings import PostingState
from mes_engine.migrations import upgrade
from mes_engine.modules.ledger import LedgerService
from mes_engine.modules.ledger.model import Entry
from mes_engine.runtime.archiving import Archiving
from mes_engine.storage.chain import ChainKey
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import SHIFT_START, Shop, a_request, a_sawn_request, a_site
from tests.cli.backups import sql, url_of

FACTS = "SELECT * FROM fact ORDER BY seq"
LINKS = "SELECT * FROM chain_link ORDER BY seq"
KEY = ChainKey.of(b"1" * 32)


class Past:
    """A day with a backup in the morning, commits since, and an archive of it all.

    Attributes:
        marks: After each commit, the last fact.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        self.file = folder / "mes.db"
        self.morning = folder / "morning.db"
        self.marks: list[int] = []
        self.archiving: Archiving

    async def happen(self) -> None:
        upgrade(url_of(self.file))
        database = Database.open(url_of(self.file))
        shop, store = Shop(), SqlStore(database, key=KEY)
        self.archiving = Archiving(database, self.archive, plant="TEST")
        a_site(shop)
        await self._commit(shop, store)
        await asyncio.to_thread(back_up, url_of(self.file), self.morning, now=0)
        for number in range(4):
            if number % 2:
                a_sawn_request(shop, f"WR-{number}")
            else:
                a_request(shop, f"WR-{number}")
            await self._commit(shop, store)
        await self._post(shop, store, database)
        await database.close()

    async def _commit(self, shop: Shop, store: SqlStore) -> None:
        await store.commit(*shop.take())
        self.marks.append(shop.committed.seq)
        await self.archiving.catch_up()

    async def _post(self, shop: Shop, store: SqlStore, database: Database) -> None:
        """Have what was raised booked in the ledger, and acknowledged."""
        ledger = LedgerService(database, lambda: SHIFT_START)
        for posting in list(shop.committed.posting.values()):
            shop.do(
                RecordPosting(
                    posting=posting.key,
                    state=PostingState.ACKNOWLEDGED,
                    reference=await ledger.post(posting),
                )
            )
        await self._commit(shop, store)

    def back(self, name: str, **onward: Any) -> tuple[Path, int]:
        """Restore the morning's backup, and go on from there."""
        fresh = self.folder / name / "mes.db"
        _, reached = restore(
            self.morning,
            url_of(fresh),
            plant="TEST",
            onward=Onward(folder=self.archive, **onward),
        )
        return fresh, reached.seq


@pytest.fixture
def past(tmp_path: Path) -> Past:
    found = Past(tmp_path)
    asyncio.run(found.happen())
    return found


def is_sound(database: Path) -> bool:
    """Whether everything is as it should be, by the key of the journal's chain too."""
    key_file = database.with_name("journal.key")
    key_file.write_text(KEY.secret.hex())
    report = asyncio.run(verified(url_of(database), key_file=key_file))
    return report.is_sound and not report.unchecked


async def entries_in(database: Path) -> list[Entry]:
    opened = Database.open(url_of(database))
    try:
        return await LedgerService(opened, lambda: 0).entries(limit=1_000)
    finally:
        await opened.close()


def test_all_since_the_backup_comes_back(past: Past) -> None:
    fresh, reached = past.back("fresh")

    assert reached == past.marks[-1] > past.marks[0]
    assert sql(fresh, FACTS) == sql(past.file, FACTS)
    assert sql(fresh, LINKS) == sql(past.file, LINKS)
    assert is_sound(fresh)


def test_the_ledger_books_again_what_it_had_booked(past: Past) -> None:
    fresh, _ = past.back("fresh")

    told = asyncio.run(entries_in(past.file))
    assert told
    keys = [(one.number, one.key, one.content) for one in told]
    again = asyncio.run(entries_in(fresh))
    assert [(one.number, one.key, one.content) for one in again] == keys


def test_any_commit_may_be_the_last(past: Past) -> None:
    for mark in past.marks[1:]:
        fresh, reached = past.back(f"until-{mark}", seq=mark)
        assert reached == mark
        assert sql(fresh, FACTS) == sql(past.file, FACTS)[:mark]
        assert is_sound(fresh)


def test_what_was_committed_together_comes_back_together(past: Past) -> None:
    _, reached = past.back("fresh", seq=past.marks[2] + 1)

    assert reached == past.marks[2]


def test_a_time_is_a_moment_too(past: Past) -> None:
    mark = past.marks[1]
    ((at,),) = sql(past.file, f"SELECT recorded_at FROM fact WHERE seq={mark}")

    _, reached = past.back("fresh", at=at)

    assert reached == mark


@pytest.mark.parametrize("how", [{"seq": 1}, {"at": SHIFT_START - 1}])
def test_a_moment_before_the_backup_needs_an_older_one(
    past: Past, how: dict[str, int]
) -> None:
    with pytest.raises(Refused, match="Take a backup of before that moment"):
        past.back("fresh", **how)

    assert not (past.folder / "fresh" / "mes.db").exists()


def _no_folder(past: Past) -> None:
    past.archive = past.folder / "elsewhere"


def _another_history(past: Past) -> None:
    """The archive's first file, as it would be of another past."""
    (path,) = past.archive.iterdir()
    path.unlink()
    sql(past.file, "DROP TRIGGER fact_no_update")
    seq = past.marks[0]
    sql(past.file, f"UPDATE fact SET person = 'eve' WHERE seq = {seq} RETURNING seq")

    async def archive() -> None:
        database = Database.open(url_of(past.file))
        await Archiving(database, past.archive, plant="TEST").catch_up()
        await database.close()

    asyncio.run(archive())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_no_folder, "There is no archive of a journal"),
        (_another_history, "is not the archive's"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    past: Past, spoil: Callable[[Past], None], told: str
) -> None:
    spoil(past)

    with pytest.raises(Refused, match=told):
        past.back("fresh")

    assert not (past.folder / "fresh" / "mes.db").exists()
