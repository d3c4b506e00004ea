"""Work goes through routings of every kind, step by step over HTTP, to the very end."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.site import until

PLACES = ("queued", "in_process", "suspect", "out", "transit", "stock")


def flows(source: str, target: str, **more: Any) -> dict[str, Any]:
    return {"kind": "quantity", "source": source, "target": target, **more}


def waits(source: str, target: str) -> dict[str, Any]:
    return {"kind": "precedence", "source": source, "target": target}


def either(source: str, target: str) -> dict[str, Any]:
    return {"kind": "alternative", "source": source, "target": target}


def begun(shop: Shop, request: str, step: str) -> Job:
    """Load the job order at a step, and begin it."""
    job = shop.at(request, step)
    return job.done("load", work_unit=f"{step}-1").done("begin")


def run(shop: Shop, request: str, step: str, good: int, **more: Any) -> Job:
    """Do all the work at a step."""
    job = begun(shop, request, step).done("report", good=good, **more)
    return job.done("complete")


def pieces(shop: Shop, request: str) -> dict[str, int]:
    """Return where the request's pieces are: by step, or ``STORE``; scrap apart."""
    found: dict[str, int] = {}
    for one in shop.site.get(f"/work-requests/{request}")["positions"]:
        place = one["place"].removeprefix(f"{request}/").partition("/")[0]
        here = sum(int(one[bucket]) for bucket in PLACES)
        for name, amount in ((place, here), ("scrap", int(one["scrap"]))):
            if amount:
                found[name] = found.get(name, 0) + amount
    return found


def state_of(shop: Shop, request: str) -> str:
    shown = shop.site.get(f"/work-requests/{request}")
    return str(shown["work_request"]["state"])


def finish(shop: Shop, request: str) -> None:
    """See that the work is over, have the ledger take it all, and close the request."""
    assert state_of(shop, request) == "completed"
    until(lambda: all(job.state == "ended.closed" for job in shop.jobs(request)))
    shop.site.done(f"/work-requests/{request}/close")
    assert state_of(shop, request) == "closed"


