"""The clock is set an hour ahead and back: work goes on, in the order it came."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.conftest import Shop, at_work
from tests.faults.harness import an_engine, until, verified
from tests.faults.judge import are_posted
from tests.faults.load import BENCH, job_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]
HOUR_S = 3_600


LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class Wall:
    """A clock on the wall that can be set, for who is told of it (libfaketime)."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, ahead_s: int) -> None:
        """Have it ahead of the true time by so many seconds, from now on."""
        news = self._file.with_suffix(".new")
        news.write_text(f"{ahead_s:+d}\n")
        news.replace(self._file)


@pytest_asyncio.fixture(loop_scope="session")
async def under_a_wall(tmp_path: Path) -> AsyncIterator[tuple[Shop, Wall]]:
    """An engine whose clock can be set; whole when it is over."""
    if not LIBRARIES:
        why = "there is no libfaketime here: apt-get install libfaketime"
        (pytest.fail if os.environ.get("MES_CI") else pytest.skip)(why)
    wall = Wall(tmp_path)
    async with an_engine(
        tmp_path, token="no-gateway-of-its-own", environment=wall.environment
    ) as engine:
        async with at_work(engine, tmp_path) as shop:
            yield shop, wall
        found = await verified(engine)
        assert found["ok"], found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("steps", [(-HOUR_S, 0), (HOUR_S, -HOUR_S)])
async def test_work_goes_on_while_the_clock_is_set(
    under_a_wall: tuple[Shop, Wall], steps: tuple[int, ...]
) -> None:
    shop, wall = under_a_wall
    clerk = shop.clerk
    first = await shop.begun("C-STEPS", 4)
    await clerk.done(f"/job-orders/{first}/report", {"good": "1"})
    for ahead_s in steps:
        wall.set(ahead_s)
        await clerk.done(f"/job-orders/{first}/report", {"good": "1"})
        if ahead_s == steps[0]:
            await clerk.done(f"/job-orders/{first}/pause", {"reason": "tea"})
            await clerk.done(f"/job-orders/{first}/resume")
    await shop.engine.kill()
    await shop.engine.start()
    await clerk.done(f"/job-orders/{first}/report", {"good": "1"})
    await clerk.done(f"/job-orders/{first}/complete")
    last = await job_of(clerk, "C-STEPS", "20")
    await clerk.done(f"/job-orders/{last}/load", {"work_unit": BENCH})
    await clerk.done(f"/job-orders/{last}/begin")
    await clerk.done(f"/job-orders/{last}/report", {"good": "4"})
    await clerk.done(f"/job-orders/{last}/complete")

    await until(lambda: are_posted(clerk))
    facts = await clerk.items("/facts")
    assert [one["seq"] for one in facts] == sorted(one["seq"] for one in facts)
    reported = Counter(
        one["fact"]["job_order"] for one in facts if one["type"] == "quantity_reported"
    )
    assert reported == {first: 4, last: 1}
    known = [at(one["recorded_at"]) for one in facts]
    assert max(known) - min(known) > timedelta(seconds=HOUR_S - 60), "it was not set"
    shown = await clerk.get(f"/job-orders/{first}")
    assert shown["good"] == "4"
    booked = [one["fact"] for one in facts if one["type"] == "time_booked"]
    assert all(one["processing_us"] >= 0 <= one["setup_us"] for one in booked)
    entries = await clerk.items("/ledger/entries", order="C-STEPS")
    assert sum(Decimal(one["good"]) for one in entries) == 8
