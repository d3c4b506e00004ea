"""Stories of holds over HTTP, with their quantities."""

from typing import Any

from tests.scenarios.shop import Job, Shop, a_step


def opened(shop: Shop, **body: Any) -> str:
    """Open a hold; return its id."""
    fields = {"scope": "job_order", "reason": "drawing"}
    answer = shop.site.done("/holds", **fields | body)
    return str(answer["result"]["hold"])


def lot_of(job: Job) -> str:
    """Return the lot that the job order's request is made as."""
    shown = job.shop.site.get(f"/work-requests/{job.request}")
    return str(shown["work_request"]["lot"])


def at(job: Job) -> dict[str, str]:
    """Return the buckets at the job order's visit that are not empty."""
    shown = job.shop.site.get(f"/work-requests/{job.request}")
    step = job.shown["step"]
    visit = f"{job.request}/{step}/1"
    [here] = [one for one in shown["positions"] if one["place"] == visit]
    buckets = ("queued", "in_process", "suspect", "out")
    return {name: here[name] for name in buckets if here[name] != "0"}


def test_a_hold_in_mid_run_keeps_the_pieces_and_the_place(shop: Shop) -> None:
    job = shop.make(shop.simple()).done("load", work_unit="cut-1")
    job.done("begin", in_process=5).done("report", good=3)

    hold = opened(shop, target=job.id, owner="Bo", releaser="Jo")

    assert job.state == "interrupted.held"
    assert at(job) == {"queued": "5", "in_process": "2", "out": "3"}
    refused = job.press("resume")
    assert refused.status_code == 409
    assert refused.json()["unmet"] == [f"no_hold: {hold} by Bo: drawing"]
    told = shop.site.post(f"/holds/{hold}/release", {"resumes": True})
    assert told.status_code == 409
    assert told.json()["detail"] == f"{hold} is released by Jo, not by Maria."
    path = f"/holds/{hold}/release"
    assert shop.site.post(path, {"resumes": True}, person="Jo").is_success
    assert job.state == "running.processing"
    job.done("report", good=7).done("complete")


def test_two_holds_and_one_release_is_still_held(shop: Shop) -> None:
    job = shop.make(shop.simple()).done("load", work_unit="cut-1").done("begin")
    first = opened(shop, target=job.id)
    second = opened(shop, scope="work_request", target=job.request)

    shop.site.done(f"/holds/{first}/release")

    assert job.state == "interrupted.held"
    shown = shop.site.items("/holds", target=job.request, is_open=True)
    assert [one["id"] for one in shown] == [second]
    shop.site.done(f"/holds/{second}/release")
    assert job.state == "interrupted.suspended"


def test_a_role_releases_a_hold(shop: Shop) -> None:
    job = shop.make(shop.simple())
    role, person = shop.name("quality"), shop.name("Jo")
    hold = opened(shop, target=job.id, releaser=role)
    path = f"/holds/{hold}/release"
    assert shop.site.post(path, person=person).status_code == 409

    shop.site.done("/people", person=person, name="Jo", roles=[role])

    assert shop.site.post(path, person=person).is_success
    assert job.state == "allowed_to_start.ready"


def test_a_future_hold_falls_on_what_gets_to_the_step(shop: Shop) -> None:
    routing = shop.routing("cut", "mill")
    job = shop.make(routing)
    future = opened(shop, mode="future", query={"step": "mill", "routing": routing})
    job.done("load", work_unit="cut-1").done("begin").done("report", good=10)
    job.done("complete")

    mill = shop.at(job.request, "mill")
    assert (mill.state, mill.unmet) == ("allowed_to_start.waiting", ["no_hold"])
    assert at(mill) == {"queued": "10"}
    [record] = shop.site.items("/holds", from_hold=future)
    assert (record["target"], record["mode"]) == (mill.id, "stop_now")
    [shown] = [
        one
        for one in shop.site.items("/holds", mode="future", is_open=True)
        if one["id"] == future
    ]
    assert shown["query"] == {"step": "mill", "routing": routing}
    shop.site.done(f"/holds/{record['id']}/release")
    mill.done("load", work_unit="mill-1").done("begin").done("report", good=10)
    shop.site.done(f"/holds/{future}/release")


def test_a_held_lot_is_refused_everywhere_with_the_hold_named(shop: Shop) -> None:
    job = shop.make(shop.routing("cut", "mill")).done("load", work_unit="cut-1")
    job.done("begin").done("report", good=4)
    hold = opened(shop, scope="lot", target=lot_of(job))
    told = f"{hold} on {lot_of(job)} by Maria: drawing"

    assert job.state == "interrupted.held"
    for trigger, body in (
        ("report", {"good": 1}),
        ("stop", {"remainder": "scrap", "reason": "order"}),
    ):
        refused = job.press(trigger, **body)
        assert refused.status_code == 409
        assert f"lot_not_held: {told}" in refused.json()["unmet"]
    assert at(job) == {"queued": "6", "out": "4"}
    shop.site.done(f"/holds/{hold}/release", resumes=True)
    job.done("report", good=6).done("complete")
    assert at(shop.at(job.request, "mill")) == {"queued": "10"}


def test_after_the_run_a_held_lot_stays_until_its_release(shop: Shop) -> None:
    job = shop.make(shop.routing("cut", "mill")).done("load", work_unit="cut-1")
    job.done("begin")
    hold = opened(shop, scope="lot", target=lot_of(job), mode="after_run")
    job.done("report", good=10).done("complete")
    assert at(job) == {"out": "10"}

    shop.site.done(f"/holds/{hold}/release")

    assert at(shop.at(job.request, "mill")) == {"queued": "10"}


def test_a_held_lot_in_stock_is_not_consumed(shop: Shop) -> None:
    steel = shop.material(10)
    [lot] = [one["id"] for one in shop.site.items("/lots", material=steel)]
    hold = opened(shop, scope="lot", target=lot)

    step = a_step("cut") | {
        "consumes": [{"material": steel, "per_piece": 1, "unit": "KGM"}]
    }
    job = shop.make(shop.routing(step))

    assert job.unmet == ["material_available"]
    [why] = [one["why"] for one in job.shown["conditions"] if not one["is_met"]]
    assert f"0 in stock ({hold} on {lot} by Maria: drawing)" in why
    shop.site.done(f"/holds/{hold}/release")
    assert job.unmet == []


def test_an_open_hold_is_asked_for_what_it_falls_on(shop: Shop) -> None:
    job = shop.make(shop.simple())
    for body in (
        {"target": job.id, "mode": "future"},
        {"target": job.id, "query": {"step": "cut"}},
        {"mode": "future", "query": {}},
        {"mode": "future", "query": {"steps": "cut"}},
    ):
        answer = shop.site.post("/holds", {"scope": "job_order", "reason": "x", **body})
        assert answer.status_code == 422, answer.text
