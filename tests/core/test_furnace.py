"""Several job orders in one run: loaded, begun and ended together, time shared out."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.plant import BatchCount, BatchKey, CapacityUnit, Plant
from mes_engine.core.runs import HoldMode, HoldScope, Lane, Run
from mes_engine.core.steps import BeginOn, JobPer
from tests.core import watch
from tests.core.loops import is_sound
from tests.core.plants import (
    a_furnace,
    a_plant,
    a_routing,
    a_signal,
    a_step,
    in_batches,
)
from tests.core.shop import SECOND, Shop

FURNACE = "paint-1"


def a_shop(plant: Plant | None = None, **step: Any) -> Shop:
    routings = (
        a_routing(a_step("paint", **step), "pack"),
        a_routing("paint", id="OTHER", material="frame"),
    )
    return Shop(*routings, plant=plant or a_furnace())


def orders(shop: Shop, *quantities: int, **changed: Any) -> list[str]:
    """Make requests of these quantities; return their first job orders."""
    made = []
    for quantity in quantities:
        request = f"WR-{len(list(shop.state.work_request.values())) + 1}"
        shop.make(quantity, request=request, **changed)
        made.append(shop.job("paint", request).id)
    return made


def together(*job_orders: str, unit: str = FURNACE) -> m.LoadTogether:
    return m.LoadTogether(job_orders=job_orders, work_unit=unit)


def the_run(shop: Shop) -> Run:
    [run] = shop.state.run.values()
    return run


def states(shop: Shop, jobs: list[str]) -> set[S]:
    return {shop.by_id(one).state for one in jobs}


def report_all(shop: Shop, jobs: list[str]) -> None:
    for one in jobs:
        job = shop.by_id(one)
        shop.ok(m.ReportQuantity(job_order=one, good=job.planned - job.worked))


def test_three_orders_are_loaded_begun_and_completed_together() -> None:
    shop = a_shop()
    jobs = orders(shop, 50, 30, 20)

    result = shop.ok(together(*jobs))
    assert result["job_orders"] == " ".join(jobs)
    assert states(shop, jobs) == {S.ALLOWED_LOADED}
    assert the_run(shop).job_orders == tuple(jobs)

    shop.ok(m.BeginJobOrder(job_order=jobs[1]))
    assert states(shop, jobs) == {S.RUNNING_PROCESSING}

    report_all(shop, jobs)
    shop.fire_of(jobs[2], T.COMPLETE)
    assert states(shop, jobs) == {S.ENDED_COMPLETED}
    assert the_run(shop).job_orders == tuple(jobs)
    assert the_run(shop).closed_at is not None
    assert all(shop.by_id(one).run is None for one in jobs)
    for number, quantity in enumerate((50, 30, 20), start=1):
        assert shop.at_step("pack", f"WR-{number}") == {"queued": quantity}


def test_two_lots_of_one_step_in_one_run_are_confirmed_as_final_once() -> None:
    per_lot = a_step("paint", job_per=JobPer.LOT)
    shop = Shop(a_routing(per_lot, "pack"), plant=a_furnace())
    shop.make(7, lot_size=Decimal(4))
    jobs = [one.id for one in shop.jobs("paint")]
    shop.ok(together(*jobs))
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    report_all(shop, jobs)
    shop.fire_of(jobs[0], T.COMPLETE)
    shop.commit()

    raised = list(shop.state.posting.values())
    assert sum(one.good for one in raised) == 7
    assert [one.is_final for one in raised if one.is_final] == [True]
    assert raised[-1].is_final
    assert is_sound(shop)


def test_the_time_of_the_run_is_shared_out_by_quantity_to_the_microsecond() -> None:
    shop = a_shop()
    jobs = orders(shop, 50, 30, 19)
    shop.ok(together(*jobs))
    shop.fire_of(jobs[0], T.BEGIN_SETUP)
    shop.ok(m.BeginJobOrder(job_order=jobs[0]), at=shop.at + 1_000_001)
    shop.at += 7 * SECOND
    report_all(shop, jobs)
    shop.fire_of(jobs[0], T.COMPLETE)

    run = the_run(shop)
    done = [shop.by_id(one) for one in jobs]
    assert sum(one.setup_us for one in done) == run.setup_us > 0
    assert sum(one.processing_us for one in done) == run.processing_us > 0
    for one in done:
        exact = Decimal(run.processing_us) * one.planned / 99
        assert abs(one.processing_us - exact) < 1
    assert watch.broken_shares(shop) == []


def test_pause_and_resume_are_of_the_whole_run() -> None:
    shop = a_shop()
    jobs = orders(shop, 5, 5)
    shop.ok(together(*jobs))
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    shop.ok(m.PauseJobOrder(job_order=jobs[1], reason="power"))
    assert states(shop, jobs) == {S.INTERRUPTED_SUSPENDED}
    shop.ok(m.ResumeJobOrder(job_order=jobs[0]))
    assert states(shop, jobs) == {S.RUNNING_PROCESSING}

    give_up = m.PauseJobOrder(job_order=jobs[0], reason="shift", gives_up_slot=True)
    assert "in one run" in shop.refused(give_up).message


def test_what_is_not_accounted_for_keeps_all_of_them() -> None:
    shop = a_shop()
    jobs = orders(shop, 5, 5)
    shop.ok(together(*jobs))
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    report_all(shop, jobs[:1])
    complete = m.AssertTrigger(job_order=jobs[0], trigger=T.COMPLETE)
    answer = shop.refused(complete)
    assert answer.unmet[0].startswith(f"quantity_accounted: {jobs[1]}: queued 5")
    assert not watch.is_allowed(shop.state, jobs[0], T.COMPLETE)


def test_what_a_hold_forbids_to_begin_keeps_all_of_them() -> None:
    shop = a_shop()
    jobs = orders(shop, 5, 5)
    shop.ok(together(*jobs))
    hold = m.OpenHold(
        scope=HoldScope.JOB_ORDER,
        target=jobs[1],
        reason="drawing",
        mode=HoldMode.AFTER_RUN,
    )
    shop.ok(hold)
    answer = shop.refused(m.BeginJobOrder(job_order=jobs[0]))
    assert answer.unmet[0].startswith(f"no_hold: {jobs[1]}: H-000001")


def test_a_held_member_finishes_with_the_furnace_and_does_not_move_on() -> None:
    shop = a_shop()
    jobs = orders(shop, 5, 5)
    shop.ok(together(*jobs))
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    command = m.OpenHold(scope=HoldScope.JOB_ORDER, target=jobs[0], reason="drawing")
    result = shop.ok(command)
    assert result["mode"] == HoldMode.AFTER_RUN
    assert states(shop, jobs) == {S.RUNNING_PROCESSING}

    report_all(shop, jobs)
    shop.fire_of(jobs[1], T.COMPLETE)
    assert states(shop, jobs) == {S.ENDED_COMPLETED}
    assert shop.job("pack", "WR-1").state is S.ALLOWED_WAITING
    assert shop.job("pack", "WR-2").state is S.ALLOWED_READY
    shop.ok(m.ReleaseHold(hold=result["hold"]))
    assert shop.job("pack", "WR-1").state is S.ALLOWED_READY


def test_a_hold_on_the_request_of_a_member_lets_the_furnace_finish() -> None:
    shop = a_shop()
    jobs = orders(shop, 5, 5)
    shop.ok(together(*jobs))
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    shop.ok(m.OpenHold(scope=HoldScope.WORK_REQUEST, target="WR-1", reason="drawing"))
    assert states(shop, jobs) == {S.RUNNING_PROCESSING}
    report_all(shop, jobs)
    shop.fire_of(jobs[1], T.COMPLETE)
    assert shop.job("pack", "WR-1").state is S.ALLOWED_WAITING


def test_a_hold_before_the_begin_takes_one_out_and_leaves_the_rest() -> None:
    shop = a_shop()
    jobs = orders(shop, 5, 5)
    shop.ok(together(*jobs))
    shop.ok(m.OpenHold(scope=HoldScope.JOB_ORDER, target=jobs[0], reason="drawing"))
    assert shop.by_id(jobs[0]).state is S.ALLOWED_WAITING
    assert shop.by_id(jobs[0]).run is None
    assert the_run(shop).job_orders == (jobs[1],)
    shop.ok(m.BeginJobOrder(job_order=jobs[1]))


def test_one_that_is_stopped_leaves_with_its_share_and_the_rest_goes_on() -> None:
    shop = a_shop()
    jobs = orders(shop, 30, 10)
    shop.ok(together(*jobs))
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    shop.at += 7 * SECOND
    stop = m.StopJobOrder(
        job_order=jobs[0], remainder=m.Remainder.FOLLOW_ON, reason="cracked"
    )
    shop.ok(stop)
    first, second = shop.by_id(jobs[0]), shop.by_id(jobs[1])
    assert first.processing_us == 3 * second.processing_us == 6 * SECOND
    assert second.state is S.RUNNING_PROCESSING
    report_all(shop, jobs[1:])
    shop.fire_of(jobs[1], T.COMPLETE)
    run = the_run(shop)
    assert shop.by_id(jobs[1]).processing_us == run.processing_us - 6 * SECOND
    assert watch.broken_shares(shop) == []


def test_a_bench_without_a_rule_takes_one_at_a_time() -> None:
    shop = a_shop(a_plant())
    jobs = orders(shop, 5, 5)
    answer = shop.refused(together(*jobs))
    assert answer.unmet == (
        "batch_capacity: paint-1 works on one job order in a run, not on 2",
    )


def test_no_more_than_the_furnace_takes() -> None:
    plant = a_furnace(most=Decimal(60), counted_in=CapacityUnit.POSITIONS)
    shop = a_shop(plant, load_per_piece=Decimal("0.5"))
    jobs = orders(shop, 60, 62, 60)
    answer = shop.refused(together(*jobs[:2]))
    assert answer.unmet == ("batch_capacity: paint-1 takes 60 positions, not 61.0",)
    shop.ok(together(jobs[0], jobs[2]))


def test_only_the_same_material_goes_together() -> None:
    shop = a_shop(a_furnace(same=(BatchKey.MATERIAL,)))
    one, other = *orders(shop, 5), *orders(shop, 5, routing="OTHER")
    answer = shop.refused(together(one, other))
    assert answer.unmet == (
        f"batch_compatible: {other} has not the same material as {one}",
    )


def test_each_is_named_once() -> None:
    shop = a_shop()
    [job] = orders(shop, 5)
    shop.malformed(together(job, job))
    shop.malformed(together())


def test_dispatch_forms_the_run_by_rule_compatibility_and_capacity() -> None:
    shop = a_shop(a_furnace(same=(BatchKey.STEP,), most=Decimal(2)))
    [first] = orders(shop, 5)
    [other] = orders(shop, 5, routing="OTHER")
    second, third = orders(shop, 5, 5)
    result = shop.ok(m.DispatchWorkUnit(work_unit=FURNACE))
    assert result["job_orders"] == f"{first} {second}"
    decision = shop.facts(f.DispatchDecided)[-1].decision
    assert (decision.chosen, decision.loaded_with) == (first, (second,))
    told = {
        one.job_order: [str(why) for why in one.unmet] for one in decision.candidates
    }
    assert told == {
        first: [],
        other: [f"batch_compatible: {other} has not the same step as {first}"],
        second: [],
        third: [f"batch_capacity: paint-1 is full with {first}, {second}"],
    }


def test_a_run_waits_for_its_least_and_no_longer_than_it_may() -> None:
    shop = a_shop(a_furnace(least=Decimal(2), wait_s=60, same=(BatchKey.STEP,)))
    [first] = orders(shop, 5)
    result = shop.ok(m.DispatchWorkUnit(work_unit=FURNACE))
    assert result["job_order"] == ""
    [candidate] = shop.facts(f.DispatchDecided)[-1].decision.candidates
    [why] = candidate.unmet
    assert str(why).startswith("batch_complete: 1 of at least 2 job orders")

    others = orders(shop, 5, 5, routing="OTHER")
    result = shop.ok(m.DispatchWorkUnit(work_unit=FURNACE))
    assert result["job_orders"].split() == others  # What is complete goes first.
    shop.fire_of(others[0], T.UNLOAD)
    shop.fire_of(others[1], T.UNLOAD)
    shop.fire_of(others[1], T.REVOKE_START)

    shop.at += 60 * SECOND
    result = shop.ok(m.DispatchWorkUnit(work_unit=FURNACE))
    assert result["job_order"] == first
    assert shop.by_id(first).state is S.ALLOWED_LOADED


def counting(counts: BatchCount) -> Plant:
    plant = a_furnace(counts=counts)
    signals = (*plant.signals, a_signal("paint-1.good"))
    return msgspec.structs.replace(plant, signals=signals)


def test_a_count_of_a_shared_run_is_nobodys_by_guess() -> None:
    shop = a_shop(counting(BatchCount.UNASSIGNED), begin_on=BeginOn.FIRST_COUNT)
    jobs = orders(shop, 5, 3)
    shop.ok(together(*jobs))
    shop.sense("paint-1.good", 0)
    shop.sense("paint-1.good", 2)
    assert states(shop, jobs) == {S.RUNNING_PROCESSING}  # It does begin the run.
    [kept] = shop.facts(f.ProductionUnassigned)
    assert (kept.production.quantity, kept.production.reason) == (2, "shared_run")
    assert [shop.by_id(one).good for one in jobs] == [0, 0]


def test_a_count_may_stand_for_all_that_is_in_the_run() -> None:
    shop = a_shop(counting(BatchCount.WHOLE))
    jobs = orders(shop, 5, 3)
    shop.ok(together(*jobs))
    shop.sense("paint-1.good", 0)
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))
    shop.sense("paint-1.good", 1)
    assert [shop.by_id(one).good for one in jobs] == [5, 3]
    assert shop.facts(f.ProductionUnassigned) == []
    assert shop.facts(f.MachineCounted)[-1].tally.booked == 8
    assert watch.broken_tallies(shop) == []


@pytest.mark.parametrize("lane", Lane)
def test_lanes_may_be_counted_in_pieces(lane: Lane) -> None:
    plant = a_plant()
    units = tuple(
        msgspec.structs.replace(
            one, active=20, staged=20, counted_in=CapacityUnit.PIECES
        )
        for one in plant.work_units
    )
    shop = a_shop(msgspec.structs.replace(plant, work_units=units))
    jobs = orders(shop, 12, 8, 1)
    for one in jobs[:2]:
        shop.ok(m.LoadJobOrder(job_order=one, work_unit=FURNACE, lane=lane))
    last = m.LoadJobOrder(job_order=jobs[2], work_unit=FURNACE, lane=lane)
    assert "lane_free" in shop.refused(last).unmet[0]
    result = shop.ok(m.DispatchWorkUnit(work_unit=FURNACE))
    assert result["job_order"] == jobs[2]  # On the other lane.


def test_shares_are_by_what_goes_in_at_the_begin() -> None:
    shop = Shop(in_batches("cut", "paint", of=10), plant=a_furnace())
    for request, quantity in (("WR-1", 20), ("WR-2", 10)):
        shop.make(quantity, request=request)
    cut = [shop.job("cut", one).id for one in ("WR-1", "WR-2")]
    for job, unit_is_free in ((cut[1], True), (cut[0], False)):
        shop.ok(m.LoadJobOrder(job_order=job, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job))
        shop.ok(m.ReportQuantity(job_order=job, good=Decimal(10)))
        if unit_is_free:
            shop.fire_of(job, T.COMPLETE)
    jobs = [shop.job("paint", one).id for one in ("WR-1", "WR-2")]
    shop.ok(together(*jobs))  # Twenty are planned of the first one.
    scrapped = m.Scrapped(quantity=Decimal(10), reason="crooked")
    shop.ok(m.ReportQuantity(job_order=cut[0], scrap=(scrapped,)))
    shop.fire_of(cut[0], T.COMPLETE)
    shop.ok(m.BeginJobOrder(job_order=jobs[0]))  # Ten are there.
    shop.at += 9 * SECOND
    shop.ok(m.PauseJobOrder(job_order=jobs[0], reason="break"))
    assert [shop.by_id(one).processing_us for one in jobs] == [5 * SECOND] * 2
