"""Time windows over HTTP: glue that cures, wafers that lie too long, a restart between.

Times of work are told (``occurred_at``), so that hours pass at once; the engine's own
clock finds what is due.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.commands import mes
from tests.scenarios.shop import Job, Shop, a_step
from tests.scenarios.site import running_site, until

HOUR = 3600


def ago(seconds: float) -> str:
    """Return the time so many seconds ago."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def a_window(**times: Any) -> dict[str, Any]:
    return {"from": "cut", "to": "mill", **times}


def a_routing(shop: Shop, *windows: dict[str, Any]) -> str:
    return shop.routing("cut", "mill", time_windows=list(windows))


def cut(shop: Shop, routing: str, *, ended: str) -> Job:
    """Cut ten pieces, the last of them at ``ended``; return the mill's job order."""
    job = shop.make(routing)
    at = {"occurred_at": ended}
    job.done("load", work_unit="cut-1", **at).done("begin", **at)
    job.done("report", good=10, **at).done("complete", **at)
    return shop.at(job.request, "mill")


def window_of(shop: Shop, job: Job) -> Any:
    [only] = shop.site.items("/time-windows", work_request=job.request)
    return only


def whys(job: Job) -> dict[str, str]:
    shown = job.shown["conditions"]
    return {one["name"]: one["why"] for one in shown if not one["is_met"]}


def test_glue_that_has_to_cure_makes_its_lot_ready_when_the_time_is_over(
    shop: Shop,
) -> None:
    """100 s ago the glue was on; at least 101.5 s have to pass."""
    routing = a_routing(shop, a_window(min_s="101.5"))
    mill = cut(shop, routing, ended=ago(100))
    assert mill.state == "allowed_to_start.waiting"
    [shown] = mill.shown["time_windows"]
    assert whys(mill)["time_window_open"].startswith(f"{shown['id']} opens at ")
    early = mill.press("load", work_unit="mill-1")
    assert early.status_code == 409
    assert early.json()["unmet"][0].startswith("time_window_open: ")

    until(lambda: mill.state == "allowed_to_start.ready")

    armed, opened = moment(shown["armed_at"]), moment(shown["opens_at"])
    assert opened - armed == timedelta(seconds=101.5)
    assert moment(window_of(shop, mill)["opened_at"]) == opened
    mill.done("load", work_unit="mill-1").done("begin")
    assert window_of(shop, mill)["state"] == "satisfied"


def test_a_lot_that_lay_too_long_waits_until_quality_waives_it(shop: Shop) -> None:
    routing = a_routing(shop, a_window(max_s=HOUR, warn_s=HOUR / 2))
    mill = cut(shop, routing, ended=ago(2 * HOUR))
    until(lambda: window_of(shop, mill)["state"] == "violated")
    window = window_of(shop, mill)
    assert moment(window["violated_at"]) - moment(window["armed_at"]) == timedelta(
        hours=1
    )
    told = [
        one
        for one in shop.site.facts(0, "time_window_warned", "time_window_violated")
        if one["fact"]["window"] == window["id"]
    ]
    assert [one["type"] for one in told] == [
        "time_window_warned",
        "time_window_violated",
    ]
    assert all(one["cause"].startswith("clock:time-windows/") for one in told)
    assert mill.state == "allowed_to_start.waiting"
    violated = shop.site.items("/time-windows", state="violated")
    assert window["id"] in [one["id"] for one in violated]

    waive = f"/time-windows/{window['id']}/waive"
    assert shop.site.post(waive, {"reason": ""}).status_code == 422
    shop.site.done(waive, reason="washed again")
    mill.done("load", work_unit="mill-1").done("begin")

    waived = shop.site.get(f"/time-windows/{window['id']}")
    assert (waived["state"], waived["waived_by"]) == ("waived", "Maria")
    assert waived["reason"] == "washed again"
    assert shop.site.post(waive, {"reason": "again"}).status_code == 409


def test_a_begin_that_is_told_late_is_held_against_its_own_time(shop: Shop) -> None:
    """Twenty seconds were left when it began; then it is told, in time, or too late."""
    routing = a_routing(shop, a_window(max_s=HOUR))
    mill = cut(shop, routing, ended=ago(HOUR - 20))
    mill.done("load", work_unit="mill-1").done("begin", occurred_at=ago(10))

    assert window_of(shop, mill)["state"] == "satisfied"


@pytest.mark.parametrize(
    ("window", "path", "problem"),
    [
        ({"from": "mill", "to": "cut", "max_s": 1}, "to", "cannot be reached"),
        ({"from": "cut", "to": "mil", "max_s": 1}, "to", "there is no step"),
        (a_window(min_s=2, max_s=1), "min_s", "more than the max_s"),
    ],
)
def test_a_routing_with_an_impossible_window_is_not_taken(
    shop: Shop, window: dict[str, Any], path: str, problem: str
) -> None:
    name = shop.name("R")
    body = {
        "id": name,
        "revision": "A",
        "material": f"M-{name}",
        "unit": "C62",
        "steps": [a_step("cut"), a_step("mill")],
        "time_windows": [window],
    }
    url = f"{shop.site.url}/api/v1/plm/routings/{name}/revisions/A"
    answer = httpx.put(url, json=body, headers={"X-Person": "Maria"})

    assert answer.status_code == 422
    [told] = answer.json()["errors"]
    assert told["pointer"] == f"#/time_windows/0/{path}"
    assert problem in told["detail"]


def test_dispatch_opens_no_window_that_cannot_be_kept_and_a_person_may(
    shop: Shop,
) -> None:
    window = {"from": "narrow", "to": "mill", "max_s": 99}
    mill = a_step("mill") | {"setup_s": 100}
    job = shop.make(shop.routing("narrow", mill, time_windows=[window]))

    shop.site.done("/work-units/narrow-1/dispatch")

    [kept] = shop.site.get("/dispatch-decisions", work_unit="narrow-1", limit=1)[
        "items"
    ]
    [told] = [one for one in kept["candidates"] if one["job_order"] == job.id]
    [against] = told["unmet"]
    assert against["name"] == "time_window_open"
    assert "it would have 99 s, needs about 100 s" in against["why"]
    assert job.state == "allowed_to_start.ready"
    job.done("load", work_unit="narrow-1")


def test_windows_survive_a_kill_and_what_fell_due_meanwhile_is_told_as_of_then(
    tmp_path: Path, compiled_once: None
) -> None:
    with running_site(tmp_path) as site:
        shop = Shop(site)
        soon = cut(shop, a_routing(shop, a_window(max_s=HOUR)), ended=ago(HOUR - 1.5))
        cures = cut(shop, a_routing(shop, a_window(min_s=HOUR)), ended=ago(60))
        before = {job.id: window_of(shop, job) for job in (soon, cures)}
        site.kill()

    with running_site(tmp_path, tmp_path / "config") as site:
        shop = Shop(site)
        lying, curing = Job(shop, soon.id), Job(shop, cures.id)
        until(lambda: window_of(shop, lying)["state"] == "violated")
        window = window_of(shop, lying)
        assert window["violated_at"] == before[soon.id]["closes_at"]
        assert window["closes_at"] == before[soon.id]["closes_at"]
        assert window_of(shop, curing) == before[cures.id]
        assert curing.state == "allowed_to_start.waiting"
        assert lying.state == "allowed_to_start.waiting"
        assert site.stop() == 0, site.tail()
    found = mes("verify", "--database", site.database_url)
    assert found.code == 0, found.out
