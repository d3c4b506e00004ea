"""What can be read: the floor as it is now, and everything that ever was."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.plant import RunningPlant, running_plant, until


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[RunningPlant]:
    async with running_plant(tmp_path) as running:
        yield running


async def sawn(plant: RunningPlant, request: str = "WR-1") -> tuple[str, str]:
    """Saw ten pieces; return the job orders of the saw and of the mill."""
    saw = await plant.request(request)
    await plant.done(f"/job-orders/{saw}/load", work_unit="saw-1")
    await plant.done(f"/job-orders/{saw}/begin")
    await plant.done(f"/job-orders/{saw}/report", good="10")
    await plant.done(f"/job-orders/{saw}/complete")
    jobs = (await plant.get("/job-orders", work_request=request))["items"]
    return saw, next(job["id"] for job in jobs if job["step"] == "20")


async def test_a_queue_is_in_turn_and_says_what_blocks_each(
    plant: RunningPlant,
) -> None:
    first, second = await plant.request("WR-1"), await plant.request("WR-2")
    await plant.done("/holds", scope="job_order", target=first, reason="drawing")
    queue = await plant.get("/work-centers/SAWS/queue")
    assert [job["id"] for job in queue["waiting"]] == [first, second]
    assert "drawing" in queue["waiting"][0]["blocked"][0]
    assert queue["waiting"][1]["blocked"] == []
    assert queue["waiting"][1]["to_do"] == "10"


async def test_what_gave_up_its_place_is_shown_as_set_down(plant: RunningPlant) -> None:
    job = await plant.request("WR-1")
    await plant.done(f"/job-orders/{job}/load", work_unit="saw-1")
    await plant.done(f"/job-orders/{job}/begin")
    await plant.done(f"/job-orders/{job}/pause", reason="urgent", gives_up_slot=True)
    queue = await plant.get("/work-centers/SAWS/queue")
    assert [one["id"] for one in queue["set_down"]] == [job]
    await plant.done(f"/job-orders/{job}/resume", work_unit="saw-1")
    assert (await plant.get("/work-centers/SAWS/queue"))["set_down"] == []


async def test_a_job_order_shows_everything_about_it(plant: RunningPlant) -> None:
    job = await plant.request("WR-1")
    await plant.done(f"/job-orders/{job}/load", work_unit="saw-1")
    await plant.done(f"/job-orders/{job}/begin")
    await plant.done(f"/job-orders/{job}/report", good="4")
    shown = await plant.get(f"/job-orders/{job}")
    assert (shown["state"], shown["good"], shown["to_do"]) == (
        "running.processing",
        "4",
        "6",
    )
    assert (shown["here"]["queued"], shown["step_name"]) == ("6", "Saw")
    triggers = {one["trigger"]: one for one in shown["triggers"]}
    assert triggers["pause"]["is_allowed"]
    assert not triggers["complete"]["is_allowed"]
    assert triggers["complete"]["unmet"][0]["name"] == "quantity_accounted"
    assert "load" not in triggers
    [run] = shown["runs"]
    assert (run["work_unit"], run["clock"]) == ("saw-1", "processing")


async def test_lists_come_in_pages(plant: RunningPlant) -> None:
    jobs = [await plant.request(f"WR-{number}") for number in range(5)]
    seen: list[str] = []
    params: dict[str, str] = {}
    for _ in range(3):
        page = await plant.get("/job-orders", limit=2, **params)
        seen += [job["id"] for job in page["items"]]
        params = {"cursor": page["next"]}
    assert params == {"cursor": None}
    assert seen == jobs


async def test_job_orders_are_found_by_request_and_state(plant: RunningPlant) -> None:
    saw, mill = await sawn(plant)
    ended = await plant.get("/job-orders", state="ended.completed")
    assert [job["id"] for job in ended["items"]] == [saw]
    at_mills = await plant.get("/job-orders", work_center="MILLS")
    assert [job["id"] for job in at_mills["items"]] == [mill]


async def test_a_lot_shows_where_it_is_and_what_it_is_made_of(
    plant: RunningPlant,
) -> None:
    await sawn(plant)
    [made] = (await plant.get("/lots", work_request="WR-1"))["items"]
    [bars] = (await plant.get("/lots", material="BAR"))["items"]
    lot = await plant.get(f"/lots/{made['id']}")
    at_mill = next(one for one in lot["positions"] if one["place"] == "WR-1/20/1")
    assert at_mill["queued"] == "10"
    assert lot["moves"][0]["seq"] > lot["moves"][-1]["seq"]
    [edge] = lot["made_of"]
    assert (edge["source"], edge["quantity"]) == (bars["id"], "2.5")
    assert (await plant.get(f"/lots/{bars['id']}"))["went_into"] == [edge]


async def test_a_request_shows_its_steps_and_pieces(plant: RunningPlant) -> None:
    await sawn(plant)
    shown = await plant.get("/work-requests/WR-1")
    assert [job["step"] for job in shown["job_orders"]] == ["10", "20"]
    [flow] = shown["flows"]
    assert (flow["sent"], flow["arrived"]) == ("10", "10")
    assert {visit["step"] for visit in shown["visits"]} == {"10", "20"}


async def test_a_machine_shows_its_states_signals_and_counts(
    plant: RunningPlant,
) -> None:
    assert (await plant.get("/work-units/mill-1"))["equipment"]["shown"] == "manual"
    await plant.connect()
    await until(lambda: plant.state.equipment.get("mill-1") is not None)
    await until(lambda: plant.state.signal.get("mill-1.state") is not None)
    unit = await plant.get("/work-units/mill-1")
    assert unit["equipment"]["shown"] == "executing"
    signals = {one["tag"]: one["value"] for one in unit["signals"]}
    assert signals == {"mill-1.good": None, "mill-1.state": "6"}
    shown = {one["work_unit"]: one["link"] for one in await plant.get("/equipment")}
    assert shown == {"saw-1": None, "mill-1": "connected"}


async def test_a_dispatch_is_kept_with_its_reasons(plant: RunningPlant) -> None:
    first, second = await plant.request("WR-1"), await plant.request("WR-2")
    await plant.done("/holds", scope="job_order", target=first, reason="drawing")
    await plant.done("/work-units/saw-1/dispatch")
    [decision] = (await plant.get("/dispatch-decisions", work_unit="saw-1"))["items"]
    assert decision["chosen"] == second
    unmet = {
        one["job_order"]: [condition["name"] for condition in one["unmet"]]
        for one in decision["candidates"]
    }
    assert unmet == {first: ["no_hold"], second: []}


async def test_released_routings_are_listed(plant: RunningPlant) -> None:
    [only] = await plant.get("/routings")
    assert only["is_effective"]
    assert only["routing"]["steps"][0]["consumes"][0]["per_piece"] == "0.25"


@pytest.mark.parametrize(
    "path",
    [
        "/job-orders/JO-9",
        "/work-requests/WR-9",
        "/lots/L-9",
        "/work-units/lathe-9",
        "/work-centers/LATHES/queue",
    ],
)
async def test_what_is_not_there_is_a_404(plant: RunningPlant, path: str) -> None:
    answer = await plant.client.get(f"/api/v1{path}")
    assert answer.status_code == 404
    assert path.split("/")[2] in answer.json()["detail"]


async def test_a_plant_that_was_stopped_shows_what_it_did(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    async with running_plant(folder) as before:
        saw, _ = await sawn(before)
        shown = await before.get(f"/job-orders/{saw}")
    async with running_plant(folder) as after:
        assert await after.get(f"/job-orders/{saw}") == shown
