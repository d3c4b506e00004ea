"""Two engines never write one PostgreSQL database, whatever each of them believes."""

import asyncio
import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import Connection, text

from mes_engine.bootstrap import Core, running_engine
from mes_engine.bootstrap.leading import Leading, kept
from mes_engine.bootstrap.site import apply_plant
from mes_engine.core.errors import Overloaded, SettingsError
from mes_engine.core.messages import Commanded, ReceiveMaterial
from mes_engine.migrations import upgrade
from mes_engine.ports import CommitInDoubt, Fenced, StoreUnavailable
from mes_engine.storage import journal
from mes_engine.storage.database import Database
from mes_engine.storage.fence import LOCK
from mes_engine.storage.leadership import Leader, Lease, lead_at_once
from mes_engine.storage.lock import sole_engine
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import verify
from tests import postgres
from tests.builders import Shop, a_plant, a_request, a_site
from tests.commands import mes
from tests.databases import BrokenCommits

A_RECEIPT = ReceiveMaterial(
    material="ROD", unit="MTR", quantity=Decimal(3), supplier="Steel Inc"
)


@pytest.fixture
def url() -> str:
    postgres.skip_without()
    return postgres.shared().migrated()


@pytest.fixture
async def lease(url: str) -> AsyncIterator[Lease]:
    opened = Lease(url, address="http://first")
    lead_at_once(opened)
    yield opened
    opened.close()


@pytest.fixture
async def leading(url: str, lease: Lease) -> AsyncIterator[Database]:
    opened = Database.open(url, fence=lease.fence)
    yield opened
    await opened.close()


def follow(url: str) -> Lease:
    """Take over from an engine that is not heard of: its lease is over."""
    partition_is_silent(url)
    follower = Lease(url, address="http://second")
    assert follower.take() is None
    return follower


def partition_is_silent(url: str) -> None:
    with import_module("psycopg").connect(url, autocommit=True) as other:
        other.execute("UPDATE leadership SET renewed_at = '-infinity'")


def test_one_leads_and_others_are_told_which(url: str, lease: Lease) -> None:
    waiting = Lease(url)

    assert waiting.take() == Leader(address="http://first")

    lease.release()
    assert waiting.take() is None
    waiting.close()


def test_the_lead_ends_when_nothing_is_heard(
    url: str, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Lease(url)
    lease.renew()
    assert waiting.take() is not None

    partition_is_silent(url)

    assert waiting.take() is None
    with pytest.raises(Fenced):
        lease.renew()
    waiting.close()


async def test_what_is_sent_too_late_is_refused(
    url: str, lease: Lease, leading: Database
) -> None:
    """It neither commits, nor writes for a module, nor finds out more."""
    shop, store = Shop(), SqlStore(leading)
    a_site(shop)
    await store.commit(*shop.take())
    done = shop.committed.seq
    follower = follow(url)
    a_request(shop, "WR-1")

    with pytest.raises(Fenced):
        await store.commit(*shop.take())
    with pytest.raises(Fenced):
        await leading.write(_touch)
    with pytest.raises(Fenced):
        await store.reached()

    assert await leading.read(journal.head) == done
    second = Database.open(url, fence=follower.fence)
    shop = Shop(await SqlStore(second).load())
    a_request(shop, "WR-2")
    await SqlStore(second).commit(*shop.take())
    assert (await second.read(verify)).is_sound
    await second.close()
    follower.close()


async def test_a_commit_on_its_way_is_refused_once_it_was_asked_for(
    lease: Lease, leading: Database, url: str
) -> None:
    """What a lost connection sent must not arrive after we found it missing."""
    shop, store = Shop(), SqlStore(leading)
    a_site(shop)
    batch = shop.take()
    epoch = lease.fence.epoch
    with pytest.MonkeyPatch.context() as patch:
        BrokenCommits(leading, patch, is_done=False)
        with pytest.raises(CommitInDoubt):
            await store.commit(*batch)

    assert await store.reached() == 0

    assert lease.fence.epoch > epoch
    late = import_module("psycopg").connect(url)
    with pytest.raises(Exception, match="another engine leads"), late:
        late.execute("SELECT mes_fence('main', %s)", (epoch,))
    await store.commit(*batch)
    assert (await leading.read(verify)).is_sound


async def test_an_engine_that_stopped_in_mid_commit_is_followed_all_the_same(
    url: str, lease: Lease, leading: Database
) -> None:
    """The server still waits for more of its statements: it is not idle to it."""
    in_mid_commit, ended = threading.Event(), threading.Event()

    def stopped(driven: Any) -> None:
        with driven.pipeline():
            driven.execute(LOCK).fetchone()
            in_mid_commit.set()
            ended.wait()

    frozen = asyncio.create_task(leading.raw(stopped))
    await asyncio.to_thread(in_mid_commit.wait)
    partition_is_silent(url)
    follower = Leading(Lease(url, address="http://second"))

    try:
        async with asyncio.timeout(10):
            await follower.wait()
    finally:
        ended.set()
        with pytest.raises((CommitInDoubt, StoreUnavailable)):
            await frozen
    await follower.end()


async def test_an_engine_that_was_followed_ends(url: str) -> None:
    cores: list[Core] = []

    async def run() -> None:
        async with running_engine(url) as core, asyncio.timeout(10):
            cores.append(core)
            await apply_plant(core, a_plant())
            follow(url).close()
            await asyncio.Event().wait()

    with pytest.raises(Fenced):
        await run()

    (core,) = cores
    assert not core.engine.is_accepting
    with pytest.raises(Overloaded):
        await core.submit(_a_command("late"))


async def test_a_second_engine_is_refused_where_none_stands_by(url: str) -> None:
    async with running_engine(url) as core:
        await apply_plant(core, a_plant())
        with pytest.raises(SettingsError, match="Another engine runs on the database"):
            async with running_engine(url):
                pass
        with pytest.raises(SettingsError, match="Another engine"), sole_engine(url):
            pass
        refused = await asyncio.to_thread(mes, "db", "upgrade", "--database", url)
        assert refused.code == 3, refused.err
        await core.submit(_a_command("one"))

    async with running_engine(url) as core:  # at once: the lead was given back
        assert core.engine.committed.handled.get(("terminal", "one")) is not None


async def test_an_empty_database_is_prepared_by_whoever_leads_first() -> None:
    postgres.skip_without()
    url = postgres.shared().fresh()
    leases = [Lease(url, address=f"http://{name}") for name in ("one", "other")]
    await asyncio.gather(*(asyncio.to_thread(one.prepare) for one in leases))

    took = [await asyncio.to_thread(one.take) for one in leases]

    assert took == [None, Leader(address="http://one")]
    upgrade(url)
    for one in leases:
        one.close()


async def test_the_lead_is_kept_while_the_server_cannot_be_reached(
    url: str, lease: Lease
) -> None:
    """Only the database itself can end it: an outage is no other engine."""
    name = url.split("/")[3].split("?", maxsplit=1)[0]
    ending = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    async with kept(Leading(lease)):
        for _ in range(3):
            await asyncio.to_thread(
                postgres.shared().run, f"{ending} WHERE datname = '{name}'"
            )
            await asyncio.sleep(0.6)

    waiting = Lease(url)
    assert waiting.take() is None  # given back in order
    waiting.close()


def _touch(connection: Connection) -> None:
    connection.execute(text("INSERT INTO counter VALUES ('main', 'late', 1)"))


def _a_command(key: str) -> Commanded:
    return Commanded(
        origin="terminal", key=key, digest="d", person="Ada", at=1, command=A_RECEIPT
    )
