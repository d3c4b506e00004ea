"""A disk that fails now and then, in the live process (libfiu, beneath SQLite).

Each write of the database, and each sync, may fail by chance, while people work. What
was answered is there, once; what failed and was sent again was done once as well.
"""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.faults.crew import a_crew
from tests.faults.harness import EngineProcess, an_engine, until, verified
from tests.faults.judge import are_posted, judged

EIO, ENOSPC = 5, 28
SYNCS = f"name=posix/io/sync/*,probability=.05,failinfo={EIO}"
WRITES = f"name=posix/io/rw/pwrite,probability=.002,failinfo={ENOSPC}"
MORE_ANSWERS = 100
TOKEN = "no-gateway-of-its-own"


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
    disk = Disk(tmp_path)
    async with (
        an_engine(tmp_path, token=TOKEN, within=disk.within) as engine,
        a_crew("disk", tmp_path, lambda: engine.url) as crew,
    ):
        await engine.start()
        async with crew.at_work():
            await crew.answers_more(1)
            await disk.fails(engine)
            await crew.answers_more(MORE_ANSWERS, within_s=120)
            await disk.is_sound(engine)

        await until(lambda: are_posted(crew.clerk), within_s=60)
        verdict = await judged(crew.clerk, crew.file.read(), None)
        failed = engine.log.read_text().count('"event": "store_lost"')
        assert await engine.stop() == 0, engine.tail()
        found = await verified(engine)

    print(f"\n{verdict}; the store was lost {failed} times")  # noqa: T201
    assert failed > 0, "the disk never failed"
    assert not verdict.problems, verdict
    assert found["ok"], found
