"""Stories of one job order in several runs, and of two in parallel, with quantities."""

from typing import Any

from tests.scenarios.shop import Job, Shop
from tests.scenarios.test_routings_over_http import finish, pieces, run


def finals(shop: Shop, request: str, step: str) -> list[bool]:
    """Return, of each posting of a step in turn, whether it is the final one."""
    postings = [
        one["fact"]["posting"]
        for one in shop.site.facts(0, "posting_raised")
        if one["fact"]["posting"]["stream"] == request
    ]
    return [one["is_final"] for one in postings if one["step"] == step]


def split(shop: Shop, job: Job, quantity: int) -> Job:
    done = shop.site.done(f"/job-orders/{job.id}/split", quantity=quantity)
    return Job(shop, done["result"]["job_order"])


def quantities(job: Job) -> dict[str, str]:
    shown = job.shown
    return {word: shown[word] for word in ("planned", "good", "scrap")}


def units(job: Job) -> list[str]:
    return [one["work_unit"] for one in job.shown["runs"]]


def test_two_machines_in_parallel_on_one_visit(shop: Shop) -> None:
    request = shop.make(shop.routing("cut", "mill", "pack"), quantity=100).request
    run(shop, request, "cut", 100)
    first = shop.at(request, "mill")
    second = split(shop, first, 40)
    assert quantities(first) == {"planned": "60", "good": "0", "scrap": "0"}
    assert quantities(second) == {"planned": "40", "good": "0", "scrap": "0"}
    assert second.shown["follows"] == second.shown["split_of"] == first.id

    first.done("load", work_unit="mill-1").done("begin").done("report", good=55)
    second.done("load", work_unit="mill-2").done("begin")
    second.done("report", good=43, scrap=[{"quantity": 1, "reason": "burr"}])
    second.done("complete")
    assert finals(shop, request, "mill") == [False]
    refused = first.press("complete")
    assert refused.json()["unmet"][0].startswith("quantity_accounted: queued 1,")
    first.done("report", good=1).done("complete")
    assert finals(shop, request, "mill") == [False, True]
    assert quantities(first) == {"planned": "60", "good": "56", "scrap": "0"}
    assert quantities(second) == {"planned": "40", "good": "43", "scrap": "1"}
    assert pieces(shop, request) == {"pack": 99, "scrap": 1}
    run(shop, request, "pack", 99)
    finish(shop, request)


def test_a_split_that_asks_too_much_or_comes_too_late_is_refused(shop: Shop) -> None:
    job = shop.make(shop.simple(), quantity=10)
    refused = shop.site.post(f"/job-orders/{job.id}/split", {"quantity": 10})
    assert refused.json()["unmet"] == ["quantity_left: 10 of 10 C62 are left to do"]
    assert shop.site.post(f"/job-orders/{job.id}/split", {"quantity": 0}).is_error
    assert shop.site.post("/job-orders/JO-9/split", {"quantity": 1}).status_code == 404
    job.done("load", work_unit="cut-1").done("begin").done("report", good=10)
    job.done("complete")
    assert shop.site.post(f"/job-orders/{job.id}/split", {"quantity": 1}).is_error


def test_a_job_moved_half_way(shop: Shop) -> None:
    request = shop.make(shop.routing("mill", "pack"), quantity=100).request
    job = shop.at(request, "mill")
    job.done("load", work_unit="mill-1").done("begin").done("report", good=40)
    job.done("pause", reason="spindle").done("move_to", work_unit="mill-2")
    assert units(job) == ["mill-1", "mill-2"]
    assert [one["closed_at"] is None for one in job.shown["runs"]] == [False, True]
    assert finals(shop, request, "mill") == [False]  # What was done on the first one.
    job.done("resume").done("report", good=60).done("complete")
    assert quantities(job) == {"planned": "100", "good": "100", "scrap": "0"}
    assert finals(shop, request, "mill") == [False, True]
    assert good_by_run(shop, job) == {"mill-1": 40, "mill-2": 60}
    run(shop, request, "pack", 100)
    finish(shop, request)


def test_a_job_that_goes_on_tomorrow(shop: Shop) -> None:
    request = shop.make(shop.simple("mill"), quantity=10).request
    job = shop.at(request, "mill")
    job.done("load", work_unit="mill-1").done("begin").done("report", good=4)
    job.done("pause", reason="end of the shift", gives_up_slot=True)
    assert job.shown["run"] is None
    assert "claim_held" in job.press("resume").json()["unmet"][0]
    job.done("resume", work_unit="mill-1").done("report", good=6).done("complete")
    assert units(job) == ["mill-1", "mill-1"]
    assert sum(good_by_run(shop, job).values()) == 10
    finish(shop, request)


def test_the_next_job_begun_before_the_last_was_completed(shop: Shop) -> None:
    routing = shop.simple("narrow")
    last, following = (shop.make(routing, quantity=10) for _ in range(2))
    last.done("load", work_unit="narrow-1").done("begin").done("report", good=10)
    following.done("load", work_unit="narrow-1", lane="staged")
    refused = following.press("begin")
    assert refused.status_code == 409
    assert f"claim_held: it is staged, and narrow-1 has {last.id}" in _unmet(refused)
    last.done("complete")
    following.done("begin").done("report", good=10).done("complete")
    assert quantities(following)["good"] == quantities(last)["good"] == "10"
    finish(shop, last.request)
    finish(shop, following.request)


def test_the_operator_who_forgot_to_begin(shop: Shop) -> None:
    job = shop.make(shop.simple("mill"), quantity=10)
    job.done("load", work_unit="mill-1")
    refused = job.press("report", good=10)
    assert "'report' is not allowed" in refused.json()["detail"]
    opened = job.shown["runs"][0]["opened_at"]
    job.done("begin", occurred_at=opened).done("report", good=10).done("complete")
    [one] = job.shown["runs"]
    assert one["begun_at"] == opened  # The time counts from when it was.
    assert float(one["processing_s"]) > 0
    assert quantities(job) == {"planned": "10", "good": "10", "scrap": "0"}


def test_the_last_pieces_reported_after_a_pause(shop: Shop) -> None:
    request = shop.make(shop.routing("mill", "pack"), quantity=10).request
    job = shop.at(request, "mill")
    job.done("load", work_unit="mill-1").done("begin").done("report", good=7)
    job.done("pause", reason="break")
    job.done("report", good=3)  # They were made before the break.
    assert "complete" not in job.allowed
    paused = job.shown["runs"][0]["processing_s"]
    job.done("resume").done("complete")
    assert quantities(job) == {"planned": "10", "good": "10", "scrap": "0"}
    assert float(job.shown["runs"][0]["processing_s"]) >= float(paused)
    assert pieces(shop, request) == {"pack": 10}


def good_by_run(shop: Shop, job: Job) -> dict[str, int]:
    """Return what was reported good, by the work unit of its run."""
    unit_of = {one["id"]: one["work_unit"] for one in job.shown["runs"]}
    found: dict[str, int] = {}
    for one in shop.site.facts(0, "quantity_reported"):
        fact = one["fact"]
        if fact["job_order"] == job.id:
            unit = unit_of[fact["run"]]
            found[unit] = found.get(unit, 0) + int(fact["good"])
    return found


def _unmet(refused: Any) -> str:
    return " ".join(refused.json()["unmet"])
