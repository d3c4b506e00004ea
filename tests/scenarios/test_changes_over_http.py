"""Changes to running work over HTTP: first what they would do, then the same."""

from collections.abc import Mapping
from typing import Any

from tests.scenarios.shop import Job, Shop, a_step

BATCHES = [
    {"kind": "quantity", "source": "cut", "target": "mill", "transfer_batch": 25}
]


def previewed(job: Job, **body: Any) -> list[dict[str, Any]]:
    """List what a change would do; nothing of it may be done."""
    before = job.shop.site.get(f"/work-requests/{job.request}")
    path = f"/work-requests/{job.request}/changes/preview"
    answer = job.shop.site.post(path, body)
    assert answer.status_code == 200, answer.text
    assert job.shop.site.get(f"/work-requests/{job.request}") == before
    effects: list[dict[str, Any]] = answer.json()["effects"]
    return effects


def changed(job: Job, **body: Any) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Preview a change, make it, and compare everything that is shown with it."""
    told = previewed(job, **body)
    path = f"/work-requests/{job.request}"
    before = job.shop.site.get(path)
    job.shop.site.done(f"{path}/changes", **body)
    after = job.shop.site.get(path)
    for one in told:
        was, now = _shown(before, one), _shown(after, one)
        assert (was, now) == (one["before"], one["after"]), one
    return {(one["id"], one["what"]): (one["before"], one["after"]) for one in told}


def _shown(detail: Mapping[str, Any], effect: Mapping[str, Any]) -> Any:
    """Return what a request's page shows of what an effect is on."""
    name, what = effect["id"], effect["what"]
    if effect["on"] == "work_request":
        return detail["work_request"][what]
    if effect["on"] == "pieces":
        found = [one[what] for one in detail["positions"] if one["place"] == name]
        return found[0] if found else "0"
    jobs = {one["id"]: one for one in detail["job_orders"]}
    if effect["on"] == "condition":
        told = jobs[name]["conditions"] if name in jobs else ()
        conditions = {one["name"]: one["is_met"] for one in told}
        return conditions.get(what)
    return jobs[name][what] if name in jobs else None


def test_a_quantity_goes_up_and_down_in_mid_run(shop: Shop) -> None:
    routing = shop.routing("cut", "mill", connections=BATCHES)
    job = shop.make(routing, quantity=100)
    job.done("load", work_unit="cut-1").done("begin").done("report", good=60)
    mill, visit = shop.at(job.request, "mill"), f"{job.request}/cut/1"

    up = changed(job, quantity=130, reason="the customer wants more")
    assert up[job.request, "quantity"] == ("100", "130")
    assert up[job.id, "planned"] == up[mill.id, "planned"] == ("100", "130")
    assert up[visit, "queued"] == ("40", "70")

    down = changed(job, quantity=80)
    assert down[job.id, "planned"] == ("130", "80")
    assert down[visit, "queued"] == ("70", "20")

    for path in ("changes", "changes/preview"):
        refused = shop.site.post(
            f"/work-requests/{job.request}/{path}", {"quantity": 59}
        )
        assert refused.status_code == 409
        assert refused.json()["unmet"] == [
            f"quantity_accounted: {job.id} at step cut has 60 C62 worked or at work"
        ]
    job.done("report", good=20).done("complete")
    mill.done("load", work_unit="mill-1").done("begin").done("report", good=80)
    mill.done("complete")
    assert shop.site.get(f"/work-requests/{job.request}")["work_request"]["state"] == (
        "completed"
    )


def test_what_would_be_short_of_material_is_told_first(shop: Shop) -> None:
    job = shop.make(shop.metal(shop.material(10)))

    [effect] = [one for one in previewed(job, quantity=12) if one["on"] == "condition"]

    assert (effect["what"], effect["after"]) == ("material_available", False)
    assert "12 KGM" in effect["why"]
    assert job.state == "allowed_to_start.ready"


def test_dates_and_priority_reach_every_job_order(shop: Shop) -> None:
    job = shop.make(shop.routing("cut", "mill"))
    job.done("load", work_unit="cut-1").done("begin")

    told = changed(job, due_at="2031-01-01T00:00:00Z", priority=7)

    for one in (job, shop.at(job.request, "mill")):
        assert told[one.id, "due_at"][1] == "2031-01-01T00:00:00Z"
        assert told[one.id, "priority"] == (0, 7)


def test_a_new_revision_for_what_has_not_begun(shop: Shop) -> None:
    routing = shop.routing("cut", "mill")
    job = shop.make(routing).done("load", work_unit="cut-1").done("begin")
    mill = shop.at(job.request, "mill")
    body = shop.site.get(f"/plm/routings/{routing}/revisions/A")["body"]
    steps = [a_step("cut"), a_step("drill")]
    connections = [{"kind": "quantity", "source": "cut", "target": "drill"}]
    shop.release_revision(
        {
            "id": routing,
            "revision": "B",
            "material": body["material"],
            "unit": "C62",
            "steps": steps,
            "connections": connections,
        }
    )

    told = changed(job, revision="B", reason="drilled now")

    assert told[job.request, "revision"] == ("A", "B")
    assert told[mill.id, "state"] == ("allowed_to_start.waiting", "cancelled")
    job.done("report", good=10).done("complete")
    drill = shop.at(job.request, "drill")
    assert (job.shown["revision"], drill.shown["revision"]) == ("A", "B")
    drill.done("load", work_unit="drill-1").done("begin").done("report", good=10)
    drill.done("complete")


def test_a_step_in_work_that_is_not_in_the_revision_is_named(shop: Shop) -> None:
    routing = shop.routing("cut")
    job = shop.make(routing).done("load", work_unit="cut-1").done("begin")
    shop.release_revision(
        {
            "id": routing,
            "revision": "B",
            "material": f"M-{routing}",
            "unit": "C62",
            "steps": [a_step("mill")],
        }
    )

    refused = shop.site.post(
        f"/work-requests/{job.request}/changes/preview", {"revision": "B"}
    )

    assert refused.status_code == 409
    told = " ".join(refused.json()["unmet"])
    assert f"step cut is not in it, and {job.id} is in work there" in told
