"""Mistakes are taken back by linked reversals, that reach the ledger, over HTTP."""

from typing import Any

import httpx

from tests.commands import mes
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import until
from tests.scenarios.test_routings_over_http import begun, finish, pieces, run, state_of

BENT = {"reason": "bent"}


def bookings(job: Job, kind: str = "report") -> list[Any]:
    """Return what was booked on a job order, of one kind, the oldest first."""
    found = job.shop.site.items(f"/job-orders/{job.id}/bookings")
    return [one for one in reversed(found) if one["kind"] == kind]


def take_back(job: Job, booking: Any, **body: Any) -> httpx.Response:
    """Reverse a booking."""
    path = f"/bookings/{booking['seq']}/reverse"
    return job.shop.site.post(path, {"reason": "miscounted", **body})


def taken_back(job: Job, booking: Any, **body: Any) -> dict[str, str]:
    """Reverse a booking, which has to be accepted; the books stay sound."""
    answer = take_back(job, booking, **body)
    assert answer.is_success, answer.text
    found = mes("verify", "--json", "--database", job.shop.site.database_url)
    assert found.plain["problems"] == []
    result: dict[str, str] = answer.json()["result"]
    return result


def entries(shop: Shop, request: str) -> list[tuple[str, str, str]]:
    """Return step, good and scrap of every entry of the ledger."""
    found = shop.site.items("/ledger/entries", order=request)
    return [(one["step"], one["good"], one["scrap"]) for one in found]


def test_unscrap_goes_up_to_the_ledger_and_work_goes_on(shop: Shop) -> None:
    """100 cut, 2 of them scrap; one of the two was good after all."""
    job = shop.make(shop.routing("cut", "mill"), quantity=100)
    request = job.request
    begun(shop, request, "cut").done("report", good=98)
    job.done("report", scrap=[{"quantity": 1, **BENT}])
    job.done("report", scrap=[{"quantity": 1, **BENT}]).done("complete")
    run(shop, request, "mill", 98)
    until(lambda: all(one.state == "ended.closed" for one in shop.jobs(request)))
    assert entries(shop, request) == [("cut", "98", "2"), ("mill", "98", "0")]
    assert state_of(shop, request) == "completed"

    told = taken_back(job, bookings(job)[-1])

    follow_on = Job(shop, told["follow_on"])
    assert follow_on.shown["follows"] == job.id
    assert follow_on.shown["planned"] == "1"
    assert (job.state, job.shown["scrap"]) == ("ended.closed", "1")
    assert state_of(shop, request) == "in_progress"
    until(lambda: len(entries(shop, request)) == 6)
    assert entries(shop, request)[2:] == [
        ("cut", "-98", "-2"),
        ("cut", "98", "1"),
        ("mill", "-98", "0"),
        ("mill", "98", "0"),
    ]
    run(shop, request, "cut", 1)
    run(shop, request, "mill", 1)
    assert pieces(shop, request) == {"STORE": 99, "scrap": 1}
    finish(shop, request)
    answer = take_back(job, bookings(job)[0])
    assert answer.status_code == 409
    assert answer.json()["unmet"] == [f"request_open: {request} is closed"]
    steps = shop.site.get(f"/ledger/orders/{request}")
    assert {one["step"]: (one["good"], one["scrap"]) for one in steps} == {
        "cut": ("99", "1"),
        "mill": ("99", "0"),
    }


def test_a_reversal_after_the_successor_consumed_names_what_depends_on_it(
    shop: Shop,
) -> None:
    job = shop.make(shop.routing("cut", "mill"), quantity=100)
    run(shop, job.request, "cut", 100)
    mill = begun(shop, job.request, "mill").done("report", good=60)
    [cut] = bookings(job)

    answer = take_back(job, cut)

    assert answer.status_code == 409
    told = answer.json()
    assert "60 of the 100 C62" in told["detail"]
    assert told["unmet"] == [f"pieces_there: {mill.id} at mill has 60 reported"]

    taken_back(mill, bookings(mill)[0])
    told = taken_back(job, cut)
    assert pieces(shop, job.request) == {"cut": 100}
    assert shop.at(job.request, "cut").id == told["follow_on"]


