"""Reversals: a mistake is taken back by what is linked to it, and nothing is edited."""

from decimal import Decimal

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.bookings import BookingKind as K
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.lots import LotExistence
from mes_engine.core.postings import PostingState
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.steps import Component
from tests.core.correcting import (
    acknowledge,
    bookings,
    refused,
    reverse,
    reversing,
    scrapped,
    signed,
    the_last,
)
from tests.core.plants import a_routing, a_step, beside, in_batches, steel
from tests.core.shop import Shop

P = PostingState


def test_a_report_at_work_is_taken_back_to_where_its_pieces_were() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut", in_process=4)
    shop.report("cut", 6)

    told = reverse(shop, the_last(shop, "cut"))

    assert shop.at_step("cut") == {"queued": 6, "in_process": 4, "started": 10}
    job = shop.job("cut")
    assert [job.good, job.state] == [0, S.RUNNING_PROCESSING]
    assert "follow_on" not in told
    moves = [one.move for one in shop.facts(f.QuantityMoved) if one.move.reverses]
    assert {move.reverses for move in moves} == {the_last(shop, "cut").seq}
    assert {move.reason for move in moves} == {"miscounted"}


def test_unscrap_is_a_reversal_and_work_goes_on_with_a_follow_on() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 8)
    shop.report("cut", scrap=scrapped(2))
    shop.complete("cut")
    acknowledge(shop)
    assert shop.job("cut").state is S.ENDED_CLOSED

    told = reverse(shop, the_last(shop, "cut"))

    first, second = shop.jobs("cut")
    assert told["follow_on"] == second.id
    assert [first.state, first.scrap, first.good] == [S.ENDED_CLOSED, 0, 8]
    assert [second.planned, second.follows] == [2, first.id]
    assert shop.at_step("cut") == {"queued": 2, "started": 10}
    assert signed(shop)[-2:] == [
        ("cut", "pending", -8, True),
        ("cut", "pending", 8, False),
    ]
    request = shop.state.work_request.get("WR-1")
    assert request is not None
    assert request.state is WorkRequestState.IN_PROGRESS

    shop.run("cut", 2)

    assert shop.stock() == 10
    assert signed(shop)[-1] == ("cut", "pending", 2, True)


def test_a_lot_that_was_all_scrap_is_active_again() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", scrap=scrapped(10))
    shop.complete("cut")
    (lot,) = shop.state.lot.values()
    assert lot.existence is LotExistence.SCRAPPED
    assert shop.job("mill").state is S.CANCELLED

    reverse(shop, the_last(shop, "cut"))

    (lot,) = shop.state.lot.values()
    assert lot.existence is LotExistence.ACTIVE
    shop.run("cut", 10)
    assert shop.at_step("mill") == {"queued": 10}
    assert len(shop.jobs("mill")) == 2
    shop.run("mill", 10)
    assert shop.stock() == 10


def test_pieces_that_went_on_come_back_if_nobody_has_taken_them() -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(20)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.report("cut", 5)
    assert shop.at_step("mill") == {"queued": 10}
    assert shop.job("mill").state is S.ALLOWED_READY

    reverse(shop, bookings(shop, shop.job("cut").id)[0])

    assert shop.at_step("mill") == {"queued": 5}
    assert shop.at_step("cut") == {"queued": 15, "started": 20}
    reverse(shop, the_last(shop, "cut"))
    assert shop.at_step("mill") == {}
    assert shop.job("mill").state is S.ALLOWED_WAITING
    shop.report("cut", 20)
    assert shop.at_step("mill") == {"queued": 20}


def test_a_reversal_after_the_successor_consumed_is_refused_and_names_it() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(100)
    shop.run("cut", 100)
    shop.begin("mill", in_process=30)
    shop.report("mill", 40)

    answer = refused(shop, the_last(shop, "cut"))

    mill = shop.job("mill").id
    assert mill in answer.message
    assert "40 of the 100 C62 of L-000001" in answer.message
    assert answer.unmet == (f"pieces_there: {mill} at mill has 40 reported",)

    reverse(shop, the_last(shop, "mill"))
    answer = refused(shop, the_last(shop, "cut"))
    assert answer.unmet == (f"pieces_there: {mill} at mill has 30 in_process",)


def test_finished_pieces_come_out_of_stock_unless_they_were_used() -> None:
    shop = Shop(
        a_routing("cut"),
        a_routing(a_step("pack", consumes=(steel("1"),)), id="Q", material="box"),
    )
    shop.make(10)
    shop.run("cut", 10)
    assert shop.stock() == 10

    told = reverse(shop, the_last(shop, "cut"))

    assert shop.stock() == 0
    assert shop.by_id(told["follow_on"]).planned == 10
    shop.run("cut", 10)
    assert shop.stock() == 10


