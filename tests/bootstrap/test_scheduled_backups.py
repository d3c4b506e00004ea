"""Backups by the clock: taken, looked at, and kept as long as was said."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mes_engine.bootstrap.backing_up import back_up
from mes_engine.bootstrap.scheduled_backups import (
    Kept,
    ScheduledBackups,
    backups_in,
    to_keep,
)
from mes_engine.bootstrap.tracing import traced
from mes_engine.bootstrap.verifying import verified
from mes_engine.core.errors import Refused
from mes_engine.settings import BackupSettings
from mes_engine.storage.genealogy import Direction
from tests.cli.backups import a_days_database, url_of

HOUR = 3_600_000_000
BEGAN = 1_780_000_000_000_000
TIMES = st.lists(
    st.integers(0, 3 * 365 * 24).map(
        lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    ),
    unique=True,
    max_size=60,
)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def day(tmp_path: Path) -> Path:
    return asyncio.run(a_days_database(tmp_path / "mes.db"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def scheduled(
    day: Path, folder: Path, clock: Clock, *, keep: int = 2
) -> ScheduledBackups:
    settings = BackupSettings(folder=folder, keep=keep, keep_days=1)
    return ScheduledBackups(settings, folder, url_of(day), plant="TEST", clock=clock)


def names(folder: Path) -> Iterator[str]:
    return (one.file.name for one in sorted(backups_in(folder, "TEST")))


def test_backups_are_taken_and_the_oldest_go(day: Path, folder: Path) -> None:
    clock = Clock()
    backups = scheduled(day, folder, clock)

    async def take() -> None:
        for _ in range(4):
            clock.now += HOUR
            await backups.job().work(clock.now)

    with capture_logs() as said:
        asyncio.run(take())

    # The first of the year, and the two newest.
    taken = [one for one in said if one["event"] == "backup_taken"]
    assert [one["removed"] for one in taken] == [0, 0, 0, 1]
    assert len(list(names(folder))) == 3
    assert len(list(folder.iterdir())) == 6
    assert backups.last_at == clock.now
    assert scheduled(day, folder, clock).last_at == clock.now


def test_what_is_no_backup_of_ours_stays(day: Path, folder: Path) -> None:
    clock = Clock()
    folder.mkdir()
    other, _ = back_up(url_of(day), folder / "other.db", now=BEGAN - 9 * HOUR)
    manifest = other.with_name("other.db.json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"plant": "B"}))
    (folder / "notes.db").write_text("Dear diary")
    backups = scheduled(day, folder, clock, keep=1)

    async def take() -> None:
        for _ in range(3):
            clock.now += HOUR
            await backups.job().work(clock.now)

    asyncio.run(take())

    assert other.exists()
    assert manifest.exists()
    assert (folder / "notes.db").exists()
    assert len(list(names(folder))) == 2


def test_a_backup_that_is_given_up_leaves_nothing(day: Path, folder: Path) -> None:
    folder.mkdir()

    with pytest.raises(Refused, match="was given up"):
        back_up(url_of(day), folder, now=BEGAN, is_ending=lambda: True)

    assert not list(folder.iterdir())


def test_the_past_is_looked_into_and_no_bit_of_it_changed(
    day: Path, folder: Path
) -> None:
    folder.mkdir()
    file, manifest = back_up(url_of(day), folder, now=BEGAN)

    report = asyncio.run(verified(url_of(file)))
    found = asyncio.run(traced(url_of(file), "L-000001", Direction.FORWARD, depth=None))

    assert report.is_sound
    assert found.steps
    assert sha256(file.read_bytes()).hexdigest() == manifest.sha256
    assert sorted(folder.iterdir()) == [file, file.with_name(f"{file.name}.json")]


@given(times=TIMES, newest=st.integers(1, 10), days=st.integers(1, 10))
def test_the_newest_stay_and_each_year_has_its_first(
    times: list[datetime], newest: int, days: int
) -> None:
    some = [Kept(at, Path(str(at))) for at in times]

    kept = to_keep(some, newest=newest, days=days)

    assert set(sorted(some)[-newest:]) <= kept
    for year in {one.taken_at.year for one in some}:
        assert min(one for one in some if one.taken_at.year == year) in kept
    years = len({one.taken_at.year for one in some})
    assert len(kept) <= newest + days + years
    # What is kept today is not thinned out by looking again.
    assert to_keep(kept, newest=newest, days=days) == kept
