"""A furnace with three orders: they load, begin and end together, and share time."""

from decimal import Decimal
from typing import Any

from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.test_routings_over_http import finish, pieces

UNIT = "/work-units/furnace-1"


def a_line(shop: Shop) -> str:
    """Two pieces take a position of the furnace."""
    return shop.routing(a_step("furnace") | {"load_per_piece": "0.5"}, "pack")


def dispatched(shop: Shop) -> dict[str, Any]:
    result: dict[str, Any] = shop.site.done(f"{UNIT}/dispatch")["result"]
    return result


def last_decision(shop: Shop) -> dict[str, Any]:
    page = shop.site.get("/dispatch-decisions", work_unit="furnace-1", limit=1)
    decision: dict[str, Any] = page["items"][0]
    return decision


def reasons(decision: dict[str, Any]) -> dict[str, list[str]]:
    return {
        one["job_order"]: [why["name"] for why in one["unmet"]]
        for one in decision["candidates"]
    }


def test_a_furnace_with_three_orders(shop: Shop) -> None:
    line = a_line(shop)
    first = shop.make(line, quantity=50)
    assert dispatched(shop)["job_order"] == ""  # 25 of at least 40 positions.
    assert reasons(last_decision(shop)) == {first.id: ["batch_complete"]}

    second, third = shop.make(line, quantity=30), shop.make(line, quantity=20)
    fourth = shop.make(line, quantity=90)
    other = shop.make(a_line(shop), quantity=90)
    jobs = [first, second, third]
    result = dispatched(shop)
    assert result["job_orders"].split() == [one.id for one in jobs]
    decision = last_decision(shop)
    assert decision["chosen"] == first.id
    assert decision["loaded_with"] == [second.id, third.id]
    assert reasons(decision) == {
        first.id: [],
        second.id: [],
        third.id: [],
        fourth.id: ["batch_capacity"],
        other.id: ["batch_compatible"],
    }
    [run] = shop.site.get(UNIT)["runs"]
    assert run["job_orders"] == [one.id for one in jobs]

    second.done("begin")
    assert {one.state for one in jobs} == {"running.processing"}
    held = first.hold().json()["result"]
    assert held["mode"] == "after_run"
    assert first.state == "running.processing"  # The furnace finishes ...
    for job, good in ((first, 50), (second, 29), (third, 20)):
        job.done("report", good=good)
    refused = third.press("complete")
    assert refused.status_code == 409
    assert second.id in refused.json()["detail"]
    second.done("report", scrap=[{"quantity": 1, "reason": "warped"}])
    third.done("complete")
    assert {one.state[:5] for one in jobs} == {"ended"}

    [run] = first.shown["runs"]
    booked = sum((_processing_s(shop, one) for one in jobs), Decimal(0))
    assert booked == Decimal(run["processing_s"]) > 0
    assert [pieces(shop, one.request) for one in jobs] == [
        {"pack": 50},
        {"pack": 29, "scrap": 1},
        {"pack": 20},
    ]
    packing = [shop.at(one.request, "pack") for one in jobs]
    assert packing[0].unmet == ["no_hold"]  # ... and the lot does not move on.
    assert packing[1].unmet == packing[2].unmet == []
    assert first.release_hold().is_success
    for job, good in zip(packing, (50, 29, 20), strict=True):
        job.done("load", work_unit="pack-1").done("begin").done("report", good=good)
        job.done("complete")
        finish(shop, job.request)


def test_a_person_may_start_a_small_run_and_take_one_out_before(shop: Shop) -> None:
    line = a_line(shop)
    jobs = [shop.make(line, quantity=4) for _ in range(3)]
    body = {"job_orders": [one.id for one in jobs]}
    shop.site.done(f"{UNIT}/load", **body)
    jobs[1].done("unload")
    assert jobs[1].state == "allowed_to_start.ready"
    jobs[0].done("begin")
    assert [one.state for one in jobs] == [
        "running.processing",
        "allowed_to_start.ready",
        "running.processing",
    ]
    again = {"job_orders": [jobs[1].id], "lane": "active"}
    refused = shop.site.post(f"{UNIT}/load", again)
    assert refused.json()["unmet"][0].startswith("lane_free")


def test_too_much_for_the_furnace_is_refused_with_the_amounts(shop: Shop) -> None:
    line = a_line(shop)
    jobs = [shop.make(line, quantity=61) for _ in range(2)]
    body = {"job_orders": [one.id for one in jobs]}
    refused = shop.site.post(f"{UNIT}/load", body)
    assert refused.json()["unmet"] == [
        "batch_capacity: furnace-1 takes 60 positions, not 61.0"
    ]


def _processing_s(shop: Shop, job: Job) -> Decimal:
    booked = [
        fact["fact"]
        for fact in shop.site.facts(0, "time_booked")
        if fact["fact"]["job_order"] == job.id
    ]
    return Decimal(booked[-1]["processing_total_us"]) / 1_000_000
