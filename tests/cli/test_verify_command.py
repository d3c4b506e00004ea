"""``mes verify`` and ``mes anchor restored``, with the keys and anchors of a site."""

import shutil
from pathlib import Path

import pytest

from mes_engine.migrations import upgrade
from mes_engine.runtime.anchoring import anchor_job
from mes_engine.storage.chain import read_or_make_keys
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import SHIFT_START, Shop, a_request, a_site
from tests.cli.backups import a_backup, a_config, sql
from tests.commands import Said, mes


class Office:
    """A folder with a site's database, its keys and its anchors."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "mes.db"
        self.url = f"sqlite:///{self.file}"
        self.anchors = folder / "mes.db.anchors"
        self._config = a_config(folder)
        self._shop = Shop()
        upgrade(self.url)
        a_site(self._shop)

    def mes(self, *arguments: str) -> Said:
        """Run a command with the site's files, which say where everything is."""
        return mes(
            *arguments,
            *("--config", str(self._config)),
            MES_DATABASE_URL=self.url,
            MES_JOURNAL_KEY=str(self.folder / "journal.key"),
        )

    async def work(self, request: str) -> int:
        """Commit something, and anchor it; return how far the journal goes."""
        (key,), _ = read_or_make_keys(self.folder / "journal.key")
        database = Database.open(self.url)
        store = SqlStore(database, key=key)
        job = anchor_job(store, self.anchors, clock=lambda: SHIFT_START)
        a_request(self._shop, request)
        await store.commit(*self._shop.take())
        await job.work(0)
        await database.close()
        return self._shop.committed.seq

    def put_back(self, copy: Path) -> None:
        """Put an old copy in the place of the database, as anybody can."""
        for name in ("mes.db-wal", "mes.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
        shutil.copy(copy, self.file)


pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


async def test_a_site_is_verified_with_its_keys_and_its_anchors(office: Office) -> None:
    await office.work("WR-1")
    await office.work("WR-2")

    said = office.mes("verify", "--json")

    assert (said.code, said.plain["problems"]) == (0, [])
    assert (said.plain["anchors"], said.plain["unchecked"]) == (2, 0)
    assert said.plain["counts"]["links followed"] == 2
    assert said.plain["counts"]["rows compared"] > 0


async def test_the_chain_can_be_followed_alone(office: Office) -> None:
    await office.work("WR-1")
    sql(office.file, "UPDATE job_order SET state = 'aborted'")

    assert office.mes("verify").code == 1
    alone = office.mes("verify", "--chain", "--json")
    assert (alone.code, alone.plain["counts"]["rows compared"]) == (0, 0)
    assert alone.plain["counts"]["facts read"] > 0


async def test_an_old_copy_that_was_put_back_is_found_until_somebody_says_so(
    office: Office,
) -> None:
    early = await office.work("WR-1")
    copy = a_backup(office.file, office.folder / "early.db")
    late = await office.work("WR-2")
    office.put_back(copy)

    found = office.mes("verify")
    assert found.code == 1
    assert found.out.startswith(f"chain {early}: the journal ends here")
    assert f"anchored at {late}: what came since is missing" in found.out
    assert f"not as it was written, first at {early}. Keep this" in found.out

    said = office.mes(
        *("anchor", "restored", "--person", "Ana", "--reason", "the disk died")
    )
    assert said.code == 0, said.err
    assert f"put back to fact {early}" in said.out

    again = office.mes("verify")
    assert again.code == 0, again.out
    assert again.out.rstrip().endswith("by Ana: the disk died")


async def test_a_restore_says_so_by_itself(office: Office) -> None:
    early = await office.work("WR-1")
    copy = a_backup(office.file, office.folder / "early.db")
    await office.work("WR-2")
    for file in office.folder.glob("mes.db*"):
        if file != office.anchors:
            file.unlink()

    restored = office.mes("restore", str(copy))
    assert restored.code == 0, restored.err

    found = office.mes("verify", "--json")
    assert found.code == 0, found.plain
    assert f"put back to {early}" in found.plain["restored"][0]
    assert "mes restore" in found.plain["restored"][0]


async def test_anchors_that_were_deleted_are_missed(office: Office) -> None:
    await office.work("WR-1")
    await office.work("WR-2")
    office.anchors.write_bytes(b"")

    found = office.mes("verify")

    assert found.code == 1
    assert found.out.startswith("anchor 1")


async def test_nothing_is_acknowledged_that_did_not_happen(office: Office) -> None:
    await office.work("WR-1")

    said = office.mes("anchor", "restored", "--person", "Ana", "--reason", "why not")

    assert said.code == 1
    assert "nothing was put back" in said.err
