"""Which test over HTTP is which story of the domain, and those that are told here.

``STORIES`` and ``BAD_INPUT`` name the test of each; a test holds that they are there.
"""

import ast
from pathlib import Path

import pytest

from tests.scenarios.shop import Job, Shop

pytestmark = pytest.mark.timeout(120)

HERE = "test_stories_over_http"
STORIES = {
    "partial transfer of 100 while running: queued 60 + 25, out 15": (
        HERE,
        "test_a_partial_transfer_of_100_while_running",
    ),
    "rework of 3 while the rest moves on, 1 of them scrapped: 99 and 1": (
        "test_rework_over_http",
        "test_rework_of_three_while_the_rest_moves_on_one_of_them_scrapped",
    ),
    "assembly: 100 C = 58 in stock + 42 consumed, 2 of them damaged; 10 U out": (
        "test_lots_over_http",
        "test_100_components_are_58_in_stock_and_42_consumed_2_of_them_damaged",
    ),
    "over-production: started 105 + found 2 = out 107": (
        HERE,
        "test_over_production_started_105_and_found_2_is_out_107",
    ),
    "merge 30 + 20 = 50": (
        "test_lots_over_http",
        "test_30_and_20_are_split_and_merged_to_50",
    ),
    "abort of 10: queued 6, suspect 4, then scrap 4": (
        "test_lots_over_http",
        "test_an_abort_of_10_leaves_6_queued_and_4_suspect_and_then_4_scrap",
    ),
    "outside work: 10 = in process 3 + out 6 + lost 1": (
        "test_lots_over_http",
        "test_of_10_at_an_outside_supplier_3_are_there_6_back_and_1_lost",
    ),
    "a destructive test: 100 = out 98 + tested 2": (
        "test_lots_over_http",
        "test_a_destructive_test_leaves_98_of_100",
    ),
    "scrap found two steps later": (
        "test_rework_over_http",
        "test_scrap_found_two_steps_later_names_the_step_at_fault",
    ),
    "two machines in parallel on one visit": (
        "test_runs_over_http",
        "test_two_machines_in_parallel_on_one_visit",
    ),
    "the next job begun before the last was completed": (
        "test_runs_over_http",
        "test_the_next_job_begun_before_the_last_was_completed",
    ),
    "the operator who forgot to begin": (
        "test_runs_over_http",
        "test_the_operator_who_forgot_to_begin",
    ),
    "the last pieces reported after a pause": (
        "test_runs_over_http",
        "test_the_last_pieces_reported_after_a_pause",
    ),
    "a job moved half way": ("test_runs_over_http", "test_a_job_moved_half_way"),
    "a furnace with three orders": (
        "test_furnace_over_http",
        "test_a_furnace_with_three_orders",
    ),
    "a hold in mid-run": (
        "test_holds_over_http",
        "test_a_hold_in_mid_run_keeps_the_pieces_and_the_place",
    ),
    "a reversal after the successor consumed": (
        "test_corrections_over_http",
        "test_a_reversal_after_the_successor_consumed_names_what_depends_on_it",
    ),
    "100 pieces through two parallel branches are still 100": (
        "test_routings_over_http",
        "test_100_pieces_beside_their_papers_are_still_100",
    ),
}
BAD_INPUT = {
    "a split beyond the quantity, a merge of different materials or states": (
        "test_lots_over_http",
        "test_what_cannot_be_split_or_merged_says_why",
    ),
    "a rework past its limit": (
        "test_rework_over_http",
        "test_beyond_its_limit_a_way_back_is_refused_with_an_answer_of_its_own",
    ),
    "a reversal of a reversal": (
        "test_corrections_over_http",
        "test_a_booking_is_reversed_once_and_a_reversal_never",
    ),
    "a reversal of what a successor has consumed": (
        "test_corrections_over_http",
        "test_a_reversal_after_the_successor_consumed_names_what_depends_on_it",
    ),
    "a split of a job order that asks too much or comes too late": (
        "test_runs_over_http",
        "test_a_split_that_asks_too_much_or_comes_too_late_is_refused",
    ),
    "a held lot": (
        "test_holds_over_http",
        "test_a_held_lot_is_refused_everywhere_with_the_hold_named",
    ),
    "more than is there or tolerated": (
        HERE,
        "test_more_than_the_tolerance_is_refused",
    ),
}


@pytest.mark.parametrize("told", [*STORIES, *BAD_INPUT])
def test_every_story_has_its_test(told: str) -> None:
    module, name = (STORIES | BAD_INPUT)[told]
    source = (Path(__file__).parent / f"{module}.py").read_text()

    tests = [one.name for one in ast.parse(source).body if isinstance(one, Function)]

    assert name in tests


Function = ast.FunctionDef | ast.AsyncFunctionDef


def at_step(shop: Shop, job: Job) -> dict[str, str]:
    """Return what is in the buckets at a job order's step, but for what is empty."""
    shown = shop.site.get(f"/work-requests/{job.request}")["positions"]
    step = job.shown["step"]
    names = ("queued", "in_process", "out", "started", "found")
    return {
        name: one[name]
        for one in shown
        if one["place"].startswith(f"{job.request}/{step}/")
        for name in names
        if one[name] != "0"
    }


def test_a_partial_transfer_of_100_while_running(shop: Shop) -> None:
    by_25 = {"kind": "quantity", "source": "cut", "target": "mill"}
    routing = shop.routing(
        "cut", "mill", connections=[by_25 | {"transfer_batch": "25"}]
    )
    cut = shop.make(routing, quantity=100)
    cut.done("load", work_unit="cut-1").done("begin")

    cut.done("report", good=40)
    mill = shop.at(cut.request, "mill")
    assert at_step(shop, cut) == {"queued": "60", "out": "15", "started": "100"}
    assert at_step(shop, mill) == {"queued": "25"}
    assert mill.state == "allowed_to_start.ready"

    mill.done("load", work_unit="mill-1").done("begin").done("report", good=25)
    cut.done("report", good=60)
    assert at_step(shop, mill) == {"queued": "75", "out": "25"}
    assert cut.state == "running.processing"


def test_over_production_started_105_and_found_2_is_out_107(shop: Shop) -> None:
    routing = shop.routing("cut", "mill", over_tolerance="0.07")
    cut = shop.make(routing, quantity=100)
    cut.done("load", work_unit="cut-1").done("begin")
    cut.done("report", good=105).done("complete")
    assert at_step(shop, cut) == {"started": "105"}

    mill = shop.at(cut.request, "mill")
    mill.done("load", work_unit="mill-1").done("begin")
    unsaid = mill.press("report", good=107)
    assert unsaid.status_code == 409
    assert "reason" in unsaid.json()["hint"]
    mill.done("report", good=107, reason="two lay beside the machine")

    assert at_step(shop, mill) == {"out": "107", "found": "2"}


def test_more_than_the_tolerance_is_refused(shop: Shop) -> None:
    cut = shop.make(shop.routing("cut", over_tolerance="0.05"), quantity=100)
    cut.done("load", work_unit="cut-1").done("begin")

    answer = cut.press("report", good=106)

    assert answer.status_code == 409
    assert answer.json()["unmet"] == [
        "quantity_accounted: 106 reported, 100 there, 5 more tolerated"
    ]
    assert at_step(shop, cut) == {"queued": "100", "started": "100"}