def total(rows: Iterable[dict[str, Any]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def test_a_line_from_the_first_step_to_the_store(shop: Shop) -> None:
    request = shop.make(shop.routing("cut", "mill", "pack")).request
    run(shop, request, "cut", 10)
    assert pieces(shop, request) == {"mill": 10}
    scrap = [{"quantity": 1, "reason": "crooked"}]
    run(shop, request, "mill", 9, scrap=scrap)
    assert pieces(shop, request) == {"pack": 9, "scrap": 1}
    run(shop, request, "pack", 9)
    assert pieces(shop, request) == {"STORE": 9, "scrap": 1}
    finish(shop, request)


def test_100_pieces_beside_their_papers_are_still_100(shop: Shop) -> None:
    """Parallel branches of which one carries the pieces, and one a token."""
    branches = [
        flows("cut", "drill"),
        waits("cut", "paint"),
        flows("drill", "pack"),
        waits("paint", "pack"),
    ]
    steps = ("cut", "drill", "paint", "pack")
    routing = shop.routing(*steps, connections=branches)
    request = shop.make(routing, quantity=100).request
    run(shop, request, "cut", 100)

    papers = begun(shop, request, "paint")
    run(shop, request, "drill", 100)
    assert pieces(shop, request) == {"pack": 100}
    packing = shop.at(request, "pack")
    assert packing.unmet == ["upstream_quantity"]
    papers.done("report", good=100).done("complete")
    assert packing.unmet == []

    run(shop, request, "pack", 100)
    assert pieces(shop, request) == {"STORE": 100}
    finish(shop, request)


def test_100_pieces_over_two_machines_are_still_100(shop: Shop) -> None:
    """Parallel branches that share the pieces."""
    branches = [
        flows("cut", "mill", share="0.6"),
        flows("cut", "drill", share="0.4"),
        flows("mill", "pack"),
        flows("drill", "pack"),
    ]
    steps = ("cut", "mill", "drill", "pack")
    routing = shop.routing(*steps, connections=branches)
    request = shop.make(routing, quantity=100).request
    run(shop, request, "cut", 100)
    assert pieces(shop, request) == {"mill": 60, "drill": 40}

    milling, drilling = begun(shop, request, "mill"), begun(shop, request, "drill")
    milling.done("report", good=60).done("complete")
    assert pieces(shop, request) == {"drill": 40, "pack": 60}
    packing = begun(shop, request, "pack").done("report", good=60)
    assert packing.press("complete").status_code == 409
    drilling.done("report", good=40).done("complete")
    packing.done("report", good=40).done("complete")

    assert pieces(shop, request) == {"STORE": 100}
    finish(shop, request)


@pytest.mark.parametrize(("taken", "left"), [("mill", "drill"), ("drill", "mill")])
def test_the_alternative_that_is_chosen_is_taken(
    shop: Shop, taken: str, left: str
) -> None:
    ways = [
        either("cut", "mill"),
        either("cut", "drill"),
        flows("mill", "pack"),
        flows("drill", "pack"),
    ]
    steps = ("cut", "mill", "drill", "pack")
    request = shop.make(shop.routing(*steps, connections=ways)).request
    path = f"/work-requests/{request}/choose-alternative"
    shop.site.done(path, step="cut", target=taken)
    for step in ("cut", taken, "pack"):
        run(shop, request, step, 10)

    assert pieces(shop, request) == {"STORE": 10}
    jobs = [job.shown["step"] for job in shop.jobs(request)]
    assert jobs == ["cut", taken, "pack"]
    too_late = shop.site.post(path, {"step": "cut", "target": left})
    assert too_late.status_code == 409
    finish(shop, request)


def test_the_successor_is_ready_in_the_same_commit(shop: Shop) -> None:
    connections = [flows("cut", "mill", transfer_batch=5)]
    routing = shop.routing("cut", "mill", connections=connections)
    request = shop.make(routing).request
    cutting = begun(shop, request, "cut")
    milling = shop.at(request, "mill")
    assert milling.state == "allowed_to_start.waiting"

    before = cutting.shown["seq"]
    cutting.done("report", good=7)

    facts = shop.site.facts(before)
    of_it = [one for one in facts if one["cause"] == facts[0]["cause"]]
    assert [one["seq"] for one in of_it] == list(
        range(before + 1, before + 1 + len(of_it))
    )
    assert of_it[-1]["type"] == "command_handled"
    told = [one["fact"] for one in of_it]
    [moved] = [one for one in told if one["type"] == "job_order_moved"]
    assert (moved["job_order"], moved["trigger"]) == (milling.id, "preconditions_met")
    assert [one["type"] for one in told].count("quantity_reported") == 1
    assert milling.state == "allowed_to_start.ready"
    assert pieces(shop, request) == {"cut": 5, "mill": 5}


def test_work_keeps_the_revision_it_was_stored_with(shop: Shop) -> None:
    routing = shop.routing("cut", "mill")
    before = shop.make(routing)
    body = shop.site.get(f"/plm/routings/{routing}/revisions/A")["body"]
    steps = [a_step("cut"), a_step("pack")]
    connections = [flows("cut", "pack")]
    shop.release_revision(
        body | {"revision": "B", "steps": steps, "connections": connections}
    )
    after = shop.make(routing)

    assert (before.shown["revision"], after.shown["revision"]) == ("A", "B")
    run(shop, before.request, "cut", 10)
    assert shop.at(before.request, "mill").shown["revision"] == "A"
    run(shop, before.request, "mill", 10)
    assert pieces(shop, before.request) == {"STORE": 10}
    run(shop, after.request, "cut", 10)
    assert pieces(shop, after.request) == {"pack": 10}


def test_a_withdrawn_revision_stores_nothing_new(shop: Shop) -> None:
    routing = shop.routing("cut", "mill")
    request = shop.make(routing).request
    path = f"/plm/routings/{routing}/revisions/A"
    shop.site.done(f"{path}/withdraw")
    until(lambda: not shop.site.get(path)["effective"])

    plan = {"work_request": shop.name("WR"), "routing": routing, "quantity": 1}
    refused = shop.site.post("/work-requests", plan | {"due_at": "2030-01-01T00:00Z"})

    assert refused.status_code == 409
    assert refused.json()["unmet"] == ["routing_effective: it was withdrawn"]
    for step in ("cut", "mill"):
        run(shop, request, step, 10)
    finish(shop, request)


def test_a_customers_order_is_made_and_its_line_completed(shop: Shop) -> None:
    site, routing = shop.site, shop.routing("cut", "pack")
    until(lambda: any(one["routing"] == routing for one in site.get("/crm/makeable")))
    customer, order = shop.name("ACME"), shop.name("SO")
    site.put(f"/crm/customers/{customer}", {"name": "Acme Conveyors"})
    line = {
        "line": 1,
        "material": f"M-{routing}",
        "quantity": 4,
        "promised_at": "2030-01-01T00:00:00Z",
    }
    path = f"/crm/sales-orders/{order}"
    site.put(path, {"customer": customer, "lines": [line]})

    def line_state() -> str:
        return str(site.get(path)["lines"][0]["state"])

    assert line_state() == "draft"
    site.done(f"{path}/confirm")
    until(lambda: line_state() == "released")
    request = site.get(path)["lines"][0]["work_request"]
    run(shop, request, "cut", 4)
    until(lambda: line_state() == "in_progress")
    run(shop, request, "pack", 4)

    until(lambda: line_state() == "completed")
    assert site.get(path)["lines"][0]["finished"] == "4"
    until(lambda: site.get(path)["state"] == "completed")
    finish(shop, request)


def test_material_comes_in_and_is_used_up(shop: Shop) -> None:
    steel = shop.material()
    routing = shop.metal(steel)
    first = shop.make(routing)
    assert first.unmet == ["material_available"]
    [condition] = [one for one in first.shown["conditions"] if not one["is_met"]]
    assert condition["why"] == f"10 KGM of {steel} needed, 0 in stock"

    shop.receive(steel, 15)
    assert first.unmet == []
    run(shop, first.request, "cut", 10)

    second = shop.make(routing)
    assert second.unmet == ["material_available"]
    until(lambda: total(shop.site.get("/scm/stock", material=steel), "quantity") == 5)
    shop.receive(steel, 5)
    assert second.unmet == []


def test_the_ledger_has_what_was_reported(shop: Shop) -> None:
    request = shop.make(shop.routing("cut", "mill")).request
    scrap = [{"quantity": 2, "reason": "burr"}]
    cutting = begun(shop, request, "cut").done("begin_setup").done("begin")
    cutting.done("report", good=3).done("pause", reason="break").done("resume")
    cutting.done("report", good=5, scrap=scrap).done("complete")
    run(shop, request, "mill", 8)
    finish(shop, request)

    site = shop.site
    jobs = [site.get(f"/job-orders/{job.id}") for job in shop.jobs(request)]
    steps = {one["step"]: one for one in site.get(f"/ledger/orders/{request}")}
    entries = site.items("/ledger/entries", order=request)
    for job in jobs:
        booked = steps[job["step"]]
        assert (booked["good"], booked["scrap"]) == (job["good"], job["scrap"])
        for clock in ("setup_s", "processing_s"):
            assert Decimal(booked[clock]) == total(job["runs"], clock)
    assert Decimal(steps["cut"]["setup_s"]) > 0
    assert Decimal(steps["cut"]["processing_s"]) > 0
    [order] = [one for one in site.items("/ledger/orders") if one["order"] == request]
    assert (order["good"], order["scrap"]) == ("16", "2")
    assert [one["stream_seq"] for one in entries] == [1, 2]
    assert {one["state"] for one in site.items("/postings", work_request=request)} == {
        "acknowledged"
    }
