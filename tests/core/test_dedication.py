"""Lot-to-tool dedication: a later step is worked where an earlier one was."""

from decimal import Decimal

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.conditions import ConditionName
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.routing import Routing
from mes_engine.core.samples import LinkState
from mes_engine.core.steps import JobPer
from tests.core.plants import a_routing, a_step, flows
from tests.core.shop import Shop


def layers(**changed: object) -> Routing:
    """Mill, paint, and mill again on the machine that milled before."""
    return a_routing(
        a_step("mill"),
        a_step("paint"),
        a_step("mill", id="again", same_unit_as="mill", **changed),
    )


def milled_on_the_second() -> Shop:
    shop = Shop(layers())
    shop.make(10)
    shop.run("mill", 10, "mill-2")
    shop.run("paint", 10)
    return shop


def test_a_lot_comes_back_to_the_machine_that_it_was_on() -> None:
    shop = milled_on_the_second()
    again = shop.job("again").id

    refusal = shop.refused(m.LoadJobOrder(job_order=again, work_unit="mill-1"))
    assert refusal.unmet == (
        f"work_unit_suitable: {again} is bound to mill-2, where step mill was",
    )
    assert refusal.hint == "Suitable: mill-2."
    given = shop.ok(m.DispatchWorkUnit(work_unit="mill-1"))
    assert given["job_order"] == ""
    kept = shop.facts(f.DispatchDecided)[-1].decision.candidates[0]
    assert [one.name for one in kept.unmet] == [ConditionName.WORK_UNIT_SUITABLE]

    given = shop.ok(m.DispatchWorkUnit(work_unit="mill-2"))
    assert given["job_order"] == again
    shop.run("again", 10)
    assert shop.stock() == 10


def test_only_a_step_that_is_come_back_to_binds() -> None:
    shop = milled_on_the_second()
    (bound,) = shop.facts(f.LotBound)
    assert (bound.step, bound.work_unit) == ("mill", "mill-2")
    shop.run("again", 10, "mill-2")
    assert len(shop.facts(f.LotBound)) == 1


def test_it_waits_for_its_own_machine_while_that_is_out_of_service() -> None:
    shop = milled_on_the_second()
    shop.link(LinkState.CONNECTED)
    shop.sense("mill-2.state", 9)

    unmet = [one for one in shop.job("again").conditions if not one.is_met]
    assert [(one.name, one.why) for one in unmet] == [
        (ConditionName.EQUIPMENT_AVAILABLE, "out of service: mill-2")
    ]
    shop.sense("mill-2.state", 4)
    assert all(one.is_met for one in shop.job("again").conditions)


def test_each_lot_has_a_machine_of_its_own() -> None:
    per_lot = {"job_per": JobPer.LOT}
    routing = a_routing(
        a_step("mill", **per_lot),
        a_step("mill", id="again", same_unit_as="mill", **per_lot),
    )
    shop = Shop(routing)
    shop.make(10, lot_size=Decimal(5))
    first, second = shop.jobs("mill")
    for job, unit in ((first, "mill-1"), (second, "mill-2")):
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit=unit))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(5)))
    bound = {one.lot: one.work_unit for one in shop.facts(f.LotBound)}
    assert bound == {first.lot: "mill-1", second.lot: "mill-2"}


def test_a_lot_that_is_split_off_is_bound_as_its_parent() -> None:
    shop = milled_on_the_second()
    lot = shop.facts(f.LotBound)[0].lot
    shop.ok(m.SplitLot(lot=lot, quantities=(Decimal(4),), reason="urgent"))
    lots = shop.state.lot.find("request", "WR-1")
    assert [one.bound_units for one in lots] == [{"mill": "mill-2"}] * 2


def test_a_begin_elsewhere_is_heard_by_what_waits_for_the_machine() -> None:
    """Five have come already to the step that has to follow it to the other mill."""
    routing = a_routing(
        a_step("mill"),
        a_step("mill", id="again", same_unit_as="mill"),
        connections=(flows("mill", "again", transfer_batch=Decimal(5)),),
    )
    shop = Shop(routing)
    shop.link(LinkState.CONNECTED)
    shop.make(10)
    mill = shop.job("mill").id
    shop.ok(m.LoadJobOrder(job_order=mill, work_unit="mill-1"))
    shop.ok(m.BeginJobOrder(job_order=mill))
    shop.ok(m.ReportQuantity(job_order=mill, good=Decimal(5)))
    assert why_not(shop) == []
    shop.ok(m.PauseJobOrder(job_order=mill, reason="moved", gives_up_slot=True))
    shop.sense("mill-1.state", 9)
    assert why_not(shop) == ["out of service: mill-1"]
    shop.ok(m.ResumeJobOrder(job_order=mill, work_unit="mill-2"))
    assert why_not(shop) == []


def test_lots_that_are_bound_differently_do_not_merge_and_wait_named() -> None:
    per_lot = {"job_per": JobPer.LOT}
    routing = a_routing(
        a_step("mill", **per_lot), a_step("mill", id="again", same_unit_as="mill")
    )
    shop = Shop(routing)
    shop.make(10, lot_size=Decimal(5))
    first, second = shop.jobs("mill")
    for job, unit in ((first, "mill-1"), (second, "mill-2")):
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit=unit))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(5)))
        shop.ok(m.AssertTrigger(job_order=job.id, trigger=T.COMPLETE))
    assert why_not(shop) == ["its lots are bound to mill-1, mill-2"]
    lots = tuple(one.lot for one in (first, second) if one.lot)
    refusal = shop.refused(m.MergeLots(lots=lots, reason="one box"))
    assert refusal.unmet == (
        f"same_bound_units: {lots[0]} mill:mill-1, {lots[1]} mill:mill-2",
    )


def test_what_is_done_merges_wherever_it_was_worked() -> None:
    per_lot = {"job_per": JobPer.LOT}
    routing = a_routing(
        a_step("mill", **per_lot),
        a_step("mill", id="again", same_unit_as="mill", **per_lot),
    )
    shop = Shop(routing)
    shop.make(10, lot_size=Decimal(5))
    for step in ("mill", "again"):
        for job, unit in zip(shop.jobs(step), ("mill-1", "mill-2"), strict=True):
            shop.ok(m.LoadJobOrder(job_order=job.id, work_unit=unit))
            shop.ok(m.BeginJobOrder(job_order=job.id))
            shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(5)))
            shop.ok(m.AssertTrigger(job_order=job.id, trigger=T.COMPLETE))
    lots = tuple(one.id for one in shop.state.lot.find("request", "WR-1"))
    made = shop.ok(m.MergeLots(lots=lots, reason="one box"))["lot"]
    merged = shop.state.lot.get(made)
    assert merged is not None
    assert merged.bound_units == {}


def why_not(shop: Shop) -> list[str]:
    return [one.why for one in shop.job("again").conditions if not one.is_met]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"same_unit_as": "drill"}, "there is no step 'drill'"),
        ({"same_unit_as": "again"}, "no pieces come from step 'again' to 'again'"),
        (
            {"same_unit_as": "paint"},
            "step 'paint' is worked on other work units than 'again'",
        ),
    ],
)
def test_what_cannot_be_come_back_to_is_told(
    changed: dict[str, str], told: str
) -> None:
    shop = Shop()
    steps = (a_step("mill"), a_step("paint"), a_step("mill", id="again", **changed))
    refusal = shop.refused(m.ReleaseRouting(routing=a_routing(*steps)))
    assert refusal.unmet == (f"steps.2.same_unit_as: {told}",)
