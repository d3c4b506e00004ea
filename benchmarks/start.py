"""What it costs to remember: the start after a kill, memory, and each command.

    python -m benchmarks.start --jobs 100000 --facts 1000000

``jobs`` requests are released and never begun; pieces are reported on others until the
journal has ``facts`` facts. Then an engine in a process of its own is started on that
database, killed with SIGKILL, and started again; the time is from that start until
``/readyz`` says that commands are taken. In the same run the same is measured with
next to nothing to remember, which is the cost of the process itself, and with as many
facts and few live job orders: what is more then is theirs.

The interpreter may keep its compiled modules, in a folder of the run, as it does of
whatever is installed; the first start, which compiles them, is not counted.
"""

import argparse
import asyncio
import json
import resource
import statistics
import tempfile
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time

import httpx
from sqlalchemy import Connection

from benchmarks.durable import FAR_AWAY, JOBS, accepted, prepared, running
from benchmarks.goals import Goal
from benchmarks.pages import told
from mes_engine.bootstrap.core import tune_interpreter
from mes_engine.core.messages import (
    CreateWorkRequest,
    ReleaseWorkRequest,
    ReportQuantity,
)
from mes_engine.storage.database import Database
from mes_engine.storage.load import load_state
from tests.faults.harness import an_engine, until

CALLERS = 500
PAGE = resource.getpagesize()
GOAL_S = 3.0
GOAL_BYTES = 2_000
GOAL_TIMES = 1.3
ROUNDS = 3
MOST_S = 600


async def many(count: int, one: Callable[[int], Awaitable[object]]) -> None:
    """Do it ``count`` times, some hundred callers waiting at a time."""
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            await one(number)

    async with asyncio.TaskGroup() as callers:
        for _ in range(CALLERS):
            callers.create_task(caller())


async def filled(folder: Path, *, jobs: int, facts: int) -> int:
    """Make a database with so much in it; return how many facts it has."""
    async with running(f"sqlite:///{folder}/mes.db") as engine:
        at_work = await prepared(engine)

        async def release(number: int) -> None:
            name = f"LIVE-{number}"
            made = CreateWorkRequest(
                work_request=name,
                routing="r",
                quantity=Decimal(10),
                due_at=FAR_AWAY + number,
            )
            await accepted(engine, f"made-{number}", made)
            released = ReleaseWorkRequest(work_request=name)
            await accepted(engine, f"released-{number}", released)

        async def report(number: int) -> None:
            good = ReportQuantity(job_order=at_work[number % JOBS], good=Decimal(1))
            await accepted(engine, f"report-{number}", good)

        await many(jobs, release)
        before = engine.counts.facts
        await many(JOBS, report)
        each = (engine.counts.facts - before) / JOBS
        left = max(int((facts - engine.counts.facts) / each), 0)
        await many(left, lambda number: report(JOBS + number))
        return engine.counts.facts


def write_config(folder: Path) -> Path:
    """Write down the site that the database is of; return where."""
    config = folder / "config"
    config.mkdir()
    plant = {
        "site": {"id": "bench", "name": "Benchmark", "zone": "UTC"},
        "locations": {"finished": "F", "receiving": "R"},
        "areas": ["a"],
        "equipment_classes": {"c": {"name": "c"}},
        "work_centers": {"W": {"area": "a", "name": "W"}},
        "work_units": {
            f"u{number}": {"work_center": "W", "name": "u", "classes": ["c"]}
            for number in range(JOBS)
        },
    }
    (config / "plant.yaml").write_text(json.dumps(plant))
    site = {
        "database": {"url": "${MES_DATABASE_URL}"},
        "http": {"port": "${MES_HTTP_PORT}"},
        "journal": {"key_file": "${MES_JOURNAL_KEY}"},
        "gateway": {"token": "${MES_GATEWAY_TOKEN:-}"},
    }
    (config / "site.yaml").write_text(json.dumps(site))
    return config


@dataclass(frozen=True, kw_only=True)
class Started:
    """What an engine needed that was killed and started again.

    Attributes:
        seconds: Until it served, of each start.
        memory: Bytes of the process that then served.
    """

    seconds: list[float]
    memory: int


