"""A plant before its first life, what a whole life comes to, and a server of lives."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from mes_engine import migrations
from tests.commands import compiled_once
from tests.crash import tracing
from tests.crash.scenario import live
from tests.crash.tracing import Ended, Lives
from tests.databases import url_in

__all__ = ["compiled_once"]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where lives are lived.

    Attributes:
        expected: What the whole stretch comes to.
    """

    folder: Path
    lives: Lives
    expected: list[str]

    def fresh(self, name: str) -> Path:
        """Return a folder with a plant in which nothing has happened."""
        made = self.folder / name
        shutil.copytree(self.folder / "empty", made / "plant")
        return made

    def cut(self, name: str, call: str, fault: str) -> tuple[Path, Ended]:
        """Live on a fresh plant, with a fault at one call."""
        made = self.fresh(name)
        options = ("-e", f"trace={call}", "-e", f"inject={call}:{fault}")
        return made, self.lives.live(made, *options)


@pytest.fixture(scope="session")
def ground(
    tmp_path_factory: pytest.TempPathFactory, compiled_once: None
) -> Iterator[Ground]:
    """In memory where there is such a place: what is killed loses no written page."""
    missing = tracing.missing()
    if missing and os.environ.get("MES_CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("crash")
    (folder / "empty").mkdir()
    migrations.upgrade(url_in(folder / "empty"))
    shutil.copytree(folder / "empty", folder / "whole")
    expected = asyncio.run(live(folder / "whole", lambda _: None))
    with tracing.lives() as lives:
        yield Ground(folder, lives, expected)


@pytest.fixture(scope="session")
def points(ground: Ground) -> list[tuple[str, int]]:
    """Every call of a whole life, as ``(name, which)``."""
    made, log = ground.fresh("counted"), ground.folder / "calls"
    ended = ground.lives.live(made, "-e", f"trace={','.join(tracing.CALLS)}", log=log)
    assert ended.code == 0
    counts = tracing.counted(log)
    return [(call, n) for call in sorted(counts) for n in range(1, counts[call] + 1)]


names = count(1)
