"""Dispatch: one order of the queue, and every refusal with its reason."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.dispatching import KEPT_CANDIDATES, DispatchDecision
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.plant import DispatchRule
from mes_engine.core.runs import HoldScope, Lane
from tests.core.plants import a_plant, a_routing, a_step, center
from tests.core.shop import MONDAY, Shop


def decision(shop: Shop) -> DispatchDecision:
    found = shop.facts(f.DispatchDecided)[-1].decision
    assert isinstance(found, DispatchDecision)
    return found


def test_a_decision_keeps_the_reason_of_each_refusal() -> None:
    shop = Shop(a_routing("cut"))
    first, second = shop.make(1, request="WR-1"), shop.make(1, request="WR-2")
    held = shop.job("cut", first).id
    shop.ok(m.OpenHold(scope=HoldScope.JOB_ORDER, target=held, reason="crack"))

    result = shop.ok(m.DispatchWorkUnit(work_unit="cut-1"))

    taken = shop.job("cut", second).id
    assert result["job_order"] == taken
    kept = decision(shop)
    assert kept.chosen == taken
    assert kept.asked_for is None
    assert [one.job_order for one in kept.candidates] == [held, taken]
    assert [str(one) for one in kept.candidates[0].unmet] == [
        "no_hold: H-000001 by Maria: crack"
    ]
    assert shop.by_id(taken).state is S.ALLOWED_LOADED


def test_a_machine_without_the_class_is_a_reason() -> None:
    """One work center, two kinds of machines: each takes what it can do."""
    plant = a_plant()
    units = tuple(
        msgspec.structs.replace(unit, work_center=center("cut"))
        for unit in plant.work_units
        if unit.id in {"cut-1", "drill-1"}
    )
    both = a_routing("cut", a_step("drill", work_center=center("cut")))
    shop = Shop(both, plant=a_plant(work_units=units, signals=()))
    shop.make(1)

    result = shop.ok(m.DispatchWorkUnit(work_unit="drill-1"))

    assert result["job_order"] == ""
    kept = decision(shop)
    assert kept.chosen is None
    assert [str(one) for one in kept.candidates[0].unmet] == [
        "work_unit_suitable: drill-1 has no class cut"
    ]


def test_the_choice_of_a_person_is_kept_with_what_the_rule_would_have_taken() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(1, request="WR-1")
    shop.make(1, request="WR-2")
    later = shop.job("cut", "WR-2").id

    shop.ok(m.LoadJobOrder(job_order=later, work_unit="cut-1"))

    kept = decision(shop)
    assert kept.asked_for == kept.chosen == later
    assert kept.candidates[0].job_order == shop.job("cut", "WR-1").id
    assert kept.person == "Maria"


def test_a_full_machine_takes_no_more_and_says_who_has_it() -> None:
    shop = Shop(a_routing("cut"))
    for number in (1, 2, 3):
        shop.make(1, request=f"WR-{number}")
    shop.ok(m.DispatchWorkUnit(work_unit="cut-1"))
    shop.ok(m.DispatchWorkUnit(work_unit="cut-1"))

    answer = shop.refused(m.DispatchWorkUnit(work_unit="cut-1"))

    assert answer.unmet == (
        "lane_free: cut-1 has JO-000001 (active, Maria), JO-000002 (staged, Maria)",
    )
    assert not shop.facts(f.DispatchDecided)[2:]


def test_two_that_claim_one_job_one_wins_and_the_other_is_told_who_has_it() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(1)
    job = shop.job("mill").id
    shop.ok(m.LoadJobOrder(job_order=job, work_unit="mill-1"), person="Ana")

    answer = shop.refused(m.LoadJobOrder(job_order=job, work_unit="mill-2"))

    assert answer.message.endswith("on mill-1, taken by Ana.")


def test_a_lane_that_is_taken_is_refused_and_the_other_is_free() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(1, request="WR-1")
    shop.make(1, request="WR-2")
    first, second = (shop.job("cut", name).id for name in ("WR-1", "WR-2"))
    shop.ok(m.LoadJobOrder(job_order=first, work_unit="cut-1", lane=Lane.STAGED))

    again = m.LoadJobOrder(job_order=second, work_unit="cut-1", lane=Lane.STAGED)
    shop.refused(again)
    shop.ok(m.LoadJobOrder(job_order=second, work_unit="cut-1", lane=Lane.ACTIVE))


def test_due_dates_decide_where_the_work_center_says_so() -> None:
    plant = a_plant()
    centers = tuple(
        msgspec.structs.replace(one, rule=DispatchRule.EDD)
        for one in plant.work_centers
    )
    shop = Shop(a_routing("cut"), plant=a_plant(work_centers=centers))
    shop.make(1, request="WR-1", due_at=MONDAY + 2)
    shop.make(1, request="WR-2", due_at=MONDAY + 1)

    result = shop.ok(m.DispatchWorkUnit(work_unit="cut-1"))

    assert result["job_order"] == shop.job("cut", "WR-2").id
    assert decision(shop).rule is DispatchRule.EDD


def test_a_decision_keeps_the_chosen_one_however_long_the_queue_is() -> None:
    shop = Shop(a_routing("cut"))
    names = [f"WR-{number}" for number in range(KEPT_CANDIDATES + 2)]
    for name in names:
        shop.do(
            m.CreateWorkRequest(
                work_request=name, routing="R", quantity=Decimal(1), due_at=0
            )
        )
        shop.do(m.ReleaseWorkRequest(work_request=name))
    last = shop.job("cut", names[-1])
    for job in list(shop.state.job_order.values()):
        if job != last:
            hold = HoldScope.JOB_ORDER
            shop.do(m.OpenHold(scope=hold, target=job.id, reason="crack"))

    shop.ok(m.DispatchWorkUnit(work_unit="cut-1"))

    kept = decision(shop)
    assert kept.chosen == kept.candidates[-1].job_order == last.id
    assert len(kept.candidates) == KEPT_CANDIDATES + 1
