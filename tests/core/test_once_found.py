"""What the whole engine, driven at random, once found: each in as few steps as it took.

A shop is sound if no law is broken, each piece is at a job order that can have it, what
is kept of readiness is what would be computed, and its journal makes the same state.
"""

from decimal import Decimal

import pytest

from mes_engine.core import messages as m
from mes_engine.core.bookings import BookingKind
from mes_engine.core.conditions import ConditionName
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.lots import LotExistence
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.steps import JobPer
from tests.core import correcting, finishing
from tests.core.loops import is_sound
from tests.core.plants import a_routing, a_step, in_batches, split_by_shares, steel
from tests.core.restarting import Doubled
from tests.core.shop import Shop


def test_what_is_not_held_moves_on_from_beside_what_is() -> None:
    shop = Shop(a_routing("cut", a_step("mill", job_per=JobPer.LOT)))
    shop.make(7)
    shop.begin("cut")
    split = m.SplitLot(lot="L-000001", quantities=(Decimal(3),), reason="two crates")
    apart = shop.ok(split)["lots"]
    shop.ok(
        m.OpenHold(
            scope=HoldScope.LOT, target=apart, reason="crack", mode=HoldMode.AFTER_RUN
        )
    )

    shop.report("cut", 7)
    shop.complete("cut")

    assert [one.lot for one in shop.jobs("mill")] == ["L-000001"]
    assert shop.at_step("mill")["queued"] == 4
    assert shop.at_step("cut")["out"] == 3
    assert is_sound(shop)


def test_what_is_not_held_is_finished_beside_what_is() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(7)
    shop.begin("cut")
    split = m.SplitLot(lot="L-000001", quantities=(Decimal(3),), reason="two crates")
    apart = shop.ok(split)["lots"]
    hold = m.OpenHold(
        scope=HoldScope.LOT, target=apart, reason="crack", mode=HoldMode.AFTER_RUN
    )
    held = shop.ok(hold)["hold"]

    shop.report("cut", 7)
    shop.complete("cut")

    assert shop.stock() == 4
    shop.ok(m.ReleaseHold(hold=held))
    assert shop.stock() == 7
    assert is_sound(shop)


def test_a_reversal_that_empties_a_buffer_lets_those_before_it_begin() -> None:
    lean = in_batches("cut", a_step("mill", kanban=Decimal(3)), "pack", of=1)
    shop = Shop(lean)
    shop.make(10)
    shop.make(10, request="WR-2")
    shop.run("cut", 10)
    waiting = shop.job("cut", "WR-2")
    assert not _has_room(shop, waiting.id)

    ended = correcting.the_last(shop, "cut", BookingKind.COMPLETION)
    correcting.reverse(shop, ended)

    assert _has_room(shop, waiting.id)
    assert is_sound(shop)


def _has_room(shop: Shop, job: str) -> bool:
    conditions = {one.name: one.is_met for one in shop.by_id(job).conditions}
    return conditions[ConditionName.WIP_LIMIT]


def test_pieces_sent_back_to_a_step_take_its_last_word_to_the_ledger_back() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(7)
    shop.run("cut", 7)
    first, again = shop.job("cut").id, shop.job("mill").id
    assert [one.is_final for one in correcting.postings(shop)] == [True]

    shop.ok(m.DeviateLot(job_order=again, to_step="cut", reason="too long"))

    assert shop.by_id(first).is_over
    assert correcting.signed(shop)[-1][3] is False
    assert is_sound(shop)
    finishing.finish(shop)


def test_a_loaded_job_order_that_all_pieces_leave_leaves_its_machine() -> None:
    shop = Shop(split_by_shares())
    shop.make(1)
    shop.run("cut", 1)
    left = shop.load("drill")

    shop.ok(m.DeviateLot(job_order=left, to_step="mill", reason="drill is worn"))

    assert shop.by_id(left).state is JobOrderState.CANCELLED
    assert not shop.state.run.find("work_unit", "drill-1")
    finishing.finish(shop)


def test_a_loaded_job_order_whose_lot_is_split_up_leaves_its_machine() -> None:
    shop = Shop(a_routing("cut", a_step("mill", job_per=JobPer.LOT)))
    shop.make(2)
    shop.run("cut", 2)
    left = shop.load("mill")

    ones = (Decimal(1), Decimal(1))
    shop.ok(m.SplitLot(lot="L-000001", quantities=ones, reason="serial numbers"))

    assert shop.by_id(left).state is JobOrderState.CANCELLED
    assert not shop.state.run.find("work_unit", "mill-1")
    finishing.finish(shop)


