"""Adjustments: pieces that never were are taken out where the quantity now is."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.bookings import AdjustAt, Booking
from mes_engine.core.bookings import BookingKind as K
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.lots import LotExistence
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.steps import Component
from mes_engine.core.time_windows import WindowRule
from tests.core import correcting
from tests.core.correcting import acknowledge, bookings, scrapped, signed, the_last
from tests.core.plants import (
    a_routing,
    a_step,
    in_batches,
    split_by_shares,
    steel,
)
from tests.core.shop import SECOND, Shop


def adjust(
    shop: Shop, step: str, quantity: int | None = None, *, job: str = ""
) -> dict[str, str]:
    """Take pieces of a step's last report out where they are now."""
    return shop.ok(adjusting(shop, the_last(shop, step, job=job), quantity))


def adjusting(
    shop: Shop,
    booking: Booking,
    quantity: int | None = None,
    *,
    into_open_period: bool = False,
) -> m.ReverseBooking:
    """Return the command that does it, with what the door would read."""
    return correcting.reversing(
        shop,
        booking,
        where=AdjustAt.WHERE_IT_IS,
        quantity=None if quantity is None else Decimal(quantity),
        into_open_period=into_open_period,
    )


def goods(shop: Shop, *steps: str) -> list[int]:
    """Return the good pieces of each step, over all of its job orders."""
    return [int(sum(one.good for one in shop.jobs(step))) for step in steps]


def net(shop: Shop) -> dict[str, int]:
    """Return what the ledger would have of each step, in the end."""
    found: dict[str, int] = {}
    for step, _, good, _ in signed(shop):
        found[step] = found.get(step, 0) + good
    return found


def test_two_of_ten_never_were_though_the_successor_reported_ten() -> None:
    """Ten reported at cut, eight there; mill has reported ten and not moved them on."""
    shop = Shop(a_routing("cut", "mill", "paint"))
    shop.make(10)
    shop.run("cut", 10)
    acknowledge(shop)
    shop.begin("mill")
    shop.report("mill", 10)

    told = adjust(shop, "cut", 2)

    assert goods(shop, "cut", "mill") == [8, 8]
    assert shop.at_step("mill") == {"out": 8}
    first, second = shop.jobs("cut")
    assert told["follow_on"] == second.id
    assert [first.state, second.planned] == [S.ENDED_CLOSED, 2]
    assert shop.at_step("cut") == {"queued": 2, "started": 10}
    (mistake, _), at_mill = bookings(shop, first.id)[:2], shop.job("mill").id
    found = [one.reversal for one in shop.facts(f.BookingReversed)]
    assert [(one.job_order, one.good, one.adjusts) for one in found] == [
        (at_mill, 2, mistake.seq),
        (first.id, 2, None),
    ]
    shop.run("cut", 2)
    shop.report("mill", 2)
    shop.complete("mill")
    shop.run("paint", 10)
    assert shop.stock() == 10
    assert net(shop) == {"cut": 10, "mill": 10, "paint": 10}


def test_finished_pieces_are_taken_out_of_stock_and_every_step_says_so() -> None:
    """Through three steps into stock: each operation's yield is eight."""
    shop = Shop(a_routing("cut", "mill", "drill"))
    shop.make(10)
    for step in ("cut", "mill", "drill"):
        shop.run(step, 10)
    acknowledge(shop)

    adjust(shop, "cut", 2, job=shop.jobs("cut")[0].id)

    assert shop.stock() == 8
    assert goods(shop, "cut", "mill", "drill") == [8, 8, 8]
    assert net(shop) == {"cut": 8, "mill": 8, "drill": 8}
    undone = {one.reverses for one in correcting.postings(shop)}
    assert not any(
        one.is_final
        for one in correcting.postings(shop)
        if one.reverses is None and one.key not in undone
    )
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.IN_PROGRESS
    for step in ("cut", "mill", "drill"):
        shop.run(step, 2)
    assert shop.stock() == 10
    assert net(shop) == {"cut": 10, "mill": 10, "drill": 10}
    assert [one[0] for one in signed(shop) if one[3]][-3:] == ["cut", "mill", "drill"]


def test_what_was_worked_on_least_goes_first() -> None:
    """Of ten at mill, three wait, two are at work, four are out and one is scrap."""
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("mill")
    shop.report("mill", 4)
    shop.report("mill", scrap=scrapped(1))
    mill = shop.job("mill").id
    shop.ok(m.PauseJobOrder(job_order=mill, reason="x"))
    shop.ok(m.ResumeJobOrder(job_order=mill))
    cut = shop.jobs("cut")[0].id

    adjust(shop, "cut", 4, job=cut)
    assert shop.at_step("mill") == {"queued": 1, "out": 4, "scrap": 1}
    adjust(shop, "cut", 3, job=cut)
    assert shop.at_step("mill") == {"out": 2, "scrap": 1}
    assert [shop.job("mill").good, shop.job("mill").scrap] == [2, 1]

    answer = shop.refused(adjusting(shop, the_last(shop, "cut", job=cut), 3))
    assert "lot L-000001 at mill has 1 scrap" in answer.unmet[0]
    assert answer.hint == "Reverse first what was done with them there."
    adjust(shop, "cut", 2, job=cut)
    assert goods(shop, "cut", "mill") == [1, 0]


