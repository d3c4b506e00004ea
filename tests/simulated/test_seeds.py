"""Whole days of a plant, each under one seed."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from mes_engine import migrations
from tests.databases import url_in
from tests.simulated.world import Told, World

FEW = range(16)
HUNDREDS = range(1_000, 2_000, 100)
SECONDS = 3.0


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest schema with nothing in it."""
    folder = tmp_path_factory.mktemp("empty")
    migrations.upgrade(url_in(folder))
    return folder


def lived(empty: Path, folder: Path, seed: int) -> Told:
    shutil.copytree(empty, folder)
    told = World(folder, seed, seconds=SECONDS).run()
    shutil.rmtree(folder)
    return told


@pytest.mark.parametrize("seed", FEW)
def test_nothing_is_lost_or_doubled(empty: Path, tmp_path: Path, seed: int) -> None:
    told = lived(empty, tmp_path / "day", seed)

    assert told.facts > 100


def test_a_seed_replays_exactly(empty: Path, tmp_path: Path) -> None:
    first, again = (lived(empty, tmp_path / name, 7) for name in ("first", "again"))

    assert first == again


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("first", HUNDREDS)
def test_nothing_is_lost_or_doubled_in_a_hundred_days(
    empty: Path, tmp_path: Path, first: int
) -> None:
    seeds = range(first, first + 100)
    lives = commands = facts = 0
    faults: Counter[str] = Counter()
    accepted: Counter[str] = Counter()
    for seed in seeds:
        try:
            told = lived(empty, tmp_path / f"day-{seed}", seed)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        lives, commands = lives + told.lives, commands + told.commands
        facts += told.facts
        faults.update(told.faults)
        accepted.update(told.accepted)
    print(  # noqa: T201  the figures are the result
        f"{len(seeds)} seeds: {lives} lives, {commands} commands answered, "
        f"{facts} facts, faults {dict(sorted(faults.items()))}, "
        f"{commands / len(seeds):.0f} commands a seed, accepted {dict(accepted)}"
    )
