"""A replay that is cut short goes on where it was, and books nothing twice."""

from decimal import Decimal
from pathlib import Path

import pytest

from mes_engine.core.errors import MesError
from mes_engine.replay import replay
from tests.replay.logs import SETTINGS, row, write


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


ROWS = [
    row(
        clock(360 + 4 * n),
        clock(370 + 4 * n),
        order="ABC"[n % 3],
        task=("Mill", "Pack")[n % 2],
        machine=("Mill 1", "Bench")[n % 2],
        wanted="99",
        who=f"W{n}",
        good="1",
        time=f"0:{n % 60:02}",
    )
    for n in range(240)
]
ROOMY = SETTINGS.replace("active: 2", "active: 9")


class Cut(MesError):
    """What a test ends a replay with."""


@pytest.mark.parametrize("calls", [1, 2])
async def test_a_replay_that_is_cut_short_goes_on(calls: int, tmp_path: Path) -> None:
    log, yaml = write(tmp_path, ROWS, settings=ROOMY)
    url = f"sqlite:///{tmp_path / 'mes.db'}"
    told: list[tuple[int, int]] = []

    def cut(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == calls:
            raise Cut("enough")

    with pytest.raises(Cut):
        await replay(log, yaml, database_url=url, progress=cut)
    rest = await replay(log, yaml, database_url=url)
    again = await replay(log, yaml, database_url=url)

    done, total = told[-1]
    assert 0 < done < total == len(ROWS)
    assert rest.differences == ()
    assert rest.total.refused.rows == 0
    assert rest.total.repeated.rows == done
    assert rest.total.accepted.rows == total - done
    assert again.total.repeated.good == Decimal(240)
    assert again.is_reconciled


async def test_progress_comes_to_the_end(tmp_path: Path) -> None:
    log, yaml = write(tmp_path, ROWS[:5], settings=ROOMY)
    told: list[tuple[int, int]] = []

    await replay(
        log,
        yaml,
        database_url=f"sqlite:///{tmp_path / 'mes.db'}",
        progress=lambda done, total: told.append((done, total)),
    )

    assert told[-1] == (5, 5)
