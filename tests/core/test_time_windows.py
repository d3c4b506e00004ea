"""Time windows: a lot is neither worked on too early nor, unseen, too late."""

from decimal import Decimal
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.conditions import ConditionName
from mes_engine.core.facts import fact_name
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.routing import Routing
from mes_engine.core.steps import JobPer
from mes_engine.core.time_windows import (
    TimeWindow,
    WindowPoint,
    WindowRule,
    WindowState,
    told_at,
)
from tests.core.correcting import reverse, the_last
from tests.core.plants import (
    a_routing,
    a_step,
    beside,
    flows,
    in_batches,
    one_of_two,
)
from tests.core.shop import SECOND, Shop

BEGUN, ENDED = WindowPoint.BEGUN, WindowPoint.ENDED
ARMED, WARNED, VOID = WindowState.ARMED, WindowState.WARNED, WindowState.VOID
SATISFIED, VIOLATED = WindowState.SATISFIED, WindowState.VIOLATED
WAIVED = WindowState.WAIVED


def window(source: str, target: str, **changed: Any) -> WindowRule:
    """A window between two steps; numbers are seconds."""
    seconds = {
        name: Decimal(value) for name, value in changed.items() if name.endswith("_s")
    }
    return WindowRule(source=source, target=target, **changed | seconds)


def a_line(*rules: WindowRule) -> Routing:
    return a_routing("cut", "mill", "pack", time_windows=rules)


def the(shop: Shop, index: int = 0) -> TimeWindow:
    """Return a window of the only request, the oldest first."""
    return shop.state.time_window.find("request", "WR-1")[index]


def cut(shop: Shop, quantity: int = 10) -> int:
    """Cut everything; return when its pieces left."""
    shop.make(quantity)
    shop.run("cut", quantity)
    return the(shop).armed_at


def tick(shop: Shop, at: int) -> None:
    """Let the clock say that it is ``at`` now."""
    shop.at = max(shop.at, at)
    shop.ok(m.CheckTimeWindows(), at=at, origin="clock")
    shop.at = max(shop.at, at)


def begin_at(shop: Shop, step: str, at: int) -> m.Answer:
    return shop.do(m.BeginJobOrder(job_order=shop.job(step).id), at=at)


def unmet(shop: Shop, step: str) -> dict[str, str]:
    return {one.name: one.why for one in shop.job(step).conditions if not one.is_met}


def told(shop: Shop) -> list[str]:
    """Return the names of all facts about time windows."""
    names = [fact_name(one.fact) for one in shop.journal]
    return [name for name in names if name.startswith("time_window")]


def test_a_lot_in_time_satisfies_its_window() -> None:
    shop = Shop(a_line(window("cut", "mill", min_s=0, max_s=3600)))
    at = cut(shop)
    assert (the(shop).state, the(shop).closes_at) == (ARMED, at + 3600 * SECOND)
    tick(shop, at)
    shop.load("mill")

    assert begin_at(shop, "mill", at + 3600 * SECOND).outcome is m.Outcome.ACCEPTED

    assert (the(shop).state, the(shop).settled_at) == (SATISFIED, at + 3600 * SECOND)
    tick(shop, at + 9999 * SECOND)
    assert the(shop).state is SATISFIED


def test_a_lot_that_cures_cannot_begin_and_gets_ready_when_the_time_is_over() -> None:
    shop = Shop(a_line(window("cut", "mill", min_s=1800)))
    at = cut(shop)
    opens_at = at + 1800 * SECOND
    assert shop.job("mill").state is S.ALLOWED_WAITING
    assert unmet(shop, "mill") == {
        "time_window_open": f"TW-000001 opens at {told_at(opens_at)}: "
        "at least 1800 s after step cut ended"
    }
    shop.refused(m.LoadJobOrder(job_order=shop.job("mill").id, work_unit="mill-1"))

    tick(shop, opens_at - 1)
    assert shop.job("mill").state is S.ALLOWED_WAITING
    tick(shop, opens_at)

    assert shop.job("mill").state is S.ALLOWED_READY
    shop.begin("mill")
    assert the(shop).state is SATISFIED


