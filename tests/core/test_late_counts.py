"""Late counts: they belong to the run whose interval holds their source's time."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.production import UnassignedReason
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkState, Origin
from tests.core.correcting import acknowledge, postings
from tests.core.loops import is_sound
from tests.core.plants import a_routing, a_step, steel
from tests.core.shop import SECOND, Shop

COUNTER = "cut-1.good"
HOUR = 3_600 * SECOND


def changed_over(
    *, made: int = 6, remainder: str = "follow_on", routing: Routing | None = None
) -> tuple[Shop, str, str, int]:
    """Make some of ten, stop, and begin the next request an hour later.

    Returns:
        The shop, both job orders, and a moment of the first one's run.
    """
    shop = Shop(routing or a_routing("cut"))
    shop.sense(COUNTER, 0)
    shop.make(10)
    first = shop.begin("cut")
    shop.sense(COUNTER, made)
    shop.at += 60 * SECOND
    then = shop.at - 30 * SECOND
    shop.ok(
        m.StopJobOrder(
            job_order=first, remainder=m.Remainder(remainder), reason="changeover"
        )
    )
    shop.at += HOUR
    shop.make(10, request="WR-2")
    second = shop.jobs("cut", "WR-2")[0].id
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=second))
    return shop, first, second, then


def late(shop: Shop, value: int, at: int) -> None:
    """Let the device tell what it had kept."""
    shop.sense(COUNTER, value, source_at=at, origin=Origin.REPLAY)


def good(shop: Shop, *jobs: str) -> list[int]:
    return [int(shop.by_id(one).good) for one in jobs]


def unassigned(shop: Shop) -> list[tuple[int, UnassignedReason]]:
    found = [one.production for one in shop.facts(f.ProductionUnassigned)]
    return [(int(one.quantity), one.reason) for one in found]


def test_a_count_after_the_changeover_is_booked_to_the_run_that_made_it() -> None:
    shop, first, second, then = changed_over()
    [follow_on] = [one for one in shop.jobs("cut") if one.follows == first]
    assert follow_on.planned == 4
    before = len(postings(shop))

    late(shop, 8, then)

    assert good(shop, first, second) == [8, 0]
    assert shop.by_id(follow_on.id).planned == 2
    [supplement] = [
        one for one in postings(shop)[before:] if one.job_order == first and one.good
    ]
    assert (supplement.good, supplement.is_final) == (Decimal(2), False)
    [report] = [one for one in shop.facts(f.QuantityReported) if one.good == 2]
    assert report.run == "R-000001"
    shop.sense(COUNTER, 11)  # From now on it is the next one's again.
    assert good(shop, first, second) == [8, 3]
    assert unassigned(shop) == []
    assert is_sound(shop)


def test_what_is_left_for_nobody_is_nobodys() -> None:
    shop, first, second, then = changed_over()
    late(shop, 12, then)
    assert good(shop, first, second) == [10, 0]
    assert unassigned(shop) == [(2, UnassignedReason.PAST_QUANTITY)]
    [follow_on] = [one for one in shop.jobs("cut") if one.follows == first]
    assert follow_on.state is S.CANCELLED  # Nothing is left for it.
    assert shop.stock() == 10
    assert is_sound(shop)


def test_a_job_order_that_the_ledger_has_closed_gets_nothing_more() -> None:
    shop, first, second, then = changed_over()
    acknowledge(shop)
    assert shop.by_id(first).state is S.ENDED_CLOSED
    late(shop, 8, then)
    assert good(shop, first, second) == [6, 0]
    assert unassigned(shop) == [(2, UnassignedReason.TOO_LATE)]


def test_what_cannot_be_made_of_anything_any_more_is_unassigned() -> None:
    """There is no steel left for the two that come late."""
    routing = a_routing(a_step("cut", consumes=(steel("1"),)))
    shop = Shop(routing)
    lot = shop.receive("10")
    shop.sense(COUNTER, 0)
    shop.make(10)
    first = shop.begin("cut")
    shop.sense(COUNTER, 6)
    shop.at += 60 * SECOND
    shop.ok(
        m.StopJobOrder(job_order=first, remainder=m.Remainder.QUEUE, reason="no steel")
    )
    then = shop.at - 30 * SECOND
    shop.ok(m.ShipLot(lot=lot, reason="returned", is_return=True))
    late(shop, 8, then)
    assert good(shop, first) == [6]
    assert unassigned(shop) == [(2, UnassignedReason.TOO_LATE)]
    assert is_sound(shop)


def test_a_job_that_goes_on_elsewhere_gets_what_its_old_run_has_made() -> None:
    shop = Shop(a_routing("mill"))
    shop.sense("mill-1.good", 0)
    shop.make(10)
    job = shop.begin("mill")
    shop.at += 60 * SECOND
    then = shop.at - 30 * SECOND
    shop.ok(m.PauseJobOrder(job_order=job, reason="moved"))
    shop.ok(m.MoveJobOrder(job_order=job, work_unit="mill-2"))
    shop.sense("mill-1.good", 2, source_at=then, origin=Origin.REPLAY)
    assert good(shop, job) == [4]  # Two pieces a stroke.
    [report] = shop.facts(f.QuantityReported)
    assert report.run == "R-000001"


def test_between_two_runs_nothing_was_made_by_either() -> None:
    shop, first, second, then = changed_over()
    late(shop, 8, then + HOUR // 2)
    assert good(shop, first, second) == [6, 0]
    assert unassigned(shop) == [(2, UnassignedReason.BEFORE_BEGIN)]


def test_what_may_be_of_more_than_one_run_is_nobodys() -> None:
    """The link was lost before the run was begun that it is told to be of."""
    shop = Shop(a_routing("cut"))
    shop.link(LinkState.CONNECTED)
    shop.sense(COUNTER, 0)
    shop.link(LinkState.DISCONNECTED)
    shop.make(10)
    job = shop.begin("cut")
    then = shop.at
    shop.ok(m.StopJobOrder(job_order=job, remainder=m.Remainder.QUEUE, reason="x"))
    shop.link(LinkState.CONNECTED)
    late(shop, 4, then)
    assert unassigned(shop) == [(4, UnassignedReason.SPANS_OUTAGE)]


def test_the_last_pieces_before_the_end_are_told_a_moment_after_it() -> None:
    """The device's clock agrees with ours: its time says that it was in the run."""
    shop = Shop(a_routing("cut", "mill"))
    shop.sense(COUNTER, 0)
    shop.make(10)
    job = shop.begin("cut")
    shop.sense(COUNTER, 9)
    ended = shop.at
    shop.ok(m.StopJobOrder(job_order=job, remainder=m.Remainder.QUEUE, reason="next"))
    shop.sense(COUNTER, 10, source_at=ended)
    assert good(shop, job) == [10]
    shop.run("mill", 10)
    assert shop.stock() == 10
    assert shop.state.job_order.find("live_of", "WR-1") == []
    assert is_sound(shop)
