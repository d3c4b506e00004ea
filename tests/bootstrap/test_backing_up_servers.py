"""A PostgreSQL database is backed up and restored by its own client alone."""

import asyncio
import os
from pathlib import Path

import pytest

from mes_engine.bootstrap.backing_up import back_up
from mes_engine.bootstrap.replaying import Onward
from mes_engine.bootstrap.restoring import drill, restore
from mes_engine.bootstrap.verifying import verified
from mes_engine.core.errors import Refused
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests import postgres
from tests.builders import Shop, a_day
from tests.cli.backups import a_config
from tests.commands import mes


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> str:
    """A server's database with a day's work in it; its client is on the path."""
    postgres.skip_without()
    monkeypatch.setenv("PATH", str(postgres.programs()), prepend=os.pathsep)
    found = postgres.shared().migrated()

    async def work() -> None:
        database = Database.open(found)
        shop = Shop()
        a_day(shop)
        await SqlStore(database).commit(*shop.take())
        await database.close()

    asyncio.run(work())
    return found


def test_a_server_comes_back_as_it_was(url: str, tmp_path: Path) -> None:
    file, manifest = back_up(url, tmp_path, now=1)
    fresh = postgres.shared().fresh()

    restore(file, fresh, plant="TEST")

    report = asyncio.run(verified(fresh))
    assert report.is_sound
    assert report.facts == manifest.seq > 0
    assert (manifest.database, manifest.plant) == ("postgresql", "TEST")


def test_what_is_not_for_a_server_is_refused(url: str, tmp_path: Path) -> None:
    file, _ = back_up(url, tmp_path, now=1)
    fresh = postgres.shared().fresh()

    with pytest.raises(Refused, match="is not empty; nothing is overwritten"):
        restore(file, url, plant="TEST")
    with pytest.raises(Refused, match="is of a postgresql database"):
        restore(file, f"sqlite:///{tmp_path / 'mes.db'}", plant="TEST")
    with pytest.raises(Refused, match="its WAL is its own"):
        restore(file, fresh, plant="TEST", onward=Onward(folder=tmp_path))
    with pytest.raises(Refused, match="needs a server to be tried"):
        drill(file)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Refused, match="is not as it was written"):
        restore(file, fresh, plant="TEST")


@pytest.mark.parametrize("section", ["archive", "backup"])
@pytest.mark.timeout(120)
def test_an_engine_on_a_server_is_told_of_no_files(
    tmp_path: Path, section: str
) -> None:
    config = a_config(tmp_path)
    with (config / "site.yaml").open("a") as site:
        site.write(f"\n{section}:\n  folder: {tmp_path / 'files'}\n")

    said = mes("run", "--config", str(config), MES_DATABASE_URL="postgresql://here/mes")

    assert said.code == 3
    assert f"{section}.folder: a PostgreSQL database is kept safe" in said.err
