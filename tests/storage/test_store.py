"""What the contract of a WipStore does not say: the rows, the failures, the crash."""

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, text

from mes_engine import migrations
from mes_engine.core.facts import encoded
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.state import TABLES, State
from mes_engine.ports import CommitInDoubt, DuplicateKey, StoreUnavailable
from mes_engine.storage import journal
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from mes_engine.storage.tables import PROJECTIONS, fact
from mes_engine.storage.verify import verify
from tests.builders import (
    Shop,
    a_day,
    a_request,
    a_sawn_request,
    a_site,
    finish_request,
)
from tests.databases import BrokenCommits, open_database, url_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def database(tmp_path: Path, either_database: str) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> SqlStore:
    return SqlStore(database)


async def test_the_journal_keeps_facts_as_they_are_encoded(
    database: Database, store: SqlStore
) -> None:
    shop = Shop()
    a_day(shop)
    records, layer = shop.take()

    await store.commit(records, layer)

    rows = await database.read(
        lambda connection: connection.execute(fact.select().order_by("seq")).all()
    )
    assert [row.body for row in rows] == [encoded(one.fact) for one in records]
    assert await database.read(
        lambda connection: journal.facts_after(connection, "main", 0, 1_000)
    ) == list(records)


async def test_every_projection_of_a_day_has_its_rows(
    database: Database, store: SqlStore
) -> None:
    shop = Shop()
    a_day(shop)
    records, layer = shop.take()

    await store.commit(records, layer)

    assert set(layer.tables) == set(TABLES), "the day lacks something"
    for name, table in PROJECTIONS.items():
        count = f"SELECT count(*) FROM {table.name}"
        rows = await database.read(partial(_scalar, statement=count))
        assert rows == len(layer.tables[name].changes()), name


async def test_what_a_layer_drops_is_deleted(
    database: Database, store: SqlStore
) -> None:
    shop = Shop()
    a_day(shop)
    await store.commit(*shop.take())
    (flow, *_) = shop.committed.connection_flow.values()
    shop.batch.connection_flow.drop((flow.request, flow.source, flow.target))
    shop.batch.counter.drop("lot")
    a_request(shop, "WR-3")

    await store.commit(*shop.take())

    state = await store.load()
    assert list(state.connection_flow.values()) == []
    assert state.counter.get("lot") is None
    assert state.counter.get("job_order") is not None


async def test_partitions_do_not_see_each_other(database: Database) -> None:
    stores = {name: SqlStore(database, name) for name in ("north", "south")}
    for name, store in stores.items():
        shop = Shop(State(name))
        a_site(shop)
        a_request(shop, f"WR-{name}")
        await store.commit(*shop.take())

    for name, store in stores.items():
        state = await store.load()
        assert [one.id for one in state.work_request.values()] == [f"WR-{name}"]
        report = await database.read(partial(verify, partition=name))
        assert report.is_sound


async def test_what_is_over_is_not_loaded_but_known(store: SqlStore) -> None:
    shop = Shop()
    a_site(shop)
    finish_request(shop, "WR-1", a_sawn_request(shop, "WR-1"))
    a_request(shop, "WR-2")
    await store.commit(*shop.take())

    state = await store.load()

    assert {one.id for one in state.work_request.values()} == {"WR-1", "WR-2"}
    assert {one.request for one in state.job_order.values()} == {"WR-2"}
    assert {one.request for one in state.visit.values()} == {"WR-2"}
    assert list(state.posting.values()) == []
    assert list(state.run.values()) == []
    made = state.position.find("material_in_stock", "BRACKET")
    assert sum(one.stock for one in made) == 9
    assert all(state.lot.get(one.lot) is not None for one in made)
    assert state.last_number("run") == shop.committed.last_number("run")


async def test_a_request_stays_live_until_its_postings_are_settled(
    store: SqlStore,
) -> None:
    shop = Shop()
    a_site(shop)
    a_sawn_request(shop, "WR-1")
    request = shop.batch.work_request.get("WR-1")
    assert request is not None
    closed = msgspec.structs.replace(request, state=WorkRequestState.CANCELLED)
    shop.batch.work_request.put(closed)
    await store.commit(*shop.take())

    state = await store.load()

    assert len(state.job_order.find("request", "WR-1")) == 2
    assert len(list(state.posting.values())) == 1


async def test_two_engines_cannot_write_one_journal(
    database: Database, store: SqlStore
) -> None:
    first, second = Shop(), Shop()
    a_site(first)
    a_day(second)
    await store.commit(*first.take())

    with pytest.raises(Exception, match=r"failed: fact\.|pk_fact") as caught:
        await store.commit(*second.take())

    assert not isinstance(caught.value, DuplicateKey)
    head = await database.read(journal.head)
    assert head == first.committed.seq


async def test_a_full_disk_leaves_nothing_behind_and_can_be_tried_again(
    database: Database, store: SqlStore
) -> None:
    if database.dialect != "sqlite":
        pytest.skip("a PostgreSQL server cannot be told to take no more of one user")
    shop = Shop()
    a_day(shop)
    batch = shop.take()
    pages = await database.write(partial(_scalar, statement="PRAGMA page_count"))
    limit = f"PRAGMA max_page_count = {pages}"
    assert await database.write(partial(_scalar, statement=limit)) == pages

    with pytest.raises(StoreUnavailable, match="full"):
        await store.commit(*batch)

    assert await database.read(journal.head) == 0
    await store.commit(*batch)  # its connection is new, and the limit was the old one's
    assert await database.read(journal.head) == len(batch[0])
    assert (await database.read(verify)).is_sound


def _scalar(connection: Connection, statement: str) -> int:
    return int(connection.execute(text(statement)).scalar_one())


@pytest.mark.parametrize("is_done", [True, False])
async def test_after_a_commit_in_doubt_the_journal_tells(
    database: Database, store: SqlStore, *, is_done: bool
) -> None:
    shop = Shop()
    a_site(shop)
    batch = shop.take()
    with pytest.MonkeyPatch.context() as patch:
        BrokenCommits(database, patch, is_done=is_done)
        with pytest.raises(CommitInDoubt, match="disk I/O error"):
            await store.commit(*batch)

    assert await store.reached() == (shop.committed.seq if is_done else 0)
    if not is_done:
        await store.commit(*batch)
    a_request(shop, "WR-1")
    await store.commit(*shop.take())
    assert await store.reached() == shop.committed.seq
    assert (await database.read(verify)).is_sound


async def test_cancelling_a_commit_leaves_it_whole(
    database: Database, store: SqlStore
) -> None:
    shop = Shop()
    a_day(shop)
    committing = asyncio.ensure_future(store.commit(*shop.take()))
    await asyncio.sleep(0)
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing

    await database.write(lambda _: None)  # behind it in the writer's queue

    assert await database.read(journal.head) == shop.committed.seq
    assert (await database.read(verify)).is_sound


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    url = url_in(tmp_path)
    migrations.upgrade(url)
    chance = random.Random(9)
    acknowledged = 0
    for _ in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.storage.committing",
            url,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        for _ in range(chance.randint(1, 40)):
            acknowledged = int(await child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        for line in (await child.stdout.read()).splitlines():
            acknowledged = int(line)
        assert await child.wait() == -signal.SIGKILL

        async with open_database(tmp_path) as database:
            assert await database.read(journal.head) >= acknowledged
            report = await database.read(verify)
            assert report.problems == ()
