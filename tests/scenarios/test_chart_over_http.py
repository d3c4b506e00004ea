"""Every row of the job order's chart over HTTP: once accepted, once refused.

The cases are made of the chart itself. A row without a recipe fails.
"""

from typing import Any

import httpx
import pytest

from mes_engine.core.job_order import JOB_ORDER_CHART as CHART
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.statechart import Row
from tests.scenarios import chart_ways as w
from tests.scenarios.chart_recipes import ACCEPTED, REFUSED
from tests.scenarios.chart_ways import Way, then
from tests.scenarios.shop import OVER, Job, Shop

ROWS = {f"{row.source} {row.trigger}": row for row in CHART.rows}

TO_STATE: dict[S, Way] = {
    S.NOT_ALLOWED_WAITING: w.planned,
    S.NOT_ALLOWED_READY: w.permitted,
    S.ALLOWED_WAITING: w.blocked,
    S.ALLOWED_READY: w.allowed,
    S.ALLOWED_LOADED: w.loaded,
    S.RUNNING_SETUP: w.setup,
    S.RUNNING_PROCESSING: w.processing,
    S.INTERRUPTED_HELD: w.held,
    S.INTERRUPTED_SUSPENDED: w.suspended,
    S.ENDED_COMPLETED: w.completed,
    S.ENDED_CLOSED: then(w.stopped_at_once, w.press("close")),
    S.ABORTED: then(w.allowed, w.press("abort", reason="fire")),
    S.CANCELLED: then(w.allowed, w.press("cancel")),
}
SAID: dict[T, dict[str, Any]] = {
    T.LOAD: {"work_unit": "cut-1"},
    T.MOVE_TO: {"work_unit": "cut-2"},
    T.REPORT: {"good": 1},
    T.PAUSE: {"reason": "break"},
    T.HOLD: {"reason": "drawing"},
    T.STOP: {"remainder": "scrap", "reason": "order"},
    T.ABORT: {"reason": "fire"},
    T.UPDATE: {"priority": 5},
}

AnyRow = Row[S, T]


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the problem that ``answer`` is."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    return problem


def moves(job: Job, after: int) -> list[tuple[str, str, str]]:
    """Return how the job order went along its chart after a fact."""
    return [
        (one["source"], one["trigger"], one["state"])
        for one in facts_of(job, after, "job_order_moved")
    ]


def facts_of(job: Job, after: int, kind: str) -> list[dict[str, Any]]:
    """Return the facts of a kind about the job order, after a fact."""
    facts = [one["fact"] for one in job.shop.site.facts(after, kind)]
    return [one for one in facts if one["job_order"] == job.id]


def test_every_row_of_the_chart_has_its_recipes() -> None:
    rows = {(row.source, row.trigger) for row in CHART.rows}
    assert set(ACCEPTED) == rows
    assert set(REFUSED) == rows
    assert set(TO_STATE) == set(S)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_is_reached(shop: Shop, row: AnyRow) -> None:
    recipe = ACCEPTED[row.source, row.trigger]
    job = recipe.way(shop)
    before = job.shown
    assert before["state"] == row.source

    answer = recipe.deed(job)

    assert answer.is_success, answer.text
    assert job.state == row.dest
    if row.trigger is T.REPORT:  # it leads nowhere else: what it says is the fact
        [report] = facts_of(job, before["seq"], "quantity_reported")
        assert (report["good"], report["person"]) == ("1", "Maria")
    else:
        [move, *_] = moves(job, before["seq"])
        assert move == (row.source, row.trigger, row.dest)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_is_refused(shop: Shop, row: AnyRow) -> None:
    recipe = REFUSED[row.source, row.trigger]
    job = recipe.way(shop)
    before = job.shown
    assert (before["state"] == row.source) is not recipe.is_elsewhere

    answer = recipe.deed(job)

    problem = problem_of(answer)
    assert answer.status_code == recipe.status
    named = {one.partition(": ")[0] for one in problem.get("unmet", ())}
    if recipe.unmet:
        assert recipe.unmet in named
    assert recipe.says in f"{problem['detail']} {problem.get('hint', '')}"
    if recipe.is_elsewhere:
        assert f"'{row.trigger}' is not allowed while" in problem["detail"]
        assert problem["allowed"] == job.allowed
    assert job.state == before["state"]
    assert facts_of(job, before["seq"], "job_order_moved") == []
    assert facts_of(job, before["seq"], "quantity_reported") == []


@pytest.mark.parametrize("state", S)
def test_what_a_state_does_not_take_is_refused_with_what_it_does(
    shop: Shop, state: S
) -> None:
    job = TO_STATE[state](shop)
    before = job.shown
    foreign = [trigger for trigger in T if CHART.row(state, trigger) is None]
    if state not in OVER:
        # Its button opens a hold, which may fall on a job order that does not run.
        foreign = [trigger for trigger in foreign if trigger is not T.HOLD]
    for trigger in foreign:
        answer = job.press(trigger, **SAID.get(trigger, {}))
        assert answer.status_code == 409, (trigger, answer.text)
        problem = problem_of(answer)
        assert job.id in problem["detail"]
        if trigger is not T.HOLD:
            assert problem.get("allowed", []) == job.allowed
    assert job.state == state
    assert moves(job, before["seq"]) == []


@pytest.mark.parametrize("state", S)
def test_a_terminal_is_shown_what_the_chart_allows(shop: Shop, state: S) -> None:
    shown = TO_STATE[state](shop).shown["triggers"]
    assert [one["trigger"] for one in shown] == sorted(CHART.triggers(state))
    for one in shown:
        assert one["is_allowed"] is (one["unmet"] == [])
