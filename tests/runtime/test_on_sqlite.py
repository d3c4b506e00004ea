"""The engine and its real store: what a fake cannot promise."""

import asyncio
from collections.abc import Sequence

import pytest

from mes_engine.core.errors import OutcomeUnknown
from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Outcome
from mes_engine.core.state import State
from mes_engine.ports import StoreUnavailable
from mes_engine.runtime.batch import MessageFailed
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.storage.database import Database
from mes_engine.storage.journal import head, set_aside
from mes_engine.storage.store import SqlStore
from tests.runtime.builders import a_command, clock, sensed
from tests.runtime.stand_ins import SmallDecide, until


def an_engine(store: SqlStore, state: State, decide: SmallDecide) -> Engine:
    return Engine(store, state, clock=clock, feed=Feed(), decide=decide)


async def test_the_same_command_many_times_at_once_is_done_once(
    database: Database,
) -> None:
    store, decide = SqlStore(database), SmallDecide()
    engine = an_engine(store, await store.load(), decide)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        answers = await asyncio.gather(
            *(engine.submit(a_command(key="same")) for _ in range(50))
        )
        engine.stop()

    assert len(decide.decided) == 1
    assert len({repr(answer) for answer in answers}) == 1


async def test_a_restarted_engine_goes_on_where_the_other_stopped(
    database: Database,
) -> None:
    store, decide = SqlStore(database), SmallDecide()
    for life in range(3):
        state = await store.load()
        engine = an_engine(store, state, decide)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(engine.run())
            answer = await engine.submit(a_command(key="same"))
            await engine.submit(a_command(key=f"life {life}"))
            for n in range(1, 4 + life):
                await engine.sense(sensed(n))
            engine.stop()
        assert answer.outcome is Outcome.ACCEPTED
        assert await database.read(head) == engine.committed.seq

    assert [one for one in decide.decided if one.startswith("plc")] == [
        f"plc/1/{n}" for n in range(1, 6)
    ]
    assert decide.decided.count("terminal:same") == 1


async def test_a_command_forgotten_in_memory_is_found_in_the_database(
    database: Database,
) -> None:
    store, decide = SqlStore(database), SmallDecide()
    state = await store.load()
    engine = an_engine(store, state, decide)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        first = await engine.submit(a_command(key="old"))
        state.handled.trim(0)
        again, other = await asyncio.gather(
            engine.submit(a_command(key="old")), engine.submit(a_command())
        )
        engine.stop()

    assert again == first
    assert other.outcome is Outcome.ACCEPTED
    assert await database.read(head) == state.seq


async def test_what_the_database_will_not_have_fails_alone(
    database: Database,
) -> None:
    """A second writer took our number: that is seen, and not written over."""
    store, decide = SqlStore(database), SmallDecide()

    class Spoilt(SqlStore):
        async def commit(self, records: Sequence[Recorded], layer: State) -> None:
            if any(getattr(one.fact, "tag", "") == "bad" for one in records):
                records = [*records, records[-1]]  # the same seq twice
            await super().commit(records, layer)

    engine = an_engine(Spoilt(database), await store.load(), decide)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        results = await asyncio.gather(
            *(engine.submit(a_command(name)) for name in ("a", "bad", "b")),
            return_exceptions=True,
        )
        engine.stop()

    assert [isinstance(one, MessageFailed) for one in results] == [False, True, False]
    aside = await database.read(lambda connection: set_aside(connection, "main"))
    assert len(aside) == 1
    assert (await store.load()).seq == engine.committed.seq


async def test_an_outage_of_the_database_loses_nothing(database: Database) -> None:
    store, decide = SqlStore(database), SmallDecide()

    class Failing(SqlStore):
        is_down = True

        async def commit(self, records: Sequence[Recorded], layer: State) -> None:
            if self.is_down:
                raise StoreUnavailable("disk full")
            await super().commit(records, layer)

    failing = Failing(database)
    engine = an_engine(failing, await store.load(), decide)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        for n in range(1, 4):
            await engine.sense(sensed(n))
        with pytest.raises(OutcomeUnknown):
            await engine.submit(a_command(key="same"))
        failing.is_down = False
        await until(lambda: engine.is_accepting)
        answer = await engine.submit(a_command(key="same"))
        engine.stop()

    assert answer.outcome is Outcome.ACCEPTED
    state = await store.load()
    mark = state.watermark.get("plc")
    assert mark is not None
    assert mark.n == 3
    assert state.seq == engine.committed.seq