def test_pieces_at_work_leave_the_work() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("mill", in_process=6)

    adjust(shop, "cut", 5, job=shop.jobs("cut")[0].id)

    assert shop.at_step("mill") == {"in_process": 5}
    (back,) = [
        one.move
        for one in shop.facts(f.QuantityMoved)
        if one.move.bucket.value == "in_process" and one.move.reverses
    ]
    assert (back.quantity, back.to_bucket.value) == (1, "queued")


def test_what_was_at_work_when_it_was_reported_waits_again() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("mill", in_process=10)
    shop.report("mill", 10)

    adjust(shop, "cut", 2)

    assert shop.at_step("mill") == {"out": 8}
    assert shop.at_step("cut") == {"queued": 2, "started": 10}


def test_components_of_the_steps_that_they_passed_go_back() -> None:
    """Ten times half a kilogram at cut and one at mill: two pieces give three back."""
    shop = Shop(
        a_routing(
            a_step("cut", consumes=(steel("0.5"),)),
            a_step("mill", consumes=(steel("1"),)),
        )
    )
    shop.receive("20")
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)
    assert shop.stock("steel") == 5

    adjust(shop, "cut", 2, job=shop.jobs("cut")[0].id)

    assert shop.stock("steel") == 8
    kept = shop.state.reversal.values()
    given = {one.job_order: one for one in kept if one.kind is K.CONSUMPTION}
    cut, mill = (shop.jobs(step)[0].id for step in ("cut", "mill"))
    assert {name: int(one.quantity) for name, one in given.items()} == {cut: 1, mill: 2}
    shop.run("cut", 2)
    shop.run("mill", 2)
    assert [shop.stock("steel"), shop.stock()] == [5, 10]


def test_what_another_made_of_them_is_named_and_can_be_reversed_there() -> None:
    bracket = Component(material="bracket", per_piece=Decimal(1), unit="C62")
    shop = Shop(
        a_routing("cut", "mill"),
        a_routing(a_step("pack", consumes=(bracket,)), id="Q", material="box"),
    )
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)
    shop.make(9, request="WR-2", routing="Q")
    user = shop.job("pack", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=user, work_unit="pack-1"))
    shop.ok(m.BeginJobOrder(job_order=user))
    shop.ok(m.ReportQuantity(job_order=user, good=Decimal(9)))
    shop.ok(m.StopJobOrder(job_order=user, remainder=m.Remainder.FOLLOW_ON, reason="x"))
    (lot,) = shop.state.lot.find("request", "WR-1")
    cut = the_last(shop, "cut")

    answer = shop.refused(adjusting(shop, cut, 2))

    assert f"pieces_there: lot {lot.id} at FG is 9 consumed" in answer.unmet
    assert any(f"{user} used 9 C62 of {lot.id}" in one for one in answer.unmet)
    shop.ok(m.ShipLot(lot=lot.id, reason="DN-1"))
    answer = shop.refused(adjusting(shop, cut, 1))
    assert f"pieces_there: lot {lot.id} at FG is 9 consumed, 1 shipped" in answer.unmet
    correcting.reverse(shop, the_last(shop, "pack", K.CONSUMPTION, job=user))
    adjust(shop, "cut", 2)
    assert goods(shop, "cut", "mill") == [8, 8]


def test_over_production_that_never_was_leaves_every_step() -> None:
    """Twelve of ten were reported; the two never were, and nothing is left to do."""
    shop = Shop(a_routing("cut", "mill", over_tolerance=Decimal("0.2")))
    shop.make(10)
    shop.run("cut", 12)
    shop.run("mill", 12)
    acknowledge(shop)

    told = adjust(shop, "cut", 2)

    assert "follow_on" not in told
    assert shop.stock() == 10
    assert shop.at_step("cut") == {"started": 10}
    assert goods(shop, "cut", "mill") == [10, 10]
    assert net(shop) == {"cut": 10, "mill": 10}
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.COMPLETED
    assert [one[3] for one in signed(shop) if one[0] == "mill"][-1]