def test_who_has_used_finished_pieces_is_named() -> None:
    bracket = steel("1")
    bracket = type(bracket)(material="bracket", per_piece=Decimal(1), unit="C62")
    shop = Shop(
        a_routing("cut"),
        a_routing(a_step("pack", consumes=(bracket,)), id="Q", material="box"),
    )
    shop.make(10)
    shop.run("cut", 10)
    shop.make(4, request="WR-2", routing="Q")
    user = shop.job("pack", "WR-2").id
    shop.ok(m.LoadJobOrder(job_order=user, work_unit="pack-1"))
    shop.ok(m.BeginJobOrder(job_order=user))
    shop.ok(m.ReportQuantity(job_order=user, good=Decimal(4)))
    shop.ok(m.StopJobOrder(job_order=user, remainder=m.Remainder.QUEUE, reason="x"))

    answer = refused(shop, the_last(shop, "cut"))

    assert f"{user} used 4 C62 of L-000001 for lot L-000002" in answer.message
    assert "lot L-000001 at FG is 4 consumed" in answer.message

    reverse(shop, the_last(shop, "pack", K.CONSUMPTION, job=user))
    assert shop.stock() == 10
    reverse(shop, the_last(shop, "cut"))


def test_consumption_is_put_back_with_its_edge_and_once() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("0.5"),))))
    shop.receive("5")
    shop.make(10)
    shop.run("cut", 10)
    assert shop.stock("steel") == 0
    (steel_lot,) = [one for one in shop.state.lot.values() if one.supplier]
    consumption = the_last(shop, "cut", K.CONSUMPTION)

    reverse(shop, consumption)

    assert shop.stock("steel") == 5
    first, back = (one.edge for one in shop.facts(f.LotConsumed))
    assert (back.source, back.quantity, back.reverses) == (steel_lot.id, 5, first.seq)
    answer = refused(shop, consumption)
    assert answer.unmet[0].startswith("not_reversed")


def test_a_report_of_an_ended_job_order_gives_its_components_back() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("0.5"),))))
    shop.receive("3")
    shop.receive("9")
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)
    shop.report("cut", 6)
    shop.complete("cut")
    assert shop.stock("steel") == 7

    reverse(shop, the_last(shop, "cut"))

    assert shop.stock("steel") == 10
    shop.run("cut", 6)
    assert shop.stock("steel") == 7


def test_a_completion_is_taken_back_with_everything_booked_on_it() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("0.5"),)), "mill"))
    shop.receive("9")
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)
    shop.report("cut", 3, scrap=scrapped(3))
    shop.complete("cut")
    acknowledge(shop)

    told = reverse(shop, the_last(shop, "cut", K.COMPLETION))

    job, follow_on = shop.jobs("cut")
    assert [job.worked, job.state] == [0, S.ENDED_CLOSED]
    assert told["follow_on"] == follow_on.id
    assert follow_on.planned == 10
    assert shop.stock("steel") == 9
    assert shop.at_step("mill") == {}
    assert [one[:3] for one in signed(shop)][:2] == [
        ("cut", "acknowledged", 7),
        ("cut", "pending", -7),
    ]
    answer = refused(shop, the_last(shop, "cut", K.COMPLETION, job=job.id))
    assert "reversed already" in answer.message
    shop.run("cut", 10)
    shop.run("mill", 10)
    assert [shop.stock(), shop.stock("steel")] == [10, 4]


@pytest.mark.parametrize(
    ("consumes", "entry"), [((), "started"), ((steel("1"),), "produced")]
)
def test_over_production_is_not_begun_any_more(
    consumes: tuple[Component, ...], entry: str
) -> None:
    cut = a_step("cut", consumes=consumes)
    shop = Shop(a_routing(cut, over_tolerance=Decimal("0.1")))
    shop.receive("20")
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 11)
    assert shop.at_step("cut") == {"out": 11, entry: 11}

    reverse(shop, the_last(shop, "cut"))

    assert shop.at_step("cut") == {"queued": 10, entry: 10}


def test_missing_pieces_are_found_by_reversing_what_missed_them() -> None:
    shop = Shop(a_routing("cut", under_tolerance=Decimal("0.1")))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 9)
    shop.ok(
        m.AssertTrigger(
            job_order=shop.job("cut").id, trigger=T.COMPLETE, reason="one is gone"
        )
    )
    assert shop.job("cut").lost == 1

    reverse(shop, the_last(shop, "cut"))

    first, second = shop.jobs("cut")
    assert [first.lost, first.good, second.planned] == [0, 9, 1]


