"""Changes to requests in work, each with its effects listed before it is done."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import messages as m
from mes_engine.core.decide import decide
from mes_engine.core.effects import Effect, EffectOn, effects
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.requests import WorkRequest
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from tests.core.plants import a_routing, a_step, beside, in_batches, steel
from tests.core.shop import MONDAY, Shop
from tests.core.tables import kept_tables


def a_change(quantity: int | None = None, **changed: Any) -> m.ChangeWorkRequest:
    amount = None if quantity is None else Decimal(quantity)
    fields: dict[str, Any] = {"work_request": "WR-1", "quantity": amount}
    return m.ChangeWorkRequest(**fields | changed)


def previewed(shop: Shop, command: m.ChangeWorkRequest) -> tuple[Effect, ...]:
    """Decide on a layer that is thrown away; nothing of it may stay."""
    before = kept_tables(shop.state)
    layer = shop.state.layer()
    message = shop.commanded(command)
    decision = decide(layer, message, now=shop.at)
    assert decision.answer is not None
    assert decision.answer.outcome is m.Outcome.ACCEPTED, decision.answer
    found = effects(shop.state, layer, decision.facts)
    assert kept_tables(shop.state) == before
    return found


def changed(shop: Shop, command: m.ChangeWorkRequest) -> dict[tuple[str, str], Any]:
    """Preview a change, do it, and see that the preview was right."""
    told = previewed(shop, command)
    before = {
        name: shop.state.job_order.get(name)
        for name in {one.id for one in told if one.on is EffectOn.JOB_ORDER}
    }
    shop.ok(command)
    for one in told:
        if one.on is EffectOn.JOB_ORDER and one.what != "step":
            job, was = shop.by_id(one.id), before[one.id]
            assert getattr(job, one.what) == one.after
            assert was is None or getattr(was, one.what) == one.before
        if one.on is EffectOn.CONDITION:
            [now] = [
                each
                for each in shop.by_id(one.id).conditions
                if each.name.value == one.what
            ]
            assert (now.is_met, now.why) == (one.after, one.why)
    return {(one.id, one.what): (one.before, one.after) for one in told}


def request(shop: Shop) -> WorkRequest:
    found = shop.state.work_request.get("WR-1")
    assert found is not None
    return found


def rebuilds(shop: Shop) -> bool:
    shadow = State()
    for recorded in shop.journal:
        evolve(shadow, recorded)
    return kept_tables(shadow) == shop.kept()


# Quantity


def test_more_before_anything_has_begun() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(100)
    job = shop.job("cut").id

    told = changed(shop, a_change(120))

    assert told == {
        ("WR-1", "quantity"): (Decimal(100), Decimal(120)),
        (job, "planned"): (Decimal(100), Decimal(120)),
    }
    shop.run("cut", 120)
    shop.run("mill", 120)
    assert shop.stock() == 120


def test_more_in_mid_run_starts_the_pieces_and_plans_them_downstream() -> None:
    shop = Shop(in_batches("cut", "mill", of=25))
    shop.make(100)
    cut = shop.begin("cut")
    shop.report("cut", 60)
    mill = shop.begin("mill")

    told = changed(shop, a_change(130))

    assert told[cut, "planned"] == told[mill, "planned"] == (100, 130)
    assert told["WR-1/cut/1", "queued"] == (40, 70)
    assert told["WR-1/cut/1", "started"] == (100, 130)
    assert shop.at_step("cut") == {"queued": 70, "out": 10, "started": 130}
    shop.report("cut", 70)
    shop.complete("cut")
    shop.report("mill", 130)
    shop.complete("mill")
    assert shop.stock() == 130
    assert rebuilds(shop)


def test_fewer_in_mid_run_takes_back_what_nobody_has_worked_on() -> None:
    shop = Shop(in_batches("cut", "mill", of=25))
    shop.make(100)
    cut = shop.begin("cut", in_process=5)
    shop.report("cut", 60)
    assert shop.at_step("cut") == {"queued": 40, "out": 10, "started": 100}

    told = changed(shop, a_change(70))

    assert told["WR-1/cut/1", "queued"] == (40, 10)
    assert told["WR-1/cut/1", "started"] == (100, 70)
    assert shop.by_id(cut).planned == 70
    shop.report("cut", 10)
    shop.complete("cut")
    shop.run("mill", 70)
    assert shop.stock() == 70
    assert request(shop).state == "completed"
    assert rebuilds(shop)


def test_fewer_than_are_worked_is_refused_and_names_them() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(100)
    cut = shop.begin("cut", in_process=5)
    shop.report("cut", 4)
    shop.ok(m.ReportQuantity(job_order=cut, suspect=Decimal(1), reason="crack"))

    answer = shop.refused(a_change(4))

    told = f"{cut} at step cut has 5 C62 worked or at work"
    assert answer.unmet == (f"quantity_accounted: {told}",)
    assert answer.hint == "At least 5 are possible."
    changed(shop, a_change(5))
    assert shop.at_step("cut") == {"out": 4, "suspect": 1, "started": 5}


def test_after_the_first_step_neither_more_nor_fewer() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)

    for quantity in (9, 11):
        answer = shop.refused(a_change(quantity))
        assert "The first step of WR-1 is over" in answer.message
    shop.ok(a_change(10, priority=3))


def test_what_is_lost_for_want_of_material_is_told_before() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("2"),))))
    shop.receive("100")
    shop.make(50)
    job = shop.job("cut").id

    told = changed(shop, a_change(60))

    assert told[job, "material_available"] == (True, False)
    assert told[job, "state"] == ("allowed_to_start.ready", "allowed_to_start.waiting")
    told = changed(shop, a_change(40))
    assert told[job, "material_available"] == (False, True)


def test_a_step_of_tokens_is_planned_along_and_its_confirmed_ones_count() -> None:
    shop = Shop(beside())
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 2)
    paint = shop.job("paint")
    assert not paint.expects_pieces

    told = changed(shop, a_change(12))
    assert told[paint.id, "planned"] == (10, 12)

    shop.report("cut", 10)
    shop.complete("cut")
    shop.begin("paint")
    shop.report("paint", 8)
    shop.refused(a_change(7))


def test_what_is_over_or_unsaid_is_not_changed() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.malformed(a_change())
    shop.malformed(a_change(0))
    shop.run("cut", 10)

    assert "nothing of it is to be changed" in shop.refused(a_change(11)).message


def test_dates_reach_what_is_at_work() -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    cut = shop.begin("cut")
    shop.report("cut", 5)
    mill = shop.job("mill").id

    told = changed(shop, a_change(due_at=MONDAY + 5, priority=7))

    for job in (cut, mill):
        assert told[job, "due_at"] == (MONDAY, MONDAY + 5)
        assert told[job, "priority"] == (0, 7)
    assert (request(shop).due_at, request(shop).priority) == (MONDAY + 5, 7)


def test_lots_take_more_and_fewer_from_the_newest_on() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10, lot_size=Decimal(4))
    shop.begin("cut")

    changed(shop, a_change(7))
    lots = shop.state.lot.find("request", "WR-1")
    started = {
        one.lot: one.started for one in shop.state.position.find("request", "WR-1")
    }
    assert [started[one.id] for one in lots] == [4, 3, 0]
    changed(shop, a_change(12))
    shop.report("cut", 12)
    shop.complete("cut")
    shop.run("mill", 12)
    assert shop.stock() == 12
    assert rebuilds(shop)


@settings(max_examples=50, deadline=None)
@given(
    reported=st.integers(0, 10),
    in_process=st.integers(0, 10),
    quantities=st.lists(st.integers(1, 30), min_size=1, max_size=4),
)
def test_whatever_is_asked_is_either_refused_or_can_be_made(
    reported: int, in_process: int, quantities: list[int]
) -> None:
    shop = Shop(in_batches("cut", "mill", of=3))
    shop.make(10)
    shop.begin("cut", in_process=in_process)
    if reported:
        shop.report("cut", reported)
    worked = max(reported, in_process)
    for quantity in quantities:
        answer = shop.do(a_change(quantity))
        assert shop.broken_laws() == []
        assert (answer.outcome is m.Outcome.ACCEPTED) is (quantity >= worked)
    wanted = int(request(shop).quantity)
    if wanted > reported:
        shop.report("cut", wanted - reported)
    shop.complete("cut")
    shop.run("mill", wanted)
    assert shop.stock() == wanted
    assert rebuilds(shop)


# Revision


def revised(*steps: Any, **more: Any) -> Routing:
    return a_routing(*steps, revision="B", **more)


def by_b(**changed: Any) -> m.ChangeWorkRequest:
    return a_change(revision="B", reason="drawing changed", **changed)


def test_what_has_not_begun_goes_by_the_new_revision() -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    cut = shop.begin("cut")
    shop.report("cut", 5)
    mill = shop.job("mill").id
    milled = a_step("mill", consumes=(steel("1"),))
    shop.ok(m.ReleaseRouting(routing=revised("cut", milled, "pack")))

    told = changed(shop, by_b())

    assert told["WR-1", "revision"] == ("A", "B")
    assert told[mill, "revision"] == ("A", "B")
    assert told[mill, "material_available"] == (True, False)
    assert (cut, "revision") not in told
    shop.receive("10")
    shop.report("cut", 5)
    shop.complete("cut")
    shop.run("mill", 10)
    shop.run("pack", 10)
    assert shop.stock() == 10
    assert [shop.by_id(one).revision for one in (cut, mill)] == ["A", "B"]
    assert rebuilds(shop)


def test_what_has_begun_is_worked_to_its_end_as_it_was_begun() -> None:
    step = a_step("cut", consumes=(steel("1"),))
    shop = Shop(a_routing(step))
    shop.receive("100")
    shop.make(10)
    shop.make(10, request="WR-2")
    shop.begin("cut")
    doubled = a_step("cut", consumes=(steel("2"),))
    shop.ok(m.ReleaseRouting(routing=revised(doubled)))

    changed(shop, by_b())
    shop.ok(by_b(work_request="WR-2"))
    shop.report("cut", 10)
    shop.complete("cut")
    assert shop.stock("steel") == 90

    later = shop.job("cut", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=later, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=later))
    shop.ok(m.ReportQuantity(job_order=later, good=Decimal(10)))
    shop.fire_of(later, T.COMPLETE)
    assert shop.stock("steel") == 70


def test_a_new_step_is_stored_and_one_that_is_gone_is_given_up() -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    shop.begin("cut")
    mill = shop.job("mill").id
    shop.ok(m.ReleaseRouting(routing=revised("cut", "drill")))

    told = changed(shop, by_b())

    assert told[mill, "state"] == ("allowed_to_start.waiting", "cancelled")
    drill = shop.job("drill").id
    assert told[drill, "step"] == (None, "drill")
    shop.report("cut", 10)
    shop.complete("cut")
    shop.run("drill", 10)
    assert shop.stock() == 10
    assert request(shop).state == "completed"
    assert rebuilds(shop)


def test_before_anything_began_even_the_first_step_may_be_another() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    old = shop.job("cut").id
    shop.ok(m.ReleaseRouting(routing=revised("drill", "mill")))

    told = changed(shop, by_b(quantity=Decimal(12)))

    assert told[old, "state"][1] == "cancelled"
    shop.run("drill", 12)
    shop.run("mill", 12)
    assert shop.stock() == 12


@pytest.mark.parametrize(
    ("new", "obstacle"),
    [
        (revised("cut", "pack"), "step mill is not in it, and JO-000002 is in work"),
        (revised("drill", "cut", "mill"), "it begins with drill"),
        (revised("cut", "mill", material="lid"), "it makes lid in C62"),
    ],
)
def test_what_has_started_stands_in_the_way(new: Routing, obstacle: str) -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.begin("mill")
    shop.ok(m.ReleaseRouting(routing=new))

    answer = shop.refused(by_b())

    assert obstacle in "".join(answer.unmet)


def test_pieces_that_wait_at_a_step_that_is_gone_stand_in_the_way() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.ok(m.ReleaseRouting(routing=revised("cut", "pack")))

    answer = shop.refused(by_b())

    assert answer.unmet == (
        "not_started: step mill is not in it, and pieces are there",
    )


def test_what_is_loaded_for_another_step_has_to_be_unloaded_first() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.load("cut")
    shop.ok(m.ReleaseRouting(routing=revised(a_step("cut", run_s=Decimal(3)))))

    assert f"{job} is loaded for step cut" in shop.refused(by_b()).unmet[0]
    shop.fire("cut", T.UNLOAD)
    changed(shop, by_b())
    assert shop.by_id(job).state is S.ALLOWED_READY


def test_only_the_effective_revision_is_gone_by() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    answer = shop.do(by_b())
    assert answer.outcome is m.Outcome.NOT_FOUND
    shop.ok(m.ReleaseRouting(routing=revised("cut")))
    shop.ok(m.WithdrawRouting(routing="R", revision="B"))

    answer = shop.refused(by_b())

    assert answer.unmet == ("routing_effective: revision none is effective",)
