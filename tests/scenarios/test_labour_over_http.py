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


def test_what_is_told_late_is_shared_with_what_else_the_person_was_on(
    shop: Shop,
) -> None:
    """Zoe was on two machines, and had signed on to one; and left one before she said.

    What both have is the time that passed, and no more.
    """
    first, second = begun(shop, "mill-1"), begun(shop, "mill-2")
    runs = [one.shown["runs"][0] for one in (first, second)]
    on = {"person": "Zoe", "run": runs[0]["id"]}
    shop.site.done("/work-units/mill-1/sign-on", **on)
    shop.site.done("/work-units/mill-1/sign-off", **on)
    alone = first.shown["labour_us"]
    changed = shop.site.facts(0, "labour_changed")[-1]["fact"]["interval"]
    assert changed["labour_us"] == alone

    late = {
        "run": runs[1]["id"],
        "person": "Zoe",
        "started_at": runs[1]["opened_at"],
        "ended_at": shop.site.get(f"/job-orders/{second.id}")["runs"][0]["since"],
        "reason": "forgot to sign on",
    }
    shop.site.done("/work-units/mill-2/labour", **late)

    changed = shop.site.facts(0, "labour_changed")
    mine = {
        one["fact"]["interval"]["id"]: one["fact"]["interval"]
        for one in changed
        if one["fact"]["interval"]["person"] == "Zoe"
    }
    spans = [(one["started_at"], one["ended_at"]) for one in mine.values()]
    overlap = max(0, min(e for _, e in spans) - max(b for b, _ in spans))
    total = sum(one["labour_us"] for one in mine.values())
    assert total == sum(e - b for b, e in spans) - overlap
    labour = [one.shown["labour_us"] for one in (first, second)]
    assert sum(labour) == total
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []


def test_a_late_sign_off_takes_back_what_was_booked_since(shop: Shop) -> None:
    first, second = begun(shop, "mill-1"), begun(shop, "mill-2")
    runs = [one.shown["runs"][0] for one in (first, second)]
    for unit, run in zip(("mill-1", "mill-2"), runs, strict=True):
        shop.site.done(f"/work-units/{unit}/sign-on", person="Pia", run=run["id"])
    off = {"person": "Pia", "run": runs[1]["id"]}
    shop.site.done("/work-units/mill-2/sign-off", **off)  # Both are booked up to now.
    before = sum(one.shown["labour_us"] for one in (first, second))
    late = {"person": "Pia", "run": runs[0]["id"]}
    shop.site.done(
        "/work-units/mill-1/sign-off", **late, occurred_at=runs[0]["opened_at"]
    )

    labour = [one.shown["labour_us"] for one in (first, second)]
    assert labour[0] == 0
    assert 0 < labour[1] <= before
    found = mes("verify", "--json", "--database", shop.site.database_url)
    assert found.plain["problems"] == []
