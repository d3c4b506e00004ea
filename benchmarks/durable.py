"""Durable commands: the engine, the same rows without logic, the same one by one.

The work is a report of one good piece on a running job order, each with its own key:
dedupe, decide, ledger move with its laws, totals, journal, projections, answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from time import perf_counter, process_time, time_ns

from mes_engine.core.decide import decide
from mes_engine.core.facts import Recorded
from mes_engine.core.messages import (
    ApplyPlant,
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
from mes_engine.core.plant import EquipmentClass, Plant, WorkCenter, WorkUnit
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import Step
from mes_engine.migrations import upgrade
from mes_engine.ports import WipStore
from mes_engine.runtime.engine import Engine, Note, unnoted
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.inbox import BATCH_MAX
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore

JOBS = 100
MakeStore = Callable[[Database], SqlStore]

FAR_AWAY = 2_000_000_000_000_000


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One way of doing it, in one round.

    Attributes:
        commands: How many were done, in ``seconds``, with ``facts`` facts.
        commits: How many transactions that took.
        cpu_s: What the whole process had of the processors meanwhile.
    """

    commands: int
    facts: int
    commits: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Commands a second."""
        return self.commands / self.seconds


class RecordingStore:
    """The real store, keeping what it was given, to be written again without logic."""

    def __init__(self, store: SqlStore) -> None:
        self.commits: list[tuple[Sequence[Recorded], State]] = []
        self.load, self.handled = store.load, store.handled
        self.reached = store.reached
        self._store = store

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Write, and remember."""
        self.commits.append((records, layer))
        await self._store.commit(records, layer)


async def engine_round(
    url: str,
    *,
    commands: int,
    callers: int,
    batch_max: int = BATCH_MAX,
    make_store: MakeStore = SqlStore,
) -> tuple[Measured, RecordingStore]:
    """Have ``callers`` wait for answers at a time, until ``commands`` are done.

    The database at ``url`` is a new one.
    """
    stores: list[RecordingStore] = []

    def recording(database: Database) -> RecordingStore:
        stores.append(RecordingStore(make_store(database)))
        return stores[-1]

    async with running(url, make_store=recording, batch_max=batch_max) as engine:
        jobs = await prepared(engine)
        facts, commits = engine.counts.facts, engine.counts.commits
        numbers = iter(range(commands))

        async def caller() -> None:
            for number in numbers:
                report = ReportQuantity(job_order=jobs[number % JOBS], good=Decimal(1))
                await accepted(engine, f"r{number}", report)

        began, cpu = perf_counter(), process_time()
        async with asyncio.TaskGroup() as callers_at_work:
            for _ in range(callers):
                callers_at_work.create_task(caller())
        seconds, cpu = perf_counter() - began, process_time() - cpu
        measured = Measured(
            commands=commands,
            facts=engine.counts.facts - facts,
            commits=engine.counts.commits - commits,
            seconds=seconds,
            cpu_s=cpu,
        )
    return measured, stores[-1]


async def paced_round(url: str, *, rate: float, seconds: float) -> list[float]:
    """Give commands at a rate, whoever still waits; return how long each waited."""
    waits: list[float] = []
    async with running(url) as engine:
        jobs = await prepared(engine)

        async def one(number: int) -> None:
            began = perf_counter()
            report = ReportQuantity(job_order=jobs[number % JOBS], good=Decimal(1))
            await accepted(engine, f"p{number}", report)
            waits.append(perf_counter() - began)

        began, given = perf_counter(), 0
        async with asyncio.TaskGroup() as tasks:
            while given < rate * seconds:
                due = int((perf_counter() - began) * rate)
                for number in range(given, due):
                    tasks.create_task(one(number))
                given = max(given, due)
                await asyncio.sleep(0.001)
    return waits


@asynccontextmanager
async def running(
    url: str,
    *,
    note: Note = unnoted,
    make_store: Callable[[Database], WipStore] = SqlStore,
    batch_max: int = BATCH_MAX,
) -> AsyncIterator[Engine]:
    """Run an engine on a database, without its process."""
    upgrade(url)
    database = Database.open(url)
    store = make_store(database)
    engine = Engine(
        store,
        await store.load(),
        clock=now,
        feed=Feed(),
        decide=decide,
        note=note,
        batch_max=batch_max,
    )
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(engine.run())
        yield engine
        engine.stop()
        await working
    await database.close()


async def bulk_round(
    url: str,
    store: RecordingStore,
    like: Measured,
    *,
    make_store: MakeStore = SqlStore,
) -> Measured:
    """Write the very same batches, in the same transactions, without any logic."""
    upgrade(url)
    database = Database.open(url)
    bulk = make_store(database)
    first = len(store.commits) - like.commits
    for records, layer in store.commits[:first]:
        await bulk.commit(records, layer)
    began, cpu = perf_counter(), process_time()
    for records, layer in store.commits[first:]:
        await bulk.commit(records, layer)
    seconds, cpu = perf_counter() - began, process_time() - cpu
    await database.close()
    return Measured(
        commands=like.commands,
        facts=like.facts,
        commits=like.commits,
        seconds=seconds,
        cpu_s=cpu,
    )


async def prepared(engine: Engine) -> list[str]:
    """Have ``JOBS`` job orders running, each with pieces for ever."""
    units = tuple(
        WorkUnit(id=f"u{n}", work_center="W", name="u", classes=("c",))
        for n in range(JOBS)
    )
    plant = Plant(
        site="bench",
        name="Benchmark",
        zone="UTC",
        finished_location="F",
        receiving_location="R",
        areas=("a",),
        classes=(EquipmentClass(id="c", name="c"),),
        work_centers=(WorkCenter(id="W", area="a", name="W"),),
        work_units=units,
    )
    step = Step(id="10", name="Do it", work_center="W", equipment_class="c")
    routing = Routing(
        id="r", revision="A", material="P", unit="C62", steps=(step,), connections=()
    )
    await accepted(engine, "plant", ApplyPlant(plant=plant))
    await accepted(engine, "routing", ReleaseRouting(routing=routing))
    jobs = []
    for n in range(JOBS):
        name = f"WR-{n}"
        made = CreateWorkRequest(
            work_request=name,
            routing="r",
            quantity=Decimal(1_000_000),
            due_at=FAR_AWAY,
        )
        job = (await accepted(engine, f"c{n}", made))["job_order"]
        jobs.append(job)
        await accepted(engine, f"l{n}", ReleaseWorkRequest(work_request=name))
        load = LoadJobOrder(job_order=job, work_unit=f"u{n}")
        await accepted(engine, f"o{n}", load)
        await accepted(engine, f"b{n}", BeginJobOrder(job_order=job))
    return jobs


async def accepted(engine: Engine, key: str, command: Command) -> dict[str, str]:
    """Give a command, which has to be accepted; return its result."""
    answer = await engine.submit(
        Commanded(
            origin="bench",
            key=key,
            digest="",
            person="bench",
            at=now(),
            command=command,
        )
    )
    if answer.outcome is not Outcome.ACCEPTED:
        raise RuntimeError(f"{key}: {answer.message}")
    return answer.result


def now() -> int:
    """Tell the time in microseconds of UTC."""
    return time_ns() // 1_000
