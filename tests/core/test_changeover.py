"""The moment of a changeover: one run counts at a time, and what is staged waits."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.runs import Lane
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop

COUNTER = "cut-1.good"


def two_on_one_machine() -> tuple[Shop, str, str]:
    """One job order at work on ``cut-1`` with its counter at 0, the next one staged."""
    shop = Shop(a_routing("cut"))
    for request in ("WR-1", "WR-2"):
        shop.make(10, request=request)
    first, following = (shop.job("cut", one).id for one in ("WR-1", "WR-2"))
    shop.ok(m.LoadJobOrder(job_order=first, work_unit="cut-1"))
    shop.ok(m.LoadJobOrder(job_order=following, work_unit="cut-1", lane=Lane.STAGED))
    shop.ok(m.BeginJobOrder(job_order=first))
    shop.sense(COUNTER, 0)
    return shop, first, following


def lane_of(shop: Shop, job: str) -> Lane:
    run = shop.state.run.get(shop.by_id(job).run or "")
    assert run is not None
    return run.lane


def good(shop: Shop, *jobs: str) -> list[Decimal]:
    return [shop.by_id(one).good for one in jobs]


def unassigned(shop: Shop) -> list[tuple[int, str]]:
    found = [one.production for one in shop.facts(f.ProductionUnassigned)]
    return [(int(one.quantity), one.reason.value) for one in found]


def test_what_is_staged_becomes_active_by_its_begin() -> None:
    shop, first, following = two_on_one_machine()
    refused = shop.refused(m.BeginJobOrder(job_order=following))
    assert refused.unmet[0].startswith("claim_held: it is staged")
    shop.sense(COUNTER, 10)
    shop.fire_of(first, T.COMPLETE)
    assert lane_of(shop, following) is Lane.STAGED
    shop.ok(m.BeginJobOrder(job_order=following))
    assert lane_of(shop, following) is Lane.ACTIVE


def test_counts_go_to_the_active_run_alone_and_switch_with_the_begin() -> None:
    shop, first, following = two_on_one_machine()
    shop.sense(COUNTER, 10)
    assert good(shop, first, following) == [10, 0]
    shop.fire_of(first, T.COMPLETE)
    shop.sense(COUNTER, 11)  # Nobody's: the next has not begun.
    shop.ok(m.BeginJobOrder(job_order=following))
    shop.sense(COUNTER, 15)
    assert good(shop, first, following) == [10, 4]
    assert unassigned(shop) == [(1, "before_begin")]


def test_a_piece_too_many_of_the_last_is_not_the_next_ones() -> None:
    shop, first, following = two_on_one_machine()
    shop.sense(COUNTER, 12)
    assert good(shop, first, following) == [10, 0]
    assert unassigned(shop) == [(2, "past_quantity")]


def test_the_switch_is_at_the_time_of_the_source() -> None:
    shop, first, following = two_on_one_machine()
    shop.sense(COUNTER, 9)
    shop.ok(m.StopJobOrder(job_order=first, remainder=m.Remainder.QUEUE, reason="next"))
    shop.at += 2 * SECOND
    shop.ok(m.BeginJobOrder(job_order=following))
    begun = shop.at
    # Made two seconds before the begin, heard after it.
    shop.sense(COUNTER, 10, source_at=begun - 2 * SECOND)
    assert good(shop, first, following) == [9, 0]
    assert unassigned(shop) == [(1, "before_begin")]
    shop.sense(COUNTER, 12)
    assert good(shop, first, following) == [9, 2]


def test_what_is_set_up_beside_it_is_begun_in_setup_only_when_it_is_free() -> None:
    shop, first, following = two_on_one_machine()
    setup = m.AssertTrigger(job_order=following, trigger=T.BEGIN_SETUP)
    assert shop.refused(setup).unmet[0].startswith("claim_held")
    shop.sense(COUNTER, 10)
    shop.fire_of(first, T.COMPLETE)
    shop.ok(setup)
    assert shop.by_id(following).state is S.RUNNING_SETUP
    shop.sense(COUNTER, 11)  # A trial piece in setup.
    assert good(shop, following) == [0]
    assert unassigned(shop) == [(1, "before_begin")]
