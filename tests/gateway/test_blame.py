"""Whose doing it was that a gateway ended, and how long its link is left alone."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pytest

from mes_engine.gateway.blame import (
    AT_WORK,
    FIRST_US,
    FORGOTTEN_US,
    LONGEST_US,
    MINUTE_US,
    WITHIN_US,
    How,
    Marks,
    blaming,
    left_alone_until,
    marking,
)
from mes_engine.gateway.spool import DAY_US, Spool
from tests.runtime.builders import NOW


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[Marks]:
    made = Marks(tmp_path)
    yield made
    made.close()


def blamed(folder: Path) -> str | None:
    after = Marks(folder)
    after.close()
    return after.blamed


def test_a_life_that_ends_while_a_link_is_at_work_is_its_doing(
    marks: Marks, tmp_path: Path
) -> None:
    marks.enter("cell")
    marks.leave()
    marks.enter("line")
    marks.ends(How.BY_ITSELF)
    assert blamed(tmp_path) == "line"
    assert blamed(tmp_path) is None, "it is told once"


def test_who_is_not_at_work_or_is_ended_in_order_is_not_blamed(
    marks: Marks, tmp_path: Path
) -> None:
    marks.enter("line")
    marks.leave()
    marks.ends(How.BY_ITSELF)
    assert blamed(tmp_path) is None
    marks.enter("line")
    marks.ends(How.IN_ORDER)
    assert blamed(tmp_path) is None


def test_a_kill_is_blamed_on_a_step_that_lasted_only(
    marks: Marks, tmp_path: Path
) -> None:
    marks.enter("line")
    assert blamed(tmp_path) is None, "somebody killed it, at any moment"
    again = Marks(tmp_path)
    again.enter("line")
    again.slow()
    again.close()
    assert blamed(tmp_path) == "line"


def test_a_crash_of_a_library_is_blamed_on_who_was_at_work(tmp_path: Path) -> None:
    code = (
        "import ctypes, pathlib\n"
        "from mes_engine.gateway.blame import living\n"
        f"with living(pathlib.Path({str(tmp_path)!r})) as marks:\n"
        "    marks.enter('cell')\n"
        "    ctypes.string_at(0)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert ended.returncode < 0
    assert blamed(tmp_path) == "cell"


async def test_every_task_that_a_link_makes_is_marked_as_its_own(
    marks: Marks,
) -> None:
    seen: list[tuple[bool, str]] = []

    def look() -> None:
        length = marks._map[3]  # noqa: SLF001
        seen.append((marks.is_busy, marks._map[4 : 4 + length].decode()))  # noqa: SLF001

    async def part() -> None:
        await asyncio.sleep(0)
        look()

    async def link() -> None:
        look()
        await asyncio.create_task(part())
        with pytest.raises(ValueError, match="so"):
            await asyncio.create_task(failing())

    async def failing() -> None:
        await asyncio.sleep(0)
        raise ValueError("so")

    loop = asyncio.get_running_loop()
    loop.set_task_factory(marking(marks))
    try:
        context = copy_context()
        context.run(AT_WORK.set, "cell")
        task = asyncio.create_task(link(), context=context)
        stopped = asyncio.create_task(link(), context=context)
        stopped.cancel()
        await asyncio.wait([task, stopped])
        task.result()
        await asyncio.create_task(part())
    finally:
        loop.set_task_factory(None)
    assert stopped.cancelled()
    assert seen[:2] == [(True, "cell")] * 2
    assert seen[2] == (False, "cell")
    assert not marks.is_busy


def test_who_runs_out_of_memory_is_blamed(marks: Marks, tmp_path: Path) -> None:
    with pytest.raises(MemoryError), blaming(marks, "cell"):
        raise MemoryError
    assert blamed(tmp_path) == "cell"


@pytest.mark.parametrize(
    ("deaths", "pause"),
    [
        ([], None),
        ([0, 1], None),
        ([0, 1, 2], FIRST_US),
        ([0, WITHIN_US + 1, 2 * WITHIN_US + 2], None),
        ([0, 1, 2, 2 + FIRST_US], 2 * FIRST_US),
        ([0, 1, 2, 3, 4], 4 * FIRST_US),
        (list(range(40)), LONGEST_US),
        ([0, 1, 2, 2 + FIRST_US + FORGOTTEN_US + 1], None),
    ],
)
def test_the_pause_begins_with_the_third_death_and_doubles(
    deaths: list[int], pause: int | None
) -> None:
    until = left_alone_until(deaths)
    assert until == (None if pause is None else deaths[-1] + pause)


def test_deaths_are_kept_for_a_day(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db", limit_bytes=2**20)
    spool.begin_life(now=NOW, blamed="cell")
    spool.begin_life(now=NOW + MINUTE_US, blamed="line")
    life = spool.begin_life(now=NOW + 2 * MINUTE_US, blamed="cell")
    assert life.deaths == {
        "cell": [NOW, NOW + 2 * MINUTE_US],
        "line": [NOW + MINUTE_US],
    }
    assert spool.begin_life(now=NOW + DAY_US + MINUTE_US).deaths == {
        "line": [NOW + MINUTE_US],
        "cell": [NOW + 2 * MINUTE_US],
    }
    spool.close()
