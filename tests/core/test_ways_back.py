"""What was sent to rework or another way comes back: it was the wrong lot."""

from decimal import Decimal
from typing import Any

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.bookings import BookingKind as K
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.lots import LotExistence
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import HoldScope
from mes_engine.core.steps import JobPer
from tests.core.correcting import (
    bookings,
    refused,
    reverse,
    reversing,
    signed,
    the_last,
)
from tests.core.loops import (
    begin,
    held_at,
    is_sound,
    live,
    rework,
    wide,
    with_a_loop,
    work,
)
from tests.core.plants import a_routing, a_step, in_batches, steel
from tests.core.shop import Shop
from tests.core.test_posted_passes import yields


def at_drilling(in_process: int = 0, **changed: Any) -> Shop:
    """Ten are at drilling, which has begun."""
    shop = wide(with_a_loop(**changed))
    shop.make(10)
    for step in ("cut", "mill"):
        shop.run(step, 10)
    begin(shop, live(shop, "drill"), in_process)
    return shop


def a_deviation(shop: Shop, step: str, to_step: str, **changed: Any) -> m.DeviateLot:
    job = live(shop, step).id
    fields: dict[str, Any] = {"job_order": job, "to_step": to_step, "reason": "wrong"}
    return m.DeviateLot(**fields | changed)


def sent(shop: Shop, step: str, kind: K = K.REWORK) -> Any:
    """Return what was sent another way from a step last."""
    return the_last(shop, step, kind, job=shop.jobs(step)[0].id)


def test_three_that_were_sent_to_rework_by_mistake_are_of_their_lot_again() -> None:
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    child = shop.facts(f.ReworkSent)[0].lot
    assert held_at(shop, "WR-1/mill/2") == {"queued": 3}

    told = reverse(shop, sent(shop, "drill"))

    assert "follow_on" not in told
    assert held_at(shop, "WR-1/drill/1") == {"queued": 10}
    assert held_at(shop, "WR-1/mill/2") == {}
    lot = shop.state.lot.get(child)
    assert lot is not None
    assert lot.existence is LotExistence.VOIDED
    assert live(shop, "drill").reworked == 0
    passed = [one for one in shop.state.visit.values() if one.rework]
    jobs = [shop.state.job_order.find("visit", one.id) for one in passed]
    assert {job.state for found in jobs for job in found} == {S.CANCELLED}
    assert is_sound(shop)
    again = refused(shop, sent(shop, "drill"))
    assert again.unmet[0].startswith("not_reversed")

    rework(shop, live(shop, "drill"), 2, "to-mill")  # Its limit is one pass.
    work(shop, live(shop, "drill"), 8)
    work(shop, live(shop, "mill", 2), 2)
    work(shop, live(shop, "drill", 2), 2)
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_a_whole_lot_comes_back_to_a_job_order_that_follows() -> None:
    shop = at_drilling(in_process=4)
    drill = live(shop, "drill")
    rework(shop, drill, 10, "to-mill")
    shop.complete("drill")
    assert shop.by_id(drill.id).is_over

    told = reverse(shop, sent(shop, "drill"))

    assert shop.by_id(told["follow_on"]).planned == 10
    assert held_at(shop, "WR-1/drill/1") == {"queued": 10}
    work(shop, shop.by_id(told["follow_on"]), 10)
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.COMPLETED
    assert is_sound(shop)


@pytest.mark.parametrize("taken_from", [m.ReworkFrom.OUT, m.ReworkFrom.SUSPECT])
def test_they_come_back_to_where_they_were_taken_from(
    taken_from: m.ReworkFrom,
) -> None:
    shop = at_drilling()
    shop.report("drill", 4, suspect=Decimal(3), reason="scratch")

    rework(shop, live(shop, "drill"), 2, "to-mill", taken_from=taken_from)
    reverse(shop, sent(shop, "drill"))

    assert held_at(shop, "WR-1/drill/1") == {"queued": 3, "suspect": 3, "out": 4}
    assert is_sound(shop)