def test_a_part_of_a_report_is_taken_back_and_never_more_than_is_left(
    shop: Shop,
) -> None:
    """Ten were reported and seven there: three are taken back, then two more."""
    job = shop.make(shop.routing("cut", "mill"), quantity=10)
    request = job.request
    run(shop, request, "cut", 10)
    mill = begun(shop, request, "mill").done("report", good=5)
    [report] = bookings(job)

    told = taken_back(job, report, quantity=3)

    assert job.shown["good"] == "7"
    assert Job(shop, told["follow_on"]).shown["planned"] == "3"
    [report] = bookings(job)
    assert report["reversed_by"]["good"] == "3"
    assert not report["reversed_by"]["is_whole"]
    answer = take_back(job, report, quantity=3)
    assert answer.status_code == 409
    assert answer.json()["unmet"] == [f"pieces_there: {mill.id} at mill has 5 reported"]
    taken_back(job, report, quantity=2)
    beyond = take_back(job, report, quantity=6)
    assert beyond.status_code == 409
    assert beyond.json()["unmet"] == ["quantity_left: 6 asked for, 5 good"]
    scrap = take_back(job, report, quantity=1, reported_as="scrap")
    assert scrap.json()["unmet"] == ["quantity_left: 1 asked for, 0 scrap"]
    assert take_back(job, report, quantity="0").status_code == 422
    parts = bookings(job, "reversal")
    assert sorted(one["good"] for one in parts) == ["-2", "-3"]

    run(shop, request, "cut", 5)
    mill.done("report", good=5).done("complete")
    assert pieces(shop, request) == {"STORE": 10}
    until(lambda: all(one.state == "ended.closed" for one in shop.jobs(request)))
    steps = shop.site.get(f"/ledger/orders/{request}")
    assert {one["step"]: one["good"] for one in steps} == {"cut": "10", "mill": "10"}
    found = shop.site.get(f"/job-orders/{job.id}/reconciliation")
    good = next(one for one in found if one["role"] == "good")
    assert (good["reported"], good["posted"]) == ("5", "5")
    assert [one["quantity"] for one in good["to_reported"]] == ["5"]
    finish(shop, request)


def test_a_booking_is_reversed_once_and_a_reversal_never(shop: Shop) -> None:
    job = shop.make(shop.routing("cut"), quantity=10)
    begun(shop, job.request, "cut").done("report", good=4)
    [report] = bookings(job)
    taken_back(job, report)

    again = take_back(job, report)
    [reversal] = bookings(job, "reversal")
    undone = take_back(job, reversal)

    assert (again.status_code, undone.status_code) == (409, 409)
    assert "has been reversed already, by Maria" in again.json()["detail"]
    assert "a reversal is not reversed" in undone.json()["detail"]
    assert reversal["reverses"] == report["seq"]
    [report] = bookings(job)
    assert report["reversed_by"]["reason"] == "miscounted"
    nothing = take_back(job, {"seq": 1})
    assert nothing.status_code == 404


def test_what_the_ledger_was_never_sent_is_netted(shop: Shop) -> None:
    """The books are closed to the first posting, so that the second one waits."""
    job = shop.make(shop.routing("cut", "mill"), quantity=10, is_booked=False)
    run(shop, job.request, "cut", 10)
    mill = run(shop, job.request, "mill", 10)

    taken_back(mill, bookings(mill)[0])

    found = shop.site.items("/postings", work_request=job.request)
    found.sort(key=lambda one: int(one["stream_seq"]))
    kinds = [(one["step"], one["kind"], one["state"] == "netted") for one in found]
    assert kinds == [
        ("cut", "confirm", False),
        ("mill", "confirm", True),
        ("mill", "reverse", True),
        ("mill", "confirm", False),  # The machine's time was spent all the same.
    ]
    assert found[3]["good"] == "0"
    assert found[2]["reverses"] == found[1]["key"]


def test_consumed_material_goes_back_into_stock(shop: Shop) -> None:
    steel = shop.material(10)
    job = shop.make(shop.metal(steel), quantity=10)
    run(shop, job.request, "cut", 10)
    [consumption] = bookings(job, "consumption")
    [lot] = shop.site.items("/lots", material=steel)
    assert lot["existence"] == "consumed"

    taken_back(job, consumption)

    detail = shop.site.get(f"/lots/{lot['id']}")
    assert detail["lot"]["existence"] == "active"
    [position] = detail["positions"]
    assert (position["stock"], position["consumed"]) == ("10", "0")
    edges = detail["went_into"]
    assert [one["reverses"] for one in edges] == [None, edges[0]["seq"]]
    finish(shop, job.request)


def test_a_completion_is_taken_back_whole(shop: Shop) -> None:
    steel = shop.material(10)
    job = shop.make(shop.metal(steel), quantity=10)
    begun(shop, job.request, "cut").done("report", good=6)
    job.done("report", good=3, scrap=[{"quantity": 1, **BENT}]).done("complete")
    until(lambda: job.state == "ended.closed")

    told = taken_back(job, bookings(job, "completion")[0])

    shown = job.shown
    assert (shown["good"], shown["scrap"], shown["state"]) == ("0", "0", "ended.closed")
    assert Job(shop, told["follow_on"]).shown["planned"] == "10"
    run(shop, job.request, "cut", 10)
    finish(shop, job.request)
    found = entries(shop, job.request)
    assert found == [("cut", "9", "1"), ("cut", "-9", "-1"), *found[2:]]
    assert sum(int(good) for _, good, _ in found) == 10


def test_what_was_consumed_by_hand_is_listed_and_goes_back(shop: Shop) -> None:
    steel = shop.material(10)
    job = shop.make(shop.metal(steel), quantity=5)
    begun(shop, job.request, "cut").done("report", good=1)
    [lot] = shop.site.items("/lots", material=steel)
    path = f"/lots/{lot['id']}/consume"
    shop.site.done(path, job_order=job.id, quantity="2", reason="by hand")
    [consumption] = bookings(job, "consumption")

    taken_back(job, consumption)

    [position] = shop.site.get(f"/lots/{lot['id']}")["positions"]
    assert (position["stock"], position["consumed"]) == ("10", "0")
    [consumption] = bookings(job, "consumption")
    assert consumption["reversed_by"]["is_whole"]
