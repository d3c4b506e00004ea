"""Rules that every WipStore keeps, run against the real one and the fake."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from mes_engine.core.messages import CreateWorkRequest, Outcome
from mes_engine.core.state import State
from mes_engine.ports import DuplicateKey, WipStore
from mes_engine.storage.store import SqlStore
from tests.builders import SHIFT_START, Shop, a_day, a_request, a_site
from tests.databases import on_postgresql, open_database
from tests.fakes import InMemoryStore

AN_ORDER = CreateWorkRequest(
    work_request="WR-1", routing="bracket", quantity=Decimal(5), due_at=SHIFT_START
)


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[WipStore]:
    if request.param == "fake":
        yield InMemoryStore()
        return
    if request.param == "postgresql":
        on_postgresql(tmp_path)
    async with open_database(tmp_path) as database:
        yield SqlStore(database)


def everything(state: State) -> dict[str, dict[object, object]]:
    return {
        name: {table.spec.key(value): value for value in table.values()}
        for name, table in state.tables.items()
        if table.spec.is_kept and any(True for _ in table.values())
    }


async def test_an_empty_store_has_an_empty_state(store: WipStore) -> None:
    state = await store.load()

    assert state.seq == 0
    assert everything(state) == {}


async def test_gives_back_what_was_committed(store: WipStore) -> None:
    shop = Shop()
    a_day(shop)
    await store.commit(*shop.take())
    a_request(shop, "WR-3")
    await store.commit(*shop.take())

    state = await store.load()

    assert state.seq == shop.committed.seq
    found = everything(state)
    for hold in [one for one in shop.committed.hold.values() if not one.is_open]:
        found.setdefault("hold", {})[hold.id] = hold  # not live: may be left out
    assert found == everything(shop.committed)


async def test_what_was_loaded_can_be_worked_on(store: WipStore) -> None:
    shop = Shop()
    a_site(shop)
    await store.commit(*shop.take())

    later = Shop(await store.load())
    a_request(later, "WR-1")
    await store.commit(*later.take())

    state = await store.load()
    assert [one.id for one in state.work_request.values()] == ["WR-1"]
    assert len(state.job_order.find("request", "WR-1")) == 1


async def test_a_commit_without_facts_does_nothing(store: WipStore) -> None:
    await store.commit([], State().layer())

    assert (await store.load()).seq == 0


async def test_tells_how_far_the_journal_has_come(store: WipStore) -> None:
    assert await store.reached() == 0
    shop = Shop()
    a_site(shop)
    await store.commit(*shop.take())

    assert await store.reached() == shop.committed.seq > 0


async def test_tells_digest_and_answer_of_a_handled_command(store: WipStore) -> None:
    shop = Shop()
    a_site(shop)
    answer = shop.do(AN_ORDER, key="press")
    await store.commit(*shop.take())

    found = await store.handled("terminal", "press")

    assert found is not None
    assert found[0].startswith("digest-")
    assert found[1] == answer
    assert found[1].outcome is Outcome.ACCEPTED
    assert await store.handled("terminal", "other") is None
    assert await store.handled("crm", "press") is None


async def test_a_command_is_never_handled_twice(store: WipStore) -> None:
    shop = Shop()
    a_site(shop)
    shop.do(AN_ORDER, key="press")
    await store.commit(*shop.take())
    before = await store.load()

    forgetful = Shop(await store.load())
    forgetful.committed.handled.trim(0)
    forgetful.do(msgspec.structs.replace(AN_ORDER, work_request="WR-2"), key="press")
    with pytest.raises(DuplicateKey):
        await store.commit(*forgetful.take())

    after = await store.load()
    assert everything(after) == everything(before)
    assert after.seq == before.seq


async def test_after_a_duplicate_the_rest_can_be_committed(store: WipStore) -> None:
    shop = Shop()
    a_site(shop)
    shop.do(AN_ORDER, key="press")
    await store.commit(*shop.take())
    forgetful = Shop(await store.load())
    forgetful.committed.handled.trim(0)
    forgetful.do(msgspec.structs.replace(AN_ORDER, work_request="WR-2"), key="press")
    with pytest.raises(DuplicateKey):
        await store.commit(*forgetful.take())

    alone = Shop(await store.load())
    a_request(alone, "WR-3")
    await store.commit(*alone.take())

    requests = {one.id for one in (await store.load()).work_request.values()}
    assert requests == {"WR-1", "WR-3"}
