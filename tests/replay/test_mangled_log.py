"""Whatever is done to the rows of a log: a replay ends, and adds up."""

import asyncio
import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.migrations import upgrade
from mes_engine.replay import ReplayReport, replay
from mes_engine.replay.log_settings import read_log_settings
from mes_engine.replay.rows import read_log
from mes_engine.replay.straight import file_sums
from tests.replay.logs import HEADER, row, write

ROWS = [
    row("06:00", "06:30", kind="S", time="0:30"),
    row("06:30", "08:30", good="4", bad="1", review="1"),
    row("07:00", "08:00", order="B", good="9", again="yes"),
    row("07:00", "07:00", order="B", time="0:00"),
    row("08:00", "09:00", task="Pack", machine="Bench", good="3"),
    row("08:30", "09:30", machine="Mill 2", good="2"),
    row("09:00", "10:00", order="C", task="Pack", machine="Bench", good="1"),
]
CELLS = st.sampled_from(
    [
        *(b"", b" ", b"0", b"-1", b"1e9", b"1.5", b"999999999999", b"0:00", b"99:99"),
        *(b'"', b'""', b",", b"\r", b"\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf"),
        *(b"2024-03-04 07:00", b"2024-13-01 00:00", b"0001-01-01 00:00", b"B", b"X"),
        *("\u0661".encode(), b"Mill 2", b"Bench", b"C", b"../../x", b"a/b>c", b"A;B"),
    ]
)
Mangled = list[bytes]


@st.composite
def mangled(draw: st.DrawFn) -> Mangled:
    """Draw rows in any order, some twice, some with other cells."""
    picked = draw(st.lists(st.sampled_from(ROWS), max_size=9))
    lines = []
    for text in picked:
        cells = text.encode().split(b",")
        for _ in range(draw(st.integers(0, 2))):
            cells[draw(st.integers(0, len(cells) - 1))] = draw(CELLS)
        lines.append(b",".join(cells))
    return lines


@pytest.fixture(scope="module")
def migrated() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mes.db"
        upgrade(f"sqlite:///{path}")
        yield path


def written(folder: Path, lines: Mangled) -> tuple[Path, Path]:
    log, yaml = write(folder, [])
    log.write_bytes(b"\n".join([HEADER.encode(), *lines, b""]))
    return log, yaml


@settings(deadline=None, max_examples=25)
@given(lines=mangled())
def test_a_mangled_log_never_fails_and_always_adds_up(
    lines: Mangled, migrated: Path
) -> None:
    with TemporaryDirectory() as folder:
        log, yaml = written(Path(folder), lines)
        shutil.copy(migrated, Path(folder) / "mes.db")
        url = f"sqlite:///{folder}/mes.db"

        async def twice() -> tuple[ReplayReport, ReplayReport]:
            first = await replay(log, yaml, database_url=url)
            return first, await replay(log, yaml, database_url=url)

        first, second = asyncio.run(twice())

    assert first.differences == ()
    assert second.differences == ()
    # What was accepted once is a repeat the next time.
    assert second.total.repeated.rows >= first.total.accepted.rows


@settings(deadline=None, max_examples=300)
@given(lines=mangled())
def test_both_readers_see_the_same_in_any_file(lines: Mangled) -> None:
    with TemporaryDirectory() as folder:
        log, yaml = written(Path(folder), lines)
        says = read_log_settings(yaml)

        read = read_log(log, says)
        sums = file_sums(log, says)

        with log.open(newline="", encoding="utf-8", errors="replace") as file:
            records = sum(1 for cells in csv.reader(file) if cells) - 1
    in_file = [one.rows for one in sums.values()]
    assert len(read.rows) + len(read.bad) == sum(in_file) == records