def test_a_window_that_is_over_blocks_until_someone_waives_it_with_a_reason() -> None:
    shop = Shop(a_line(window("cut", "mill", max_s=60, warn_s=40)))
    at = cut(shop)
    mill = shop.load("mill")
    tick(shop, at + 40 * SECOND)
    assert the(shop).state is WARNED
    assert unmet(shop, "mill") == {}
    tick(shop, at + 60 * SECOND)
    assert the(shop).state is WARNED, "at that very moment it is in time"

    tick(shop, at + 61 * SECOND)

    assert the(shop).state is VIOLATED
    assert the(shop).violated_at == at + 60 * SECOND
    assert shop.job("mill").state is S.ALLOWED_LOADED, "it keeps its place"
    refused = shop.refused(m.BeginJobOrder(job_order=mill))
    assert refused.unmet == (
        f"time_window_open: TW-000001 is over since {told_at(at + 60 * SECOND)}: "
        "at most 60 s after step cut ended",
    )
    assert "quality" in refused.hint

    shop.malformed(m.WaiveTimeWindow(window="TW-000001", reason=" "))
    shop.ok(m.WaiveTimeWindow(window="TW-000001", reason="dried"), person="Quinn")
    shop.ok(m.BeginJobOrder(job_order=mill))

    over = the(shop)
    assert (over.state, over.waived_by, over.reason) == (WAIVED, "Quinn", "dried")
    assert over.settled_at == shop.at
    shop.refused(m.WaiveTimeWindow(window="TW-000001", reason="again"))


def test_a_late_tick_tells_the_moment_at_which_it_was_over() -> None:
    """The engine was down over the warning and the end."""
    shop = Shop(a_line(window("cut", "mill", min_s=10, max_s=60, warn_s=40)))
    at = cut(shop)

    tick(shop, at + 86_400 * SECOND)

    assert told(shop) == [
        "time_window_armed",
        "time_window_opened",
        "time_window_warned",
        "time_window_violated",
    ]
    assert the(shop).opened_at == at + 10 * SECOND
    assert the(shop).violated_at == at + 60 * SECOND


def test_a_begin_is_held_against_its_own_time_and_not_the_clocks() -> None:
    """No tick came in between: the begin itself brings the window up to date."""
    shop = Shop(a_line(window("cut", "mill", min_s=0, max_s=60)))
    at = cut(shop)
    tick(shop, at)
    shop.load("mill")

    late = begin_at(shop, "mill", at + 61 * SECOND)
    assert late.outcome is m.Outcome.REFUSED
    assert the(shop).state is ARMED, "a refusal leaves nothing behind"

    assert begin_at(shop, "mill", at + 59 * SECOND).outcome is m.Outcome.ACCEPTED
    assert the(shop).state is SATISFIED


def test_a_part_that_moves_on_is_a_lot_of_its_own_with_a_time_of_its_own() -> None:
    routing = in_batches(
        "cut", "mill", of=5, time_windows=(window("cut", "mill", min_s=100, max_s=900),)
    )
    shop = Shop(routing)
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    first = shop.at
    shop.report("cut", 5)
    last = shop.at

    early, late = the(shop), the(shop, 1)
    assert (early.armed_at, early.closes_at) == (first, first + 900 * SECOND)
    assert (late.armed_at, late.opens_at) == (last, last + 100 * SECOND)
    [split] = [one.fact for one in shop.journal if isinstance(one.fact, f.LotSplit)]
    assert (split.edge.source, split.edge.target) == (late.lot, early.lot)
    assert split.edge.quantity == 5
    tick(shop, first + 100 * SECOND)
    assert shop.job("mill").state is S.ALLOWED_WAITING
    tick(shop, last + 100 * SECOND)
    assert shop.job("mill").state is S.ALLOWED_READY


def test_what_moved_on_as_a_part_comes_back_when_its_report_is_reversed() -> None:
    rule = window("cut", "mill", max_s=900)
    shop = Shop(in_batches("cut", "mill", of=5, time_windows=(rule,)))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    early = the(shop)
    reverse(shop, the_last(shop, "cut"))

    assert the(shop).state is VOID
    assert shop.at_step("cut") == {"started": 10, "queued": 10}
    split, back = shop.facts(f.LotSplit)
    assert (split.edge.target, split.edge.quantity) == (early.lot, 5)
    assert (back.edge.reverses, back.edge.quantity) == (split.edge.seq, 5)
    shop.report("cut", 10)
    assert shop.at_step("mill")["queued"] == 10


def test_what_moves_on_in_parts_between_the_two_ends_stays_in_its_window() -> None:
    connections = (
        flows("cut", "mill"),
        flows("mill", "pack", transfer_batch=Decimal(2)),
    )
    rule = window("cut", "pack", max_s=900)
    shop = Shop(
        a_routing("cut", "mill", "pack", connections=connections, time_windows=(rule,))
    )
    armed = cut(shop, 5)
    shop.begin("mill")
    shop.report("mill", 2)
    shop.begin("pack")

    early, late = the(shop, 1), the(shop)
    assert {early.armed_at, late.armed_at} == {armed}
    assert (early.state, late.state) == (SATISFIED, ARMED)
    tick(shop, armed + 901 * SECOND)
    assert the(shop).state is VIOLATED


