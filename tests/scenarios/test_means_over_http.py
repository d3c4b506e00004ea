"""Stories of tools, people and documents over HTTP, with their quantities."""

from datetime import UTC, datetime, timedelta

from tests.scenarios.means import Means
from tests.scenarios.shop import Shop
from tests.scenarios.site import until


def test_an_unqualified_person_is_told_and_the_qualified_one_works(shop: Shop) -> None:
    means = Means(shop, of_other=True)
    job = means.make()
    path = f"/job-orders/{job.id}"

    refused = job.press("load", work_unit="cut-1")
    assert refused.status_code == 409
    told = f"Maria has no qualification '{means.qualification}'"
    unknown = f"Maria is not known to have '{means.qualification}'"
    [unmet] = refused.json()["unmet"]
    assert unmet in {f"person_qualified: {told}", f"person_qualified: {unknown}"}
    site = shop.site
    assert site.post(
        f"{path}/load", {"work_unit": "cut-1"}, person=means.person
    ).is_success
    assert job.press("begin").status_code == 409
    assert site.post(f"{path}/begin", person=means.person).is_success
    job.done("report", good=10).done("complete")

    shown = site.get(f"/people/{means.person}")
    assert shown["qualifications"] == [
        {
            "name": means.qualification,
            "level": 2,
            "valid_until": None,
            "has_expired": False,
        }
    ]


def test_a_tool_wears_out_after_8_of_10_and_the_next_job_waits_for_another(
    shop: Shop,
) -> None:
    means = Means(shop, life_unit="pieces", life=8)
    job = means.make()
    job.done("load", work_unit="cut-1").done("begin")
    assert means.shown_tool["work_unit"] == "cut-1"

    job.done("report", good=7, scrap=[{"quantity": 1, "reason": "burr"}])
    assert (means.shown_tool["used"], means.shown_tool["state"]) == ("8", "worn")
    assert job.state == "running.processing"
    job.done("report", good=2).done("complete")

    waiting = means.make()
    [condition] = [one for one in waiting.shown["conditions"] if not one["is_met"]]
    assert condition["name"] == "tool_available"
    assert f"{means.tool} is worn (8 of 8 pieces)" in condition["why"]
    assert condition["mender"] == "the tool crib"
    means.register_tool(shop.name("T"))
    assert waiting.state == "allowed_to_start.ready"


def test_a_withdrawn_document_takes_the_job_off_its_machine(shop: Shop) -> None:
    means = Means(shop)
    loaded = means.make().done("load", work_unit="cut-1")

    means.withdraw_document()

    assert loaded.state == "allowed_to_start.waiting"
    assert loaded.unmet == ["document_released"]
    at = shop.site.get("/work-units/cut-1")["job_orders"]
    assert loaded.id not in {one["id"] for one in at}
    means.release_document("B")
    loaded.done("load", work_unit="cut-1").done("begin").done("report", good=4)
    means.withdraw_document()
    assert loaded.state == "interrupted.suspended"
    answer = loaded.press("resume", work_unit="cut-1")
    assert answer.status_code == 409
    assert "document_released" in answer.json()["unmet"][0]
    [shown] = [
        one
        for one in shop.site.items("/documents", is_released=False)
        if one["id"] == means.document
    ]
    assert (shown["revision"], shown["reason"]) == ("B", "wrong radius")


def test_a_qualification_expires_while_the_job_order_waits(shop: Shop) -> None:
    means = Means(shop, of_other=True)
    job = means.make()
    soon = datetime.now(UTC) + timedelta(seconds=3)
    shop.site.done(
        f"/people/{means.person}/qualifications",
        name=means.qualification,
        level=2,
        valid_until=soon.isoformat(),
    )
    assert job.unmet == []

    until(lambda: job.unmet == ["person_qualified"])

    assert job.state == "allowed_to_start.waiting"
    [held] = shop.site.get(f"/people/{means.person}")["qualifications"]
    assert held["has_expired"]
