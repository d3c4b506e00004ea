"""Rework: pieces go back as a lot of their own, and come again through all steps."""

from decimal import Decimal

import msgspec
import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState, JobOrderTrigger
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.steps import JobPer
from tests.core.loops import (
    a_rework,
    again,
    begin,
    held_at,
    is_sound,
    live,
    rework,
    wide,
    with_a_loop,
    with_a_step_of_its_own,
    work,
)
from tests.core.plants import a_routing, a_step
from tests.core.shop import Shop


def at_drilling(routing: Routing | None = None, quantity: int = 100) -> Shop:
    """All pieces are at drilling, which has begun."""
    shop = wide(routing or with_a_loop())
    shop.make(quantity)
    for step in ("cut", "mill"):
        shop.run(step, quantity)
    begin(shop, live(shop, "drill"))
    return shop


def state_of(shop: Shop) -> WorkRequestState:
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    return request.state


def test_three_go_back_while_the_rest_moves_on_and_one_is_scrapped() -> None:
    """Finished 99, scrap 1; the lot that went back is a child of the first."""
    shop = at_drilling()
    told = rework(shop, live(shop, "drill"), 3, "to-mill")
    assert held_at(shop, "WR-1/drill/1") == {"queued": 97}
    assert held_at(shop, "WR-1/mill/2") == {"queued": 3}

    drilled = work(shop, live(shop, "drill"), 97)
    assert [drilled.good, drilled.reworked] == [97, 3]
    pack = begin(shop, live(shop, "pack"))
    shop.ok(m.ReportQuantity(job_order=pack.id, good=Decimal(97)))
    answer = shop.refused(
        m.AssertTrigger(job_order=pack.id, trigger=JobOrderTrigger.COMPLETE)
    )
    assert "pieces may still come from step" in answer.unmet[0]

    work(shop, live(shop, "mill", 2), 2, scrap=1)
    assert live(shop, "drill", 2).planned == 3
    work(shop, live(shop, "drill", 2), 2)
    assert state_of(shop) is WorkRequestState.IN_PROGRESS
    work(shop, pack, 2)

    assert shop.stock() == 99
    child = shop.state.lot.get(told["lot"])
    assert child is not None
    assert child.parent == "L-000001"
    positions = shop.state.position.find("request", "WR-1")
    assert sum(one.scrap for one in positions) == 1
    assert state_of(shop) is WorkRequestState.COMPLETED
    assert is_sound(shop)


def test_what_went_back_comes_home_while_the_rest_is_still_at_work() -> None:
    """Nobody has to wait for what might be sent back too."""
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    work(shop, live(shop, "mill", 2), 3)
    again_drilled = work(shop, live(shop, "drill", 2), 3)
    assert again_drilled.state is JobOrderState.ENDED_COMPLETED
    assert held_at(shop, "WR-1/pack/1") == {"queued": 3}

    rework(shop, live(shop, "drill"), 2, "to-mill")
    followed = live(shop, "mill", 2)
    assert followed.follows is not None
    work(shop, followed, 2)
    work(shop, live(shop, "drill", 2), 2)
    work(shop, live(shop, "drill"), 95)
    work(shop, live(shop, "pack"), 100)

    assert shop.stock() == 100
    assert state_of(shop) is WorkRequestState.COMPLETED
    assert is_sound(shop)


def test_a_whole_lot_keeps_its_name() -> None:
    shop = at_drilling(quantity=5)
    drill = live(shop, "drill")
    told = rework(shop, drill, 5, "to-mill")

    assert told["lot"] == "L-000001"
    assert shop.facts(f.LotSplit) == []
    shop.fire_of(drill.id, JobOrderTrigger.COMPLETE)
    assert shop.by_id(drill.id).reworked == 5
    work(shop, live(shop, "mill", 2), 5)
    work(shop, live(shop, "drill", 2), 5)
    work(shop, live(shop, "pack"), 5)
    assert shop.stock() == 5
    assert is_sound(shop)