def test_more_pieces_that_come_close_a_window_that_was_open() -> None:
    routing = in_batches(
        "cut", "mill", of=5, time_windows=(window("cut", "mill", min_s=100),)
    )
    shop = Shop(routing)
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    tick(shop, shop.at + 100 * SECOND)
    assert shop.job("mill").state is S.ALLOWED_READY

    shop.report("cut", 5)

    assert shop.job("mill").state is S.ALLOWED_WAITING


def test_pieces_that_join_work_under_way_are_in_time() -> None:
    routing = in_batches(
        "cut", "mill", of=5, time_windows=(window("cut", "mill", max_s=900),)
    )
    shop = Shop(routing)
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.begin("mill")
    shop.report("cut", 5)

    [only] = shop.state.time_window.find("request", "WR-1")
    assert only.state is SATISFIED


def test_pieces_that_join_before_they_have_cured_are_on_record() -> None:
    routing = in_batches(
        "cut", "mill", of=2, time_windows=(window("cut", "mill", min_s=900),)
    )
    shop = Shop(routing)
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 2)
    tick(shop, shop.at + 900 * SECOND)
    shop.begin("mill")
    for _ in range(3):
        shop.report("cut", 2)

    first, *joined = shop.state.time_window.find("request", "WR-1")
    assert first.state is SATISFIED
    assert len(joined) == 3
    for one in joined:
        assert (one.state, one.is_live) == (VIOLATED, False)
        assert one.violated_at == one.armed_at


def test_each_lot_has_a_window_of_its_own() -> None:
    """Two lots are cut one after the other; only the second has cured too little."""
    steps = (a_step("cut", job_per=JobPer.LOT), a_step("mill", job_per=JobPer.LOT))
    shop = Shop(a_routing(*steps, time_windows=(window("cut", "mill", min_s=100),)))
    shop.make(20, lot_size=Decimal(10))
    first, second = shop.jobs("cut")
    ready = []
    for job in (first, second):
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(10)))
        shop.fire_of(job.id, T.COMPLETE)
        ready.append(shop.at)

    tick(shop, ready[0] + 100 * SECOND)

    states = {job.lot: job.state for job in shop.jobs("mill")}
    assert states == {first.lot: S.ALLOWED_READY, second.lot: S.ALLOWED_WAITING}
    windows = shop.state.time_window.find("request", "WR-1")
    assert [one.lot for one in windows] == [first.lot, second.lot]


def test_a_window_of_a_lot_of_which_nothing_is_left_is_void_when_it_would_be_over() -> (
    None
):
    """Its pieces were scrapped on the way; those of the other lot go on."""
    rule = window("cut", "pack", max_s=600)
    shop = Shop(a_line(rule))
    shop.make(20, lot_size=Decimal(10))
    shop.run("cut", 20)
    at = the(shop).armed_at
    shop.begin("mill")
    scrap = (m.Scrapped(quantity=Decimal(10), reason="crack"),)
    shop.report("mill", scrap=scrap)
    tick(shop, at + 601 * SECOND)

    assert [the(shop, index).state for index in (0, 1)] == [VOID, VIOLATED]


def test_a_window_may_run_over_several_steps_and_from_begin_to_end() -> None:
    rule = window("cut", "pack", starts_at=BEGUN, ends_at=ENDED, min_s=60, max_s=3600)
    shop = Shop(a_line(rule))
    shop.make(10)
    shop.begin("cut")
    at = shop.at
    assert the(shop).armed_at == at
    shop.report("cut", 10)
    shop.complete("cut")
    shop.run("mill", 10)
    pack = shop.begin("pack")
    shop.report("pack", 10)
    complete = m.AssertTrigger(job_order=pack, trigger=T.COMPLETE)

    refused = shop.refused(complete, at=at + 59 * SECOND)
    assert "time_window_open" in refused.unmet[0]
    shop.ok(complete, at=at + 60 * SECOND)

    assert (the(shop).state, the(shop).settled_at) == (SATISFIED, at + 60 * SECOND)


def test_pieces_reported_in_setup_before_the_time_violate_the_window() -> None:
    """What was done is booked; that it was too early is kept."""
    shop = Shop(a_line(window("cut", "mill", min_s=1800)))
    at = cut(shop)
    tick(shop, at + 1800 * SECOND)
    shop.load("mill")
    shop.fire("mill", T.BEGIN_SETUP)

    shop.ok(shop.a_report("mill", 1), at=at + 1700 * SECOND)

    early = the(shop)
    assert (early.state, early.violated_at) == (VIOLATED, at + 1700 * SECOND)
    assert "before" in early.reason
    assert early.settled_at is not None
    shop.begin("mill")