async def restarted(folder: Path, config: Path, compiled: Path) -> Started:
    """Kill an engine that serves, some times, and see how it comes back."""
    environment = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(compiled),
    }
    seconds = []
    async with an_engine(
        folder, config=config, token="elsewhere", environment=environment
    ) as engine:
        await engine.start()
        for _ in range(ROUNDS):
            await engine.kill()
            began = perf_counter()
            await engine.spawn()
            await engine.ready(within_s=MOST_S)
            async with httpx.AsyncClient(base_url=engine.url, trust_env=False) as http:

                async def is_ready(http: httpx.AsyncClient = http) -> bool:
                    return (await http.get("/readyz")).is_success

                await until(is_ready, within_s=MOST_S)
            seconds.append(perf_counter() - began)
        memory = await asyncio.to_thread(_memory_of, engine.pid)
        await engine.kill()
    return Started(seconds=seconds, memory=memory)


def _memory_of(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * PAGE


async def state_of(folder: Path) -> int:
    """Return the bytes of what is kept in memory, but for the answers to repeats.

    Of those as many are kept whatever is live.
    """

    def work(connection: Connection) -> int:
        tracemalloc.start()
        try:
            state = load_state(connection, "main")
            state.handled.own.clear()
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    database = Database.open(f"sqlite:///{folder / 'mes.db'}")
    try:
        return await database.read(work)
    finally:
        await database.close()


async def cost_of_one(folder: Path, name: str, *, commands: int) -> float:
    """Return the processor's seconds for one report, all threads together."""
    async with running(f"sqlite:///{folder / 'mes.db'}") as engine:
        orders = engine.committed.job_order
        at_work = [one.id for one in orders.values() if one.begun_at is not None]

        async def report(number: int) -> None:
            job = at_work[number % len(at_work)]
            good = ReportQuantity(job_order=job, good=Decimal(1))
            await accepted(engine, f"{name}-{number}", good)

        await many(commands // 10, report)
        name += "-measured"
        began = process_time()
        await many(commands, report)
        return (process_time() - began) / commands


async def growth(few: Path, all_of_it: Path, *, commands: int) -> list[float]:
    """Return, by round, how much more a command costs with all of it."""
    ratios = []
    for number in range(ROUNDS):
        one = await cost_of_one(few, f"round-{number}", commands=commands)
        other = await cost_of_one(all_of_it, f"round-{number}", commands=commands)
        ratios.append(other / one)
    return ratios


async def measure(*, jobs: int, few: int, facts: int, commands: int) -> list[Goal]:
    """Measure all three, and print what they follow from."""
    started: list[Started] = []
    names = ("next to nothing", "few of it", "all of it")
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / name for name in names]
        for folder, live in zip(folders, (0, few, jobs), strict=True):
            folder.mkdir()
            there = await filled(folder, jobs=live, facts=facts if live else 0)
            config = write_config(folder)
            started.append(await restarted(folder, config, Path(place) / "compiled"))
            print(
                f"{folder.name}: {there} facts, {live + JOBS} live job orders: serves "
                f"again after {_listed(started[-1].seconds)} s, "
                f"{started[-1].memory / 1e6:.0f} MB",
                flush=True,
            )
        less, more = [await state_of(folder) for folder in folders[1:]]
        ratios = await growth(*folders[1:], commands=commands)
    print("a report with all of it against few, by round: " + _listed(ratios))
    return [
        Goal(
            name=f"seconds from kill to serving with {jobs} live job orders",
            found=statistics.median(started[-1].seconds),
            wanted=GOAL_S,
            is_bound=True,
        ),
        Goal(
            name=f"bytes of memory for each of {jobs} live job orders",
            found=(more - less) / (jobs - few),
            wanted=GOAL_BYTES,
            is_bound=True,
        ),
        Goal(
            name=f"processor for a report with {jobs} live job orders against {few}",
            found=statistics.median(ratios),
            wanted=GOAL_TIMES,
            is_bound=True,
        ),
    ]


def _listed(figures: Sequence[float]) -> str:
    return ", ".join(f"{one:.2f}" for one in figures)


def main() -> None:
    """Measure the start."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--commands", type=int, default=10_000)
    asked = parser.parse_args()
    tune_interpreter()
    measured = measure(
        jobs=asked.jobs, few=asked.few, facts=asked.facts, commands=asked.commands
    )
    raise SystemExit(not told(asyncio.run(measured)))


if __name__ == "__main__":
    main()
