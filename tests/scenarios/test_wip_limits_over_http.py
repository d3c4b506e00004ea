"""Limits of work in progress over HTTP: a booth for two requests, a small buffer in it.

The booth is the site's only limited area: each test leaves it empty.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.shop import OVER, Job, Shop
from tests.scenarios.site import until


@pytest.fixture
def routing(shop: Shop) -> Iterator[str]:
    """A routing through the booth, in which nothing is left afterwards."""
    known = shop.site.routings
    if "booth" not in known:
        known["booth"] = shop.routing("spray", "bake")
    yield known["booth"]
    for request in inside(shop):
        for job in shop.jobs(request):
            if job.shown["here"] and job.state not in OVER:
                if not job.shown["begun_at"]:
                    begun(job, str(job.shown["step"]))
                job.done("stop", remainder="scrap", reason="over")
    assert inside(shop) == []


def booth(shop: Shop) -> Any:
    [area] = shop.site.get("/wip-limits")["areas"]
    return area


def inside(shop: Shop) -> list[str]:
    return [one["request"] for one in booth(shop)["inside"]]


def begun(job: Job, step: str) -> Job:
    return job.done("load", work_unit=f"{step}-1").done("begin")


def finished(job: Job, quantity: int = 10) -> Job:
    return job.done("report", good=quantity).done("complete")


def test_a_third_request_waits_until_one_has_left_the_booth(
    shop: Shop, routing: str
) -> None:
    first, second, third = (shop.make(routing) for _ in range(3))
    begun(first, "spray")
    third.done("load", work_unit="spray-1")
    begun(second, "spray")
    assert inside(shop) == [first.request, second.request]
    assert (booth(shop)["most_work_requests"], booth(shop)["pieces"]) == (2, "20")

    refused = third.press("begin")
    assert refused.status_code == 409
    assert refused.json()["unmet"] == ["wip_limit: area booth has 2 of 2 work requests"]
    assert "the supervisor" in refused.json()["hint"]
    assert third.unmet == ["wip_limit"]

    finished(first)
    assert inside(shop) == [first.request, second.request], "it waits to be baked"
    baked = shop.at(first.request, "bake")
    finished(begun(baked, "bake"))
    assert inside(shop) == [second.request]

    third.done("begin")
    assert inside(shop) == [second.request, third.request]


def test_a_full_buffer_keeps_the_step_before_it_from_beginning(
    shop: Shop, routing: str
) -> None:
    first, second = (shop.make(routing, quantity=15) for _ in range(2))
    finished(begun(first, "spray"), 15)
    assert second.state == "allowed_to_start.waiting"
    [shown] = [one for one in second.shown["conditions"] if not one["is_met"]]
    assert shown["why"] == "the buffer before BAKE has 15 of 15 pieces"
    [buffer] = shop.site.get("/wip-limits")["buffers"]
    assert (buffer["work_center"], buffer["queued"]) == ("BAKE", "15")

    begun(shop.at(first.request, "bake"), "bake").done("report", good=1)

    until(lambda: second.state == "allowed_to_start.ready")
    begun(second, "spray")


def test_a_step_of_a_routing_may_have_a_buffer_of_its_own(shop: Shop) -> None:
    mill = {
        "id": "mill",
        "name": "Mill",
        "work_center": "MILL",
        "equipment_class": "mill",
        "kanban": 10,
    }
    routing = shop.routing("cut", mill)
    first, second = (shop.make(routing) for _ in range(2))

    finished(begun(first, "cut"))

    assert second.unmet == ["wip_limit"]
    assert buffers_of(shop, routing) == [("mill", "10", "10")]
    begun(shop.at(first.request, "mill"), "mill").done("report", good=10)
    assert second.unmet == []
    assert buffers_of(shop, routing) == [("mill", "10", "0")]


def buffers_of(shop: Shop, routing: str) -> list[tuple[str, str, str]]:
    """Return step, limit and pieces of each buffer before a step of the routing."""
    steps = shop.site.get("/wip-limits")["steps"]
    return [
        (one["step"], one["kanban"], one["queued"])
        for one in steps
        if one["routing"] == routing
    ]