def test_one_interrupted_in_setup_cannot_resume_past_its_window() -> None:
    shop = Shop(a_line(window("cut", "mill", max_s=60)))
    at = cut(shop)
    mill = shop.load("mill")
    shop.fire("mill", T.BEGIN_SETUP)
    shop.ok(m.PauseJobOrder(job_order=mill, reason="break"))

    refused = shop.refused(m.ResumeJobOrder(job_order=mill), at=at + 61 * SECOND)

    assert refused.unmet[0].startswith(ConditionName.TIME_WINDOW_OPEN)


def test_an_alternative_that_leads_elsewhere_voids_the_window() -> None:
    routing = one_of_two(time_windows=(window("cut", "mill", max_s=60),))
    shop = Shop(routing)
    shop.make(10)
    shop.begin("cut")
    shop.ok(m.ChooseAlternative(work_request="WR-1", step="cut", target="drill"))
    shop.report("cut", 10)
    shop.complete("cut")

    assert shop.state.time_window.find("request", "WR-1") == []


def test_a_choice_further_on_voids_what_was_armed_before_it() -> None:
    connections = (
        flows("paint", "cut"),
        *one_of_two().connections,
    )
    routing = a_routing(
        "paint",
        "cut",
        "mill",
        "drill",
        "pack",
        connections=connections,
        time_windows=(window("paint", "mill", max_s=60),),
    )
    shop = Shop(routing)
    shop.make(10)
    shop.run("paint", 10)
    shop.begin("cut")
    shop.ok(m.ChooseAlternative(work_request="WR-1", step="cut", target="drill"))
    shop.report("cut", 10)
    assert the(shop).state is ARMED
    shop.complete("cut")

    assert (the(shop).state, the(shop).reason) == (
        VOID,
        "no way leads to step mill any more",
    )


def test_when_every_piece_is_scrapped_before_its_end_a_window_is_void() -> None:
    shop = Shop(a_line(window("cut", "pack", max_s=6000)))
    cut(shop)
    shop.begin("mill")
    scrap = (m.Scrapped(quantity=Decimal(10), reason="crack"),)
    shop.report("mill", scrap=scrap)
    shop.complete("mill")

    assert the(shop).state is VOID


def test_a_step_that_holds_no_pieces_arms_when_it_is_done() -> None:
    shop = Shop(beside(time_windows=(window("paint", "pack", max_s=60),)))
    shop.make(10)
    shop.run("cut", 10)
    shop.run("paint", 10)

    assert (the(shop).state, the(shop).armed_at) == (ARMED, shop.at)


def test_no_window_no_fact() -> None:
    shop = Shop(a_line())
    shop.make(10)
    shop.run("cut", 10)
    shop.run("mill", 10)

    tick(shop, shop.at)

    assert told(shop) == []


def test_an_unknown_window_is_not_found() -> None:
    shop = Shop(a_line())

    answer = shop.do(m.WaiveTimeWindow(window="TW-000009", reason="why"))

    assert answer.outcome is m.Outcome.NOT_FOUND


def test_a_merged_lot_is_in_the_windows_of_all_that_it_was_made_of() -> None:
    """Two lots cure one after the other; together they have to wait for the later."""
    steps = (a_step("cut", job_per=JobPer.LOT), a_step("mill", job_per=JobPer.LOT))
    shop = Shop(a_routing(*steps, time_windows=(window("cut", "mill", min_s=100),)))
    shop.make(20, lot_size=Decimal(10))
    jobs = shop.jobs("cut")
    for job in jobs:
        shop.ok(m.LoadJobOrder(job_order=job.id, work_unit="cut-1"))
        shop.ok(m.BeginJobOrder(job_order=job.id))
        shop.ok(m.ReportQuantity(job_order=job.id, good=Decimal(10)))
        shop.fire_of(job.id, T.COMPLETE)
    opens = [the(shop, index).opens_at or 0 for index in (0, 1)]
    lots = tuple(job.lot or "" for job in jobs)

    merged = shop.ok(m.MergeLots(lots=lots, reason="one batch"))["lot"]

    windows = shop.state.time_window.find("request", "WR-1")
    live = [one for one in windows if one.is_live]
    assert [(one.lot, one.opens_at) for one in live] == [(merged, at) for at in opens]
    tick(shop, opens[0])
    assert shop.job("mill").state is S.ALLOWED_WAITING
    tick(shop, opens[1])
    assert shop.job("mill").state is S.ALLOWED_READY
