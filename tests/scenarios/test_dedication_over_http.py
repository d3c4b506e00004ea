"""Lot-to-tool dedication over HTTP: the scanner that exposed the layer below."""

from tests.scenarios.shop import Job, Shop, a_step


def work(job: Job, unit: str) -> None:
    job.done("load", work_unit=unit).done("begin")
    job.done("report", good=10).done("complete")


def test_a_lot_comes_back_to_the_machine_that_it_was_on(shop: Shop) -> None:
    again = {**a_step("mill"), "id": "again", "same_unit_as": "mill"}
    job = shop.make(shop.routing("mill", "drill", again))
    work(job, "mill-2")
    work(shop.at(job.request, "drill"), "drill-1")

    back = shop.at(job.request, "again")
    refused = back.press("load", work_unit="mill-1")
    assert refused.status_code == 409
    assert "bound to mill-2" in refused.json()["unmet"][0]

    [lot] = shop.site.items("/lots", work_request=job.request)
    assert lot["bound_units"] == {"mill": "mill-2"}

    given = shop.site.done("/work-units/mill-2/dispatch", begins=True)["result"]
    assert given["job_order"] == back.id
    back.done("report", good=10, completes=True)
    assert back.shown["state"].startswith("ended")
    assert back.shown["good"] == "10"
