"""Bookings over HTTP: assigned late, dismissed, and held against the counts."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mes_engine.core.messages import Sensed
from mes_engine.core.samples import Quality, Sample
from mes_engine.storage.verify import verify
from tests.builders import LINK
from tests.plant import RunningPlant, now, running_plant, until

NUMBERS = count(1)


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[RunningPlant]:
    async with running_plant(tmp_path) as running:
        await running.connect()
        yield running
        report = await running.database.read(verify)
        assert report.problems == ()


async def counted(plant: RunningPlant, value: int) -> None:
    """Let the mill's counter of good pieces have this value."""
    at = now()
    sample = Sample(
        tag="mill-1.good",
        value=value,
        quality=Quality.GOOD,
        source_at=at,
        received_at=at,
    )
    before = plant.state.seq
    sensed = Sensed(source=LINK, epoch=at, n=next(NUMBERS), report=sample)
    await plant.engine.sense(sensed)
    await until(lambda: plant.state.seq > before)


async def milling(plant: RunningPlant) -> str:
    """Saw ten pieces, and begin to mill them; return the mill's job order."""
    saw = await plant.request("WR-1")
    await plant.done(f"/job-orders/{saw}/load", work_unit="saw-1")
    await plant.done(f"/job-orders/{saw}/begin")
    await plant.done(f"/job-orders/{saw}/report", good="10")
    await plant.done(f"/job-orders/{saw}/complete")
    jobs = (await plant.get("/job-orders", work_request="WR-1"))["items"]
    mill: str = next(job["id"] for job in jobs if job["step"] == "20")
    return mill


async def begun(plant: RunningPlant, mill: str) -> None:
    await plant.done(f"/job-orders/{mill}/load", work_unit="mill-1")
    await plant.done(f"/job-orders/{mill}/begin")


async def still_open(plant: RunningPlant) -> list[Any]:
    page = await plant.get("/unassigned-production", is_open=True)
    items: list[Any] = page["items"]
    return items


async def test_a_late_count_is_assigned_or_dismissed(plant: RunningPlant) -> None:
    mill = await milling(plant)
    await counted(plant, 100)
    await counted(plant, 102)
    await counted(plant, 103)
    await begun(plant, mill)
    [production] = await still_open(plant)
    assert (production["left"], production["reason"]) == ("3", "no_active_run")
    path = f"/unassigned-production/{production['seq']}"

    told = await plant.done(
        f"{path}/assign", job_order=mill, quantity="2", reason="made before loading"
    )
    assert told["left"] == "1"
    await plant.done(f"{path}/dismiss", reason="a test stroke")

    assert await still_open(plant) == []
    [settled] = (await plant.get("/unassigned-production", is_open=False))["items"]
    assert (settled["assigned"], settled["dismissed"]) == ("2", "1")
    assert (await plant.get(f"/job-orders/{mill}"))["good"] == "2"
    again = await plant.post(f"{path}/dismiss", {"reason": "twice"})
    assert again.status_code == 404
    assert production["seq"] not in plant.state.unassigned_production.own


async def test_counts_reports_and_postings_are_side_by_side(
    plant: RunningPlant,
) -> None:
    mill = await milling(plant)
    await begun(plant, mill)
    await counted(plant, 100)
    await counted(plant, 104)
    await plant.done(f"/job-orders/{mill}/report", good="1")
    await counted(plant, 112)

    good, scrap = await plant.get(f"/job-orders/{mill}/reconciliation")

    assert (good["counted"], good["reported"], good["posted"]) == ("12", "10", "0")
    assert good["to_reported"] == [
        {"quantity": "1", "cause": "reported by people, and not counted"},
        {"quantity": "-3", "cause": "counted, and on no job order: past_quantity"},
    ]
    assert good["to_posted"] == [
        {"quantity": "-10", "cause": "not posted before the run ends"}
    ]
    [on_mill] = good["by_run"]
    assert (on_mill["work_unit"], on_mill["counted"]) == ("mill-1", "12")
    assert on_mill["booked"] == "9"
    assert (scrap["counted"], scrap["to_reported"]) == ("0", [])


async def test_a_reversed_count_is_unassigned_and_still_counted(
    plant: RunningPlant,
) -> None:
    mill = await milling(plant)
    await begun(plant, mill)
    await counted(plant, 100)
    await counted(plant, 104)
    [booking] = (await plant.get(f"/job-orders/{mill}/bookings"))["items"]
    assert (booking["source"], booking["good"]) == ("machine", "4")

    await plant.done(f"/bookings/{booking['seq']}/reverse", reason="air")

    [production] = await still_open(plant)
    assert (production["reason"], production["tag"]) == ("reversed", "mill-1.good")
    [good, _] = await plant.get(f"/job-orders/{mill}/reconciliation")
    assert (good["counted"], good["reported"]) == ("4", "0")
    assert good["to_reported"] == [
        {"quantity": "-4", "cause": "counted, and on no job order: reversed"}
    ]


async def test_bookings_come_a_page_at_a_time_the_newest_first(
    plant: RunningPlant,
) -> None:
    mill = await milling(plant)
    await begun(plant, mill)
    for good in (3, 1, 2):
        await plant.done(f"/job-orders/{mill}/report", good=str(good))
    path = f"/job-orders/{mill}/bookings"
    newest = (await plant.get(path, limit=1))["items"][0]
    await plant.done(f"/bookings/{newest['seq']}/reverse", reason="air")
    await plant.done(f"/job-orders/{mill}/report", good="6")
    await plant.done(f"/job-orders/{mill}/complete")
    saw = (await plant.get("/job-orders", work_request="WR-1"))["items"][0]["id"]
    for job, kinds in (
        (mill, "completion report reversal report report report"),
        (saw, "completion consumption report"),
    ):
        whole = (await plant.get(f"/job-orders/{job}/bookings"))["items"]
        assert " ".join(one["kind"] for one in whole) == kinds
        assert [one["seq"] for one in whole] == sorted(
            (one["seq"] for one in whole), reverse=True
        )
        for limit in (1, 2, 4):
            assert await paged(plant, f"/job-orders/{job}/bookings", limit) == whole
    assert newest["reversed_by"] is None
    reversed_one = next(
        one for one in await paged(plant, path, 2) if one["good"] == "2"
    )
    assert reversed_one["reversed_by"]["reason"] == "air"
    wrong = await plant.client.get(f"/api/v1{path}", params={"cursor": "x"})
    assert wrong.status_code == 400


async def paged(plant: RunningPlant, path: str, limit: int) -> list[Any]:
    """Read a list page by page."""
    page = await plant.get(path, limit=limit)
    found = page["items"]
    while page["next"]:
        page = await plant.get(path, limit=limit, cursor=page["next"])
        assert 0 < len(page["items"]) <= limit
        found += page["items"]
    return list(found)
