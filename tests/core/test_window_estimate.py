"""Dispatch opens no time window that cannot be kept, and says with which figures."""

from decimal import Decimal
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.routing import Routing
from mes_engine.core.time_windows import WindowPoint, WindowRule
from tests.core.plants import a_furnace, a_routing, a_step
from tests.core.shop import Shop

DISPATCH = m.DispatchWorkUnit(work_unit="cut-1")


def a_line(max_s: int, **changed: Any) -> Routing:
    """Cut 10 s a piece; clean (drill) 2 s a piece between; paint after 60 s of setup.

    The window runs from the end of cut to the begin of paint, unless changed.
    """
    rule = WindowRule(source="cut", target="paint", max_s=Decimal(max_s), **changed)
    return a_routing(
        a_step("cut", run_s=Decimal(10), setup_s=Decimal(5)),
        a_step("drill", run_s=Decimal(2)),
        a_step("paint", setup_s=Decimal(60), run_s=Decimal(30)),
        time_windows=(rule,),
    )


def decision(shop: Shop) -> DispatchDecision:
    found = shop.facts(f.DispatchDecided)[-1].decision
    assert isinstance(found, DispatchDecision)
    return found


def why(shop: Shop, at: int = 0) -> list[str]:
    return [str(one) for one in decision(shop).candidates[at].unmet]


def test_what_lies_between_the_steps_has_to_fit_into_the_window() -> None:
    """Ten pieces: 20 s to drill and 60 s to set up are 80 s."""
    tight, enough = Shop(a_line(79)), Shop(a_line(80))
    for shop in (tight, enough):
        shop.make(10)
        shop.ok(DISPATCH)

    assert why(tight) == [
        "time_window_open: to step paint it would have 79 s, needs about 80 s "
        "(0 s of work wait there)"
    ]
    assert tight.job("cut").state is S.ALLOWED_READY
    assert enough.job("cut").state is S.ALLOWED_LOADED


def test_a_person_may_load_what_is_not_dispatched() -> None:
    shop = Shop(a_line(79))
    shop.make(10)

    shop.load("cut")

    kept = decision(shop)
    assert kept.asked_for == kept.chosen == shop.job("cut").id
    assert why(shop)[0].startswith("time_window_open")


def test_points_at_begin_and_end_count_the_work_itself() -> None:
    """From begin to end: 100 s cut, 20 s drilled, 60 s set up, 300 s painted."""
    points = {"starts_at": WindowPoint.BEGUN, "ends_at": WindowPoint.ENDED}
    tight, enough = Shop(a_line(479, **points)), Shop(a_line(480, **points))
    for shop in (tight, enough):
        shop.make(10)
        shop.ok(DISPATCH)

    assert "needs about 480 s" in why(tight)[0]
    assert decision(enough).chosen is not None


def test_what_waits_at_the_end_of_the_window_is_worked_first() -> None:
    """The painter has 360 s of the first order to do; 105 s pass while this is cut."""
    shop = Shop(a_line(300))
    shop.make(10, request="WR-1")
    shop.run("cut", 10)
    shop.run("drill", 10)
    assert shop.job("paint").state is S.ALLOWED_READY
    shop.make(10, request="WR-2")

    shop.ok(DISPATCH)
    assert why(shop) == [
        "time_window_open: to step paint it would have 300 s, needs about 315 s "
        "(360 s of work wait there)"
    ]

    shop.run("paint", 10)
    shop.ok(DISPATCH)
    assert decision(shop).chosen == shop.job("cut", "WR-2").id


def test_what_waits_for_a_furnace_goes_with_it_and_not_before_it() -> None:
    shop = Shop(a_line(300), plant=a_furnace("paint", least=Decimal(2)))
    shop.make(10, request="WR-1")
    shop.run("cut", 10)
    shop.run("drill", 10)
    shop.make(10, request="WR-2")

    shop.ok(DISPATCH)

    assert decision(shop).chosen == shop.job("cut", "WR-2").id


def test_what_is_on_its_way_in_a_window_counts_as_waiting() -> None:
    shop = Shop(a_line(300))
    shop.make(10, request="WR-1")
    shop.run("cut", 10)
    assert shop.job("paint").state is S.ALLOWED_WAITING
    shop.make(10, request="WR-2")

    shop.ok(DISPATCH)

    assert "360 s of work wait there" in why(shop)[0]


def test_the_one_behind_that_opens_no_window_is_taken_instead() -> None:
    plain = a_routing("cut", id="PLAIN")
    shop = Shop(a_line(79), plain)
    shop.make(10, request="WR-1")
    shop.make(10, request="WR-2", routing="PLAIN")

    shop.ok(DISPATCH)

    assert decision(shop).chosen == shop.job("cut", "WR-2").id
    assert why(shop)[0].startswith("time_window_open")


def test_no_machine_in_service_at_the_end_is_a_reason() -> None:
    rule = WindowRule(source="cut", target="mill", max_s=Decimal(900))
    shop = Shop(a_routing("cut", "mill", time_windows=(rule,)))
    shop.make(10)
    for mill in ("mill-1", "mill-2"):
        shop.sense(f"{mill}.state", 9)

    shop.ok(DISPATCH)

    assert why(shop) == [
        "time_window_open: step mill has no mill in service at WC-MILL to end it at"
    ]
