"""What a terminal reads: its work with what it needs, codes, and reasons."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from mes_engine.core.messages import CheckTimeWindows
from mes_engine.core.reasons import USUAL, ReasonKind
from tests.builders import a_plant, a_routing
from tests.plant import RunningPlant, now, running_plant
from tests.web.operating import a_demanding_routing, counted, equipped, sawn

replace = msgspec.structs.replace
MINUTE = 60_000_000


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[RunningPlant]:
    declared = {ReasonKind.PAUSE: ("Werkzeug", "Pause")}
    made = replace(a_plant(), reasons=declared)
    routings = (a_demanding_routing(),)
    async with running_plant(tmp_path, plant=made, routings=routings) as running:
        yield running


async def test_a_terminal_says_what_speaks_against_each_by_name(
    plant: RunningPlant,
) -> None:
    job = await plant.request("WR-1")
    [waiting] = (await plant.get("/work-units/saw-1/terminal"))["waiting"]
    assert {one["name"]: one["mender"] for one in waiting["unmet"]} == {
        "tool_available": "the tool crib",
        "person_qualified": "the supervisor",
        "document_released": "document control",
    }

    await equipped(plant)
    await plant.done("/people", person="Jo", name="Jo")
    as_jo = await plant.get("/work-units/saw-1/terminal", person="Jo")
    [one] = as_jo["waiting"][0]["unmet"]
    assert one["name"] == "person_qualified"
    assert one["why"] == "Jo has no qualification 'sawing'"
    as_maria = await plant.get("/work-units/saw-1/terminal", person="Maria")
    assert as_maria["waiting"][0]["unmet"] == []
    assert as_maria["waiting"][0]["id"] == job
    assert as_maria["waiting"][0]["no_right"] == "Maria has no qualification 'foreman'"


async def test_a_terminal_shows_what_the_work_needs(plant: RunningPlant) -> None:
    await equipped(plant)
    job = await plant.request("WR-1")
    await plant.done(f"/job-orders/{job}/load", work_unit="saw-1")
    await plant.done(f"/job-orders/{job}/begin")
    await plant.done(f"/job-orders/{job}/report", good="4")
    await plant.done("/work-units/saw-1/sign-on")
    hold = await plant.done(
        *("/holds",), scope="job_order", target=job, reason="crack", releaser="quality"
    )

    shown = await plant.get("/work-units/saw-1/terminal", person="Maria")

    [loaded] = shown["loaded"]
    [tool] = loaded["tools"]
    assert (tool["tool"]["id"], tool["left"], tool["mountable"]) == ("B-1", "96", [])
    [document] = loaded["documents"]
    assert (document["id"], document["revision"]) == ("WI-7", "C")
    [component] = loaded["components"]
    assert component["material"] == "BAR"
    assert [Decimal(one["quantity"]) for one in component["lots"]] == [Decimal(1000)]
    [lot] = loaded["lots"]
    assert (lot["queued"], lot["out"]) == ("6", "4")
    assert (lot["serial"], lot["takes_serials"]) == ("", True)
    [held] = loaded["holds"]
    assert (held["id"], held["may_release"]) == (hold["hold"], True)
    body = {"serials": ["SN-1"], "reason": "labels", "bucket": "queued"}
    await plant.done(f"/lots/{lot['lot']}/serialise", **body)
    after = await plant.get("/work-units/saw-1/terminal")
    lots = [(one["serial"], one["takes_serials"]) for one in after["loaded"][0]["lots"]]
    assert sorted(lots) == [("", True), ("SN-1", False)]
    assert [one["id"] for one in shown["tools"]] == ["B-1"]
    assert [one["person"] for one in shown["people"]] == ["Maria"]
    as_jo = await plant.get("/work-units/saw-1/terminal", person="Jo")
    assert as_jo["loaded"][0]["holds"][0]["may_release"] is False


async def test_a_code_is_a_person_a_lot_a_tool_or_work(plant: RunningPlant) -> None:
    await equipped(plant)
    job = await plant.request("WR-1")
    await plant.done(f"/job-orders/{job}/load", work_unit="saw-1", occurred_at=None)
    await plant.done(f"/job-orders/{job}/begin")

    async def kind(code: str) -> tuple[str, list[str]]:
        found = await plant.get(f"/codes/{code}")
        return found["kind"], found["job_orders"]

    [lot] = (await plant.get("/lots", work_request="WR-1"))["items"]
    assert await kind(job) == ("job_order", [job])
    assert (await kind("WR-1"))[0] == "work_request"
    assert await kind(lot["id"]) == ("lot", [job])
    assert await kind("B-1") == ("tool", [job])
    assert await kind("Maria") == ("person", [])
    assert await kind("WI-7") == ("document", [])
    unknown = await plant.client.get("/api/v1/codes/4711")
    assert unknown.status_code == 404
    assert "Scan it again" in unknown.json()["hint"]


async def test_reasons_are_the_plants_or_the_usual_ones(plant: RunningPlant) -> None:
    reasons = await plant.get("/reasons")

    assert reasons["pause"] == ["Werkzeug", "Pause"]
    assert reasons["scrap"] == list(USUAL[ReasonKind.SCRAP])
    page = (await plant.client.get("/t/saw-1")).text
    assert "Werkzeug" in page
    assert "No material" in page.split('data-panel="stop"')[1]
    assert "Break" not in page


async def test_the_board_shows_what_is_late_held_or_counted_for_nobody(
    tmp_path: Path,
) -> None:
    routing = a_routing()
    [window] = routing.time_windows
    hurried = replace(window, max_s=Decimal(600), warn_s=Decimal(300))
    routings = (replace(routing, time_windows=(hurried,)),)
    async with running_plant(tmp_path, routings=routings) as plant:
        empty = await plant.get("/board")
        assert (empty["holds"], empty["time_windows"], empty["unassigned"]) == ([],) * 3
        await plant.connect()
        mill = await sawn(plant)
        for value in (100, 102):
            await counted(plant, value)
        await plant.done("/holds", scope="lot", target="L-000002", reason="crack")
        await plant.submit(CheckTimeWindows(), at=now() + 6 * MINUTE)
        [short] = (await plant.get("/board"))["time_windows"]
        assert (short["state"], short["to"]) == ("warned", "20")
        await plant.submit(CheckTimeWindows(), at=now() + 11 * MINUTE)
        board = await plant.get("/board", person="Maria")
        [late] = board["time_windows"]
        assert late["state"] == "violated"
        [held], [loose] = board["holds"], board["unassigned"]
        assert (held["target"], held["may_release"]) == ("L-000002", True)
        assert (loose["left"], loose["work_unit"]) == ("2", "mill-1")

        await plant.done(f"/time-windows/{late['id']}/waive", reason="measured")
        await plant.done(f"/holds/{held['id']}/release")
        await plant.done(f"/unassigned-production/{loose['seq']}/dismiss", reason="air")
        after = await plant.get("/board")
        assert (after["holds"], after["time_windows"], after["unassigned"]) == ([],) * 3
        assert (await plant.get(f"/job-orders/{mill}"))["time_windows"]
