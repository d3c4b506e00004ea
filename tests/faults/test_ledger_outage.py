"""The ledger down for a while, then back: everything is booked, in order, once.

The engine, the relay, the database and the ledger are the real ones; only the way to
the ledger breaks. Half of the time it breaks on the way back: booked, and nobody heard.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from mes_engine.bootstrap.core import Core, running_engine
from mes_engine.bootstrap.site import apply_plant
from mes_engine.core.errors import SourceLost
from mes_engine.core.facts import PostingMoved
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.messages import (
    AssertTrigger,
    BeginJobOrder,
    Command,
    Commanded,
    CreateWorkRequest,
    LoadJobOrder,
    Outcome,
    ReleaseRouting,
    ReleaseWorkRequest,
    ReportQuantity,
)
from mes_engine.core.postings import Posting, PostingState
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Step
from mes_engine.modules.ledger import LedgerService
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.relay import Relay
from mes_engine.settings import installed_adapters, load_site
from mes_engine.storage.journal import facts_after
from tests.faults.harness import CONFIG, until
from tests.faults.load import BENCH

QUANTITY = 5


class BrokenWay:
    """The way to the ledger: while it is down, every second posting gets through."""

    def __init__(self, ledger: LedgerService) -> None:
        self.is_down = False
        self.lost = 0
        self.unheard = 0
        self._ledger = ledger

    async def post(self, posting: Posting) -> str:
        if not self.is_down:
            return await self._ledger.post(posting)
        self.lost += 1
        if self.lost % 2:
            await self._ledger.post(posting)
            self.unheard += 1
        raise SourceLost("The ledger cannot be reached.")


@dataclass
class Bench:
    """An engine with the demo's plant, and its ledger behind a way that breaks."""

    core: Core
    books: LedgerService
    way: BrokenWay
    relay: Relay
    sent: int = 0

    async def do(self, command: Command) -> dict[str, str]:
        self.sent += 1
        answer = await self.core.submit(
            Commanded(
                origin="test",
                key=f"outage-{self.sent}",
                digest="d",
                person="Clara",
                at=self.core.clock(),
                command=command,
            )
        )
        assert answer.outcome is Outcome.ACCEPTED, answer
        return dict(answer.result)

    async def make(self, request: str) -> None:
        """Make a request, a posting for each piece and one for the end."""
        made = await self.do(
            CreateWorkRequest(
                work_request=request,
                routing="gauge",
                quantity=Decimal(QUANTITY),
                due_at=self.core.clock(),
            )
        )
        job = made["job_order"]
        await self.do(ReleaseWorkRequest(work_request=request))
        await self.do(LoadJobOrder(job_order=job, work_unit=BENCH))
        await self.do(BeginJobOrder(job_order=job))
        for _ in range(QUANTITY):
            await self.do(ReportQuantity(job_order=job, good=Decimal(1)))
        await self.do(AssertTrigger(job_order=job, trigger=JobOrderTrigger.COMPLETE))

    async def is_settled(self) -> bool:
        states = {one.state for one in self.core.engine.committed.posting.values()}
        return states == {PostingState.ACKNOWLEDGED}


@asynccontextmanager
async def a_bench(folder: Path) -> AsyncIterator[Bench]:
    site = load_site(CONFIG, None, environment={}, adapters=installed_adapters())
    step = Step(
        id="10",
        name="Measure",
        work_center="INSPECTION",
        equipment_class="inspection",
    )
    gauge = Routing(
        id="gauge",
        revision="A",
        material="GAUGE-1",
        unit="C62",
        steps=(step,),
        connections=(),
    )
    async with running_engine(f"sqlite:///{folder / 'mes.db'}") as core:
        await apply_plant(core, site.plant)
        books = LedgerService(core.database, core.clock)
        way = BrokenWay(books)
        relay = Relay(
            way,
            committed=core.engine.committed,
            submit=core.submit,
            clock=core.clock,
            back_off=lambda: BackOff(first_s=0.01, longest_s=0.05),
        )
        core.feed.tap(relay.hear)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(relay.run())
            bench = Bench(core, books, way, relay)
            await bench.do(ReleaseRouting(routing=gauge))
            yield bench
            running.cancel()


async def test_after_an_outage_everything_is_booked_in_order_and_once(
    tmp_path: Path,
) -> None:
    async with a_bench(tmp_path) as bench:
        for number in range(2):
            await bench.make(f"L-{number}")
        await until(bench.is_settled)
        bench.way.is_down = True
        for number in range(2, 6):
            await bench.make(f"L-{number}")

        async def is_in_doubt() -> bool:
            return bench.relay.is_ledger_lost and bench.way.unheard >= 4

        await until(is_in_doubt)
        assert not await bench.is_settled()
        bench.way.is_down = False
        await bench.make("L-6")
        await until(bench.is_settled)

        entries = await bench.books.entries(limit=1_000)
        postings = {
            one.key: one for one in bench.core.engine.committed.posting.values()
        }
        moved = [
            recorded.fact
            for recorded in await bench.core.database.read(
                lambda connection: facts_after(connection, "main", 0, 100_000)
            )
            if isinstance(recorded.fact, PostingMoved)
        ]

    assert sorted(one.key for one in entries) == sorted(postings)
    assert {one.key: one.reference for one in entries} == {
        key: one.reference for key, one in postings.items()
    }
    in_order: dict[str, list[int]] = defaultdict(list)
    for entry in sorted(entries, key=lambda one: one.number):
        in_order[entry.stream].append(entry.stream_seq)
    assert in_order == {f"L-{n}": list(range(1, QUANTITY + 2)) for n in range(7)}
    assert sum(one.amounts.good for one in entries) == 7 * QUANTITY
    told = Counter((one.posting, one.state) for one in moved)
    assert all(told[key, PostingState.ACKNOWLEDGED] == 1 for key in postings)
    assert any(one.state is PostingState.IN_DOUBT for one in moved)
    assert not any(one.state is PostingState.PARKED for one in moved)
