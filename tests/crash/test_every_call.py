"""A life is cut off, or refused, at any call to the system: nothing told is lost."""

import shutil
from collections.abc import Iterable

import pytest

from tests.crash.conftest import Ground, names
from tests.crash.judge import judge

PARTS = 6
KILLED, REFUSED = 300, 60
"""How many points of each are tried, but for the slow run: that tries all."""
WRITES = frozenset({"pwrite64", "fsync", "fdatasync", "ftruncate", "openat", "unlink"})


def some(points: list[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    """Return so many, evenly from all of them."""
    step = max(len(points) / most, 1.0)
    return [points[int(n * step)] for n in range(min(most, len(points)))]


def tried(ground: Ground, points: Iterable[tuple[str, int]], fault: str) -> int:
    """Judge each; return how many lives did not come to their end."""
    cut = 0
    for call, number in points:
        made, ended = ground.cut(f"{next(names)}", call, f"{fault}:when={number}")
        cut += ended.code != 0
        plant = made / "plant"
        wrong = judge(plant, ended.acks, ground.expected)
        assert wrong == [], (call, number, fault, wrong)
        shutil.rmtree(made)
    return cut


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_a_call(
    ground: Ground, points: list[tuple[str, int]], part: int
) -> None:
    cut = tried(ground, some(points, KILLED)[part::PARTS], "signal=SIGKILL")
    assert cut > KILLED / PARTS / 2


@pytest.mark.timeout(600)
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_refused_at_a_call(
    ground: Ground, points: list[tuple[str, int]], error: str
) -> None:
    writes = [one for one in points if one[0] in WRITES]
    tried(ground, some(writes, REFUSED // 2), f"error={error}")


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("fault", ["signal=SIGKILL", "error=EIO", "error=ENOSPC"])
def test_every_call_there_is(
    ground: Ground, points: list[tuple[str, int]], fault: str
) -> None:
    every = [one for one in points if "error" not in fault or one[0] in WRITES]
    cut = tried(ground, every, fault)
    print(f"{fault}: {len(every)} points, {cut} lives cut, nothing lost")  # noqa: T201
