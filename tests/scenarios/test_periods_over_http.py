"""Accounting periods over HTTP: closed books, what is held for them, corrections.

The period is one of long ago, so that nobody else's work on the site is of it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.commands import mes
from tests.scenarios.shop import Job, Shop
from tests.scenarios.site import until
from tests.scenarios.test_corrections_over_http import bookings, take_back, taken_back

CLOSED_UNTIL, FIRST_OPEN = "2020-01-31", "2020-02-01"
THEN = {"occurred_at": "2020-01-15T10:00:00Z"}
LATER = {"occurred_at": "2020-01-15T11:00:00Z"}


@pytest.fixture
def closed(shop: Shop) -> Iterator[Shop]:
    """Close January 2020, for as long as the test lasts."""
    shop.site.done("/books/close", last_day=CLOSED_UNTIL, reason="January is done")
    yield shop
    if shop.site.get("/books")["closed_until"] == CLOSED_UNTIL:
        shop.site.done("/books/reopen", first_day="2020-01-01", reason="test is over")


def worked(shop: Shop) -> Job:
    """Make ten, and say that it had been in January."""
    job = shop.make(shop.simple(), quantity=10)
    job.done("load", work_unit="cut-1").done("begin")
    return job.done("report", good=10, **THEN).done("complete", **LATER)


def postings(job: Job) -> list[dict[str, Any]]:
    found = job.shop.site.items("/postings", work_request=job.request)
    return sorted(found, key=lambda one: int(one["stream_seq"]))


def test_what_is_of_a_closed_period_is_held_and_released_into_the_open_one(
    closed: Shop,
) -> None:
    site = closed.site
    shown = site.get("/books")
    assert (shown["closed_until"], shown["first_open"]) == (CLOSED_UNTIL, FIRST_OPEN)
    job = worked(closed)
    held = postings(job)
    assert {one["state"] for one in held} == {"held"}
    assert "2020-01-15 is in a closed period" in held[0]["reason"]
    assert held[0]["key"] in {
        one["key"] for one in site.items("/postings", state="held")
    }
    [entry] = [
        one
        for one in site.get(f"/job-orders/{job.id}/reconciliation")
        if one["role"] == "good"
    ]
    assert "held" in entry["to_posted"][0]["cause"]

    for one in held:
        site.done(f"/postings/{one['key']}/release", reason="told late")
    until(lambda: job.state == "ended.closed")

    first = postings(job)[0]
    assert (first["state"], first["business_date"]) == ("acknowledged", FIRST_OPEN)
    assert first["occurred_at"] == held[0]["occurred_at"]
    again = site.post(f"/postings/{first['key']}/release", {"reason": "again"})
    assert again.status_code == 409
    entries = site.items("/ledger/entries", order=job.request)
    assert {one["business_date"] for one in entries} == {FIRST_OPEN}
    found = mes("verify", "--json", "--database", site.database_url)
    assert found.plain["problems"] == []


def test_a_correction_of_a_closed_period_is_refused_or_chosen_to_be_of_the_open_one(
    shop: Shop,
) -> None:
    job = worked(shop)
    until(lambda: job.state == "ended.closed")
    before = postings(job)
    assert {one["business_date"] for one in before} == {"2020-01-15"}
    site = shop.site
    site.done("/books/close", last_day=CLOSED_UNTIL, reason="January is done")
    [report] = bookings(job)

    answer = take_back(job, report)
    assert answer.status_code == 409
    told = answer.json()
    assert told["unmet"][0].startswith("period_open: 2020-01-15 is in a closed period")
    assert "into_open_period" in told["hint"]

    taken_back(job, report, quantity=4, into_open_period=True, **LATER)

    after = postings(job)[len(before) :]
    assert {one["business_date"] for one in after} == {FIRST_OPEN}
    until(lambda: all(one["state"] == "acknowledged" for one in postings(job)))
    site.done("/books/reopen", first_day="2020-01-01", reason="the test is over")
    [step] = site.get(f"/ledger/orders/{job.request}")
    assert step["good"] == "6"


def test_books_are_closed_up_to_a_day_that_is_over(closed: Shop) -> None:
    site = closed.site
    twice = site.post("/books/close", {"last_day": "2020-01-30", "reason": "x"})
    ahead = site.post("/books/close", {"last_day": "2999-01-01", "reason": "x"})
    opened = site.post("/books/reopen", {"first_day": FIRST_OPEN, "reason": "x"})
    assert [one.status_code for one in (twice, ahead, opened)] == [409, 409, 409]
    wrong = site.post("/books/close", {"last_day": "2020-02-30", "reason": "x"})
    assert wrong.status_code == 422
