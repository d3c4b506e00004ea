"""Job orders per run: what comes waits in a pool, and each run takes its part."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrder
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import BatchKey, CapacityUnit
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.runs import Lane
from mes_engine.core.steps import JobPer
from tests.core.correcting import reverse, scrapped, signed, the_last
from tests.core.loops import is_sound
from tests.core.plants import a_furnace, a_plant, a_routing, a_step, in_batches
from tests.core.shop import Shop

PIECES = CapacityUnit.PIECES


def per_run(operation: str, **changed: Any) -> Any:
    return a_step(operation, job_per=JobPer.RUN, **changed)


def a_line(of: int = 5) -> Routing:
    """Cut sends on as it comes; paint has a job order for each run; then packing."""
    return in_batches("cut", per_run("paint"), "pack", of=of)


def at_paint(shop: Shop, came: int, *, of: int = 100) -> None:
    """Let so many pieces come to paint; the rest are still to be cut."""
    shop.make(of)
    shop.begin("cut")
    shop.report("cut", came)


def live(shop: Shop, step: str = "paint", request: str = "WR-1") -> list[JobOrder]:
    return [one for one in shop.jobs(step, request) if not one.is_over]


def load(shop: Shop, job: JobOrder, **changed: Any) -> JobOrder:
    """Load a job order on its unit; return the one that is loaded."""
    fields: dict[str, Any] = {"job_order": job.id, "work_unit": f"{job.step}-1"}
    told = shop.ok(m.LoadJobOrder(**fields | changed))
    return shop.by_id(told["job_order"])


def run_off(shop: Shop, job: JobOrder, good: int, **changed: Any) -> JobOrder:
    """Begin what is loaded, report, and complete it."""
    shop.ok(m.BeginJobOrder(job_order=job.id))
    if good or changed:
        told = m.ReportQuantity(job_order=job.id, good=Decimal(good), **changed)
        shop.ok(told)
    return shop.fire_of(job.id, T.COMPLETE)


def test_a_person_takes_a_part_of_the_pool_and_the_rest_waits() -> None:
    """25 of 100 have come; a run of 20 is parted off, five wait, and more come."""
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)

    first = load(shop, pool, quantity=Decimal(20))

    assert first.id != pool.id
    assert [first.planned, first.state, first.split_of] == [
        20,
        S.ALLOWED_LOADED,
        pool.id,
    ]
    pool = shop.by_id(pool.id)
    assert [pool.planned, pool.state] == [80, S.ALLOWED_READY]
    shop.report("cut", 10)
    done = run_off(shop, first, 20)
    assert [done.state, done.good, done.planned] == [S.ENDED_COMPLETED, 20, 20]
    assert shop.at_step("paint") == {"queued": 15}
    second = load(shop, pool, quantity=Decimal(15))
    assert shop.by_id(pool.id).state is S.ALLOWED_WAITING
    run_off(shop, second, 15)
    shop.report("cut", 65)
    shop.complete("cut")
    third = load(shop, pool)
    assert third.id == pool.id  # Nothing bounds it, and nothing is left for another.
    run_off(shop, third, 65)
    shop.run("pack", 100)
    assert shop.stock() == 100
    told = [one[2] for one in signed(shop) if one[0] == "paint" and one[2]]
    assert told == [20, 15, 65]
    assert is_sound(shop)


def test_what_is_not_there_cannot_run() -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    command = m.LoadJobOrder(
        job_order=pool.id, work_unit="paint-1", quantity=Decimal(26)
    )

    assert shop.refused(command).unmet == ("quantity_there: 26 asked for, 25 there",)
    cut = m.LoadJobOrder(
        job_order=shop.job("cut").id, work_unit="cut-1", quantity=Decimal(1)
    )
    assert shop.refused(cut).unmet == ("job_per_run: cut is not",)
    zero = m.LoadJobOrder(job_order=pool.id, work_unit="paint-1", quantity=Decimal(0))
    shop.malformed(zero)


def test_a_furnace_takes_as_many_as_it_holds() -> None:
    plant = a_furnace("paint", most=Decimal(12), counted_in=PIECES)
    shop = Shop(a_line(), plant=plant)
    at_paint(shop, 30)
    (pool,) = live(shop)

    told = shop.ok(m.DispatchWorkUnit(work_unit="paint-1", begins=True))

    first = shop.by_id(told["job_order"])
    assert [first.planned, first.state] == [12, S.RUNNING_PROCESSING]
    (decision,) = [one.decision for one in shop.facts(f.DispatchDecided)][-1:]
    assert decision.chosen == pool.id
    assert [one.job_order for one in decision.candidates] == [pool.id]
    shop.ok(m.ReportQuantity(job_order=first.id, good=Decimal(12)))
    shop.fire_of(first.id, T.COMPLETE)
    assert [int(load(shop, pool).planned), int(shop.by_id(pool.id).planned)] == [12, 76]
    assert is_sound(shop)


def test_a_run_of_two_requests_is_filled_up_with_a_part_of_the_second() -> None:
    plant = a_furnace(
        "paint", most=Decimal(12), counted_in=PIECES, same=(BatchKey.STEP,)
    )
    shop = Shop(a_line(), plant=plant)
    at_paint(shop, 10, of=10)
    shop.complete("cut")
    shop.make(20, request="WR-2")
    cut = shop.job("cut", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=cut, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=cut))
    shop.ok(m.ReportQuantity(job_order=cut, good=Decimal(10)))

    told = shop.ok(m.DispatchWorkUnit(work_unit="paint-1"))

    first, second = (shop.by_id(one) for one in told["job_orders"].split())
    assert [first.request, first.planned] == ["WR-1", 10]
    assert [second.request, second.planned] == ["WR-2", 2]
    (pool,) = [one for one in live(shop, request="WR-2") if one.run is None]
    assert pool.planned == 18
    run = shop.state.run.get(first.run or "")
    assert run is not None
    assert run.job_orders == (first.id, second.id)


def test_a_furnace_that_is_full_takes_nothing_of_the_next_pool() -> None:
    plant = a_furnace(
        "paint", most=Decimal(10), counted_in=PIECES, same=(BatchKey.STEP,)
    )
    shop = Shop(a_line(), plant=plant)
    at_paint(shop, 10, of=10)
    shop.complete("cut")
    shop.make(20, request="WR-2")
    cut = shop.job("cut", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=cut, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=cut))
    shop.ok(m.ReportQuantity(job_order=cut, good=Decimal(10)))

    told = shop.ok(m.DispatchWorkUnit(work_unit="paint-1"))

    assert "job_orders" not in told
    assert shop.by_id(told["job_order"]).request == "WR-1"


def test_a_continuous_run_has_no_end_of_its_own() -> None:
    """It takes what comes, and ends when somebody says so; the rest is a pool again."""
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run = load(shop, pool)
    assert run.id == pool.id
    shop.ok(m.BeginJobOrder(job_order=run.id))
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(20)))
    shop.report("cut", 15)
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(10)))

    ended = shop.fire_of(run.id, T.COMPLETE)

    assert [ended.good, ended.planned] == [30, 30]
    (after,) = live(shop)
    assert [after.planned, after.follows, after.state] == [
        70,
        run.id,
        S.ALLOWED_READY,
    ]
    assert shop.at_step("paint") == {"queued": 10}
    run_off(shop, load(shop, after, quantity=Decimal(10)), 10)
    shop.report("cut", 60)
    shop.complete("cut")
    run_off(shop, load(shop, after), 60)
    shop.run("pack", 100)
    assert shop.stock() == 100
    assert live(shop) == []
    assert is_sound(shop)


def test_a_run_leaves_what_it_did_not_work_and_not_what_it_holds() -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run = load(shop, pool, quantity=Decimal(20))
    shop.ok(m.BeginJobOrder(job_order=run.id, in_process=Decimal(6)))
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(4)))
    command = m.AssertTrigger(job_order=run.id, trigger=T.COMPLETE)
    assert shop.refused(command).unmet[0].startswith("quantity_accounted")
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(2)))

    ended = shop.fire_of(run.id, T.COMPLETE)

    assert [ended.good, ended.planned] == [6, 6]
    assert shop.by_id(pool.id).planned == 94
    assert shop.at_step("paint") == {"queued": 19}


def test_what_a_run_worked_beyond_its_part_the_pool_has_less() -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run_off(shop, load(shop, pool, quantity=Decimal(20)), 22)
    assert shop.by_id(pool.id).planned == 78


def test_what_was_put_back_waits_in_the_pool() -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run = load(shop, pool, quantity=Decimal(20))

    told = shop.ok(m.AssertTrigger(job_order=run.id, trigger=T.UNLOAD))

    assert told["state"] == "cancelled"
    (pool,) = live(shop)
    assert [pool.planned, pool.state] == [100, S.ALLOWED_READY]


def test_two_runs_at_a_time_leave_one_pool() -> None:
    shop = Shop(in_batches("cut", per_run("mill"), "pack", of=5))
    at_paint(shop, 25)
    (pool,) = live(shop, "mill")
    first = load(shop, pool, quantity=Decimal(10))
    second = load(shop, pool, quantity=Decimal(10), work_unit="mill-2")
    assert shop.by_id(pool.id).planned == 80

    run_off(shop, first, 9)
    run_off(shop, second, 8)

    (left,) = live(shop, "mill")
    assert [left.id, left.planned] == [pool.id, 83]
    assert is_sound(shop)


def test_a_step_that_begins_a_routing_has_its_quantity_as_a_pool() -> None:
    """Ten planned: a run of six, of which one is left over, and then the other five."""
    shop = Shop(a_routing(per_run("cut"), "mill"))
    shop.make(10)
    (pool,) = live(shop, "cut")

    run = load(shop, pool, quantity=Decimal(6))
    shop.ok(m.BeginJobOrder(job_order=run.id))
    assert shop.at_step("cut") == {"queued": 6, "started": 6}
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(4), scrap=scrapped(1)))
    shop.fire_of(run.id, T.COMPLETE)

    (pool,) = live(shop, "cut")
    assert [pool.planned, pool.state] == [5, S.ALLOWED_READY]
    run_off(shop, load(shop, pool), 5)
    assert shop.at_step("mill") == {"queued": 9}
    shop.run("mill", 9)
    assert shop.stock() == 9
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.COMPLETED
    assert is_sound(shop)


def test_a_pool_that_a_run_has_left_nothing_is_given_up() -> None:
    """A run of six makes all ten that the routing begins with."""
    shop = Shop(a_routing(per_run("cut"), "mill", over_tolerance=Decimal("0.5")))
    shop.make(10)
    (pool,) = live(shop, "cut")

    run_off(shop, load(shop, pool, quantity=Decimal(6)), 10)

    assert shop.by_id(pool.id).state is S.CANCELLED
    shop.run("mill", 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_the_last_run_of_a_pool_to_which_less_came_ends_it() -> None:
    """Scrap at cutting: 96 come of 100, and nobody waits for four."""
    shop = Shop(a_line())
    shop.make(100)
    shop.begin("cut")
    shop.report("cut", 50)
    (pool,) = live(shop)
    run_off(shop, load(shop, pool, quantity=Decimal(50)), 50)
    shop.report("cut", 46, scrap=scrapped(4))
    shop.complete("cut")
    run_off(shop, load(shop, shop.by_id(pool.id)), 46)

    assert live(shop) == []
    assert [one[3] for one in signed(shop) if one[0] == "paint"][-1]
    shop.run("pack", 96)
    assert shop.stock() == 96
    assert is_sound(shop)


@pytest.mark.parametrize("remainder", m.Remainder)
def test_a_run_that_is_stopped_scraps_its_own_part_or_leaves_it(
    remainder: m.Remainder,
) -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run = load(shop, pool, quantity=Decimal(20))
    shop.ok(m.BeginJobOrder(job_order=run.id))
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(5)))

    stop = m.StopJobOrder(job_order=run.id, remainder=remainder, reason="leak")
    shop.ok(stop)

    (left,) = live(shop)
    is_scrapped = remainder is m.Remainder.SCRAP
    assert left.planned == (80 if is_scrapped else 95)
    assert shop.at_step("paint")["queued"] == (5 if is_scrapped else 20)
    assert is_sound(shop)


def test_a_run_that_is_aborted_leaves_the_rest_to_the_pool() -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run = load(shop, pool, quantity=Decimal(20))
    shop.ok(m.BeginJobOrder(job_order=run.id, in_process=Decimal(3)))

    abort = m.AbortJobOrder(job_order=run.id, reason="fire", signature="Ana")
    shop.ok(abort)

    (left,) = live(shop)
    assert [left.id, left.planned] == [pool.id, 100]
    assert shop.at_step("paint") == {"queued": 22, "suspect": 3}
    assert is_sound(shop)


def test_what_comes_while_a_run_has_all_waits_in_a_pool_of_its_own() -> None:
    """Over-production upstream: the run took the last of the plan."""
    routing = in_batches(
        "cut", per_run("paint"), "pack", of=5, over_tolerance=Decimal("0.1")
    )
    shop = Shop(routing)
    at_paint(shop, 100)
    (pool,) = live(shop)
    run = load(shop, pool)
    shop.ok(m.BeginJobOrder(job_order=run.id))
    shop.report("cut", 5)

    (more,) = [one for one in live(shop) if one.id != run.id]
    assert [more.planned, more.state] == [5, S.ALLOWED_READY]
    shop.report("cut", 5)
    (more,) = [one for one in live(shop) if one.id != run.id]
    assert more.planned == 10
    shop.ok(m.ReportQuantity(job_order=run.id, good=Decimal(100)))
    shop.fire_of(run.id, T.COMPLETE)
    shop.complete("cut")
    run_off(shop, load(shop, shop.by_id(more.id)), 10)
    shop.run("pack", 110)
    assert shop.stock() == 110
    assert is_sound(shop)


def test_a_report_of_a_run_is_taken_back_into_the_pool() -> None:
    shop = Shop(a_line())
    at_paint(shop, 25)
    (pool,) = live(shop)
    run = run_off(shop, load(shop, pool, quantity=Decimal(20)), 20)

    reverse(shop, the_last(shop, "paint", job=run.id), quantity=Decimal(3))

    (left,) = live(shop)
    assert [left.id, left.planned] == [pool.id, 83]
    assert shop.at_step("paint")["queued"] == 8
    assert is_sound(shop)


def test_a_work_unit_that_counts_pieces_takes_what_there_is_room_for() -> None:
    plant = a_plant()
    units = tuple(
        one
        if one.id != "paint-1"
        else type(one)(
            id="paint-1",
            work_center=one.work_center,
            name=one.name,
            classes=one.classes,
            active=8,
            staged=8,
            counted_in=PIECES,
        )
        for one in plant.work_units
    )
    shop = Shop(a_line(), plant=a_plant(work_units=units))
    at_paint(shop, 25)
    (pool,) = live(shop)

    told = shop.ok(m.DispatchWorkUnit(work_unit="paint-1", lane=Lane.ACTIVE))

    first = shop.by_id(told["job_order"])
    assert first.planned == 8
    run_off(shop, first, 8)
    assert load(shop, pool, quantity=Decimal(5)).planned == 5
    assert load(shop, pool, lane=Lane.ACTIVE).planned == 3
