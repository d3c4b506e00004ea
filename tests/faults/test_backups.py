"""Backups of an engine under load, one right after the other: all are restored.

What was acknowledged before a backup began is in it, and it is sound. The last one is
lived on: an engine starts on it, and is held against everything that people were
answered by then, again and to the byte.

A few run with every `make torture`. Fifty, and the numbers they came to:

    make test-slow ARGS="-s tests/faults/test_backups.py"
"""

import asyncio
import json
import os
import shutil
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from mes_engine.storage.archive.history import history
from mes_engine.storage.driver import sqlite_driver
from tests.faults.harness import CONFIG, EngineProcess, an_engine, until, verified
from tests.faults.judge import are_posted, judged
from tests.faults.load import BLANK, GAUGE, Shift, plan, work_at_bench
from tests.faults.people import Acknowledgements, Person, a_person, release_routing

KEYS = "journal.key"
A_FEW = 5
MUCH = 60
BENCHES = ("Ada-at-bench", "Ben-at-bench")


@dataclass(frozen=True)
class Taken:
    """A backup, and the commands that had been answered when it began."""

    file: Path
    seq: int
    answered: frozenset[str]
    took_s: float


async def mes(*arguments: str, **env: str) -> Any:
    """Run ``mes`` beside everything else; return what it says, which is JSON."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mes_engine", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **env},
    )
    out, errors = await child.communicate()
    assert child.returncode == 0, errors.decode()
    return json.loads(out)


async def taken(engine: EngineProcess, file: Acknowledgements, to: Path) -> Taken:
    answered = frozenset(one.key for one in file.read())
    began = monotonic()
    said = await mes("backup", "--database", engine.database_url, "--to", str(to))
    return Taken(Path(said["file"]), said["seq"], answered, monotonic() - began)


async def has_begun(file: Acknowledgements) -> bool:
    """Whether people have been answered a few times."""
    return file.written > A_FEW


def answered_in(database: Path) -> dict[str, str]:
    """Return the commands that a database has an answer to, by key."""
    file = sqlite_driver().connect(database)
    try:
        return dict(
            file.execute("SELECT key, answer FROM handled WHERE origin = 'http'")
        )
    finally:
        file.close()


async def backups_under_load(folder: Path, *, backups: int, seed: int) -> None:
    shift = Shift(str(seed))
    file = Acknowledgements(folder / "answers.jsonl")
    (folder / "backups").mkdir()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(an_engine(folder))

        async def hire(name: str) -> Person:
            someone = a_person(name, lambda: engine.url, file)
            return await stack.enter_async_context(someone)

        clerk, planner = await hire("clerk"), await hire("Pat-the-planner")
        bench = [await hire(name) for name in BENCHES]
        await engine.start()
        for routing in (GAUGE, BLANK):
            await release_routing(clerk, routing)
        found: list[Taken] = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(plan(planner, shift))
            for someone in bench:
                tasks.create_task(work_at_bench(someone, shift))
            await until(lambda: has_begun(file))
            for number in range(backups):
                to = folder / "backups" / f"{number:03}.db"
                found.append(await taken(engine, file, to))
            shift.is_over = True
        assert await engine.stop() == 0, engine.tail()

    for one in found:
        await is_sound(one, folder / one.file.stem)
    verdict = await lived_on(found[-1], folder / "after", file)
    longest = max(one.took_s for one in found)
    print(  # noqa: T201 - `pytest -s` shows it
        f"seed {seed}, {len(found)} backups, the longest in {longest:.1f} s, the last "
        f"at fact {found[-1].seq}: {verdict}"
    )
    assert len(found[-1].answered) > len(found[0].answered) > 0


async def is_sound(one: Taken, fresh: Path) -> None:
    """Restore a backup into a fresh folder; it has all that it must, and adds up."""
    where = ("--database", f"sqlite:///{fresh / 'mes.db'}", "--config", str(CONFIG))
    await mes("restore", str(one.file), *where)
    there = await asyncio.to_thread(answered_in, fresh / "mes.db")
    assert not one.answered - there.keys(), f"{one.file} lacks what was answered"
    told = await mes("verify", *where[:2])
    assert told["ok"], told
    assert told["counts"]["facts read"] == one.seq


async def lived_on(one: Taken, fresh: Path, file: Acknowledgements) -> str:
    """Restore a backup, have an engine go on from it, and hold it against what was."""
    where = ("--database", f"sqlite:///{fresh / 'mes.db'}", "--config", str(CONFIG))
    await mes("restore", str(one.file), *where)
    return await judged_again(fresh, file, at_least=len(one.answered))


async def judged_again(fresh: Path, file: Acknowledgements, *, at_least: int) -> str:
    """Have an engine run on what was restored, and all held against what was said."""
    there = await asyncio.to_thread(answered_in, fresh / "mes.db")
    answers = [answer for answer in file.read() if answer.key in there]
    new = Acknowledgements(fresh / "answers.jsonl")
    async with (
        an_engine(fresh, key_file=fresh.parent / KEYS) as engine,
        a_person("clerk-after", lambda: engine.url, new) as clerk,
    ):
        await engine.start()
        await until(lambda: are_posted(clerk), within_s=30)
        verdict = await judged(clerk, answers, None)
        assert await engine.stop() == 0, engine.tail()
        assert (await verified(engine))["ok"]
    assert not verdict.problems, verdict
    assert len(answers) >= at_least
    return str(verdict)


def archiving_to(folder: Path) -> Path:
    """Make a configuration with an archive of the journal."""
    config = Path(shutil.copytree(CONFIG, folder / "config"))
    with (config / "site.yaml").open("a") as site:
        site.write(f"\narchive:\n  folder: {folder / 'archive'}\n")
    return config


async def a_lost_database(folder: Path) -> tuple[Taken, Acknowledgements]:
    """Have people work, back up early, and kill the engine later: its file is lost."""
    shift = Shift("3")
    file = Acknowledgements(folder / "answers.jsonl")
    async with (
        an_engine(folder, config=archiving_to(folder)) as engine,
        a_person("clerk", lambda: engine.url, file) as clerk,
        a_person("Pat-the-planner", lambda: engine.url, file) as planner,
        a_person("Ada-at-bench", lambda: engine.url, file) as ada,
    ):
        await engine.start()
        for routing in (GAUGE, BLANK):
            await release_routing(clerk, routing)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(plan(planner, shift))
            tasks.create_task(work_at_bench(ada, shift))
            await until(lambda: has_begun(file))
            early = await taken(engine, file, folder / "early.db")
            so_far = file.written

            async def is_much_later() -> bool:
                return file.written > so_far + MUCH

            await until(is_much_later, within_s=60)
            shift.is_over = True
        await until(lambda: is_archived(folder))
        await engine.kill()
    return early, file


async def is_archived(folder: Path) -> bool:
    """Whether all that is committed is in the archive; nobody works any more."""
    last = 0
    for commit in history(folder / "archive"):
        last = commit.last
    found = await asyncio.to_thread(facts_in, folder / "mes.db")
    return last == len(found)


def facts_in(database: Path) -> list[Any]:
    """Return the journal of a database, to the letter."""
    file = sqlite_driver().connect(database)
    try:
        return list(file.execute("SELECT * FROM fact ORDER BY seq"))
    finally:
        file.close()


@pytest.mark.timeout(400)
async def test_any_moment_since_a_backup_comes_back(tmp_path: Path) -> None:
    early, file = await a_lost_database(tmp_path)
    lost = await asyncio.to_thread(facts_in, tmp_path / "mes.db")
    keys = tmp_path / KEYS
    archive = ("--journal", str(tmp_path / "archive"), "--config", str(CONFIG))

    async def brought_back(name: str, *until: str) -> Path:
        fresh = tmp_path / name
        url = f"sqlite:///{fresh / 'mes.db'}"
        said = await mes(
            *("restore", str(early.file), "--database", url, *archive, *until),
            MES_JOURNAL_KEY=str(keys),
        )
        found = await asyncio.to_thread(facts_in, fresh / "mes.db")
        assert found == lost[: said["reached"]]
        assert (await mes("verify", "--database", url, "--key-file", str(keys)))["ok"]
        return fresh

    whole = await brought_back("whole")
    assert len(facts_in(whole / "mes.db")) == len(lost) > early.seq

    middle = (early.seq + len(lost)) // 2
    part = await brought_back("part", "--until-seq", str(middle))
    assert early.seq < len(facts_in(part / "mes.db")) <= middle

    told = await judged_again(whole, file, at_least=file.written)
    print(told)  # noqa: T201 - `pytest -s` shows it


@pytest.mark.timeout(400)
async def test_a_few_backups_under_load_are_whole(tmp_path: Path) -> None:
    await backups_under_load(tmp_path, backups=A_FEW, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_fifty_backups_under_load_are_whole(tmp_path: Path) -> None:
    await backups_under_load(tmp_path, backups=50, seed=2)
