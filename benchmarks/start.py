"""How long until an engine serves again that was killed, by what it has to remember.

    python -m benchmarks.start --jobs 100000 --facts 1000000

``jobs`` requests are released and never begun; pieces are reported on others until the
journal has ``facts`` facts. Then an engine of its own process is started on that
database, killed with SIGKILL, and started again; the time is from that start until
``/readyz`` says that commands are taken. In the same run the same is measured with
next to nothing to remember, which is the cost of the process itself.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import httpx

from benchmarks.durable import FAR_AWAY, JOBS, accepted, prepared, running
from mes_engine.bootstrap.core import tune_interpreter
from mes_engine.core.messages import (
    CreateWorkRequest,
    ReleaseWorkRequest,
    ReportQuantity,
)
from tests.faults.harness import an_engine, until

CALLERS = 500
GOAL_S = 3.0
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


async def restarted(folder: Path, config: Path) -> float:
    """Kill an engine that serves, and return the seconds until it serves again."""
    async with an_engine(folder, config=config, token="elsewhere") as engine:
        await engine.start()
        await engine.kill()
        began = perf_counter()
        await engine.spawn()
        await engine.ready(within_s=MOST_S)
        async with httpx.AsyncClient(base_url=engine.url, trust_env=False) as http:

            async def is_ready() -> bool:
                return (await http.get("/readyz")).is_success

            await until(is_ready, within_s=MOST_S)
        seconds = perf_counter() - began
        await engine.kill()
        return seconds


async def measure(*, jobs: int, facts: int) -> bool:
    """Print both; whether the goal is reached."""
    medians = []
    for name, live, wanted in (("next to nothing", 0, 0), ("all of it", jobs, facts)):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            there = await filled(folder, jobs=live, facts=wanted)
            config = write_config(folder)
            took = [await restarted(folder, config) for _ in range(ROUNDS)]
        medians.append(statistics.median(took))
        print(
            f"{name}: {there} facts, {live + JOBS} live job orders: serves again after "
            + ", ".join(f"{one:.2f}" for one in took)
            + " s"
        )
    little, all_of_it = medians
    is_reached = all_of_it < GOAL_S
    word = "reached" if is_reached else "NOT reached"
    print(
        f"start with all of it: {all_of_it:.2f} s, {all_of_it / little:.1f} times the "
        f"process alone (goal under {GOAL_S:.0f} s: {word})"
    )
    return is_reached


def main() -> None:
    """Measure the start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--facts", type=int, default=1_000_000)
    asked = parser.parse_args()
    tune_interpreter()
    raise SystemExit(not asyncio.run(measure(jobs=asked.jobs, facts=asked.facts)))


if __name__ == "__main__":
    main()
