"""The power is lost at any moment of a life: nothing that was told is lost."""

import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.crash import power
from tests.crash.conftest import Ground, names
from tests.crash.judge import judge, look
from tests.crash.power import Disk, Event

PARTS = 8
IMAGES, MANY = 1_000, 10_000
JUDGED_WHOLE = 10
"""Of so many images one is lived on to the end."""

Judge = Callable[[Path, list[str]], list[str]]


@pytest.fixture(scope="session")
def events(ground: Ground) -> list[Event]:
    """A whole life, as the disk was asked for it."""
    made, log = ground.fresh("recorded"), ground.folder / "power"
    ended = ground.lives.live(made, *power.OPTIONS, log=log)
    assert ended.code == 0
    found = list(power.recorded(log, made))
    counts = Counter(one.what for one in found)
    assert counts["told"] == len(ended.acks) > 0
    assert counts["sync"] > counts["told"] / 2
    shutil.rmtree(made)
    return found


def lost(
    ground: Ground, events: list[Event], *, images: int, seed: int
) -> tuple[Counter[str], int]:
    """Lose the power so often; return what was wrong then, and how much was told."""
    chance = Random(seed)
    at = Counter(chance.choices(range(len(events)), k=images))
    made = ground.fresh(f"{next(names)}")
    home = Path(events[0].path)
    while home.name != "plant":
        home = home.parent
    disk = Disk(made / "plant", as_if=home)
    wrong: Counter[str] = Counter()
    told = done = 0
    for number, event in enumerate(events):
        disk.take(event)
        for _ in range(at[number]):
            image = made / "image"
            disk.image(image, chance)
            done += 1
            judged: Judge = look
            if done % JUDGED_WHOLE == 0:
                judged = partial(judge, expected=ground.expected)
            wrong.update(judged(image, disk.told)[:1])
            told += len(disk.told)
            shutil.rmtree(image)
    shutil.rmtree(made)
    return wrong, told


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(PARTS))
def test_nothing_told_is_lost_with_the_power(
    ground: Ground, events: list[Event], seed: int
) -> None:
    wrong, told = lost(ground, events, images=IMAGES // PARTS, seed=seed)
    assert wrong == Counter()
    assert told > IMAGES // PARTS


@pytest.mark.timeout(600)
def test_it_would_be_seen_if_nothing_was_synced(
    ground: Ground, events: list[Event]
) -> None:
    unsynced = [one for one in events if one.what != "sync"]
    wrong, _ = lost(ground, unsynced, images=20, seed=1)
    assert wrong.total() > 0


@pytest.mark.timeout(600)
def test_it_would_be_seen_if_a_commit_was_told_before_its_sync(
    ground: Ground, events: list[Event]
) -> None:
    """As with ``synchronous=NORMAL``: the log is synced only before a checkpoint."""
    is_log = [one.path.endswith("-wal") and one.what == "sync" for one in events]
    kept = [one for one, skipped in zip(events, is_log, strict=True) if not skipped]
    wrong, _ = lost(ground, kept, images=40, seed=1)
    assert any(one.startswith("lost") for one in wrong)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_nothing_told_is_lost_in_ten_thousand(
    ground: Ground, events: list[Event]
) -> None:
    wrong, told = lost(ground, events, images=MANY, seed=2_026)
    print(f"{MANY} images, {told} answers looked for: {dict(wrong)}")  # noqa: T201
    assert wrong == Counter()
