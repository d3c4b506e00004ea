"""Split and merge: pieces stay where they are, and belong to other lots."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.lots import LotExistence, LotOrigin, MaterialLot
from mes_engine.core.runs import HoldMode, HoldScope
from mes_engine.core.steps import JobPer
from mes_engine.core.time_windows import WindowRule
from mes_engine.core.wip_ledger import Bucket
from tests.core.plants import a_routing, a_step, in_batches, steel
from tests.core.shop import Shop


def split(lot: str, *quantities: int | str, **more: Any) -> m.SplitLot:
    return m.SplitLot(
        lot=lot,
        quantities=tuple(Decimal(one) for one in quantities),
        reason="two customers",
        **more,
    )


def merge(*lots: str) -> m.MergeLots:
    return m.MergeLots(lots=lots, reason="one box")


def the_lot(shop: Shop, lot: str) -> MaterialLot:
    found = shop.state.lot.get(lot)
    assert found is not None
    return found


def held(shop: Shop) -> dict[str, int]:
    """What is held, by lot."""
    found: dict[str, int] = {}
    for one in shop.state.position.values():
        found[one.lot] = found.get(one.lot, 0) + int(one.held)
    return {lot: amount for lot, amount in found.items() if amount}


def begun(*steps: Any, quantity: int = 50, **more: Any) -> Shop:
    shop = Shop(a_routing(*(steps or ("cut", "mill")), **more))
    shop.make(quantity)
    shop.begin("cut")
    return shop


def test_a_split_of_30_and_20_and_their_merge_is_50() -> None:
    shop = begun()
    shop.ok(split("L-000001", 20))
    assert held(shop) == {"L-000001": 30, "L-000002": 20}
    assert the_lot(shop, "L-000002").parent == "L-000001"

    made = shop.ok(merge("L-000001", "L-000002"))

    assert made == {"lot": "L-000003", "quantity": "50"}
    assert held(shop) == {"L-000003": 50}
    assert the_lot(shop, "L-000001").existence is LotExistence.MERGED
    assert the_lot(shop, "L-000003").origin is LotOrigin.MERGED
    edges = [one.edge for one in shop.facts(f.LotMerged)]
    assert [(one.source, int(one.quantity)) for one in edges] == [
        ("L-000001", 30),
        ("L-000002", 20),
    ]
    shop.report("cut", 50)
    shop.complete("cut")
    shop.run("mill", 50)
    assert shop.stock() == 50


def test_a_lot_that_is_split_up_whole_is_ended() -> None:
    shop = begun()

    shop.ok(split("L-000001", 30, 20))

    assert held(shop) == {"L-000002": 30, "L-000003": 20}
    assert the_lot(shop, "L-000001").existence is LotExistence.SPLIT


def test_what_is_made_beyond_a_lot_that_was_split_up_is_of_one_that_is_there() -> None:
    shop = begun(over_tolerance=Decimal("0.1"))
    shop.ok(split("L-000001", 30, 20))

    shop.report("cut", 55)

    assert held(shop) == {"L-000002": 35, "L-000003": 20}


def test_more_than_is_there_is_not_split_off() -> None:
    shop = begun()

    answer = shop.refused(split("L-000001", 30, 21))

    assert answer.unmet == ("quantity_there: 51 asked for, 50 there",)
    assert "51 cannot be split off" in answer.message


@pytest.mark.parametrize("quantities", [(), (0,), ("0.5",), (-1,)])
def test_what_is_no_quantity_of_pieces_is_malformed(quantities: tuple[Any]) -> None:
    begun().malformed(split("L-000001", *quantities))


def test_a_lot_in_two_places_is_split_where_it_is_said() -> None:
    shop = Shop(in_batches("cut", "mill", of=10))
    shop.make(50)
    shop.begin("cut")
    shop.report("cut", 10)

    answer = shop.refused(split("L-000001", 5))
    shop.ok(split("L-000001", 5, place="WR-1/mill/1"))
    shop.ok(split("L-000001", 6, place="WR-1/cut/1", bucket=Bucket.QUEUED))

    assert answer.unmet == (
        "same_place: 40 queued at WR-1/cut/1, 10 queued at WR-1/mill/1",
    )
    assert shop.at_step("mill") == {"queued": 10}
    assert held(shop) == {"L-000001": 39, "L-000002": 5, "L-000003": 6}


def test_a_lot_in_stock_is_split_and_consumed_from_the_oldest() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    shop.receive("100")
    shop.ok(split("L-000001", "40.5"))
    shop.make(70)
    shop.run("cut", 70)

    assert held(shop) == {"L-000002": 30, "L-000003": 70}
    assert the_lot(shop, "L-000001").existence is LotExistence.CONSUMED


def test_lots_that_differ_are_not_merged_and_are_told_in_what() -> None:
    shop = Shop(in_batches("cut", "mill", of=10), a_routing("drill", id="D"))
    shop.make(10)
    shop.make(10, request="WR-2")
    shop.begin("cut")
    other = shop.job("cut", "WR-2").id
    shop.receive("10")
    shop.report("cut", 10)
    shop.complete("cut")
    shop.ok(m.LoadJobOrder(job_order=other, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=other))

    requests = shop.refused(merge("L-000001", "L-000003"))
    materials = shop.refused(merge("L-000001", "L-000002"))

    assert requests.unmet == (
        "same_request: L-000001 WR-1, L-000003 WR-2",
        "same_place: L-000001 WR-1/mill/1, L-000003 WR-2/cut/1",
    )
    assert [one.partition(":")[0] for one in materials.unmet] == [
        "same_material",
        "same_unit",
        "same_request",
        "same_place",
        "same_bucket",
    ]


def test_pieces_in_two_buckets_are_not_merged() -> None:
    shop = begun()
    shop.ok(split("L-000001", 20))
    shop.report("cut", 0, suspect=Decimal(30), reason="burr")

    answer = shop.refused(merge("L-000001", "L-000002"))

    assert answer.unmet == ("same_bucket: L-000001 suspect, L-000002 queued",)


@pytest.mark.parametrize("lots", [("L-000001",), ("L-000001", "L-000001"), ()])
def test_a_merge_of_fewer_than_two_is_malformed(lots: tuple[str, ...]) -> None:
    begun().malformed(merge(*lots))


def test_a_lot_that_is_over_is_neither_split_nor_merged() -> None:
    shop = begun()
    shop.ok(split("L-000001", 30, 20))

    answer = shop.refused(split("L-000001", 1))

    assert answer.unmet == ("lot_active: L-000001 is split",)
    missing = shop.do(merge("L-000002", "L-9"))
    assert missing.outcome is m.Outcome.NOT_FOUND


def lot_by_lot() -> Shop:
    """Two lots of 25 that have come to a step that is worked lot by lot."""
    shop = Shop(a_routing("cut", a_step("mill", job_per=JobPer.LOT)))
    shop.make(50, lot_size=Decimal(25))
    shop.run("cut", 50)
    return shop


def jobs_by_lot(shop: Shop) -> dict[str | None, tuple[int, S]]:
    return {
        one.lot: (int(one.planned), one.state)
        for one in shop.jobs("mill")
        if not one.is_over
    }


def test_a_split_lot_has_a_job_order_of_its_own() -> None:
    shop = lot_by_lot()

    shop.ok(split("L-000001", 10))

    assert jobs_by_lot(shop) == {
        "L-000001": (15, S.ALLOWED_READY),
        "L-000002": (25, S.ALLOWED_READY),
        "L-000003": (10, S.ALLOWED_READY),
    }


def test_merged_lots_have_one_job_order() -> None:
    shop = lot_by_lot()

    shop.ok(merge("L-000001", "L-000002"))

    assert jobs_by_lot(shop) == {"L-000003": (50, S.ALLOWED_READY)}
    shop.run("mill", 50)
    assert shop.stock() == 50


def test_a_lot_at_work_on_its_own_is_not_merged() -> None:
    shop = lot_by_lot()
    first = shop.jobs("mill")[0].id
    shop.ok(m.LoadJobOrder(job_order=first, work_unit="mill-1"))

    answer = shop.refused(merge("L-000001", "L-000002"))

    assert [one.partition(":")[0] for one in answer.unmet] == ["not_begun"]


def test_a_hold_on_the_parent_holds_the_child_until_it_is_released_there() -> None:
    shop = lot_by_lot()
    parent = shop.jobs("mill")[0].id
    hold = m.OpenHold(
        scope=HoldScope.JOB_ORDER,
        target=parent,
        reason="crack",
        mode=HoldMode.STOP_NOW,
    )
    shop.ok(hold)

    shop.ok(split("L-000001", 10))

    child = shop.jobs("mill")[-1].id
    assert jobs_by_lot(shop)["L-000003"] == (10, S.ALLOWED_WAITING)
    shop.ok(m.ReleaseHold(hold="H-000001"))
    assert shop.by_id(child).state is S.ALLOWED_WAITING
    shop.ok(m.ReleaseHold(hold="H-000002"))
    assert shop.by_id(child).state is S.ALLOWED_READY


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20)), max_size=12))
def test_splits_and_merges_lose_no_piece_and_go_in_no_circle(
    deeds: list[tuple[int, int]],
) -> None:
    """The laws are checked after each, those of the edges among them."""
    shop = begun()
    for pick, quantity in deeds:
        lots = sorted(held(shop))
        if pick % 2 and len(lots) > 1:
            shop.ok(merge(lots[pick % len(lots)], lots[pick % len(lots) - 1]))
        else:
            shop.do(split(lots[pick % len(lots)], quantity))
        assert shop.broken_laws() == []
        assert sum(held(shop).values()) == 50
    assert shop.at_step("cut") == {"queued": 50, "started": 50}


def test_a_lot_that_is_split_off_is_in_the_time_windows_of_its_parent() -> None:
    rule = WindowRule(source="cut", target="mill", max_s=Decimal(3600))
    shop = Shop(a_routing("cut", "mill", time_windows=(rule,)))
    shop.make(10)
    shop.run("cut", 10)

    shop.ok(split("L-000001", 4))
    before = {one.lot: one.closes_at for one in shop.state.time_window.values()}
    shop.ok(merge("L-000001", "L-000002"))

    assert before["L-000001"] == before["L-000002"]
    live = [one.lot for one in shop.state.time_window.values() if one.is_live]
    assert live == ["L-000003", "L-000003"]
    shop.run("mill", 10)
    assert not any(one.is_live for one in shop.state.time_window.values())