def test_pieces_come_back_past_a_step_that_they_skipped() -> None:
    shop = Shop(a_routing("cut", a_step("mill", is_optional=True), "drill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.ok(m.SkipStep(job_order=shop.job("mill").id, reason="smooth"))
    shop.run("drill", 10)
    assert shop.stock() == 10

    adjust(shop, "cut", 3)

    assert shop.stock() == 7
    assert shop.at_step("mill") == {}
    shop.run("cut", 3)
    shop.run("drill", 3)
    assert shop.stock() == 10


def test_a_whole_report_that_never_was_goes_with_its_lot() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)

    adjust(shop, "cut")

    assert goods(shop, "cut", "mill") == [0, 0]
    (lot,) = shop.state.lot.values()
    assert lot.existence is LotExistence.ACTIVE
    assert [job.state for job in shop.jobs("mill")] == [S.ENDED_COMPLETED]
    shop.run("cut", 10)
    shop.run("mill", 10)
    assert shop.stock() == 10


def test_lots_of_a_report_are_kept_apart() -> None:
    """Two lots of five; the second report of cut has one of the first and four."""
    shop = Shop(in_batches("cut", "mill", of=1))
    shop.make(10, lot_size=Decimal(5))
    shop.begin("cut")
    shop.report("cut", 4)
    shop.report("cut", 6)
    shop.begin("mill")
    shop.report("mill", 10)
    first, second = bookings(shop, shop.job("cut").id)

    shop.ok(adjusting(shop, first, 3))

    def amounts() -> dict[str, int]:
        found = shop.state.position.find("place", shop.job("cut").visit)
        return {one.lot: int(one.queued) for one in found}

    assert amounts() == {"L-000001": 3, "L-000002": 0}
    shop.ok(adjusting(shop, second))
    assert amounts() == {"L-000001": 4, "L-000002": 5}
    assert goods(shop, "cut", "mill") == [1, 1]
    left = bookings(shop, shop.job("mill").id)[0]
    shop.ok(adjusting(shop, left))
    assert goods(shop, "mill") == [0]


def test_pieces_that_parted_come_back_by_both_ways() -> None:
    shop = Shop(split_by_shares())
    shop.make(10)
    shop.run("cut", 10)
    ways = [one.target for one in split_by_shares().leaving("cut")]
    for step in ways:
        there = shop.at_step(step)["queued"]
        shop.begin(step)
        shop.report(step, there - 2)

    adjust(shop, "cut", 5)
    assert goods(shop, "cut", *ways)[0] == 5
    assert sum(goods(shop, *ways)) == 5
    assert [shop.at_step(step).get("queued", 0) for step in ways] == [0, 0]
    adjust(shop, "cut", job=shop.jobs("cut")[0].id)
    assert goods(shop, "cut", *ways) == [0] * (1 + len(ways))


def test_what_moved_on_as_lots_of_their_own_comes_back_to_the_lot() -> None:
    window = WindowRule(source="cut", target="mill", max_s=Decimal(600))
    shop = Shop(in_batches("cut", "mill", "paint", of=3, time_windows=(window,)))
    shop.make(9)
    shop.begin("cut")
    shop.report("cut", 3)
    shop.report("cut", 3)
    shop.report("cut", 3)
    shop.complete("cut")
    shop.begin("mill")
    shop.report("mill", 9)
    first, second, _ = bookings(shop, shop.job("cut").id)[:3]

    shop.ok(adjusting(shop, first, 3))
    shop.ok(adjusting(shop, second, 3))

    assert goods(shop, "cut", "mill") == [3, 3]
    assert shop.at_step("cut") == {"queued": 6, "started": 9}
    voided = [
        one.id
        for one in shop.state.lot.values()
        if one.existence is LotExistence.VOIDED
    ]
    assert voided == ["L-000002"]


def test_a_later_booking_of_a_closed_period_is_not_touched_unasked() -> None:
    """What cut reported today is wrong; what mill made of it yesterday has to go."""
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.begin("mill")
    shop.report("mill", 5)
    shop.at += 24 * 3600 * SECOND
    shop.ok(m.ClosePeriod(last_day="2026-01-05", reason="month's end"))
    shop.report("cut", 5)
    shop.report("mill", scrap=scrapped(5))
    cut, mill = the_last(shop, "cut"), bookings(shop, shop.job("mill").id)[0]

    answer = shop.refused(adjusting(shop, cut, 2))
    assert f"Booking {mill.seq} cannot be corrected there" in answer.message
    assert answer.unmet[0].startswith("period_open")

    shop.ok(adjusting(shop, cut, 2, into_open_period=True))
    assert goods(shop, "cut", "mill") == [8, 3]


def test_what_a_machine_counted_further_on_stays_counted() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("mill")
    shop.sense("mill-1.good", 0)
    shop.sense("mill-1.good", 5)
    assert shop.job("mill").good == 10

    adjust(shop, "cut", 2)

    tally = shop.state.machine_tally.get(("mill-1", "good"))
    assert tally is not None
    assert [tally.counted, tally.booked, tally.unassigned] == [10, 8, 2]
