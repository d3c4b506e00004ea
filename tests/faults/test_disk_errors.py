"""A disk that fails now and then, in the live process (libfiu, beneath SQLite).

Each write of the database, and each sync, may fail by chance, while people work. What
was answered is there, once; what failed and was sent again was done once as well.
"""

import asyncio
import os
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.faults.harness import NOWHERE, EngineProcess, until, verified
from tests.faults.judge import are_posted, judged
from tests.faults.load import BLANK, GAUGE, Shift, plan, work_at_bench
from tests.faults.people import Acknowledgements, Person, a_person, release_routing

EIO, ENOSPC = 5, 28
SYNCS = f"name=posix/io/sync/*,probability=.05,failinfo={EIO}"
WRITES = f"name=posix/io/rw/pwrite,probability=.002,failinfo={ENOSPC}"
MORE_ANSWERS = 100


class Disk:
    """What makes the disk of an engine fail, and stops it again."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("fiu-run") is None:
            reason = "fiu-run is not there: apt-get install fiu-utils"
            (pytest.fail if os.environ.get("MES_CI") else pytest.skip)(reason)
        self._pipes = folder / "fiu"
        self.within = ("fiu-run", "-x", "-f", str(self._pipes))

    async def told(self, engine: EngineProcess, *commands: str) -> None:
        given = [part for one in commands for part in ("-c", one)]
        child = await asyncio.create_subprocess_exec(
            *("fiu-ctrl", "-f", str(self._pipes), *given, str(engine.pid))
        )
        assert await child.wait() == 0

    async def fails(self, engine: EngineProcess) -> None:
        await self.told(engine, f"enable_random {SYNCS}", f"enable_random {WRITES}")

    async def is_sound(self, engine: EngineProcess) -> None:
        names = [one.partition(",")[0] for one in (SYNCS, WRITES)]
        await self.told(engine, *(f"disable {name}" for name in names))


@pytest.mark.timeout(240)
async def test_nothing_is_lost_or_doubled_on_a_disk_that_fails(tmp_path: Path) -> None:
    disk, shift = Disk(tmp_path), Shift("disk")
    file = Acknowledgements(tmp_path / "answers.jsonl")
    engine = EngineProcess(
        tmp_path,
        opcua=NOWHERE,
        modbus=NOWHERE,
        token="no-gateway-of-its-own",
        within=disk.within,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.close)

        async def hire(name: str) -> Person:
            person = a_person(name, lambda: engine.url, file)
            return await stack.enter_async_context(person)

        async def are_enough() -> bool:
            return file.written >= wanted

        await engine.start()
        clerk, planner = await hire("clerk"), await hire("Pat-the-planner")
        bench = [await hire(name) for name in ("Ada-at-bench", "Ben-at-bench")]
        for routing in (GAUGE, BLANK):
            await release_routing(clerk, routing)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(plan(planner, shift))
            for one in bench:
                tasks.create_task(work_at_bench(one, shift))
            await disk.fails(engine)
            wanted = file.written + MORE_ANSWERS
            await until(are_enough, within_s=120)
            await disk.is_sound(engine)
            shift.is_over = True

        await until(lambda: are_posted(clerk), within_s=60)
        verdict = await judged(clerk, file.read(), None)
        failed = engine.log.read_text().count('"event": "store_lost"')
        assert await engine.stop() == 0, engine.tail()
        found = await verified(engine)

    print(f"\n{verdict}; the store was lost {failed} times")  # noqa: T201
    assert failed > 0, "the disk never failed"
    assert found["ok"], found
