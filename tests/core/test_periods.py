"""Accounting periods: what is of a closed one is held, or corrected in the open one."""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.periods import open_day
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import PostingState
from tests.core.correcting import (
    acknowledge,
    postings,
    refused,
    reverse,
    the_last,
)
from tests.core.loops import is_sound
from tests.core.plants import a_routing
from tests.core.shop import MONDAY, SECOND, Shop

P = PostingState
DAY = 86_400 * SECOND
SUNDAY = "2026-01-04"
CLOSING = "December is done"


def close(shop: Shop, last_day: str) -> dict[str, str]:
    return shop.ok(m.ClosePeriod(last_day=last_day, reason=CLOSING))


def told_of_sunday(shop: Shop, *, good: int = 10) -> str:
    """Work all of a request, and say that it had been on Sunday."""
    shop.make(good)
    job = shop.begin("cut")
    report = m.ReportQuantity(job_order=job, good=Decimal(good))
    shop.ok(report, at=MONDAY - DAY)
    shop.ok(
        m.AssertTrigger(job_order=job, trigger=T.COMPLETE), at=MONDAY - DAY + SECOND
    )
    return job


def days(shop: Shop) -> list[tuple[str, P]]:
    return [(one.business_date, one.state) for one in postings(shop)]


def test_what_is_of_a_closed_period_is_held_until_a_person_releases_it() -> None:
    shop = Shop(a_routing("cut"))
    close(shop, SUNDAY)
    job = told_of_sunday(shop)

    held = postings(shop)
    assert {one.state for one in held} == {P.HELD}
    assert held[0].reason == (
        "2026-01-04 is in a closed period: the books are closed until 2026-01-04"
    )
    assert shop.by_id(job).state is S.ENDED_COMPLETED
    occurred = held[0].occurred_at

    for one in held:
        told = shop.ok(m.ReleasePosting(posting=one.key, reason="of January, then"))
        assert told["business_date"] == "2026-01-05"

    first = postings(shop)[0]
    assert (first.state, first.business_date) == (P.PENDING, "2026-01-05")
    assert first.reason == "of January, then (of 2026-01-04)"
    assert first.occurred_at == occurred  # The source's time stays.
    again = shop.refused(m.ReleasePosting(posting=first.key, reason="again"))
    assert again.unmet == (f"posting_held: {first.key} is pending",)
    acknowledge(shop)
    assert shop.by_id(job).state is S.ENDED_CLOSED
    assert is_sound(shop)


def test_what_the_ledger_has_closed_is_released_into_today() -> None:
    """The ledger's answer counts as well: the engine had not heard of it."""
    shop = Shop(a_routing("cut"))
    told_of_sunday(shop)
    [first, *_] = postings(shop)
    shop.ok(m.RecordPosting(posting=first.key, state=P.HELD, reason="FI: closed"))
    shop.ok(m.ReleasePosting(posting=first.key, reason="today"))
    assert days(shop)[0] == ("2026-01-05", P.PENDING)


def test_what_was_held_goes_its_way_once_its_period_is_open_again() -> None:
    shop = Shop(a_routing("cut"))
    close(shop, SUNDAY)
    told_of_sunday(shop)
    shop.ok(m.ReopenPeriod(first_day="2026-01-04", reason="too early"))
    assert set(days(shop)) == {(SUNDAY, P.PENDING)}
    assert is_sound(shop)


def test_what_is_held_may_be_waived_or_taken_back() -> None:
    shop = Shop(a_routing("cut"))
    close(shop, SUNDAY)
    job = told_of_sunday(shop)
    reverse(shop, the_last(shop, "cut", job=job), into_open_period=True)
    states = {one.state for one in postings(shop) if one.good}
    assert states == {P.NETTED}  # The ledger never saw it.
    assert is_sound(shop)

    shop = Shop(a_routing("cut"))
    close(shop, SUNDAY)
    job = told_of_sunday(shop)
    for one in postings(shop):
        shop.ok(m.WaivePosting(posting=one.key, reason="booked by hand"))
    assert shop.by_id(job).state is S.ENDED_CLOSED


def test_a_correction_of_a_closed_period_is_refused_unless_it_is_chosen() -> None:
    """Sunday's books are closed meanwhile: the reversal is of the open period."""
    shop = Shop(a_routing("cut"))
    job = told_of_sunday(shop)
    acknowledge(shop)
    close(shop, SUNDAY)
    report = the_last(shop, "cut", job=job)

    answer = refused(shop, report)

    assert answer.unmet == (
        "period_open: 2026-01-04 is in a closed period: the books are closed until "
        "2026-01-04",
    )
    assert "into_open_period" in answer.hint
    reverse(shop, report, at=MONDAY - DAY, into_open_period=True)
    new = [one for one in postings(shop) if one.state is not P.ACKNOWLEDGED]
    assert {(one.business_date, one.state) for one in new} == {
        ("2026-01-05", P.PENDING)
    }
    assert is_sound(shop)


@pytest.mark.parametrize(
    ("command", "unmet"),
    [
        (m.ClosePeriod(last_day="2026-01-05", reason="x"), "period_over"),
        (m.ClosePeriod(last_day="2026-01-02", reason="x"), "period_open"),
        (m.ReopenPeriod(first_day="2026-01-04", reason="x"), "period_closed"),
    ],
)
def test_only_days_that_are_over_and_open_are_closed(
    command: m.Command, unmet: str
) -> None:
    shop = Shop(a_routing("cut"))
    close(shop, "2026-01-03")
    assert shop.refused(command).unmet[0].startswith(f"{unmet}: ")


def test_a_period_is_a_day_and_a_reason() -> None:
    shop = Shop(a_routing("cut"))
    shop.malformed(m.ClosePeriod(last_day="2026-02-30", reason="x"))
    shop.malformed(m.ClosePeriod(last_day=SUNDAY, reason=" "))
    shop.malformed(m.ReopenPeriod(first_day="yesterday", reason="x"))
    close(shop, SUNDAY)
    told_of_sunday(shop)
    [first, *_] = postings(shop)
    shop.malformed(m.ReleasePosting(posting=first.key, reason=""))
    unknown = m.ReleasePosting(posting="main-0", reason="x")
    assert shop.do(unknown).outcome is m.Outcome.NOT_FOUND
    draft = Draft(shop.state.layer(), now=0, at=0, cause="", person="")
    assert open_day(draft, "2026-01-09") == "2026-01-09"
