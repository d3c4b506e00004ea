"""Splits and merges taken back: lots are what they were, or it is told why not."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.lots import LotExistence
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.time_windows import WindowRule
from tests.core.correcting import putting_back, reverse, the_last
from tests.core.loops import is_sound
from tests.core.plants import a_routing, steel
from tests.core.plants import a_step as step
from tests.core.shop import Shop
from tests.core.test_lot_commands import (
    begun,
    held,
    jobs_by_lot,
    lot_by_lot,
    merge,
    split,
    the_lot,
)

FIRST, SECOND, THIRD = "L-000001", "L-000002", "L-000003"


def put_back(shop: Shop, lot: str) -> dict[str, str]:
    return shop.ok(putting_back(shop, lot))


def untouched(shop: Shop, lot: str) -> list[str]:
    """Return what is told to have happened to a lot."""
    return [
        one.removeprefix("untouched: ")
        for one in shop.refused(putting_back(shop, lot)).unmet
    ]


def test_a_split_is_taken_back_child_by_child() -> None:
    shop = begun()
    shop.ok(split(FIRST, 20, 10))

    told = put_back(shop, SECOND)

    assert told["lots"] == FIRST
    assert held(shop) == {FIRST: 40, THIRD: 10}
    assert the_lot(shop, SECOND).existence is LotExistence.VOIDED
    first, _, back = shop.facts(f.LotSplit)
    assert back.edge.reverses == first.edge.seq
    assert back.edge.quantity == 20
    put_back(shop, THIRD)
    assert held(shop) == {FIRST: 50}
    again = shop.refused(putting_back(shop, SECOND))
    assert again.unmet == ("not_reversed: L-000002 is voided",)
    shop.report("cut", 50)
    shop.complete("cut")
    assert shop.at_step("mill") == {"queued": 50}
    assert is_sound(shop)


def test_a_lot_that_was_split_up_whole_is_there_again() -> None:
    shop = begun()
    shop.ok(split(FIRST, 20, 30))
    assert the_lot(shop, FIRST).existence is LotExistence.SPLIT
    put_back(shop, THIRD)
    assert the_lot(shop, FIRST).existence is LotExistence.ACTIVE
    assert held(shop) == {FIRST: 30, SECOND: 20}


def test_a_merge_is_taken_back_into_the_lots_that_there_were() -> None:
    shop = begun()
    shop.ok(split(FIRST, 20))
    shop.ok(merge(FIRST, SECOND))
    assert held(shop) == {THIRD: 50}

    told = put_back(shop, THIRD)

    assert told["lots"] == f"{FIRST} {SECOND}"
    assert held(shop) == {FIRST: 30, SECOND: 20}
    assert the_lot(shop, FIRST).existence is LotExistence.ACTIVE
    put_back(shop, SECOND)
    assert held(shop) == {FIRST: 50}
    assert is_sound(shop)


def test_what_has_happened_since_is_named() -> None:
    shop = begun()
    shop.ok(split(FIRST, 20))
    shop.report("cut", 5, lot=SECOND)
    assert untouched(shop, SECOND) == [
        "5 C62 of it are out at WR-1/cut/1",
    ]
    reverse(shop, the_last(shop, "cut"))
    shop.ok(split(SECOND, 8))
    assert untouched(shop, SECOND) == ["8 C62 of it went into L-000003 (split)"]
    put_back(shop, THIRD)
    put_back(shop, SECOND)  # Nothing is left of what had happened to it.
    assert held(shop) == {FIRST: 50}


def test_a_lot_whose_parent_is_gone_cannot_go_back() -> None:
    shop = Shop(a_routing(step("cut", consumes=(steel("1"),))))
    lot = shop.receive("10")
    shop.ok(split(lot, 4))
    shop.ok(m.ShipLot(lot=lot, reason="returned", is_return=True))
    answer = shop.refused(putting_back(shop, SECOND))
    assert answer.unmet == ("lot_active: L-000001 is returned",)


def test_only_what_came_of_a_split_or_merge_is_put_back() -> None:
    shop = begun()
    answer = shop.refused(putting_back(shop, FIRST))
    assert answer.unmet == ("regrouped: L-000001 was started",)
    unknown = m.ReverseRegrouping(lot="L-9", reason="x")
    assert shop.do(unknown).outcome is m.Outcome.NOT_FOUND
    shop.ok(split(FIRST, 1))
    silent = m.ReverseRegrouping(lot=SECOND, reason=" ")
    shop.malformed(silent)


def test_job_orders_of_lots_come_and_go_with_them() -> None:
    shop = lot_by_lot()
    before = jobs_by_lot(shop)
    shop.ok(split(FIRST, 10))
    put_back(shop, THIRD)
    assert jobs_by_lot(shop) == before
    shop.ok(merge(FIRST, SECOND))
    put_back(shop, "L-000004")
    assert jobs_by_lot(shop) == before
    for job in [one for one in shop.jobs("mill") if not one.is_over]:
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="mill-1"))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        shop.ok(m.ReportQuantity(job_order=job.id, good=job.planned))
        shop.fire_of(job.id, JobOrderTrigger.COMPLETE)
    assert shop.stock() == 50
    assert is_sound(shop)


def test_a_lot_that_is_worked_on_its_own_is_not_put_back() -> None:
    shop = lot_by_lot()
    shop.ok(split(FIRST, 10))
    job = next(one for one in shop.jobs("mill") if one.lot == THIRD)
    shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="mill-1"))
    assert untouched(shop, THIRD) == [
        f"{job.id} works on it, and is 'allowed_to_start.loaded'"
    ]


def test_holds_and_time_windows_go_back_with_the_pieces() -> None:
    rule = WindowRule(source="cut", target="mill", max_s=Decimal(3600))
    shop = Shop(a_routing("cut", "mill", time_windows=(rule,)))
    shop.make(10)
    shop.run("cut", 10)
    shop.ok(split(FIRST, 10 - 4))
    shop.ok(merge(FIRST, SECOND))
    hold = m.OpenHold(
        scope=HoldScope.LOT, target=THIRD, reason="crack", mode=HoldMode.STOP_NOW
    )
    shop.ok(hold)

    put_back(shop, THIRD)

    live = [one for one in shop.state.time_window.values() if one.is_live]
    assert sorted(one.lot or "" for one in live) == [FIRST, SECOND]
    on = [
        lot
        for lot in (FIRST, SECOND, THIRD)
        if shop.state.hold.find("target", (HoldScope.LOT, lot))
    ]
    assert on == [FIRST, SECOND]
    put_back(shop, SECOND)
    [live_one] = [one for one in shop.state.time_window.values() if one.is_live]
    assert live_one.lot == FIRST
    assert is_sound(shop)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20)), max_size=12))
def test_what_was_regrouped_last_is_taken_back_first_until_all_is_as_it_was(
    deeds: list[tuple[int, int]],
) -> None:
    shop = begun()
    made: list[str] = []
    for pick, quantity in deeds:
        lots = sorted(held(shop))
        before = shop.state.last_number("lot")
        if pick % 2 and len(lots) > 1:
            shop.ok(merge(lots[pick % len(lots)], lots[pick % len(lots) - 1]))
        else:
            shop.do(split(lots[pick % len(lots)], quantity))
        if shop.state.last_number("lot") > before:
            made.append(f"L-{shop.state.last_number('lot'):06}")
    for lot in reversed(made):
        put_back(shop, lot)
    assert held(shop) == {FIRST: 50}
    assert shop.at_step("cut") == {"queued": 50, "started": 50}
    assert is_sound(shop)
