"""Several lots in, several out: components by hand and at the end, by-products."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.lots import EdgeKind, LotExistence, LotOrigin
from mes_engine.core.routing_problems import routing_problems
from mes_engine.core.runs import HoldScope
from mes_engine.core.steps import Component, JobPer, Output, OutputKind
from tests.core.plants import a_routing, a_step, steel
from tests.core.shop import Shop

C_LOT = "L-000001"


def component(material: str, per_piece: str, unit: str = "C62") -> Component:
    return Component(material=material, per_piece=Decimal(per_piece), unit=unit)


def output(material: str, per_piece: str, **changed: Any) -> Output:
    fields: dict[str, Any] = {
        "material": material,
        "per_piece": Decimal(per_piece),
        "unit": "KGM",
        "kind": OutputKind.BY_PRODUCT,
    }
    return Output(**fields | changed)


def assembling(quantity: int = 10, received: str = "100") -> Shop:
    """Units of four components each."""
    shop = Shop(
        a_routing(a_step("pack", consumes=(component("C", "4"),)), material="U")
    )
    shop.receive(received, material="C", unit="C62")
    shop.make(quantity)
    shop.begin("pack")
    return shop


def consume(quantity: int, lot: str = C_LOT, **more: Any) -> m.ConsumeMaterial:
    return m.ConsumeMaterial(
        job_order="JO-000001", lot=lot, quantity=Decimal(quantity), **more
    )


def balance(shop: Shop, lot: str, place: str) -> dict[str, int]:
    found = shop.state.position.get((lot, place))
    assert found is not None
    names = ("stock", "consumed", "shipped", "produced", "received", "moved_in")
    return {name: int(getattr(found, name)) for name in names if getattr(found, name)}


def edges(shop: Shop) -> list[tuple[str, str, int, EdgeKind]]:
    return [
        (one.edge.source, one.edge.target, int(one.edge.quantity), one.edge.kind)
        for kind in (f.LotConsumed, f.LotProduced)
        for one in shop.facts(kind)
    ]


def test_of_100_c_58_are_in_stock_and_42_consumed_2_of_them_damaged() -> None:
    shop = assembling()
    shop.ok(consume(30))
    shop.ok(consume(2, is_damaged=True, reason="bent"))

    shop.report("pack", 10)
    assert shop.at_step("pack") == {"produced": 10, "out": 10}
    shop.complete("pack")

    assert balance(shop, C_LOT, "RM") == {
        "received": 100,
        "stock": 58,
        "consumed": 42,
    }
    assert shop.stock("U") == 10
    assert edges(shop) == [
        (C_LOT, "L-000002", 30, EdgeKind.CONSUMED),
        (C_LOT, "L-000002", 2, EdgeKind.DAMAGED),
        (C_LOT, "L-000002", 10, EdgeKind.CONSUMED),
    ]


def test_what_was_consumed_by_hand_is_not_needed_again() -> None:
    shop = assembling(received="40")
    shop.ok(consume(40))

    shop.report("pack", 10)
    shop.complete("pack")

    assert shop.stock("C") == 0
    lot = shop.state.lot.get(C_LOT)
    assert lot is not None
    assert lot.existence is LotExistence.CONSUMED


def test_what_was_damaged_is_needed_again() -> None:
    shop = assembling(received="41")
    shop.ok(consume(2, is_damaged=True, reason="bent"))
    shop.report("pack", 10)

    answer = shop.refused(m.AssertTrigger(job_order="JO-000001", trigger=T.COMPLETE))

    assert answer.unmet == ("material_available: 40 C62 of C needed, 39 in stock",)


def test_more_may_be_used_by_hand_than_the_pieces_need() -> None:
    shop = assembling()
    shop.ok(consume(45))
    shop.report("pack", 10)
    shop.complete("pack")

    assert shop.stock("C") == 55


def test_components_by_hand_go_into_the_lot_that_is_named() -> None:
    shop = assembling()
    shop.ok(
        m.SplitLot(lot="L-000002", quantities=(Decimal(4),), reason="two customers")
    )

    shop.ok(consume(16, into="L-000003"))
    shop.report("pack", 10)
    shop.complete("pack")

    assert edges(shop)[0] == (C_LOT, "L-000003", 16, EdgeKind.CONSUMED)
    answer = shop.refused(consume(1, into=C_LOT))
    assert answer.unmet == ("at_work: JO-000001 is ended.completed",)


@pytest.mark.parametrize(
    ("command", "unmet"),
    [
        (consume(101), "quantity_there: 101 asked for, 100 there"),
        (consume(1, into="L-9"), "lot_at_work: L-9 is not at WR-1/pack/1"),
        (consume(1, lot="L-000003"), "component: step pack consumes C in C62"),
    ],
)
def test_what_cannot_be_consumed_is_refused(
    command: m.ConsumeMaterial, unmet: str
) -> None:
    shop = assembling()
    shop.receive("5")

    assert shop.refused(command).unmet == (unmet,)


def test_nothing_is_consumed_before_the_job_order_begins() -> None:
    shop = Shop(
        a_routing(a_step("pack", consumes=(component("C", "4"),)), material="U")
    )
    shop.receive("100", material="C", unit="C62")
    shop.make(10)

    answer = shop.refused(consume(1))

    assert shop.job("pack").state is S.ALLOWED_READY
    assert answer.unmet == ("at_work: JO-000001 is allowed_to_start.ready",)


def test_what_comes_out_beside_the_pieces_is_a_lot_in_stock() -> None:
    step = a_step(
        "cut",
        consumes=(steel("2"),),
        produces=(
            output("chips", "0.5", location="YARD"),
            output("ring", "1", unit="C62", kind=OutputKind.CO_PRODUCT),
        ),
    )
    shop = Shop(a_routing(step, "mill"))
    shop.receive("100")
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 9)
    shop.report("cut", 0, lost=Decimal(1), reason="gone")
    shop.complete("cut")

    assert balance(shop, "L-000003", "YARD") == {"stock": 5, "produced": 5}
    assert balance(shop, "L-000004", "FG") == {"stock": 10, "produced": 10}
    made = shop.state.lot.get("L-000004")
    assert made is not None
    assert (made.origin, made.request) == (LotOrigin.PRODUCED, "WR-1")
    assert edges(shop)[-1] == ("L-000002", "L-000004", 10, EdgeKind.PRODUCED)


def regrinding() -> Shop:
    """What is ground of the sprues may be moulded again."""
    step = a_step(
        "cut",
        consumes=(component("grain", "1", "KGM"), component("regrind", "0.5", "KGM")),
        produces=(output("regrind", "0.5"),),
    )
    shop = Shop(a_routing(step))
    shop.receive("100", material="grain")
    shop.receive("10", material="regrind")
    return shop


def test_no_lot_is_made_of_itself_where_materials_go_round() -> None:
    shop = regrinding()
    shop.make(20)
    shop.begin("cut")
    shop.report("cut", 10)
    stop = m.StopJobOrder(
        job_order="JO-000001", remainder=m.Remainder.FOLLOW_ON, reason="shift"
    )
    shop.ok(stop)
    follow = shop.begin("cut")
    shop.report("cut", 5)
    own = "L-000004"
    by_hand = m.ConsumeMaterial(job_order=follow, lot=own, quantity=Decimal(1))

    answer = shop.refused(by_hand)
    shop.report("cut", 5)
    shop.complete("cut")

    assert answer.unmet == ("not_of_itself: L-000004 may be made of L-000003",)
    assert balance(shop, own, "FG") == {"stock": 5, "produced": 5}
    assert balance(shop, "L-000002", "RM") == {"consumed": 10, "received": 10}


def test_what_came_of_an_older_lot_goes_into_a_younger_one() -> None:
    shop = regrinding()
    shop.make(10)
    shop.run("cut", 10)
    shop.make(10, request="WR-2")
    job = shop.job("cut", "WR-2").id

    shop.ok(m.LoadJobOrder(job_order=job, work_unit="cut-1"))
    shop.ok(m.BeginJobOrder(job_order=job))
    shop.ok(m.ConsumeMaterial(job_order=job, lot="L-000004", quantity=Decimal(1)))
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(10)))
    shop.fire_of(job, T.COMPLETE)

    assert ("L-000004", "L-000005", 1, EdgeKind.CONSUMED) in edges(shop)
    assert ("L-000002", "L-000005", 4, EdgeKind.CONSUMED) in edges(shop)


def test_what_is_finished_is_moved_and_shipped_until_nothing_is_left() -> None:
    shop = assembling()
    shop.report("pack", 10)
    shop.complete("pack")
    lot = "L-000002"

    shop.ok(m.MoveStock(lot=lot, to_location="DOCK-2", quantity=Decimal(4)))
    several = shop.refused(m.ShipLot(lot=lot, reason="DN-1"))
    shop.ok(m.ShipLot(lot=lot, reason="DN-1", place="FG"))
    too_many = shop.refused(m.ShipLot(lot=lot, quantity=Decimal(5), reason="DN-2"))
    shop.ok(m.ShipLot(lot=lot, reason="DN-2"))

    assert several.unmet == ("same_place: 4 stock at DOCK-2, 6 stock at FG",)
    assert too_many.unmet == ("quantity_there: 5 asked for, 4 there",)
    assert balance(shop, lot, "DOCK-2") == {"moved_in": 4, "shipped": 4}
    shipped = shop.state.lot.get(lot)
    assert shipped is not None
    assert shipped.existence is LotExistence.SHIPPED


def test_what_goes_back_to_the_supplier_is_returned() -> None:
    shop = Shop(a_routing("cut"))
    lot = shop.receive("7")

    shop.ok(m.ShipLot(lot=lot, reason="RMA-1", is_return=True))

    returned = shop.state.lot.get(lot)
    assert returned is not None
    assert returned.existence is LotExistence.RETURNED


def test_the_lots_of_a_cancelled_request_are_void() -> None:
    shop = Shop(a_routing(a_step("cut", job_per=JobPer.LOT)))
    shop.make(10, lot_size=Decimal(5))
    shop.ok(m.CancelWorkRequest(work_request="WR-1"))

    lots = list(shop.state.lot.values())
    assert [one.existence for one in lots] == [LotExistence.VOIDED] * 2


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (output("chips", "0"), "per_piece"),
        (output("chips", "1", unit="LB"), "unit"),
        (output("bracket", "1"), "material"),
    ],
)
def test_what_cannot_come_out_is_a_problem_of_the_routing(
    wrong: Output, path: str
) -> None:
    routing = a_routing(a_step("cut", produces=(wrong,)))

    assert [where for where, _ in routing_problems(routing)] == [
        f"steps.0.produces.0.{path}"
    ]


def test_what_is_held_is_neither_consumed_nor_shipped_but_may_go_back() -> None:
    shop = assembling()
    hold = m.OpenHold(scope=HoldScope.LOT, target=C_LOT, reason="wrong alloy")
    shop.ok(hold)

    consumed = shop.refused(consume(1))
    shipped = shop.refused(m.ShipLot(lot=C_LOT, reason="DN-1"))
    shop.ok(m.ShipLot(lot=C_LOT, reason="RMA-1", is_return=True))

    told = "lot_not_held: H-000001 on L-000001 by Maria: wrong alloy"
    assert consumed.unmet == shipped.unmet == (told,)