def test_what_was_out_moves_on_once_its_job_order_is_over() -> None:
    shop = at_drilling()
    shop.report("drill", 10)
    rework(shop, live(shop, "drill"), 2, "to-mill", taken_from=m.ReworkFrom.OUT)
    shop.complete("drill")

    reverse(shop, sent(shop, "drill"))

    assert held_at(shop, "WR-1/pack/1") == {"queued": 10}
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_components_of_pieces_that_were_worked_and_sent_back_are_given_back() -> None:
    loop = with_a_loop().rework
    shop = wide(
        a_routing(
            "cut",
            "mill",
            a_step("drill", consumes=(steel("1"),)),
            "pack",
            rework=loop,
        )
    )
    shop.receive("30")
    shop.make(10)
    for step in ("cut", "mill"):
        shop.run(step, 10)
    begin(shop, live(shop, "drill"))
    rework(shop, live(shop, "drill"), 3, "to-mill")
    work(shop, live(shop, "drill"), 7)
    assert shop.stock("steel") == 20

    told = reverse(shop, sent(shop, "drill"))

    assert shop.stock("steel") == 23
    work(shop, shop.by_id(told["follow_on"]), 3)
    work(shop, live(shop, "pack"), 10)
    assert [shop.stock("steel"), shop.stock()] == [20, 10]


def test_work_on_the_way_is_named() -> None:
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    mill = live(shop, "mill", 2)
    shop.ok(m.LoadJobOrder(job_order=mill.id, work_unit="mill-1"))

    answer = refused(shop, sent(shop, "drill"))
    told = f"untouched: {mill.id} at mill is 'allowed_to_start.loaded' with them"
    assert answer.unmet == (told,)

    begin(shop, mill)
    shop.ok(m.ReportQuantity(job_order=mill.id, good=Decimal(1)))
    answer = refused(shop, sent(shop, "drill"))
    lot = shop.facts(f.ReworkSent)[0].lot
    assert f"untouched: 2 of 3 of {lot} wait at mill" in answer.unmet
    malformed = reversing(shop, sent(shop, "drill"), quantity=Decimal(1))
    shop.malformed(malformed)


def test_a_split_on_the_way_is_named() -> None:
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    lot = shop.facts(f.ReworkSent)[0].lot
    split = m.SplitLot(lot=lot, quantities=(Decimal(1),), reason="crates")
    apart = shop.ok(split)["lots"]

    answer = refused(shop, sent(shop, "drill"))

    assert f"untouched: 1 C62 of {lot} went into {apart}" in answer.unmet


def test_a_hold_of_the_way_goes_with_the_pieces() -> None:
    shop = at_drilling()
    rework(shop, live(shop, "drill"), 3, "to-mill")
    lot = shop.facts(f.ReworkSent)[0].lot
    shop.ok(m.OpenHold(scope=HoldScope.LOT, target=lot, reason="crack"))

    reverse(shop, sent(shop, "drill"))

    (hold,) = [one for one in shop.state.hold.values() if one.is_open]
    assert hold.target == "L-000001"


def test_lots_that_are_worked_one_by_one_come_back_to_their_own_job_order() -> None:
    steps = [a_step(one, job_per=JobPer.LOT) for one in ("cut", "mill", "drill")]
    shop = wide(a_routing(*steps, rework=with_a_loop().rework))
    shop.make(6, lot_size=Decimal(3))
    for step in ("cut", "mill"):
        for job in shop.jobs(step):
            work(shop, job, 3)
    first, second = shop.jobs("drill")
    begin(shop, first)
    rework(shop, first, 3, "to-mill")
    shop.fire_of(first.id, T.COMPLETE)

    told = reverse(shop, the_last(shop, "drill", K.REWORK, job=first.id))

    assert shop.by_id(told["follow_on"]).lot == first.lot
    work(shop, shop.by_id(told["follow_on"]), 3)
    work(shop, second, 3)
    assert shop.stock() == 6
    assert is_sound(shop)