def test_beyond_its_limit_a_loop_is_refused() -> None:
    shop = at_drilling(with_a_loop(limit=2), quantity=5)
    for number in (1, 2):
        rework(shop, live(shop, "drill", number), 1, "to-mill")
        work(shop, live(shop, "mill", number + 1), 1)
        begin(shop, live(shop, "drill", number + 1))

    answer = shop.refused(a_rework(live(shop, "drill", 3), 1, "to-mill"))

    assert "been through rework loop 'to-mill' 2 times" in answer.message
    assert answer.unmet == ("rework_limit: limit 2 of loop to-mill, taken 2 times",)
    assert is_sound(shop)


def test_loops_within_loops_end_with_the_one_around_them() -> None:
    """From drilling back to cutting; there, from milling back to cutting as well."""
    loops = (
        again("mill", "cut", id="inner", limit=1),
        again("drill", "cut", id="outer", limit=2),
    )
    shop = at_drilling(with_a_loop(rework=loops), quantity=10)
    rework(shop, live(shop, "drill"), 4, "outer")
    work(shop, live(shop, "cut", 2), 4)
    mill = begin(shop, live(shop, "mill", 2))
    rework(shop, mill, 1, "inner")

    inner = shop.state.visit.get("WR-1/cut/3")
    assert inner is not None
    assert [(one.loop, one.pass_number) for one in inner.rework] == [
        ("outer", 2),
        ("inner", 2),
    ]
    work(shop, mill, 3)
    work(shop, live(shop, "cut", 3), 1)
    begin(shop, live(shop, "mill", 3))
    shop.refused(a_rework(live(shop, "mill", 3), 1, "inner"))
    work(shop, live(shop, "mill", 3), 1)
    back = begin(shop, live(shop, "drill", 2))
    rework(shop, back, 1, "outer")
    work(shop, live(shop, "cut", 4), 1)
    begin(shop, live(shop, "mill", 4))  # A new pass around it: a new limit.
    rework(shop, live(shop, "mill", 4), 1, "inner")
    shop.fire_of(live(shop, "mill", 4).id, JobOrderTrigger.COMPLETE)
    work(shop, live(shop, "cut", 5), 1)
    work(shop, live(shop, "mill", 5), 1)
    work(shop, live(shop, "drill", 3), 1)
    work(shop, back, 3)
    work(shop, live(shop, "drill"), 6)
    work(shop, live(shop, "pack"), 10)

    assert shop.stock() == 10
    assert state_of(shop) is WorkRequestState.COMPLETED
    assert is_sound(shop)


def test_a_step_for_rework_only_is_no_entry() -> None:
    shop = wide(with_a_step_of_its_own())
    shop.make(10)
    assert [job.step for job in shop.state.job_order.values()] == ["cut"]
    shop.run("cut", 10)
    drill = begin(shop, live(shop, "drill"))
    rework(shop, drill, 2, "to-mill")
    work(shop, drill, 8)
    work(shop, live(shop, "mill", 2), 2)
    work(shop, live(shop, "drill", 2), 2)
    work(shop, live(shop, "pack"), 10)

    assert shop.stock() == 10
    assert is_sound(shop)


def test_scrapped_to_the_last_the_loop_is_empty_and_nobody_waits() -> None:
    shop = at_drilling(quantity=5)
    rework(shop, live(shop, "drill"), 2, "to-mill")
    work(shop, live(shop, "drill"), 3)
    work(shop, live(shop, "mill", 2), 0, scrap=2)

    (look_ahead,) = shop.state.job_order.find("visit", "WR-1/drill/2")
    assert look_ahead.state is JobOrderState.CANCELLED
    work(shop, live(shop, "pack"), 3)
    assert state_of(shop) is WorkRequestState.COMPLETED
    assert is_sound(shop)


