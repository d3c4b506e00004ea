"""Rework over HTTP: what goes back comes home, is scrapped, or may go back no more."""

from typing import Any

from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.site import until
from tests.scenarios.test_routings_over_http import finish, pieces, state_of

LINE = ("cut", "mill", "drill", "pack")


def a_line(shop: Shop, **more: Any) -> str:
    """Release a line in which drilling can send pieces back to milling."""
    loop = {"id": "remill", "source": "drill", "target": "mill"}
    return shop.routing(*LINE, **{"rework": [loop]} | more)


def in_pass(shop: Shop, request: str, step: str, number: int) -> Job:
    """Return the job order of a pass that is not over."""
    jobs = shop.site.items("/job-orders", work_request=request)
    visit = f"{request}/{step}/{number}"
    (found,) = [
        one for one in jobs if one["visit"] == visit and one["ended_at"] is None
    ]
    return Job(shop, found["id"])


def begin(job: Job) -> Job:
    unit = f"{job.shown['step']}-1"
    return job.done("load", work_unit=unit).done("begin")


def work(job: Job, good: int, scrap: int = 0) -> Job:
    """Do all the work of a job order, begun or not."""
    if job.shown["begun_at"] is None:
        begin(job)
    scrapped = [{"quantity": scrap, "reason": "burr"}] if scrap else []
    return job.done("report", good=good, scrap=scrapped).done("complete")


def to_drilling(shop: Shop, routing: str, quantity: int) -> str:
    """Bring all pieces of a new request to drilling, and begin there."""
    request = shop.make(routing, quantity=quantity).request
    for step in ("cut", "mill"):
        work(in_pass(shop, request, step, 1), quantity)
    begin(in_pass(shop, request, "drill", 1))
    return request


def test_rework_of_three_while_the_rest_moves_on_one_of_them_scrapped(
    shop: Shop,
) -> None:
    request = to_drilling(shop, a_line(shop), 100)
    drill = in_pass(shop, request, "drill", 1)
    sent = shop.site.done(
        f"/job-orders/{drill.id}/rework", quantity=3, loop="remill", reason="burr"
    )["result"]
    work(drill, 97)
    pack = begin(in_pass(shop, request, "pack", 1)).done("report", good=97)

    assert pieces(shop, request) == {"pack": 97, "mill": 3}
    answer = pack.press("complete")
    assert answer.status_code == 409
    assert "pieces may still come" in answer.json()["detail"]

    lot = shop.site.get(f"/lots/{sent['lot']}")
    (edge,) = lot["made_of"]
    assert [edge["kind"], edge["quantity"]] == ["split", "3"]
    assert lot["lot"]["parent"] == edge["source"]
    work(Job(shop, sent["job_order"]), 2, scrap=1)
    work(in_pass(shop, request, "drill", 2), 2)
    assert state_of(shop, request) == "in_progress"
    pack.done("report", good=2).done("complete")

    assert pieces(shop, request) == {"STORE": 99, "scrap": 1}
    until(lambda: all(job.state == "ended.closed" for job in shop.jobs(request)))
    steps = shop.site.get(f"/ledger/orders/{request}")
    assert {one["step"]: (one["good"], one["yielded"]) for one in steps} == {
        "cut": ("100", "100"),
        "mill": ("102", "100"),  # Two were milled well a second time.
        "drill": ("99", "99"),
        "pack": ("99", "99"),
    }
    entries = shop.site.items("/ledger/entries", order=request)
    assert {one["pass_number"] for one in entries if one["step"] == "mill"} == {1, 2}
    finish(shop, request)