def test_what_is_not_suspect_any_more_is_reversed_the_other_way_round() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", suspect=Decimal(3), reason="scratched")
    suspected = the_last(shop, "cut")
    shop.report("cut", scrap=scrapped(3), taken_from=m.ReportFrom.SUSPECT)

    answer = refused(shop, suspected)
    assert "3 C62 of L-000001 would have to be suspect" in answer.message

    reverse(shop, the_last(shop, "cut"))
    assert shop.at_step("cut") == {"queued": 7, "suspect": 3, "started": 10}
    reverse(shop, suspected)
    assert shop.at_step("cut") == {"queued": 10, "started": 10}


def test_scrap_of_a_stop_was_not_worked_and_gives_no_components_back() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    shop.receive("10")
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)
    shop.ok(
        m.StopJobOrder(
            job_order=shop.job("cut").id, remainder=m.Remainder.SCRAP, reason="bent"
        )
    )
    assert shop.stock("steel") == 6

    reverse(shop, the_last(shop, "cut"))

    assert shop.stock("steel") == 6
    assert shop.at_step("cut") == {"queued": 6, "produced": 10}


def test_a_step_without_pieces_gives_its_confirmations_back() -> None:
    shop = Shop(beside())
    shop.make(10)
    shop.run("cut", 10)
    shop.run("paint", 10)
    shop.run("drill", 10)
    assert shop.job("pack").state is S.ALLOWED_READY

    told = reverse(shop, the_last(shop, "paint"))

    assert shop.by_id(told["follow_on"]).planned == 10
    assert shop.job("pack").state is S.ALLOWED_WAITING
    shop.run("paint", 10)
    shop.run("pack", 10)
    assert shop.stock() == 10


def test_a_step_that_began_upon_a_token_keeps_it() -> None:
    shop = Shop(beside())
    shop.make(10)
    for step in ("cut", "paint", "drill"):
        shop.run(step, 10)
    shop.begin("pack")

    reverse(shop, the_last(shop, "paint"))

    shop.run("paint", 10)
    shop.report("pack", 10)
    shop.complete("pack")
    visit = shop.state.visit.get("WR-1/pack/1")
    assert visit is not None
    assert visit.tokens == ("paint",)


def test_a_reversal_is_not_reversed() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)
    reverse(shop, the_last(shop, "cut"))

    answer = refused(shop, the_last(shop, "cut", K.REVERSAL))

    assert "a reversal is not reversed" in answer.message
    assert answer.hint == "Report afresh what is so."


def test_a_booking_is_reversed_once() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)
    booking = the_last(shop, "cut")
    reverse(shop, booking)

    answer = refused(shop, booking)

    assert "has been reversed already, by Maria: miscounted" in answer.message


def test_the_books_of_a_closed_request_are_closed() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.run("cut", 10)
    acknowledge(shop)
    shop.ok(m.CloseWorkRequest(work_request="WR-1"))

    answer = refused(shop, the_last(shop, "cut"))

    assert answer.unmet == ("request_open: WR-1 is closed",)


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reversal_says_why(reason: str) -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 4)
    shop.malformed(reversing(shop, the_last(shop, "cut"), reason=reason))


def test_what_a_machine_counted_is_not_uncounted() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.begin("cut")
    shop.sense("cut-1.good", 0)
    shop.sense("cut-1.good", 4)

    reverse(shop, the_last(shop, "cut"))

    tally = shop.state.machine_tally.get(("cut-1", "good"))
    assert tally is not None
    assert [tally.counted, tally.booked, tally.unassigned] == [4, 0, 4]
    (unassigned,) = [one.production for one in shop.facts(f.ProductionUnassigned)]
    assert (unassigned.reason, unassigned.tag) == ("reversed", "cut-1.good")


def test_what_was_consumed_by_hand_and_given_back_is_needed_at_the_end() -> None:
    shop = Shop(a_routing(a_step("cut", consumes=(steel("1"),))))
    lot = shop.receive("20")
    shop.make(10)
    job = shop.begin("cut")
    shop.ok(m.ConsumeMaterial(job_order=job, lot=lot, quantity=Decimal(4)))
    by_hand = the_last(shop, "cut", K.CONSUMPTION)

    reverse(shop, by_hand)
    assert shop.stock("steel") == 20
    shop.report("cut", 10)
    shop.complete("cut")

    assert shop.stock("steel") == 10
