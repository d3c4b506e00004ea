"""Counts over outages and by clocks that differ: told apart, never doubled."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.production import UnassignedReason
from mes_engine.core.samples import LinkState
from mes_engine.core.steps import BeginOn
from tests.core.plants import a_routing, a_step
from tests.core.shop import SECOND, Shop


def cutting(*, request: str = "WR-1") -> Shop:
    shop = Shop(a_routing("cut"))
    shop.link(LinkState.CONNECTED)
    shop.sense("cut-1.good", 0)
    shop.make(10, request=request)
    shop.begin("cut")
    return shop


def reasons(shop: Shop) -> list[UnassignedReason]:
    return [one.production.reason for one in shop.facts(f.ProductionUnassigned)]


def test_what_another_job_may_have_made_in_an_outage_is_not_booked_twice() -> None:
    shop = cutting()
    shop.link(LinkState.DISCONNECTED)
    shop.report("cut", 10)
    shop.complete("cut")
    shop.make(10, request="WR-2")
    second = shop.jobs("cut", "WR-2")[0].id
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=second))

    shop.link(LinkState.CONNECTED)
    shop.sense("cut-1.good", 10)

    assert shop.by_id(second).good == 0
    assert reasons(shop) == [UnassignedReason.SPANS_OUTAGE]


def test_what_a_job_made_in_an_outage_that_it_outlasted_is_its_own() -> None:
    shop = cutting()
    shop.link(LinkState.DISCONNECTED)

    shop.link(LinkState.CONNECTED)
    shop.sense("cut-1.good", 7)

    assert shop.job("cut").good == 7


def test_an_outage_in_which_nothing_was_made_casts_no_doubt() -> None:
    shop = Shop(a_routing("cut"))
    shop.link(LinkState.CONNECTED)
    shop.sense("cut-1.good", 5)
    shop.link(LinkState.DISCONNECTED)
    shop.make(10)
    shop.begin("cut")
    shop.link(LinkState.CONNECTED)
    shop.sense("cut-1.good", 5)

    shop.sense("cut-1.good", 8)

    assert shop.job("cut").good == 3


def test_a_machine_whose_clock_is_a_minute_behind_counts_all_the_same() -> None:
    shop = cutting()

    shop.sense("cut-1.good", 3, source_at=shop.at - 60 * SECOND)

    assert shop.job("cut").good == 3


def test_the_staged_job_begins_with_the_first_count_after_the_active_one() -> None:
    shop = Shop(a_routing(a_step("cut", begin_on=BeginOn.FIRST_COUNT)))
    shop.sense("cut-1.good", 0)
    for request in ("WR-1", "WR-2"):
        shop.make(2, request=request)
    first, second = (shop.jobs("cut", name)[0].id for name in ("WR-1", "WR-2"))
    for job in (first, second):
        shop.ok(m.LoadJobOrder(job_order=job, work_unit="cut-1"))
    shop.sense("cut-1.good", 2)
    shop.fire_of(first, T.COMPLETE)

    shop.sense("cut-1.good", 4)

    assert shop.by_id(second).good == Decimal(2)


def test_a_first_value_that_is_older_than_our_start_casts_no_doubt() -> None:
    shop = Shop(a_routing("cut"))
    shop.link(LinkState.DISCONNECTED)
    shop.link(LinkState.CONNECTED)
    shop.sense("cut-1.good", 0, source_at=shop.at - 4 * SECOND)
    shop.make(10)
    shop.begin("cut")

    shop.sense("cut-1.good", 3)

    assert shop.job("cut").good == 3


def test_a_count_that_comes_before_the_word_of_it_begins_an_executing_step() -> None:
    shop = Shop(a_routing(a_step("cut", begin_on=BeginOn.EXECUTING)))
    shop.sense("cut-1.good", 0)
    shop.make(10)
    shop.load("cut")

    shop.sense("cut-1.good", 2)

    assert shop.job("cut").good == 2