def test_nothing_is_started_anew_where_rework_begins_at_the_first_step() -> None:
    routing = a_routing("cut", "mill", rework=(again("mill", "cut"),))
    shop = wide(routing)
    shop.make(10)
    shop.run("cut", 10)
    mill = begin(shop, live(shop, "mill"))
    rework(shop, mill, 4, "to-cut")
    back = begin(shop, live(shop, "cut", 2))

    rework(shop, mill, 1, "to-cut")

    assert live(shop, "cut", 2).planned == 5
    assert held_at(shop, "WR-1/cut/2") == {"queued": 5}
    work(shop, back, 5)
    work(shop, mill, 5)
    work(shop, live(shop, "mill", 2), 5)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_more_than_came_back_to_the_first_step_is_found_there_not_started() -> None:
    tenth = Decimal("0.1")
    loops = (again("mill", "cut"),)
    shop = wide(a_routing("cut", "mill", rework=loops, over_tolerance=tenth))
    shop.make(10)
    shop.run("cut", 10)
    rework(shop, begin(shop, live(shop, "mill")), 4, "to-cut")
    back = begin(shop, live(shop, "cut", 2))
    report = m.ReportQuantity(job_order=back.id, good=Decimal(5))

    assert "Give a 'reason'" in shop.refused(report).hint
    shop.ok(msgspec.structs.replace(report, reason="under the bench"))

    (position,) = shop.state.position.find("place", "WR-1/cut/2")
    assert [position.found, position.started] == [1, 0]
    assert is_sound(shop)


@pytest.mark.parametrize(
    ("taken_from", "reworked", "good"),
    [("suspect", 2, 4), ("out", 0, 4), ("work", 2, 4)],
)
def test_pieces_are_taken_from_where_they_are(
    taken_from: str, reworked: int, good: int
) -> None:
    shop = at_drilling(quantity=10)
    drill = live(shop, "drill")
    shop.ok(
        m.ReportQuantity(
            job_order=drill.id, good=Decimal(4), suspect=Decimal(3), reason="scratch"
        )
    )
    rework(shop, drill, 2, "to-mill", taken_from=m.ReworkFrom(taken_from))

    drill = shop.by_id(drill.id)
    assert [drill.reworked, drill.good] == [reworked, good]
    assert held_at(shop, "WR-1/mill/2") == {"queued": 2}
    assert is_sound(shop)


def test_of_several_lots_one_can_be_named() -> None:
    shop = wide(with_a_loop())
    shop.make(10, lot_size=Decimal(4))
    for step in ("cut", "mill"):
        shop.run(step, 10)
    drill = begin(shop, live(shop, "drill"))

    named = rework(shop, drill, 2, "to-mill", lot="L-000002")
    across = rework(shop, drill, 6, "to-mill")

    child = shop.state.lot.get(named["lot"])
    assert child is not None
    assert child.parent == "L-000002"
    assert across["lot"] == "L-000001, L-000002"  # Both whole: they keep their names.
    answer = shop.refused(a_rework(drill, 3, "to-mill", lot="L-000003"))
    assert "3 asked for, 2 there" in answer.message
    assert is_sound(shop)


def test_lots_with_job_orders_of_their_own_go_back_one_by_one() -> None:
    steps = (a_step(one, job_per=JobPer.LOT) for one in ("cut", "mill", "drill"))
    shop = wide(a_routing(*steps, rework=(again("drill", "mill"),)))
    shop.make(8, lot_size=Decimal(4))
    for step in ("cut", "mill"):
        for job in shop.jobs(step):
            work(shop, job, 4)
    first, second = shop.jobs("drill")
    begin(shop, first)
    told = rework(shop, first, 1, "to-mill")

    back = live(shop, "mill", 2)
    assert back.lot == told["lot"]
    assert back.planned == 1
    work(shop, back, 1)
    work(shop, live(shop, "drill", 2), 1)
    work(shop, first, 3)
    work(shop, second, 4)
    assert shop.stock() == 8
    assert state_of(shop) is WorkRequestState.COMPLETED


def test_what_makes_no_sense_is_refused() -> None:
    shop = at_drilling(quantity=5)
    drill, mill = live(shop, "drill"), shop.job("mill")

    assert "3 there" not in shop.refused(a_rework(drill, 6, "to-mill")).message
    unknown = shop.refused(a_rework(drill, 1, "to-cut"))
    assert unknown.hint == "Loops from here: to-mill."
    assert "not allowed while" in shop.refused(a_rework(mill, 1, "to-mill")).message
    shop.malformed(a_rework(drill, 1, "to-mill", reason=" "))
    shop.malformed(a_rework(drill, 0, "to-mill"))
    shop.malformed(a_rework(drill, "0.5", "to-mill"))
