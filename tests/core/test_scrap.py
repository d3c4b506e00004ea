"""Scrap: booked where it is found, of which lot, and which step is at fault."""

from decimal import Decimal
from typing import Any

from mes_engine.core import messages as m
from tests.core.loops import begin, is_sound, live, wide, with_a_loop, work
from tests.core.plants import a_routing
from tests.core.shop import Shop


def scrapped(job: str, quantity: int, **changed: str) -> m.ReportQuantity:
    one = m.Scrapped(quantity=Decimal(quantity), reason="crack", **changed)
    return m.ReportQuantity(job_order=job, scrap=(one,))


def at_drilling(**changed: Any) -> Shop:
    shop = wide(a_routing("cut", "mill", "drill", "pack"))
    shop.make(10, **changed)
    for step in ("cut", "mill"):
        shop.run(step, 10)
    begin(shop, live(shop, "drill"))
    return shop


def test_scrap_found_two_steps_later_is_booked_there_and_names_the_fault() -> None:
    shop = at_drilling()
    shop.ok(scrapped(live(shop, "drill").id, 2, caused_by="cut"))

    drilled = shop.state.position.find("place", "WR-1/drill/1")
    cut = shop.state.position.find("place", "WR-1/cut/1")
    assert [one.scrap for one in drilled] == [2]
    assert [one.scrap for one in cut] == [0]
    (move,) = (one for one in shop.rows["move"].values() if one.to_bucket == "scrap")
    assert [move.caused_by, move.reason] == ["cut", "crack"]
    work(shop, live(shop, "drill"), 8)
    work(shop, live(shop, "pack"), 8)
    assert shop.stock() == 8
    assert is_sound(shop)


def test_a_step_that_the_pieces_have_not_seen_is_not_at_fault() -> None:
    shop = at_drilling()
    for fault in ("pack", "weld"):
        answer = shop.refused(scrapped(live(shop, "drill").id, 1, caused_by=fault))
        assert f"cannot be caused by '{fault}'" in answer.message
        assert answer.hint == "Steps before drill: cut, mill."


def test_a_report_can_name_its_lot() -> None:
    shop = at_drilling(lot_size=Decimal(5))
    job = live(shop, "drill").id
    report = m.ReportQuantity(job_order=job, good=Decimal(3), lot="L-000002")
    shop.ok(report)

    out = [one.out for one in shop.state.position.find("place", "WR-1/drill/1")]
    assert out == [0, 3]
    answer = shop.refused(report)
    assert "3 reported, 2 there" in answer.message
    assert is_sound(shop)


def test_within_a_loop_any_step_of_it_may_be_at_fault() -> None:
    shop = wide(with_a_loop())
    shop.make(5)
    for step in ("cut", "mill"):
        shop.run(step, 5)
    drill = begin(shop, live(shop, "drill"))
    shop.ok(
        m.SendToRework(
            job_order=drill.id, quantity=Decimal(2), loop="to-mill", reason="burr"
        )
    )
    mill = begin(shop, live(shop, "mill", 2))
    shop.ok(scrapped(mill.id, 1, caused_by="drill"))
    assert is_sound(shop)
