"""The shop-floor stories of the domain, each with its exact quantities."""

from decimal import Decimal

from mes_engine.core import messages as m
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import HoldMode, HoldScope, Lane
from tests.core.plants import (
    a_routing,
    in_batches,
)
from tests.core.shop import Shop


def scrapped(quantity: int, reason: str = "burr") -> tuple[m.Scrapped, ...]:
    return (m.Scrapped(quantity=Decimal(quantity), reason=reason),)


def ended(shop: Shop, request: str = "WR-1") -> WorkRequestState:
    found = shop.state.work_request.get(request)
    assert found is not None
    return found.state


def test_a_partial_transfer_of_100_while_running() -> None:
    shop = Shop(in_batches("cut", "mill", of=25))
    shop.make(100)
    shop.begin("cut")

    shop.report("cut", 40)

    assert shop.at_step("cut") == {"queued": 60, "out": 15, "started": 100}
    assert shop.at_step("mill") == {"queued": 25}
    assert shop.job("cut").state is S.RUNNING_PROCESSING
    assert shop.job("mill").state is S.ALLOWED_READY


def test_the_rest_below_a_transfer_batch_moves_when_the_step_ends() -> None:
    shop = Shop(in_batches("cut", "mill", of=25))
    shop.make(100)
    shop.begin("cut")
    shop.report("cut", 90)
    assert shop.at_step("mill") == {"queued": 75}

    shop.report("cut", 10)
    shop.complete("cut")

    assert shop.at_step("mill") == {"queued": 100}
    assert shop.at_step("cut") == {"started": 100}


def test_over_production_started_105_and_found_2_is_out_107() -> None:
    shop = Shop(a_routing("cut", "mill", over_tolerance=Decimal("0.07")))
    shop.make(100)
    shop.run("cut", 105)
    assert shop.at_step("cut") == {"started": 105}

    shop.begin("mill")
    shop.refused(shop.a_report("mill", 107))
    shop.report("mill", 107, reason="two lay beside the machine")
    shop.complete("mill")

    assert shop.at_step("mill") == {"found": 2}
    assert shop.stock() == 107


def test_more_than_the_tolerance_is_refused() -> None:
    shop = Shop(a_routing("cut", over_tolerance=Decimal("0.05")))
    shop.make(100)
    shop.begin("cut")

    answer = shop.refused(shop.a_report("cut", 106))

    assert answer.unmet == (
        "quantity_accounted: 106 reported, 100 there, 5 more tolerated",
    )
    shop.report("cut", 105)


def test_an_abort_of_10_leaves_6_queued_and_4_suspect_and_then_4_scrap() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut", in_process=4)

    shop.ok(m.AbortJobOrder(job_order=job, reason="crash", signature="Ana"))

    assert shop.by_id(job).state is S.ABORTED
    assert shop.at_step("cut") == {"queued": 6, "suspect": 4, "started": 10}
    follow_on = shop.job("cut")
    assert follow_on.follows == job
    assert follow_on.planned == 10
    assert follow_on.state is S.NOT_ALLOWED_READY

    shop.fire("cut", T.RELEASE)
    shop.begin("cut")
    shop.report("cut", scrap=scrapped(4), taken_from=m.ReportFrom.SUSPECT)
    assert shop.at_step("cut") == {"queued": 6, "scrap": 4, "started": 10}
    shop.report("cut", 6)
    shop.complete("cut")
    assert shop.stock() == 6
    assert ended(shop) is WorkRequestState.COMPLETED


def test_an_abort_may_say_that_queued_pieces_were_at_work_after_all() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    abort = m.AbortJobOrder(job_order=job, reason="crash", in_process=Decimal(4))

    answer = shop.refused(abort)
    assert "signature" in answer.hint
    shop.ok(
        m.AbortJobOrder(
            job_order=job, reason="crash", in_process=Decimal(4), signature="Ana"
        )
    )

    assert shop.at_step("cut") == {"queued": 6, "suspect": 4, "started": 10}


def test_outside_work_on_10_is_3_in_process_and_6_out_and_1_lost() -> None:
    shop = Shop(a_routing("cut", "paint"))
    shop.make(10)
    shop.run("cut", 10)
    shop.begin("paint", in_process=10)

    shop.report("paint", 6, lost=Decimal(1), reason="not in the box")

    assert shop.at_step("paint") == {"in_process": 3, "out": 6, "lost": 1}


def test_a_destructive_test_leaves_98_of_100() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(100)
    shop.begin("cut")
    shop.report("cut", 98, tested=Decimal(2), reason="tensile test")
    assert shop.at_step("cut") == {"out": 98, "tested": 2, "started": 100}

    shop.complete("cut")

    assert shop.stock() == 98


def test_the_last_pieces_are_reported_after_a_pause() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    shop.report("cut", 7)
    shop.ok(m.PauseJobOrder(job_order=job, reason="end of shift"))

    shop.report("cut", 3)
    shop.refused(m.AssertTrigger(job_order=job, trigger=T.COMPLETE))
    shop.ok(m.ResumeJobOrder(job_order=job))
    shop.complete("cut")

    assert shop.stock() == 10
    assert shop.by_id(job).processing_us == 2_000_000 + 1_000_000


