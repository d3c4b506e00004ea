"""Merged lots and their measured data, told over HTTP."""

from tests.commands import mes
from tests.scenarios.shop import Shop, a_step
from tests.scenarios.test_lots_over_http import begun, buckets, lots, merge, unmet

WIDTH = {"name": "width", "unit": "MMT", "is_required": True}


def test_30_and_20_that_differ_are_measured_again_as_50(shop: Shop) -> None:
    """Merged, and 10 mm as 12 mm: the 50 go on once somebody has measured them."""
    step = a_step("cut") | {"characteristics": [WIDTH]}
    job = begun(shop, shop.make(shop.routing(step, "mill"), quantity=50, lot_size=30))
    one, two = lots(shop, work_request=job.request)

    def measure(lot: str, value: str) -> None:
        job.done("measurements", characteristic="width", value=value, lot=lot)

    measure(one, "10")
    measure(two, "12")
    merged = merge(shop, one, two).json()["result"]["lot"]
    job.done("report", good=50)

    [told] = unmet(job.press("complete"))

    said = f"width of {merged} (merged of lots that differ)"
    assert told == f"required_data: not measured yet: {said}"
    measure(merged, "11")
    job.done("complete")
    assert buckets(shop, job.request, "mill") == {"queued": 50}
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []


def test_what_both_have_needs_no_second_measurement(shop: Shop) -> None:
    step = a_step("cut") | {"characteristics": [WIDTH]}
    job = begun(shop, shop.make(shop.routing(step, "mill"), quantity=50, lot_size=30))
    both = lots(shop, work_request=job.request)
    for lot in both:
        job.done("measurements", characteristic="width", value="10", lot=lot)
    assert merge(shop, *both).is_success

    job.done("report", good=50).done("complete")

    assert buckets(shop, job.request, "mill") == {"queued": 50}
