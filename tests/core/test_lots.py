"""Lots: zero is the end, and only when nothing more can come (law L3)."""

from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.lots import LotExistence
from mes_engine.core.steps import Component
from tests.core.plants import a_routing, a_step, flows, steel
from tests.core.shop import Shop

BRACKET = Component(material="bracket", per_piece=Decimal(1), unit="C62")
FRAME = a_routing(a_step("drill", consumes=(BRACKET,)), id="FRAME", material="frame")


def existence(shop: Shop, request: str = "WR-1") -> LotExistence:
    found = shop.state.work_request.get(request)
    lot = shop.state.lot.get(found.lot or "") if found else None
    assert lot is not None
    return lot.existence


def make_frames(shop: Shop, quantity: int, request: str = "WR-F") -> None:
    shop.make(quantity, request=request, routing="FRAME")
    job = shop.job("drill", request).id
    shop.ok(m.LoadJobOrder(job_order=job, work_unit="drill-1"))
    shop.ok(m.BeginJobOrder(job_order=job))
    shop.ok(m.ReportQuantity(job_order=job, good=Decimal(quantity)))
    shop.fire_of(job, JobOrderTrigger.COMPLETE)


def test_a_lot_of_which_everything_was_scrapped_is_ended() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    scrap = (m.Scrapped(quantity=Decimal(9), reason="crack"),)
    shop.report("cut", scrap=scrap, lost=Decimal(1), reason="in the sump")
    assert existence(shop) is LotExistence.ACTIVE

    shop.complete("cut")

    assert existence(shop) is LotExistence.SCRAPPED


def test_a_lot_that_went_into_another_is_ended() -> None:
    shop = Shop(a_routing("cut"), FRAME)
    shop.make(10)
    shop.run("cut", 10)
    make_frames(shop, 4)
    assert existence(shop) is LotExistence.ACTIVE
    assert shop.stock() == 6

    make_frames(shop, 6, "WR-G")

    assert existence(shop) is LotExistence.CONSUMED


def test_a_lot_is_not_ended_while_its_request_has_work_that_may_find_pieces() -> None:
    """Half was finished and consumed, half was lost, and then one was found again."""
    ways = a_routing(
        "cut",
        "mill",
        "pack",
        connections=(
            flows("cut", "mill", share=Decimal("0.5")),
            flows("cut", "pack", share=Decimal("0.5")),
        ),
        over_tolerance=Decimal("0.2"),
    )
    shop = Shop(ways, FRAME)
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 5)
    shop.begin("pack")
    shop.report("pack", lost=Decimal(5), reason="in the sump")

    make_frames(shop, 5)
    assert existence(shop) is LotExistence.ACTIVE
    shop.report("pack", 1, reason="under the machine")
    shop.complete("pack")
    assert existence(shop) is LotExistence.ACTIVE
    assert shop.stock() == 1


def test_a_received_lot_ends_with_its_last_piece() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    name = shop.receive("10")
    shop.make(10)
    shop.run("cut", 10)

    lot = shop.state.lot.get(name)
    assert lot is not None
    assert lot.existence is LotExistence.CONSUMED