def test_a_job_moved_half_way_has_two_runs_and_one_quantity() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    job = shop.begin("mill", "mill-1")
    shop.report("mill", 4)
    shop.ok(m.PauseJobOrder(job_order=job, reason="spindle"))

    shop.ok(m.MoveJobOrder(job_order=job, work_unit="mill-2"))
    shop.ok(m.ResumeJobOrder(job_order=job))
    shop.report("mill", 6)
    shop.complete("mill")

    runs = list(shop.state.run.values())
    assert [run.work_unit for run in runs] == ["mill-1", "mill-2"]
    assert not any(run.is_open for run in runs)
    assert shop.by_id(job).good == 10
    assert shop.by_id(job).processing_us == sum(run.processing_us for run in runs)
    posted = [one.good for one in shop.state.posting.values()]
    assert posted == [4, 6]


def test_a_move_gives_the_old_machine_free_at_once() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    shop.make(5, request="WR-2")
    job = shop.begin("mill", "mill-1")
    shop.ok(m.PauseJobOrder(job_order=job, reason="spindle"))
    shop.ok(m.MoveJobOrder(job_order=job, work_unit="mill-2"))

    other = shop.job("mill", "WR-2")
    shop.ok(m.LoadJobOrder(job_order=other.id, work_unit="mill-1", lane=Lane.ACTIVE))


def test_an_operator_who_forgot_to_begin_loses_no_piece() -> None:
    """Counts before ``begin`` wait as unassigned production; a report covers them."""
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.load("cut")
    shop.sense("cut-1.good", 0)
    shop.sense("cut-1.good", 4)
    tally = shop.state.machine_tally.get(("cut-1", "good"))
    assert tally is not None
    assert [tally.counted, tally.booked, tally.unassigned] == [4, 0, 4]

    shop.begin("cut")
    shop.sense("cut-1.good", 10)
    assert shop.job("cut").good == 6
    shop.report("cut", 4)
    shop.complete("cut")

    assert shop.stock() == 10


def a_hold(
    shop: Shop,
    target: str = "WR-1",
    scope: HoldScope = HoldScope.WORK_REQUEST,
    mode: HoldMode = HoldMode.STOP_NOW,
) -> str:
    command = m.OpenHold(scope=scope, target=target, reason="crack", mode=mode)
    return shop.ok(command)["hold"]


def test_a_hold_in_mid_run_stops_the_clock_and_keeps_the_pieces() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut", in_process=5)
    shop.report("cut", 3)

    hold = a_hold(shop, job, HoldScope.JOB_ORDER)

    held = shop.by_id(job)
    assert held.state is S.INTERRUPTED_HELD
    assert held.processing_us == 2_000_000
    assert shop.at_step("cut") == {
        "queued": 5,
        "in_process": 2,
        "out": 3,
        "started": 10,
    }
    answer = shop.refused(m.ResumeJobOrder(job_order=job))
    assert answer.unmet == (f"no_hold: {hold} by Maria: crack",)

    shop.ok(m.ReleaseHold(hold=hold, resumes=True))
    assert shop.by_id(job).state is S.RUNNING_PROCESSING
    shop.report("cut", 7)
    shop.complete("cut")
    assert shop.stock() == 10


def test_two_holds_and_one_release_is_still_held() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    job = shop.begin("cut")
    first = a_hold(shop, job, HoldScope.JOB_ORDER)
    second = a_hold(shop)

    shop.ok(m.ReleaseHold(hold=first))
    assert shop.by_id(job).state is S.INTERRUPTED_HELD
    shop.refused(m.AssertTrigger(job_order=job, trigger=T.TO_SUSPENDED))

    shop.ok(m.ReleaseHold(hold=second))
    assert shop.by_id(job).state is S.INTERRUPTED_SUSPENDED


def test_the_next_job_is_staged_before_the_last_is_completed() -> None:
    shop = Shop(a_routing("cut"))
    shop.make(10)
    shop.make(5, request="WR-2")
    shop.begin("cut")
    following = shop.job("cut", "WR-2").id

    shop.ok(m.LoadJobOrder(job_order=following, work_unit="cut-1"))
    run = shop.state.run.get(shop.by_id(following).run or "")
    assert run is not None
    assert run.lane is Lane.STAGED
    answer = shop.refused(m.BeginJobOrder(job_order=following))
    assert answer.unmet[0].startswith("claim_held: it is staged, and cut-1 has JO-")

    shop.report("cut", 10)
    shop.complete("cut")
    shop.ok(m.BeginJobOrder(job_order=following))
    run = shop.state.run.get(run.id)
    assert run is not None
    assert run.lane is Lane.ACTIVE


def test_scrap_found_two_steps_later_is_booked_where_it_is_found() -> None:
    shop = Shop(a_routing("cut", "mill", "pack"))
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)
    shop.begin("pack")

    shop.report("pack", 8, scrap=scrapped(2, "cut too short"))
    shop.complete("pack")

    assert shop.at_step("pack") == {"scrap": 2}
    assert shop.stock() == 8