def test_the_wrong_lot_deviated_comes_back_and_goes_the_usual_way() -> None:
    shop = wide(a_routing("cut", "mill", "drill", "pack"))
    shop.make(10)
    work(shop, live(shop, "cut"), 10)
    mill = live(shop, "mill")
    shop.ok(a_deviation(shop, "mill", "pack"))
    assert shop.by_id(mill.id).state is S.CANCELLED

    told = reverse(shop, sent(shop, "mill", K.DEVIATION))

    assert shop.by_id(mill.id).deviated == 0
    assert held_at(shop, "WR-1/mill/1") == {"queued": 10}
    work(shop, shop.by_id(told["follow_on"]), 10)
    work(shop, live(shop, "drill"), 10)
    work(shop, live(shop, "pack"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)


def test_a_part_deviated_back_closes_the_step_again_once_it_is_taken_back() -> None:
    """Cut is over; four go back to it, and do not."""
    shop = wide(a_routing("cut", "mill", "pack"))
    shop.make(10)
    work(shop, live(shop, "cut"), 10)
    assert signed(shop)[-1] == ("cut", "pending", 10, True)
    shop.ok(a_deviation(shop, "mill", "cut", quantity=Decimal(4)))
    cut = live(shop, "cut")
    visit = shop.state.visit.get("WR-1/cut/1")
    assert visit is not None
    assert visit.repeats == 4

    reverse(shop, sent(shop, "mill", K.DEVIATION))

    assert shop.by_id(cut.id).state is S.CANCELLED
    visit = shop.state.visit.get("WR-1/cut/1")
    assert visit is not None
    assert [visit.is_done, visit.repeats] == [True, 0]
    assert signed(shop)[-1] == ("cut", "pending", 0, True)
    work(shop, live(shop, "mill"), 10)
    work(shop, live(shop, "pack"), 10)
    assert yields(shop) == {"cut": (10, 10), "mill": (10, 10), "pack": (10, 10)}
    assert is_sound(shop)


def test_a_deviation_back_to_confirmed_steps_yields_once() -> None:
    """Four of ten come to cut and mill again; two of them had been drilled well."""
    shop = wide(a_routing("cut", "mill", "drill", "pack"))
    shop.make(10)
    work(shop, live(shop, "cut"), 10)
    work(shop, live(shop, "mill"), 10)
    begin(shop, live(shop, "drill"))
    shop.report("drill", 5)
    back = a_deviation(
        shop, "drill", "cut", quantity=Decimal(2), taken_from=m.ReworkFrom.OUT
    )
    shop.ok(back)
    shop.ok(a_deviation(shop, "drill", "cut", quantity=Decimal(2)))

    work(shop, live(shop, "cut"), 4)
    work(shop, live(shop, "mill"), 4)
    work(shop, live(shop, "drill"), 7)
    work(shop, live(shop, "pack"), 10)

    assert shop.stock() == 10
    assert yields(shop) == {
        "cut": (14, 10),
        "mill": (14, 10),
        "drill": (12, 10),
        "pack": (10, 10),
    }
    assert is_sound(shop)


def test_a_deviation_forward_repeats_nothing() -> None:
    shop = wide(a_routing("cut", "mill", "drill", "pack"))
    shop.make(10)
    work(shop, live(shop, "cut"), 10)
    shop.ok(a_deviation(shop, "mill", "drill", quantity=Decimal(4)))
    assert all(not one.repeats for one in shop.state.visit.values())


def test_what_was_told_as_repeated_is_told_anew_once_it_does_not_come_again() -> None:
    """Two wait at cut again while four new ones are cut: two of these told as old."""
    shop = wide(in_batches("cut", "mill", of=1))
    shop.make(10)
    begin(shop, live(shop, "cut"))
    shop.report("cut", 6)
    shop.ok(a_deviation(shop, "mill", "cut", quantity=Decimal(2)))
    shop.report("cut", 4)
    booked = bookings(shop, live(shop, "cut").id)
    assert len(booked) == 2
    job = live(shop, "cut").id
    shop.ok(m.PauseJobOrder(job_order=job, reason="x"))
    stop = m.StopJobOrder(job_order=job, remainder=m.Remainder.FOLLOW_ON, reason="x")
    shop.ok(stop)
    assert yields(shop)["cut"] == (10, 8)

    reverse(shop, sent(shop, "mill", K.DEVIATION))

    assert yields(shop)["cut"] == (10, 10)
    work(shop, live(shop, "mill"), 10)
    assert shop.stock() == 10
    assert is_sound(shop)
