"""What was sent to rework, or another way, by mistake comes back, over HTTP."""

from tests.scenarios.shop import Shop
from tests.scenarios.site import until
from tests.scenarios.test_corrections_over_http import bookings, take_back, taken_back
from tests.scenarios.test_rework_over_http import (
    a_line,
    begin,
    in_pass,
    to_drilling,
    work,
)
from tests.scenarios.test_routings_over_http import pieces, state_of


def yielded(shop: Shop, request: str) -> dict[str, tuple[str, str]]:
    """Return good pieces and yield of each operation, as the ledger has them."""
    steps = shop.site.get(f"/ledger/orders/{request}")
    return {one["step"]: (one["good"], one["yielded"]) for one in steps}


def is_settled(shop: Shop, request: str) -> None:
    """See that all is over, and that the ledger has it."""
    assert state_of(shop, request) == "completed"
    over = {"ended.closed", "cancelled"}
    until(lambda: {one.state for one in shop.jobs(request)} <= over)
    shop.site.done(f"/work-requests/{request}/close")


def test_three_of_ten_were_sent_to_rework_and_should_not_have_been(shop: Shop) -> None:
    request = to_drilling(shop, a_line(shop), 10)
    drill = in_pass(shop, request, "drill", 1)
    shop.site.done(
        f"/job-orders/{drill.id}/rework", quantity="3", loop="remill", reason="burr"
    )
    assert pieces(shop, request) == {"drill": 7, "mill": 3}
    [way] = bookings(drill, "rework")
    assert (way["sent"], way["to_visit"]) == ("3", f"{request}/mill/2")
    part = take_back(drill, way, quantity=1)
    assert part.status_code == 422

    taken_back(drill, way)

    assert pieces(shop, request) == {"drill": 10}
    lot = shop.site.get(f"/lots/{way['lot']}")["lot"]
    assert lot["existence"] == "voided"
    [way] = bookings(drill, "rework")
    assert way["reversed_by"]["is_whole"]
    again = take_back(drill, way)
    assert again.status_code == 409

    shop.site.done(
        f"/job-orders/{drill.id}/rework", quantity="2", loop="remill", reason="burr"
    )
    mill = begin(in_pass(shop, request, "mill", 2)).done("report", good=1)
    way = bookings(drill, "rework")[-1]
    answer = take_back(drill, way)
    assert answer.status_code == 409
    lot = way["lot"]
    assert f"untouched: 1 of 2 of {lot} wait at mill" in answer.json()["unmet"]
    mill.done("report", good=1).done("complete")
    work(drill, 8)
    work(in_pass(shop, request, "drill", 2), 2)
    work(in_pass(shop, request, "pack", 1), 10)
    assert pieces(shop, request) == {"STORE": 10}
    is_settled(shop, request)


def test_the_wrong_lot_deviated_comes_back_and_back_again_yields_once(
    shop: Shop,
) -> None:
    """Four go back to cutting twice: the first time by mistake."""
    request = to_drilling(shop, a_line(shop), 10)
    drill = in_pass(shop, request, "drill", 1)
    body = {"to_step": "cut", "quantity": "4", "reason": "rust"}
    shop.site.done(f"/job-orders/{drill.id}/deviate", **body)
    assert pieces(shop, request) == {"drill": 6, "cut": 4}

    taken_back(drill, bookings(drill, "deviation")[0])

    assert pieces(shop, request) == {"drill": 10}
    until(lambda: yielded(shop, request)["cut"] == ("10", "10"))
    shop.site.done(f"/job-orders/{drill.id}/deviate", **body)
    work(in_pass(shop, request, "cut", 1), 4)
    work(in_pass(shop, request, "mill", 1), 4)
    work(drill, 10)
    work(in_pass(shop, request, "pack", 1), 10)
    assert pieces(shop, request) == {"STORE": 10}
    is_settled(shop, request)
    assert yielded(shop, request) == {
        "cut": ("14", "10"),
        "mill": ("14", "10"),
        "drill": ("10", "10"),
        "pack": ("10", "10"),
    }
