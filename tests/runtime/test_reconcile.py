"""Reconciliation: what is acknowledged is what is booked, or it is said where not."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

from mes_engine.core.messages import CloseWorkRequest, RecordPosting
from mes_engine.core.postings import PostingState
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.reconcile import (
    Booked,
    Ours,
    compared,
    nightly,
    our_totals,
    reconcile,
    results,
)
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.runtime.builders import NOW, a_command, clock
from tests.runtime.stand_ins import SmallDecide


def booked(entries: int) -> Booked:
    return Booked(
        entries=entries, good=Decimal(entries), processing_s=Decimal(60 * entries)
    )


def ours(entries: int, *, waiting: int = 0, parked: int = 0) -> Ours:
    return Ours(acknowledged=booked(entries), waiting=waiting, parked=parked)


def kinds(mine: Mapping[str, Ours], theirs: Mapping[str, Booked]) -> dict[str, str]:
    result = compared(mine, theirs, mine, at=NOW)
    return {one.stream: one.kind for one in result.differences}


def test_each_difference_is_named_by_its_kind() -> None:
    changed = Booked(entries=2, good=Decimal(3), processing_s=Decimal(120))
    assert kinds(
        {"same": ours(2), "less": ours(2), "more": ours(2), "edited": ours(2)},
        {"same": booked(2), "less": booked(1), "more": booked(3), "edited": changed},
    ) == {"less": "missing", "more": "orphan", "edited": "changed"}


def test_a_stream_that_only_one_side_knows_is_a_difference() -> None:
    assert kinds({"ours": ours(1)}, {"theirs": booked(1)}) == {
        "ours": "missing",
        "theirs": "orphan",
    }


def test_what_is_on_its_way_is_no_difference() -> None:
    assert kinds({"A": ours(1, waiting=1)}, {"A": booked(2)}) == {}
    result = compared({"A": ours(1)}, {"A": booked(2)}, {"A": ours(2)}, at=NOW)
    assert (result.differences, result.waiting) == ((), 1)


def test_what_is_parked_is_counted_and_not_awaited() -> None:
    result = compared(
        {"A": ours(1, parked=2)},
        {"A": booked(1)},
        {"A": ours(1, parked=2)},
        at=NOW,
    )
    assert (result.differences, result.parked, result.waiting) == ((), 2, 0)


async def test_a_result_is_kept_and_can_be_read(database: Database) -> None:
    store = SqlStore(database)
    engine = Engine(
        store, await store.load(), clock=clock, feed=Feed(), decide=SmallDecide()
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        for stream in ("A", "A", "B", "C"):
            await engine.submit(a_command(CloseWorkRequest(work_request=stream)))
        for key, state in (
            ("A-1", PostingState.ACKNOWLEDGED),
            ("A-2", PostingState.ACKNOWLEDGED),
            ("B-1", PostingState.PARKED),
        ):
            await engine.submit(a_command(RecordPosting(posting=key, state=state)))
        engine.stop()

    assert await database.read(lambda connection: our_totals(connection, "main")) == {
        "A": ours(2),
        "B": ours(0, parked=1),
        "C": ours(0, waiting=1),
    }

    async def ledger() -> dict[str, Booked]:
        return {"A": booked(1)}

    result = await reconcile(database, ledger, at=NOW)
    kept = await database.read(results)

    assert kept == [result]
    assert (result.streams, result.waiting, result.parked) == (3, 1, 1)
    assert [(one.stream, one.kind) for one in result.differences] == [("A", "missing")]
    assert result.differences[0].ours["good"] == "2"


async def test_every_night_one_comparison_is_kept(database: Database) -> None:
    async def ledger() -> dict[str, Booked]:
        return {}

    job = nightly(database, ledger, zone="Europe/Berlin")
    slot = job.slot_at(NOW)
    await job.work(slot)

    (kept,) = await database.read(results)
    assert (kept.at, kept.streams) == (slot, 0)
