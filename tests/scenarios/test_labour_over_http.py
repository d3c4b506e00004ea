"""People sign on to work and off again; their time is shared, and shown."""

from decimal import Decimal
from typing import Any

from tests.commands import mes
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import until


def begun(shop: Shop, unit: str) -> Job:
    job = shop.make(shop.simple(unit.partition("-")[0]), quantity=10)
    return job.done("load", work_unit=unit).done("begin")


def people(shop: Shop, unit: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.site.get(f"/work-units/{unit}/people")
    return found


def test_a_person_signs_on_to_a_run_and_its_end_signs_off(shop: Shop) -> None:
    job = begun(shop, "narrow-1")
    [run] = job.shown["runs"]
    shop.site.done("/work-units/narrow-1/sign-on", person="Ali", run=run["id"])
    [shown] = people(shop, "narrow-1")
    assert (shown["person"], shown["run"]) == ("Ali", run["id"])
    assert shown["works_on"][0]["job_orders"] == [job.id]

    again = shop.site.post(
        "/work-units/narrow-1/sign-on", {"person": "Ali", "run": run["id"]}
    )
    assert again.status_code == 409
    job.done("report", good=10).done("complete")
    assert people(shop, "narrow-1") == []
    assert job.shown["labour_us"] > 0
    booked = [
        one["fact"]["labour_us"]
        for one in shop.site.facts(0, "labour_booked")
        if one["fact"]["job_order"] == job.id
    ]
    assert sum(booked) == job.shown["labour_us"]


def test_one_person_on_two_machines_shares_the_time(shop: Shop) -> None:
    first, second = begun(shop, "mill-1"), begun(shop, "mill-2")
    runs = [one.shown["run"] for one in (first, second)]
    for unit, run in zip(("mill-1", "mill-2"), runs, strict=True):
        shop.site.done(f"/work-units/{unit}/sign-on", person="Eva", run=run)
    for unit, run in zip(("mill-1", "mill-2"), runs, strict=True):
        shop.site.done(f"/work-units/{unit}/sign-off", person="Eva", run=run)
    facts = shop.site.facts(0, "labour_changed")
    mine = [
        one["fact"]["interval"]
        for one in facts
        if one["fact"]["interval"]["run"] in runs
        and one["fact"]["interval"]["ended_at"] is not None
    ]
    starts = min(one["started_at"] for one in mine)
    ends = max(one["ended_at"] for one in mine)
    total = first.shown["labour_us"] + second.shown["labour_us"]
    assert total == ends - starts == sum(one["labour_us"] for one in mine)


def test_a_machine_runs_unattended(shop: Shop) -> None:
    job = begun(shop, "mill-1")
    job.done("report", good=10).done("complete")
    assert job.shown["labour_us"] == 0
    assert float(job.shown["runs"][0]["processing_s"]) > 0
    refused = shop.site.post("/work-units/mill-1/sign-off", {"person": "Eva"})
    assert refused.status_code == 409
    assert shop.site.post("/work-units/nowhere/sign-on", {}).status_code == 404


def test_labour_reaches_the_ledger_also_what_is_told_late(shop: Shop) -> None:
    """Ali was on the run to its end, and Eva had forgotten to say so."""
    job = begun(shop, "mill-1")
    [run] = job.shown["runs"]
    shop.site.done("/work-units/mill-1/sign-on", person="Ali", run=run["id"])
    job.done("report", good=10).done("complete")
    spent = Decimal(job.shown["labour_us"]) / 1_000_000
    [posting] = shop.site.items("/postings", work_request=job.request)
    assert Decimal(posting["labour_s"]) == spent > 0
    until(lambda: job.state == "ended.closed")

    [run] = job.shown["runs"]
    late = {
        "run": run["id"],
        "person": "Eva",
        "started_at": run["opened_at"],
        "ended_at": run["closed_at"],
        "reason": "forgot to sign on",
    }
    shop.site.done("/work-units/mill-1/labour", **late)
    again = shop.site.post("/work-units/mill-1/labour", late)
    assert again.status_code == 409
    assert again.json()["unmet"][0].startswith("not_booked")

    def in_the_ledger() -> Decimal:
        [step] = shop.site.get(f"/ledger/orders/{job.request}")
        return Decimal(step["labour_s"])

    until(lambda: len(shop.site.items("/ledger/entries", order=job.request)) == 2)
    total = Decimal(job.shown["labour_us"]) / 1_000_000
    assert in_the_ledger() == total > spent
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []
