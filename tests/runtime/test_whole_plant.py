"""All the moving parts at once, with the real core, database and ledger."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from mes_engine.core.facts import PostingMoved, PostingRaised
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.messages import (
    ApplyPlant,
    AssertTrigger,
    BeginJobOrder,
    CancelWorkRequest,
    CloseWorkRequest,
    Command,
    Commanded,
    CreateWorkRequest,
    LoadJobOrder,
    Outcome,
    ReceiveMaterial,
    ReleaseRouting,
    ReleaseWorkRequest,
    ReportQuantity,
)
from mes_engine.core.postings import PostingState
from mes_engine.core.state import TABLES, State
from mes_engine.modules.ledger import CONSUMER, LedgerService, handle, stream_totals
from mes_engine.runtime.consumers import Consumer, Consuming
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.memory import Memory
from mes_engine.runtime.reconcile import Booked, reconcile
from mes_engine.runtime.relay import Relay
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import a_plant, a_routing
from tests.runtime.builders import NOW
from tests.runtime.stand_ins import until

CLOSED = JobOrderState.ENDED_CLOSED


@dataclass
class Works:
    """An engine on its database, with the ledger that its postings go to."""

    database: Database
    engine: Engine
    now: int = NOW
    sent: int = 0

    def clock(self) -> int:
        self.now += 1_000_000
        return self.now

    async def do(self, command: Command) -> Mapping[str, str]:
        self.sent += 1
        answer = await self.engine.submit(
            Commanded(
                origin="test",
                key=f"key-{self.engine.committed.seq}-{self.sent}",
                digest="d",
                person="anna",
                at=self.clock(),
                command=command,
            )
        )
        assert answer.outcome is Outcome.ACCEPTED, answer
        return answer.result

    def job(self, request: str, step: str) -> JobOrder:
        jobs = self.engine.committed.job_order.find("request", request)
        return next(job for job in jobs if job.step == step)

    async def prepare(self) -> None:
        await self.do(ApplyPlant(plant=a_plant()))
        await self.do(ReleaseRouting(routing=a_routing()))
        bars = ReceiveMaterial(
            material="BAR", unit="MTR", quantity=Decimal(100), supplier="Steel Inc"
        )
        await self.do(bars)

    async def create(self, request: str, quantity: int) -> None:
        await self.do(
            CreateWorkRequest(
                work_request=request,
                routing="bracket",
                quantity=Decimal(quantity),
                due_at=self.now,
            )
        )

    async def make(self, request: str, quantity: int = 4) -> None:
        """Make it all, and wait until the ledger has it."""
        await self.create(request, quantity)
        await self.do(ReleaseWorkRequest(work_request=request))
        for step, unit in (("10", "saw-1"), ("20", "mill-1")):
            job = self.job(request, step).id
            await self.do(LoadJobOrder(job_order=job, work_unit=unit))
            await self.do(BeginJobOrder(job_order=job))
            await self.do(ReportQuantity(job_order=job, good=Decimal(quantity)))
            await self.do(
                AssertTrigger(job_order=job, trigger=JobOrderTrigger.COMPLETE)
            )
        await until(lambda: self.job(request, "20").state is CLOSED)
        await until(lambda: self.job(request, "10").state is CLOSED)

    async def booked(self) -> dict[str, Booked]:
        totals = await self.database.read(stream_totals)
        return {
            name: Booked(
                entries=one.entries,
                good=one.amounts.good,
                scrap=one.amounts.scrap,
                setup_s=one.amounts.setup_s,
                processing_s=one.amounts.processing_s,
            )
            for name, one in totals.items()
        }


@asynccontextmanager
async def works(
    database: Database, *, requests_kept: int = 1_000
) -> AsyncIterator[Works]:
    store, feed = SqlStore(database), Feed()
    state = await store.load()
    memory = Memory(state, requests_kept=requests_kept, at_a_time=1)
    ticks = iter(range(NOW, NOW + 10**12, 1_000_000))
    engine = Engine(store, state, clock=lambda: next(ticks), feed=feed, memory=memory)
    ledger = LedgerService(database, lambda: NOW)
    relay = Relay(
        ledger, committed=engine.committed, submit=engine.submit, clock=lambda: NOW
    )
    feed.tap(relay.hear)
    listener = Consumer(
        name=CONSUMER, types=(PostingRaised, PostingMoved), handle=handle
    )
    consuming = Consuming(listener, database, feed)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.run())
        helpers = [tasks.create_task(part.run()) for part in (relay, consuming)]
        yield Works(database=database, engine=engine)
        for helper in helpers:
            helper.cancel()
        engine.stop()


async def test_what_is_made_is_booked_once_and_reconciles(database: Database) -> None:
    async with works(database) as plant:
        await plant.prepare()
        for number in range(5):
            await plant.make(f"WR-{number}")
        result = await reconcile(database, plant.booked, at=NOW)

    assert result.differences == ()
    assert (result.streams, result.waiting, result.parked) == (5, 0, 0)
    assert {name: one.good for name, one in (await plant.booked()).items()} == {
        f"WR-{number}": Decimal(8) for number in range(5)
    }


async def test_work_goes_on_after_a_restart(database: Database) -> None:
    async with works(database) as before:
        await before.prepare()
        await before.create("WR-1", 4)
        await before.do(ReleaseWorkRequest(work_request="WR-1"))
        job = before.job("WR-1", "10").id
        await before.do(LoadJobOrder(job_order=job, work_unit="saw-1"))
        await before.do(BeginJobOrder(job_order=job))
        seq = before.engine.committed.seq

    async with works(database) as after:
        assert after.engine.committed.seq == seq
        await after.do(ReportQuantity(job_order=job, good=Decimal(4)))
        await after.do(AssertTrigger(job_order=job, trigger=JobOrderTrigger.COMPLETE))
        await until(lambda: after.job("WR-1", "10").state is CLOSED)
        posting = next(iter(after.engine.committed.posting.values()))

    assert posting.state is PostingState.ACKNOWLEDGED
    assert posting.reference == "WCL-1"


def keys(state: State) -> dict[str, set[object]]:
    return {
        name: {spec.key(one) for one in getattr(state, name).values()}
        for name, spec in TABLES.items()
        if spec.is_kept
    }


async def test_what_is_forgotten_is_what_a_restart_would_not_load(
    database: Database,
) -> None:
    async with works(database, requests_kept=0) as plant:
        await plant.prepare()
        for number in range(3):
            await plant.make(f"WR-{number}")
        await plant.create("WR-given-up", 2)
        before = keys(plant.engine.committed)
        for number in range(2):
            await plant.do(CloseWorkRequest(work_request=f"WR-{number}"))
        await plant.do(CancelWorkRequest(work_request="WR-given-up"))
        await plant.make("WR-after")
        forgetful = keys(plant.engine.committed)
    loaded = keys(await SqlStore(database).load())

    assert forgetful == loaded
    assert len(forgetful["job_order"]) == len(before["job_order"]) - 3
    assert forgetful["work_request"] > before["work_request"]
