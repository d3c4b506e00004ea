"""Pieces that never were are taken out where they are now, over HTTP."""

from typing import Any

from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import until
from tests.scenarios.test_corrections_over_http import (
    bookings,
    entries,
    take_back,
    taken_back,
)
from tests.scenarios.test_routings_over_http import begun, finish, pieces, run, state_of

THERE = {"where": "where_it_is"}


def good(shop: Shop, request: str) -> dict[str, str]:
    """Return what the ledger has of each step, net."""
    steps = shop.site.get(f"/ledger/orders/{request}")
    return {one["step"]: one["good"] for one in steps}


def preview(job: Job, booking: Any, **body: Any) -> list[Any]:
    """Return what taking a booking back would do."""
    path = f"/bookings/{booking['seq']}/reverse/preview"
    answer = job.shop.site.post(path, {"reason": "miscounted", **body})
    assert answer.is_success, answer.text
    effects: list[Any] = answer.json()["effects"]
    return effects


def test_two_of_ten_never_were_though_the_successor_has_reported_ten(
    shop: Shop,
) -> None:
    """Ten reported at cut, eight there: mill reported ten, drill has six of them."""
    job = shop.make(shop.routing("cut", "mill", "drill"), quantity=10)
    request = job.request
    run(shop, request, "cut", 10)
    mill = run(shop, request, "mill", 10)
    drill = begun(shop, request, "drill").done("report", good=9)
    until(lambda: mill.state == "ended.closed")
    [cut] = bookings(job)
    [at_mill], [at_drill] = bookings(mill), bookings(drill)
    here = take_back(job, cut, quantity=2)
    assert here.status_code == 409
    assert "where_it_is" in here.json()["hint"]

    found = preview(job, cut, quantity=2, **THERE)

    booked = [
        (one["id"], one["why"], one["before"], one["after"])
        for one in found
        if one["on"] == "booking"
    ]
    assert sorted(booked) == sorted(
        [
            (str(cut["seq"]), job.id, "10", "8"),
            (str(at_mill["seq"]), mill.id, "10", "8"),
            (str(at_drill["seq"]), drill.id, "9", "8"),
        ]
    )
    posted = sorted(
        (one["why"], str(one["before"]), str(one["after"]))
        for one in found
        if (one["on"], one["what"]) == ("posting", "good")
    )
    assert posted == sorted(
        (one.id, *told)
        for one in (job, mill)
        for told in (("10", "None"), ("None", "8"))
    )
    follow_on = {one["id"] for one in found if one["what"] == "step"}
    at_cut = [one for one in found if one["id"] == f"{request}/cut/1"]
    [lot] = shop.site.items("/lots", work_request=request)
    assert [(one["what"], one["after"], one["why"]) for one in at_cut] == [
        ("queued", "2", lot["id"])
    ]
    assert job.shown["good"] == "10"  # Nothing of it was done.

    told = taken_back(job, cut, quantity=2, **THERE)
    assert follow_on == {told["follow_on"]}

    assert [one.shown["good"] for one in (job, mill, drill)] == ["8", "8", "8"]
    assert Job(shop, told["follow_on"]).shown["planned"] == "2"
    assert pieces(shop, request) == {"cut": 2, "drill": 8}
    [at_mill] = bookings(mill)
    assert at_mill["reversed_by"]["adjusts"] == cut["seq"]
    [taken] = bookings(mill, "reversal")
    assert (taken["good"], taken["adjusts"]) == ("-2", cut["seq"])
    until(lambda: good(shop, request)["cut"] == "8")
    assert good(shop, request) == {"cut": "8", "mill": "8"}

    run(shop, request, "cut", 2)
    run(shop, request, "mill", 2)
    drill.done("report", good=2).done("complete")
    assert pieces(shop, request) == {"STORE": 10}
    until(lambda: all(one.state == "ended.closed" for one in shop.jobs(request)))
    assert good(shop, request) == {"cut": "10", "mill": "10", "drill": "10"}
    finish(shop, request)


def test_over_production_that_never_was_leaves_stock_and_every_operation(
    shop: Shop,
) -> None:
    """Twelve of ten were made, it seemed; ten were."""
    job = shop.make(shop.routing("cut", "mill", over_tolerance=0.2), quantity=10)
    request = job.request
    run(shop, request, "cut", 12)
    run(shop, request, "mill", 12)
    until(lambda: all(one.state == "ended.closed" for one in shop.jobs(request)))
    assert pieces(shop, request) == {"STORE": 12}

    told = taken_back(job, bookings(job)[0], quantity=2, **THERE)

    assert "follow_on" not in told
    assert pieces(shop, request) == {"STORE": 10}
    assert state_of(shop, request) == "completed"
    until(lambda: len(entries(shop, request)) == 6)
    assert good(shop, request) == {"cut": "10", "mill": "10"}
    finish(shop, request)


def test_what_was_shipped_is_named_and_stays(shop: Shop) -> None:
    job = shop.make(shop.routing("cut", "mill"), quantity=10)
    request = job.request
    run(shop, request, "cut", 10)
    run(shop, request, "mill", 10)
    [lot] = shop.site.items("/lots", work_request=request)
    path = f"/lots/{lot['id']}/ship"
    shop.site.done(path, quantity="9", reason="DN-1")
    [cut] = bookings(job)

    answer = take_back(job, cut, quantity=2, **THERE)

    assert answer.status_code == 409
    assert answer.json()["unmet"] == [
        f"pieces_there: lot {lot['id']} at STORE is 9 shipped"
    ]
    path = f"/bookings/{cut['seq']}/reverse/preview"
    body = {"reason": "miscounted", "quantity": "2", **THERE}
    assert shop.site.post(path, body).status_code == 409
    taken_back(job, cut, quantity=1, **THERE)
    assert pieces(shop, request)["cut"] == 1