def test_beyond_its_limit_a_way_back_is_refused_with_an_answer_of_its_own(
    shop: Shop,
) -> None:
    request = to_drilling(shop, a_line(shop), 5)
    body = {"quantity": 2, "loop": "remill", "reason": "burr"}
    in_pass(shop, request, "drill", 1).done("rework", **body)
    work(in_pass(shop, request, "mill", 2), 2)
    drill = begin(in_pass(shop, request, "drill", 2))

    answer = drill.press("rework", **body)

    assert answer.status_code == 409
    problem = answer.json()
    assert "have been through rework loop 'remill' 1 times" in problem["detail"]
    assert problem["unmet"] == ["rework_limit: limit 1 of loop remill, taken 1 times"]
    assert "report" in problem["allowed"]


def test_a_whole_lot_goes_back_under_its_own_name(shop: Shop) -> None:
    request = to_drilling(shop, a_line(shop), 5)
    drill = in_pass(shop, request, "drill", 1)
    (lot,) = drill.shown["here"]["lots"]
    drill.done("rework", quantity=5, loop="remill", reason="burr").done("complete")

    assert drill.shown["reworked"] == "5"
    assert in_pass(shop, request, "mill", 2).shown["here"]["lots"] == [lot]
    for step in ("mill", "drill"):
        work(in_pass(shop, request, step, 2), 5)
    work(in_pass(shop, request, "pack", 1), 5)
    finish(shop, request)


def test_scrap_found_two_steps_later_names_the_step_at_fault(shop: Shop) -> None:
    """It is booked where it is found."""
    request = to_drilling(shop, a_line(shop), 10)
    drill = in_pass(shop, request, "drill", 1)
    found = {"quantity": 2, "reason": "crack", "caused_by": "cut"}
    refused = drill.press("report", scrap=[found | {"caused_by": "pack"}])
    assert refused.status_code == 409

    drill.done("report", good=8, scrap=[found]).done("complete")

    (lot,) = drill.shown["here"]["lots"]
    moves = shop.site.get(f"/lots/{lot}")["moves"]
    (scrap,) = [one for one in moves if one["to_bucket"] == "scrap"]
    assert [scrap["place"], scrap["caused_by"]] == [f"{request}/drill/1", "cut"]
    work(in_pass(shop, request, "pack", 1), 8)
    assert pieces(shop, request) == {"STORE": 8, "scrap": 2}
    finish(shop, request)


def test_a_deviation_goes_around_a_step_and_says_so(shop: Shop) -> None:
    request = shop.make(a_line(shop), quantity=10).request
    work(in_pass(shop, request, "cut", 1), 10)
    mill = in_pass(shop, request, "mill", 1)
    assert mill.press("deviate", to_step="pack").status_code == 422
    before = shop.site.get(f"/job-orders/{mill.id}")["seq"]

    mill.done("deviate", to_step="pack", quantity=4, reason="concession 12")

    (fact,) = shop.site.facts(before, "lot_deviated")
    assert fact["fact"]["skipped"] == ["mill", "drill"]
    assert pieces(shop, request) == {"mill": 6, "pack": 4}
    work(mill, 6)
    work(in_pass(shop, request, "drill", 1), 6)
    work(in_pass(shop, request, "pack", 1), 10)
    finish(shop, request)


def test_a_sample_is_milled_and_an_optional_step_is_left_out(shop: Shop) -> None:
    """One request in two is milled; a person has the second one not drilled."""
    milled = a_step("mill") | {"sampling": {"every": 2}}
    drilled = a_step("drill") | {"is_optional": True}
    routing = shop.routing("cut", milled, drilled, "pack")
    first, second = (shop.make(routing, quantity=4).request for _ in range(2))
    for request in (first, second):
        work(in_pass(shop, request, "cut", 1), 4)
    assert [pieces(shop, one) for one in (first, second)] == [{"mill": 4}, {"drill": 4}]

    drill = in_pass(shop, second, "drill", 1)
    drill.done("skip", reason="the customer does not ask for it")

    assert drill.state == "cancelled"
    assert pieces(shop, second) == {"pack": 4}
    work(in_pass(shop, second, "pack", 1), 4)
    assert state_of(shop, second) == "completed"
    for step in ("mill", "drill", "pack"):
        work(in_pass(shop, first, step, 1), 4)
    finish(shop, first)
