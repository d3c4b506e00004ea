"""A server's database goes back to a moment, as the page for plant IT says it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_engine.bootstrap.verifying import verified
from mes_engine.core.state import State
from mes_engine.storage import journal
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests import postgres
from tests.builders import Shop, a_day, a_request
from tests.faults.harness import until

PAGE = Path(__file__).parents[2] / "docs" / "running-on-postgresql.md"


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A server that is to archive, once it is told so."""
    postgres.skip_without()
    with postgres.a_server() as running:
        (running.folder / "wal").mkdir(mode=0o777)
        (running.folder / "wal").chmod(0o777)
        yield running


def settings_of(server: postgres.Server, name: str) -> list[str]:
    """Return the lines of the page that set ``name...``, for this server's folders."""
    lines = [one.strip() for one in PAGE.read_text("utf-8").splitlines()]
    found = [one for one in lines if one.startswith(name) and " = " in one]
    assert found, name
    return [one.replace("/backup", str(server.folder)) for one in found]


async def committed(url: str, *requests: str) -> int:
    """Commit some work; return the seq of its last fact."""
    database = Database.open(url)
    store = SqlStore(database)
    state: State = await store.load()
    shop = Shop(state)
    if not state.seq:
        a_day(shop)
    for request in requests:
        a_request(shop, request)
    await store.commit(*shop.take())
    reached = await database.read(journal.head)
    await database.close()
    return reached


@pytest.mark.timeout(180)
async def test_a_lost_server_goes_back_to_a_moment(server: postgres.Server) -> None:
    conf = server.folder / "data" / "postgresql.conf"
    with conf.open("a") as lines:
        lines.write("\n".join([*settings_of(server, "archive_"), ""]))
    server.stop()
    server.start()
    url = server.migrated()
    early = await committed(url, "WR-early")
    await asyncio.to_thread(
        server.client,
        *("pg_basebackup", "-D", server.folder / "base"),
        *("-X", "stream", "--checkpoint=fast"),
    )
    wanted = await committed(url, "WR-wanted")
    ((moment,),) = server.run("SELECT clock_timestamp()::text")
    unwanted = await committed(url, "WR-unwanted")
    assert early < wanted < unwanted
    ((segment,),) = server.run("SELECT pg_walfile_name(pg_switch_wal())")

    async def is_archived() -> bool:
        return (server.folder / "wal" / str(segment)).exists()

    await until(is_archived, within_s=30)
    server.stop()
    (server.folder / "data").rename(server.folder / "lost")
    (server.folder / "base").rename(server.folder / "data")
    with conf.open("a") as lines:
        told = [*settings_of(server, "restore_"), *settings_of(server, "recovery_")]
        text = "\n".join([*told, ""]).replace("2026-11-23 10:31:00+00", moment)
        lines.write(text)
    (server.folder / "data" / "recovery.signal").touch()
    server.start()

    async def is_promoted() -> bool:
        ((is_recovering,),) = server.run("SELECT pg_is_in_recovery()")
        return not is_recovering

    await until(is_promoted, within_s=30)
    report = await verified(url)

    assert report.is_sound
    assert report.facts == wanted
    assert await committed(url, "WR-after") > wanted
    assert (await verified(url)).is_sound
