"""Holds as records: who releases them, on lots, and on what is to come."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.evolve import evolve
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.runs import Hold, HoldMode, HoldQuery, HoldScope
from mes_engine.core.state import State
from tests.core.plants import a_routing, a_step, in_batches, steel
from tests.core.shop import Shop
from tests.core.tables import kept_tables


def hold(shop: Shop, target: str = "", **changed: Any) -> str:
    fields: dict[str, Any] = {
        "scope": HoldScope.JOB_ORDER,
        "target": target,
        "reason": "crack",
    }
    return shop.ok(m.OpenHold(**fields | changed))["hold"]


def on_lot(shop: Shop, lot: str, mode: HoldMode = HoldMode.STOP_NOW) -> str:
    return hold(shop, lot, scope=HoldScope.LOT, mode=mode)


def future(
    shop: Shop,
    scope: HoldScope = HoldScope.JOB_ORDER,
    opens_as: HoldMode = HoldMode.STOP_NOW,
    **query: Any,
) -> str:
    return hold(
        shop,
        scope=scope,
        mode=HoldMode.FUTURE,
        query=HoldQuery(**query),
        opens_as=opens_as,
    )


def caught(shop: Shop, by: str) -> dict[str, Hold]:
    return {one.target: one for one in shop.state.hold.values() if one.from_hold == by}


def lot_of(shop: Shop, request: str = "WR-1") -> str:
    found = shop.state.work_request.get(request)
    assert found is not None
    assert found.lot is not None
    return found.lot


def rebuilds(shop: Shop) -> bool:
    shadow = State()
    for recorded in shop.journal:
        evolve(shadow, recorded)
    return kept_tables(shadow) == shop.kept()


# Who releases


def test_only_the_releaser_or_who_has_that_role_may_release() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    named = hold(shop, shop.job("cut").id, releaser="Ana")
    by_role = hold(shop, shop.job("cut").id, releaser="quality", owner="Bo")
    shop.ok(m.RegisterPerson(person="Jo", name="Jo", roles=("quality",)))

    answer = shop.refused(m.ReleaseHold(hold=named))
    assert answer.message == f"{named} is released by Ana, not by Maria."
    assert answer.hint == "Ask Ana."
    shop.refused(m.ReleaseHold(hold=by_role), person="Ana")
    [unmet] = [one for one in shop.job("cut").conditions if not one.is_met]
    assert unmet.why == f"{named} by Maria: crack; {by_role} by Bo: crack"
    assert unmet.mender == "Ana, quality"

    shop.ok(m.ReleaseHold(hold=named), person="Ana")
    assert shop.job("cut").state is S.ALLOWED_WAITING
    shop.ok(m.ReleaseHold(hold=by_role), person="Jo")
    assert shop.job("cut").state is S.ALLOWED_READY


# Lots


def test_of_a_held_lot_nothing_is_loaded_reported_or_ended() -> None:
    shop = Shop(in_batches("cut", "mill", of=4))
    shop.make(10)
    job = shop.begin("cut")
    shop.report("cut", 4)
    mill = shop.load("mill")

    name = on_lot(shop, lot_of(shop))

    told = f"{name} on {lot_of(shop)} by Maria: crack"
    assert shop.by_id(job).state is S.INTERRUPTED_HELD
    assert shop.by_id(mill).state is S.ALLOWED_WAITING
    answer = shop.refused(shop.a_report("cut", 1))
    assert answer.unmet == (f"lot_not_held: {told}",)
    answer = shop.refused(
        m.StopJobOrder(job_order=job, remainder=m.Remainder.SCRAP, reason="end")
    )
    assert f"lot_not_held: {told}" in answer.unmet
    answer = shop.refused(m.LoadJobOrder(job_order=mill, work_unit="mill-1"))
    assert f"no_hold: {told}" in answer.unmet

    shop.ok(m.ReleaseHold(hold=name, resumes=True))
    shop.report("cut", 6)
    shop.complete("cut")
    shop.run("mill", 10)
    assert shop.stock() == 10
    assert rebuilds(shop)


def test_another_lot_of_the_same_routing_goes_on() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    on_lot(shop, lot_of(shop))
    shop.make(5, request="WR-2")

    assert shop.job("cut", "WR-2").state is S.ALLOWED_READY


def test_after_the_run_a_held_lot_stays_where_it_was_worked() -> None:
    shop = Shop(in_batches("cut", "mill", of=4))
    shop.make(10)
    job = shop.begin("cut")

    name = on_lot(shop, lot_of(shop), HoldMode.AFTER_RUN)
    shop.report("cut", 10)
    shop.complete("cut")

    assert shop.by_id(job).state is S.ENDED_COMPLETED
    assert shop.at_step("cut") == {"out": 10, "started": 10}
    assert shop.at_step("mill") == {}
    shop.ok(m.ReleaseHold(hold=name))
    assert shop.at_step("cut") == {"started": 10}
    assert shop.at_step("mill") == {"queued": 10}
    finals = [
        posting for posting in shop.state.posting.values() if posting.job_order == job
    ]
    assert any(one.is_final for one in finals)
    shop.run("mill", 10)
    assert shop.stock() == 10
    assert rebuilds(shop)


def test_a_release_sends_whole_batches_of_what_still_runs() -> None:
    shop = Shop(in_batches("cut", "mill", of=4))
    shop.make(10)
    shop.begin("cut")
    name = on_lot(shop, lot_of(shop), HoldMode.AFTER_RUN)
    shop.report("cut", 6)
    assert shop.at_step("mill") == {}

    shop.ok(m.ReleaseHold(hold=name))

    assert shop.at_step("mill") == {"queued": 4}
    assert shop.at_step("cut") == {"queued": 4, "out": 2, "started": 10}


def test_finished_pieces_of_a_held_lot_do_not_go_into_stock() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    name = on_lot(shop, lot_of(shop), HoldMode.AFTER_RUN)
    shop.report("cut", 10)
    shop.complete("cut")
    assert shop.stock() == 0

    shop.ok(m.ReleaseHold(hold=name))

    assert shop.stock() == 10
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state == "completed"


def test_a_held_lot_in_stock_is_not_consumed_and_the_hold_is_named() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    first, second = shop.receive("6"), shop.receive("10")
    name = on_lot(shop, first)
    shop.make(10)

    assert shop.job("cut").state is S.ALLOWED_READY
    shop.run("cut", 10)
    assert shop.stock("steel") == 6
    consumed = [
        one.move.lot
        for one in shop.facts(f.QuantityMoved)
        if one.move.to_bucket == "consumed"
    ]
    assert consumed == [second]

    shop.make(5, request="WR-2")
    [unmet] = [one for one in shop.job("cut", "WR-2").conditions if not one.is_met]
    assert unmet.why == (
        f"5 KGM of steel needed, 0 in stock ({name} on {first} by Maria: crack)"
    )
    shop.ok(m.ReleaseHold(hold=name))
    assert shop.job("cut", "WR-2").state is S.ALLOWED_READY


def test_a_stop_that_needs_a_held_lot_is_refused_with_the_hold() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    lot = shop.receive("10")
    shop.make(10)
    job = shop.begin("cut")
    shop.report("cut", 10)

    name = on_lot(shop, lot)

    answer = shop.refused(m.AssertTrigger(job_order=job, trigger=T.COMPLETE))
    assert f"{name} on {lot}" in answer.unmet[0]


def test_a_count_on_a_held_lot_is_kept_unassigned() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.sense("cut-1.good", 0)
    on_lot(shop, lot_of(shop))

    facts = shop.sense("cut-1.good", 3)

    [kept] = [one for one in facts if isinstance(one, f.ProductionUnassigned)]
    assert kept.production.reason == "lot_held"
    assert kept.production.quantity == 3


def test_a_lot_that_is_used_up_or_unknown_is_not_held() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    lot = shop.receive("10")
    shop.make(10)
    shop.run("cut", 10)

    command = m.OpenHold(scope=HoldScope.LOT, target=lot, reason="rust")
    assert "nothing is left of it" in shop.refused(command).message
    answer = shop.do(m.OpenHold(scope=HoldScope.LOT, target="L-9", reason="rust"))
    assert answer.outcome is m.Outcome.NOT_FOUND


# What is to come


def test_a_future_hold_falls_on_each_job_order_that_gets_to_a_step() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    name = future(shop, step="mill")

    assert caught(shop, name) == {}
    shop.begin("cut")
    mill = shop.job("mill").id
    record = caught(shop, name)[mill]
    assert (record.scope, record.mode, record.owner) == (
        HoldScope.JOB_ORDER,
        HoldMode.STOP_NOW,
        "Maria",
    )
    shop.report("cut", 10)
    shop.complete("cut")
    assert shop.by_id(mill).state is S.ALLOWED_WAITING
    answer = shop.refused(m.LoadJobOrder(job_order=mill, work_unit="mill-1"))
    assert record.id in "".join(answer.unmet)

    shop.ok(m.ReleaseHold(hold=record.id))
    shop.run("mill", 10)
    assert list(caught(shop, name)) == [mill]
    shop.make(5, request="WR-2")
    shop.ok(m.ReleaseHold(hold=name))
    shop.ok(m.LoadJobOrder(job_order=shop.job("cut", "WR-2").id, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=shop.job("cut", "WR-2").id))
    assert shop.job("mill", "WR-2").id not in caught(shop, name)
    assert rebuilds(shop)


def test_what_has_begun_there_is_not_caught_and_what_waits_is() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.make(5, request="WR-2")
    begun = shop.begin("cut")

    name = future(shop, step="cut", routing="R")

    assert list(caught(shop, name)) == [shop.job("cut", "WR-2").id]
    shop.ok(m.PauseJobOrder(job_order=begun, reason="lunch"))
    shop.ok(m.ResumeJobOrder(job_order=begun))
    assert shop.by_id(begun).state is S.RUNNING_PROCESSING


@pytest.mark.parametrize(
    ("query", "is_caught"),
    [
        ({"material": "bracket"}, True),
        ({"material": "lid"}, False),
        ({"routing": "R", "step": "cut"}, True),
        ({"routing": "R", "step": "mill"}, False),
        ({"work_request": "WR-1"}, True),
        ({"work_request": "WR-2"}, False),
        ({"equipment": "WC-CUT"}, True),
        ({"equipment": "cut"}, True),
        ({"equipment": "mill-1"}, False),
    ],
)
def test_all_that_is_asked_has_to_match(
    query: dict[str, Any], *, is_caught: bool
) -> None:
    shop = Shop(a_routing("cut"))
    name = future(shop, **query)
    shop.make(10)

    assert (shop.job("cut").id in caught(shop, name)) is is_caught


def test_a_machine_is_watched_and_what_ran_on_it_does_not_move_on() -> None:
    shop = Shop(a_routing("mill", "pack"))
    shop.make(10)
    name = future(shop, equipment="mill-2", opens_as=HoldMode.AFTER_RUN)
    other = shop.load("mill", "mill-1")
    assert caught(shop, name) == {}
    shop.ok(m.AssertTrigger(job_order=other, trigger=T.UNLOAD))

    job = shop.load("mill", "mill-2")

    assert list(caught(shop, name)) == [job]
    assert shop.by_id(job).state is S.ALLOWED_LOADED


def test_a_machine_that_stops_at_once_takes_nothing() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    name = future(shop, equipment="mill-2")

    job = shop.job("mill").id
    told = shop.ok(m.LoadJobOrder(job_order=job, work_unit="mill-2"))

    assert told["state"] == "allowed_to_start.waiting"
    assert list(caught(shop, name)) == [job]


def test_a_future_hold_on_lots_falls_on_every_lot_that_comes_to_a_step() -> None:
    shop = Shop(in_batches("cut", "mill", of=4))
    shop.make(10)
    name = future(shop, HoldScope.LOT, step="mill", opens_as=HoldMode.AFTER_RUN)
    shop.begin("cut")
    assert caught(shop, name) == {}

    shop.report("cut", 4)

    assert list(caught(shop, name)) == [lot_of(shop)]
    [condition] = [one for one in shop.job("mill").conditions if not one.is_met]
    assert condition.name == "no_hold"


def test_a_future_hold_on_a_suppliers_lot_falls_on_its_receipts() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    before = shop.receive("1")
    name = future(shop, HoldScope.LOT, supplier_lot="HEAT-7", material="steel")
    receipt = m.ReceiveMaterial(
        material="steel",
        unit="KGM",
        quantity=Decimal(5),
        supplier="S",
        supplier_lot="HEAT-7",
    )

    lots = [shop.ok(receipt)["lot"] for _ in range(2)]

    assert list(caught(shop, name)) == lots
    assert before not in caught(shop, name)
    shop.make(2)
    assert shop.job("cut").state is S.ALLOWED_WAITING


def test_the_whole_request_may_be_held_when_it_gets_there() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    name = future(shop, HoldScope.WORK_REQUEST, step="mill")

    shop.load("cut")
    shop.begin("cut")

    assert list(caught(shop, name)) == ["WR-1"]
    assert shop.job("cut").state is S.INTERRUPTED_HELD


def test_a_query_and_a_target_are_one_or_the_other() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    query = HoldQuery(step="cut")
    job = shop.job("cut").id
    made: list[dict[str, Any]] = [
        {"mode": HoldMode.FUTURE},
        {"mode": HoldMode.FUTURE, "query": HoldQuery()},
        {"mode": HoldMode.FUTURE, "query": query, "target": job},
        {"mode": HoldMode.FUTURE, "query": query, "opens_as": HoldMode.FUTURE},
        {"query": query, "target": job},
        {"mode": HoldMode.FUTURE, "query": HoldQuery(supplier_lot="x")},
    ]
    for one in made:
        fields: dict[str, Any] = {"scope": HoldScope.JOB_ORDER, "reason": "crack"}
        shop.malformed(m.OpenHold(**fields | one))
    unknown = m.OpenHold(
        scope=HoldScope.JOB_ORDER,
        reason="crack",
        mode=HoldMode.FUTURE,
        query=HoldQuery(equipment="lathe-9"),
    )
    assert shop.do(unknown).outcome is m.Outcome.NOT_FOUND
