"""Consumers: told of each fact once, each at its own pace."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, select
from structlog.testing import LogCapture

from mes_engine.core.facts import GapSeen, PostingRaised, Recorded
from mes_engine.runtime.consumers import Consumer, Consuming
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.pace import BackOff
from mes_engine.storage.cursors import advance_cursor, cursor_of
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.runtime.builders import a_command, clock
from tests.runtime.stand_ins import SmallDecide, no_pause, until, until_so

told = Table("told", MetaData(), Column("name", Text))


def tell(connection: Connection, records: Sequence[Recorded]) -> None:
    for one in records:
        assert isinstance(one.fact, GapSeen)
        connection.execute(insert(told).values(name=one.fact.tag))


async def what_was_told(database: Database) -> list[str]:
    return await database.read(
        lambda connection: list(connection.execute(select(told.c.name)).scalars())
    )


async def cursor(database: Database, name: str) -> int:
    return await database.read(lambda connection: cursor_of(connection, name))


@asynccontextmanager
async def plant(database: Database, *consumers: Consumer) -> AsyncIterator[Engine]:
    """Run an engine and the consumers of what it commits."""
    await database.write(lambda connection: told.create(connection, checkfirst=True))
    feed, store = Feed(), SqlStore(database)
    engine = Engine(
        store, await store.load(), clock=clock, feed=feed, decide=SmallDecide()
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        consuming = [
            tasks.create_task(
                Consuming(
                    one,
                    database,
                    feed,
                    back_off=BackOff(first_s=1, longest_s=1, sleep=no_pause),
                ).run()
            )
            for one in consumers
        ]
        yield engine
        for task in consuming:
            task.cancel()
        engine.stop()


GAPS = Consumer(name="gaps", types=(GapSeen,), handle=tell)


async def test_a_consumer_is_told_of_what_it_asked_for_once(
    database: Database,
) -> None:
    async with plant(database) as engine:
        await engine.submit(a_command("before"))
    for life in ("first", "second"):
        async with plant(database, GAPS) as engine:
            answer = await engine.submit(a_command(life))
            await wait_for_cursor(database, "gaps", answer.seq - 1)

    assert await what_was_told(database) == ["before", "first", "second"]


async def wait_for_cursor(database: Database, name: str, seq: int) -> None:
    await until_so(lambda: reached(database, name, seq))


async def reached(database: Database, name: str, seq: int) -> bool:
    return await cursor(database, name) >= seq


async def test_one_that_fails_is_tried_again_and_does_not_hold_up_the_others(
    database: Database, logs: LogCapture
) -> None:
    is_mended = asyncio.Event()
    tries = 0

    def fail(connection: Connection, records: Sequence[Recorded]) -> None:
        nonlocal tries
        tries += 1
        connection.execute(insert(told).values(name="half done"))
        if not is_mended.is_set():
            raise ZeroDivisionError("a bug")

    broken = Consumer(name="broken", types=(GapSeen,), handle=fail)
    async with plant(database, broken, GAPS) as engine:
        await engine.submit(a_command("one"))
        await wait_for_cursor(database, "gaps", 1)
        await until(lambda: tries > 2)
        assert await cursor(database, "broken") == 0
        assert await what_was_told(database) == ["one"]

        is_mended.set()
        await wait_for_cursor(database, "broken", 1)

    assert await what_was_told(database) == ["one", "half done"]
    assert {entry["consumer"] for entry in logs.entries} == {"broken"}


async def test_a_module_may_read_on_by_itself(database: Database) -> None:
    """Its cursor was moved meanwhile: what it has handled is not handed over again."""
    moved: list[int] = []

    def handle(connection: Connection, records: Sequence[Recorded]) -> None:
        moved.append(records[-1].seq)

    module = Consumer(name="module", types=(GapSeen,), handle=handle)
    async with plant(database) as engine:
        for name in ("one", "two"):
            await engine.submit(a_command(name))
    feed = Feed()
    consuming = Consuming(module, database, feed)
    reached, records, end = await database.read(consuming._look)  # noqa: SLF001
    assert [one.seq for one in records] == [1, 3]
    await database.write(lambda connection: advance_cursor(connection, "module", 4))
    await database.write(
        lambda connection: consuming._take(connection, reached, records, 3)  # noqa: SLF001
    )

    assert moved == []
    assert await cursor(database, "module") == end == 4


@pytest.mark.parametrize("limit", [1, 2])
async def test_its_cursor_does_not_fall_far_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("mes_engine.runtime.consumers.SKIPPED_MAX", limit)

    def handle(connection: Connection, records: Sequence[Recorded]) -> None:
        raise AssertionError("there is nothing of its own")

    async with plant(database) as engine:
        for _ in range(3):
            await engine.submit(a_command("refuse"))
    idle = Consumer(name="idle", types=(PostingRaised,), handle=handle)
    async with plant(database, idle):
        await wait_for_cursor(database, "idle", 6)