@pytest.mark.parametrize("is_loaded", [True, False])
def test_what_left_a_lot_before_a_restart_is_known_after_it(*, is_loaded: bool) -> None:
    shop = Doubled(a_routing(a_step("cut", consumes=(steel("1"),))))
    lot = shop.receive("10")
    shop.ok(m.MoveStock(lot=lot, to_location="cage", quantity=Decimal(1)))
    shop.ok(m.ShipLot(lot=lot, place="RM", reason="DN-1"))
    shop.make(1)

    shop.restart(is_loaded=is_loaded)
    shop.run("cut", 1)  # The twin says the same of the lot, or it is refused here.

    assert shop.twin is not None
    ended = [one.existence for one in shop.twin.state.lot.values() if one.id == lot]
    assert ended == [LotExistence.SHIPPED]


def test_every_job_order_of_a_lot_that_is_split_up_is_given_up() -> None:
    shop = Shop(a_routing("cut", a_step("mill", job_per=JobPer.LOT)))
    shop.make(10)
    shop.run("cut", 10)
    first = shop.job("mill").id
    shop.ok(m.SplitJobOrder(job_order=first, quantity=Decimal(2)))
    both = [one.id for one in shop.jobs("mill")]

    whole = (Decimal(10),)
    shop.ok(m.SplitLot(lot="L-000001", quantities=whole, reason="another crate"))

    assert {shop.by_id(one).state for one in both} == {JobOrderState.CANCELLED}
    finishing.finish(shop)


@pytest.mark.parametrize("scope", [HoldScope.JOB_ORDER, HoldScope.WORK_REQUEST])
@pytest.mark.parametrize("way", [JobOrderTrigger.UNLOAD, JobOrderTrigger.REVOKE_START])
def test_what_is_unloaded_under_a_hold_waits_for_its_release(
    way: JobOrderTrigger, scope: HoldScope
) -> None:
    shop = Shop(a_routing("cut"))
    shop.make(5)
    job = shop.load("cut")
    target = job if scope is HoldScope.JOB_ORDER else "WR-1"
    hold = m.OpenHold(
        scope=scope, target=target, reason="drawing", mode=HoldMode.AFTER_RUN
    )
    held = shop.ok(hold)["hold"]
    assert shop.by_id(job).state is JobOrderState.ALLOWED_LOADED

    shop.fire_of(job, way)

    assert shop.by_id(job).state.endswith(".waiting")
    assert is_sound(shop)
    shop.ok(m.ReleaseHold(hold=held))
    assert shop.by_id(job).state.endswith(".ready")


@pytest.mark.parametrize("is_loaded", [True, False])
def test_what_is_told_of_places_and_of_held_stock_outlives_a_restart(
    *, is_loaded: bool
) -> None:
    shop = Doubled(a_routing(a_step("cut", consumes=(steel("1"),))))
    lots = [shop.receive("5"), shop.receive("5")]
    for lot in reversed(lots):  # The first is the last to come where it was.
        shop.ok(m.MoveStock(lot=lot, to_location="cage"))
        back = m.MoveStock(lot=lot, place="cage", to_location="RM", quantity=Decimal(3))
        shop.ok(back)
        hold = m.OpenHold(
            scope=HoldScope.LOT, target=lot, reason="crack", mode=HoldMode.STOP_NOW
        )
        shop.ok(hold)
    shop.restart(is_loaded=is_loaded)

    shop.make(1)  # The twin says the same, or it is told here.
    told = shop.refused(m.MoveStock(lot=lots[0], to_location="FG"))

    assert told.unmet == ("same_place: 3 stock at RM, 2 stock at cage",)


@pytest.mark.parametrize("is_emptied", [True, False])
def test_of_a_lot_in_two_places_the_same_is_taken_first_whatever_came_before(
    *, is_emptied: bool
) -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    lot = shop.receive("5")
    if is_emptied:
        shop.ok(m.MoveStock(lot=lot, to_location="cage"))
        shop.ok(m.MoveStock(lot=lot, to_location="RM", quantity=Decimal(3)))
    else:
        shop.ok(m.MoveStock(lot=lot, to_location="cage", quantity=Decimal(2)))
    shop.make(1)
    shop.begin("cut")
    shop.report("cut", 1)
    shop.complete("cut")
    shop.commit()

    left = {
        one.place: one.stock
        for one in shop.state.position.find("lot", lot)
        if one.is_stock
    }
    assert left == {"RM": 2, "cage": 2}
    assert is_sound(shop)
