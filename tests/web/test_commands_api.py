"""Commands over HTTP: every trigger of the chart, kept answers, refusals in words."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from tests.plant import API, RunningPlant, running_plant

S = JobOrderState


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[RunningPlant]:
    async with running_plant(tmp_path) as running:
        yield running


async def in_process(plant: RunningPlant, *, quantity: int = 10) -> str:
    """A job order that runs on the saw."""
    job = await plant.request("WR-1", quantity=quantity)
    await plant.done(f"/job-orders/{job}/load", work_unit="saw-1")
    await plant.done(f"/job-orders/{job}/begin")
    return job


def state_of(plant: RunningPlant, job: str) -> JobOrderState:
    found = plant.state.job_order.get(job)
    assert found is not None
    return found.state


def test_every_trigger_of_the_chart_is_a_command(plant: RunningPlant) -> None:
    paths = plant.app.openapi()["paths"]
    for trigger in JobOrderTrigger:
        assert "post" in paths[f"{API}/job-orders/{{job_order}}/{trigger}"]


async def test_a_job_order_from_loading_to_the_end(plant: RunningPlant) -> None:
    job = await in_process(plant)
    steps: list[tuple[str, dict[str, Any], JobOrderState]] = [
        ("begin_setup", {}, S.RUNNING_SETUP),
        ("begin", {"in_process": "2"}, S.RUNNING_PROCESSING),
        ("report", {"good": "4"}, S.RUNNING_PROCESSING),
        ("pause", {"reason": "break"}, S.INTERRUPTED_SUSPENDED),
        ("resume", {}, S.RUNNING_PROCESSING),
        ("hold", {"reason": "check"}, S.INTERRUPTED_HELD),
    ]
    for trigger, body, expected in steps:
        await plant.done(f"/job-orders/{job}/{trigger}", **body)
        assert state_of(plant, job) is expected, trigger
    [hold] = (await plant.get("/holds", is_open=True))["items"]
    await plant.done(f"/holds/{hold['id']}/release", resumes=True)
    scrap = [{"quantity": 1, "reason": "crooked"}]
    await plant.done(f"/job-orders/{job}/report", good=5, scrap=scrap)
    done = await plant.done(f"/job-orders/{job}/complete")
    assert done["state"] == S.ENDED_COMPLETED


async def test_loaded_work_goes_back_and_forth(plant: RunningPlant) -> None:
    job = await plant.request("WR-1")
    await plant.done(f"/job-orders/{job}/update", priority=5)
    await plant.done(f"/job-orders/{job}/revoke_start", reason="wait")
    assert state_of(plant, job) is S.NOT_ALLOWED_READY
    await plant.done(f"/job-orders/{job}/release")
    dispatched = await plant.done("/work-units/saw-1/dispatch")
    assert dispatched["job_order"] == job
    await plant.done(f"/job-orders/{job}/unload")
    assert state_of(plant, job) is S.ALLOWED_READY
    await plant.done(f"/job-orders/{job}/cancel", reason="not needed")
    assert state_of(plant, job) is S.CANCELLED


async def test_work_ends_early_or_at_once(plant: RunningPlant) -> None:
    stopped = await in_process(plant)
    await plant.done(f"/job-orders/{stopped}/report", good="1")
    await plant.done(f"/job-orders/{stopped}/stop", remainder="scrap", reason="plan")
    assert state_of(plant, stopped) is S.ENDED_COMPLETED

    aborted = await plant.request("WR-2")
    await plant.done(f"/job-orders/{aborted}/abort", reason="fire")
    assert state_of(plant, aborted) is S.ABORTED


@pytest.mark.parametrize(
    "trigger", ["preconditions_met", "preconditions_lost", "to_held", "to_suspended"]
)
async def test_what_follows_by_itself_is_refused_in_words(
    plant: RunningPlant, trigger: str
) -> None:
    job = await plant.request("WR-1")
    answer = await plant.post(f"/job-orders/{job}/{trigger}")
    assert answer.status_code == 409
    assert job in answer.json()["detail"]


async def test_a_refusal_names_conditions_and_is_kept(plant: RunningPlant) -> None:
    job = await in_process(plant)
    first = await plant.post(f"/job-orders/{job}/complete", key="press-complete")
    await plant.done(f"/job-orders/{job}/report", good="10")
    again = await plant.post(f"/job-orders/{job}/complete", key="press-complete")
    anew = await plant.post(f"/job-orders/{job}/complete", key="press-complete-2")
    assert first.status_code == 409
    assert first.json()["unmet"][0].startswith("quantity_accounted: queued 10")
    assert "report" in first.json()["allowed"]
    assert first.content == again.content
    assert anew.status_code == 200


async def test_a_repeat_is_answered_alike_and_done_once(plant: RunningPlant) -> None:
    job = await in_process(plant)
    answers = [
        await plant.post(
            f"/job-orders/{job}/report", {"good": "1", "reason": ""}, key="press-plus"
        )
        for _ in range(3)
    ]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert (await plant.get(f"/job-orders/{job}"))["good"] == "1"


async def test_a_key_that_is_used_for_something_else_is_refused(
    plant: RunningPlant,
) -> None:
    job = await in_process(plant)
    path = f"/job-orders/{job}/report"
    await plant.post(path, {"good": "1"}, key="press-plus")
    others = [
        await plant.post(path, {"good": "2"}, key="press-plus"),
        await plant.post(path, {"good": "1"}, key="press-plus", person="Jan"),
        await plant.post(f"/job-orders/{job}/pause", {"reason": "x"}, key="press-plus"),
    ]
    for answer in others:
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/key-reused"
    assert (await plant.get(f"/job-orders/{job}"))["good"] == "1"


async def test_a_malformed_command_may_be_mended_under_its_key(
    plant: RunningPlant,
) -> None:
    job = await in_process(plant)
    path = f"/job-orders/{job}/report"
    half = await plant.post(path, {"good": "0.5"}, key="press-mended")
    whole = await plant.post(path, {"good": "1"}, key="press-mended")
    assert (half.status_code, half.json()["type"]) == (422, "/problems/malformed")
    assert whole.status_code == 200


async def test_what_is_not_there_is_a_404(plant: RunningPlant) -> None:
    for path in ("/job-orders/JO-9/release", "/holds/H-9/release"):
        answer = await plant.post(path)
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "/problems/not-found",
        )
    answer = await plant.post("/work-units/lathe-9/dispatch")
    assert "lathe-9" in answer.json()["detail"]


async def test_a_command_may_say_when_it_happened(plant: RunningPlant) -> None:
    job = await in_process(plant)
    reported = datetime.now(UTC) - timedelta(milliseconds=1)
    await plant.done(
        f"/job-orders/{job}/pause", reason="break", occurred_at=reported.isoformat()
    )
    facts = await plant.get("/facts", type="job_order_moved", limit=1000)
    paused = next(one for one in facts["items"] if one["fact"]["trigger"] == "pause")
    assert datetime.fromisoformat(paused["occurred_at"]) == reported


async def test_a_command_from_the_future_is_refused(plant: RunningPlant) -> None:
    job = await in_process(plant)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    answer = await plant.post(
        f"/job-orders/{job}/pause",
        {"reason": "break", "occurred_at": ahead.isoformat()},
    )
    assert answer.status_code == 422
    assert "clock" in answer.json()["hint"]


async def test_a_work_request_from_plan_to_close(plant: RunningPlant) -> None:
    due = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    planned = await plant.done(
        "/work-requests",
        work_request="WR-7",
        routing="bracket",
        quantity="5",
        due_at=due,
    )
    assert planned["work_request"] == "WR-7"
    early = await plant.post("/work-requests/WR-7/close")
    assert early.status_code == 409
    await plant.done("/work-requests/WR-7/release")
    shown = await plant.get("/work-requests/WR-7")
    assert shown["work_request"]["state"] == "released"

    cancelled = await plant.done(
        "/work-requests", work_request="WR-8", routing="bracket", quantity=1, due_at=due
    )
    assert cancelled
    await plant.done("/work-requests/WR-8/cancel", reason="not wanted")
    [only] = (await plant.get("/work-requests", state="cancelled"))["items"]
    assert only["id"] == "WR-8"


async def test_a_choice_that_the_routing_has_not_is_refused(
    plant: RunningPlant,
) -> None:
    await plant.request("WR-1")
    answer = await plant.post(
        "/work-requests/WR-1/choose-alternative", {"step": "10", "target": "20"}
    )
    assert answer.status_code == 409


async def test_only_a_parked_posting_is_retried_or_waived(plant: RunningPlant) -> None:
    job = await in_process(plant)
    await plant.done(f"/job-orders/{job}/report", good="10")
    await plant.done(f"/job-orders/{job}/complete")
    [posting] = (await plant.get("/postings", state="pending"))["items"]
    assert posting["job_order"] == job
    retried = await plant.post(f"/postings/{posting['key']}/retry")
    waived = await plant.post(f"/postings/{posting['key']}/waive", {"reason": "old"})
    assert retried.status_code == 409
    assert waived.status_code in {200, 409}


async def test_a_stopped_engine_takes_nothing(plant: RunningPlant) -> None:
    job = await in_process(plant)
    plant.engine.stop()
    answer = await plant.post(f"/job-orders/{job}/pause", {"reason": "x"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    ready = await plant.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["engine"] != "ok"
