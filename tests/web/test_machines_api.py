"""What machines do by themselves, over HTTP: their requests, refusals and alarms."""

import asyncio
from itertools import count
from pathlib import Path

from mes_engine.core.messages import Sensed
from mes_engine.core.samples import Report
from tests.asking import CYCLE, a_request_for, asking
from tests.builders import LINK, a_plant
from tests.plant import RunningPlant, now, running_plant

NUMBERS = count(1)


async def hear(plant: RunningPlant, report: Report) -> None:
    """Let the mill's link hear something, and wait until it is committed."""
    sensed = Sensed(source=LINK, epoch=1, n=next(NUMBERS), report=report)
    await plant.engine.sense(sensed)
    async with asyncio.timeout(10):
        while not _has_heard(plant, sensed):  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.005)


def _has_heard(plant: RunningPlant, sensed: Sensed) -> bool:
    mark = plant.state.watermark.get(LINK)
    return mark is not None and mark.n >= sensed.n


async def test_a_refused_request_is_listed_with_its_reason_and_is_an_alarm(
    tmp_path: Path,
) -> None:
    async with running_plant(tmp_path, plant=asking(a_plant())) as plant:
        await hear(plant, a_request_for(5, key=7, at=now()))
        page = await plant.get("/machine-transactions", outcome="refused")
        (told,) = page["items"]
        assert (told["rule"], told["key"], told["given"]) == (
            CYCLE.id,
            "7",
            {"good": "5"},
        )
        assert told["message"] == "No job order is on mill-1."
        assert (await plant.get("/machine-transactions", outcome="executed"))[
            "items"
        ] == []
        (alarm,) = await plant.get("/alarms", work_unit="mill-1")
        assert alarm["code"] == "request_refused"
        assert (await plant.get("/board"))["alarms"] == [alarm]
        assert (await plant.get("/work-units/mill-1"))["alarms"] == [alarm]
        (handshake,) = await plant.get("/handshakes")
        assert (handshake["phase"], handshake["outcome"]) == (
            "acknowledging",
            "refused",
        )
        await hear(plant, a_request_for(5, key=7, at=now(), is_high=False))
        assert await plant.get("/alarms") == []


async def test_a_changeover_with_nothing_staged_is_refused(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        answer = await plant.post("/work-units/mill-1/changeover")
        assert answer.status_code == 409
        assert "Nothing is staged at mill-1" in answer.text


async def test_a_changeover_begins_what_is_staged(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        first = await plant.request("WR-1", quantity=4)
        second = await plant.request("WR-2", quantity=4)
        await plant.done(f"/job-orders/{first}/load", work_unit="saw-1")
        await plant.done(f"/job-orders/{first}/begin")
        await plant.done(f"/job-orders/{second}/load", work_unit="saw-1", lane="staged")
        result = await plant.done("/work-units/saw-1/changeover")
        assert result["job_order"] == second
        shown = await plant.get(f"/job-orders/{second}")
        assert shown["state"] == "running.processing"
        assert (await plant.get(f"/job-orders/{first}"))["state"] == (
            "interrupted.suspended"
        )
