"""A backup beside a busy engine: how long commits take meanwhile.

    python -m benchmarks.backups --commands 60000 --rounds 3

A round is a stretch without a backup and one with; the figure is the ratio of the
longest commits, and of the 99th percentiles.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks.durable import JOBS, accepted, prepared, running
from mes_engine.bootstrap.core import tune_interpreter
from mes_engine.core.messages import ReportQuantity
from mes_engine.runtime.engine import Engine

FILLING = 500
CALLERS = 20


@dataclass
class Commits:
    """How long each commit took, in milliseconds."""

    took: list[float] = field(default_factory=list)

    def __call__(self, *, messages: int, seconds: float) -> None:
        """Take note of one."""
        self.took.append(seconds * 1_000)

    def __str__(self) -> str:
        return (
            f"{len(self.took)} commits, median {median(self.took):.1f}, 99 % "
            f"{self.late:.1f}, longest {max(self.took):.1f} ms"
        )

    @property
    def late(self) -> float:
        """What one of a hundred took."""
        return quantiles(self.took, n=100)[-1]


@dataclass
class Work:
    """An engine, and people who report to it for as long as they are let."""

    engine: Engine
    jobs: list[str]
    commits: Commits
    done: int = 0
    is_over: bool = False

    async def fill(self, commands: int) -> None:
        """Have so many pieces reported."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(FILLING):
                tasks.create_task(self._report(self.done + commands))

    async def go_on(self) -> None:
        """Report until it is over."""
        self.is_over = False
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CALLERS):
                tasks.create_task(self._report(sys.maxsize))

    async def _report(self, until: int) -> None:
        while self.done < until and not self.is_over:
            self.done += 1
            job = self.jobs[self.done % JOBS]
            report = ReportQuantity(job_order=job, good=Decimal(1))
            await accepted(self.engine, f"r{self.done}", report)

    async def during(self, what: "asyncio.Future[None]") -> Commits:
        """Return the commits while ``what`` goes on."""
        self.commits.took = []
        working = asyncio.get_running_loop().create_task(self.go_on())
        await what
        found = Commits(self.commits.took)
        self.is_over = True
        await working
        return found


@asynccontextmanager
async def at_work(file: Path) -> AsyncIterator[Work]:
    """Run an engine on a new database."""
    commits = Commits()
    async with running(f"sqlite:///{file}", note=commits) as engine:
        yield Work(engine, await prepared(engine), commits)


async def backup(file: Path, to: Path) -> None:
    """Run ``mes backup``."""
    command = ("-m", "mes_engine", "backup", "--database", f"sqlite:///{file}")
    child = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--to", str(to), stdout=asyncio.subprocess.DEVNULL
    )
    if await child.wait():
        raise RuntimeError("no backup was taken")
    for one in (to, to.with_name(f"{to.name}.json")):
        await asyncio.to_thread(one.unlink)


async def measure(*, commands: int, rounds: int) -> None:
    """Print what each round showed, and the medians of the ratios."""
    longest, late = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mes.db"
        async with at_work(file) as work:
            await work.fill(commands)
            for number in range(1, rounds + 1):
                began = perf_counter()
                loop = asyncio.get_running_loop()
                to = Path(folder) / f"{number}.backup"
                busy = await work.during(loop.create_task(backup(file, to)))
                seconds = perf_counter() - began
                quiet = await work.during(loop.create_task(asyncio.sleep(seconds)))
                size = file.stat().st_size / 1e6
                print(f"{number}: a backup of {size:.0f} MB in {seconds:.1f} s")
                print(f"   beside it: {busy}")
                print(f"   without:   {quiet}")
                longest.append(max(busy.took) / max(quiet.took))
                late.append(busy.late / quiet.late)
    print(
        f"beside a backup / without: longest commit {median(longest):.1f}, 99 % "
        f"{median(late):.1f} (medians of the rounds' ratios)"
    )


def main() -> None:
    """Measure what the command line asks for."""
    tune_interpreter()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    asyncio.run(measure(commands=asked.commands, rounds=asked.rounds))


if __name__ == "__main__":
    main()
