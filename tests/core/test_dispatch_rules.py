"""Dispatch rules: each against a naive reading of its formula, on small queues."""

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.dispatching import (
    RULES,
    Candidate,
    Waiting,
    candidates_of,
    in_turn,
)
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import DispatchRule as R
from mes_engine.core.plant import RuleSettings

SECOND = 1_000_000
AGAINST = Condition(name=ConditionName.NO_HOLD, is_met=False, why="crack", mender="")


def a_job(number: int, **changed: Any) -> JobOrder:
    fields: dict[str, Any] = {
        "id": f"JO-{number}",
        "number": number,
        "request": "WR-1",
        "visit": "WR-1/cut/1",
        "step": "cut",
        "routing": "R",
        "revision": "A",
        "work_center": "WC-CUT",
        "equipment_class": "cut",
        "unit": "C62",
        "planned": Decimal(10),
        "due_at": 0,
        "priority": 0,
        "stored_at": 0,
        "queued_at": 0,
    }
    return JobOrder(**fields | changed)


def waiting(
    number: int, *, setup: int = 0, run: int = 0, rest: int = 0, **changed: Any
) -> Waiting:
    return Waiting(
        job=a_job(number, **changed),
        setup_us=setup * SECOND,
        run_us=run * SECOND,
        rest_us=rest * SECOND,
    )


def settings_of(rule: R) -> RuleSettings:
    if rule is not R.WEIGHTED:
        return RuleSettings()
    return RuleSettings(weights={R.EDD: Decimal("0.7"), R.SETUP_MIN: Decimal("0.3")})


def order(rule: R, *queue: Waiting, now: int = 0, **told: Any) -> list[int]:
    settings = RuleSettings(**told) if told else settings_of(rule)
    turns, _ = in_turn(rule, settings, queue, now)
    return [queue[at].job.number for at in turns]


def test_every_rule_has_its_function() -> None:
    assert set(RULES) == set(R)


def test_fifo_goes_by_the_time_of_entering_the_queue() -> None:
    queue = [waiting(1, queued_at=30), waiting(2, queued_at=10)]

    assert order(R.FIFO, *queue, waiting(3, queued_at=20)) == [2, 3, 1]


def test_fifo_takes_the_time_of_storing_where_none_is_known() -> None:
    queue = [waiting(1, queued_at=20), waiting(2, queued_at=None, stored_at=10)]

    assert order(R.FIFO, *queue) == [2, 1]


def test_edd_goes_by_the_due_date() -> None:
    assert order(R.EDD, waiting(1, due_at=30), waiting(2, due_at=10)) == [2, 1]


def test_priority_puts_the_highest_number_first() -> None:
    queue = [waiting(1, priority=-1), waiting(2, priority=5), waiting(3)]

    assert order(R.PRIORITY, *queue) == [2, 3, 1]


def test_spt_counts_the_setup_and_the_run() -> None:
    queue = [waiting(1, setup=50, run=60), waiting(2, run=100), waiting(3, setup=99)]

    assert order(R.SPT, *queue) == [3, 2, 1]


def test_critical_ratio_is_the_time_left_over_the_work_left() -> None:
    """40 s for 20 s of work is 2; 60 s for 40 s is 1.5; what is late goes first."""
    queue = [
        waiting(1, run=10, rest=10, due_at=50 * SECOND),
        waiting(2, run=10, rest=30, due_at=70 * SECOND),
        waiting(3, run=10, due_at=9 * SECOND),
    ]

    turns, scored = in_turn(R.CRITICAL_RATIO, RuleSettings(), queue, 10 * SECOND)

    assert [*turns] == [2, 1, 0]
    assert scored.scores == [Decimal(2), Decimal("1.5"), Decimal("-0.1")]
    assert scored.why(0) == "due in 40 s, 20 s of work left"
    assert scored.why(2) == "overdue by 1 s, 10 s of work left"


def test_atc_is_spt_when_all_are_late_and_slack_when_none_is() -> None:
    late = [waiting(1, run=50), waiting(2, run=20)]
    early = [
        waiting(1, run=10, due_at=100 * SECOND),
        waiting(2, run=12, due_at=90 * SECOND),
    ]

    assert order(R.ATC, *late, now=100 * SECOND) == [2, 1]
    assert order(R.ATC, *early) == [2, 1]


def test_the_score_of_atc_is_minus_the_logarithm_of_the_index() -> None:
    """w = 3, p = 10 s, slack = 100 - 10 - 30 = 60 s, mean p = 15 s, k = 2."""
    queue = [
        waiting(1, run=10, rest=30, due_at=100 * SECOND, priority=2),
        waiting(2, run=20),
    ]

    _, scored = in_turn(R.ATC, RuleSettings(), queue, 0)

    index = 3 / 10 * math.exp(-60 / (2 * 15))
    assert math.isclose(math.exp(-scored.scores[0]), index, rel_tol=1e-5)
    assert scored.why(0) == "weight 3, 10 s here, slack 60 s, mean 15 s"


def test_atc_with_a_far_look_ahead_prefers_the_short_one() -> None:
    early = [
        waiting(1, run=10, due_at=100 * SECOND),
        waiting(2, run=12, due_at=90 * SECOND),
    ]

    assert order(R.ATC, *early, k=Decimal(1000)) == [1, 2]


def test_setup_min_takes_the_shortest_changeover() -> None:
    assert order(R.SETUP_MIN, waiting(1, setup=60), waiting(2, setup=9)) == [2, 1]


def test_a_weighted_sum_weighs_normalised_scores() -> None:
    """Due dates 0, 5, 10 become 0, 0.5, 1; setups 20, 0, 10 become 1, 0, 0.5."""
    queue = [
        waiting(1, due_at=0, setup=20),
        waiting(2, due_at=5 * SECOND, setup=0),
        waiting(3, due_at=10 * SECOND, setup=10),
    ]
    told = RuleSettings(weights={R.EDD: Decimal("0.4"), R.SETUP_MIN: Decimal("0.6")})

    turns, scored = in_turn(R.WEIGHTED, told, queue, 0)

    assert scored.scores == [Decimal("0.6"), Decimal("0.2"), Decimal("0.7")]
    assert turns == [1, 0, 2]
    assert scored.why(2) == "0.4 x edd 1, 0.6 x setup_min 0.5"


@pytest.mark.parametrize("rule", R)
def test_ties_go_by_due_date_and_then_by_number_not_by_text(rule: R) -> None:
    assert order(rule, waiting(10), waiting(9), waiting(100)) == [9, 10, 100]


def test_a_tie_goes_to_the_one_that_is_due_first() -> None:
    assert order(R.FIFO, waiting(1, due_at=2), waiting(2, due_at=1)) == [2, 1]


@pytest.mark.parametrize("rule", R)
def test_a_queue_of_none_is_no_trouble(rule: R) -> None:
    found = candidates_of(rule, settings_of(rule), [], lambda _: (), now=0)

    assert found == ((), None)


# Against an oracle

seconds = st.integers(0, 5_000)
queues = st.lists(
    st.builds(
        dict[str, Any],
        setup=seconds,
        run=seconds,
        rest=seconds,
        due_at=st.integers(-(10**10), 10**10),
        queued_at=st.integers(0, 10**10),
        priority=st.integers(-3, 9),
    ),
    max_size=7,
).map(lambda found: [waiting(at, **told) for at, told in enumerate(found)])
nows = st.integers(0, 10**10)


def naive(rule: R, queue: list[Waiting], one: Waiting, now: int) -> float:
    """Read the formula of the rule, in floats."""
    here = max(one.setup_us + one.run_us, SECOND)
    left = max(one.setup_us + one.run_us + one.rest_us, SECOND)
    mean = sum(max(x.setup_us + x.run_us, SECOND) for x in queue) / len(queue)
    slack = one.job.due_at - now - here - one.rest_us
    match rule:
        case R.FIFO:
            return one.job.queued_at or 0
        case R.EDD:
            return one.job.due_at
        case R.PRIORITY:
            return -one.job.priority
        case R.SPT:
            return one.setup_us + one.run_us
        case R.CRITICAL_RATIO:
            return (one.job.due_at - now) / left
        case R.ATC:
            weight = max(one.job.priority, 0) + 1
            return max(slack, 0) / (2 * mean) - math.log(weight / (here / SECOND))
        case R.SETUP_MIN:
            return one.setup_us
        case R.WEIGHTED:
            return 0.7 * _share(R.EDD, queue, one, now) + 0.3 * _share(
                R.SETUP_MIN, queue, one, now
            )


def _share(rule: R, queue: list[Waiting], one: Waiting, now: int) -> float:
    scores = [naive(rule, queue, x, now) for x in queue]
    spread = max(scores) - min(scores)
    return (naive(rule, queue, one, now) - min(scores)) / spread if spread else 0


@given(rule=st.sampled_from(R), queue=queues, now=nows)
def test_the_first_in_turn_is_the_best_by_the_formula(
    rule: R, queue: list[Waiting], now: int
) -> None:
    assume(queue)
    turns, scored = in_turn(rule, settings_of(rule), queue, now)
    by_formula = [naive(rule, queue, one, now) for one in queue]

    for earlier, later in pairwise(turns):
        if scored.scores[earlier] != scored.scores[later]:
            assert by_formula[earlier] <= by_formula[later] + 1e-6
        else:  # What is a tie by us is one by the formula, to six decimals.
            near = math.isclose(
                by_formula[earlier], by_formula[later], rel_tol=1e-5, abs_tol=1e-5
            )
            assert near
            ties = (queue[earlier].job, queue[later].job)
            assert (ties[0].due_at, ties[0].number) < (ties[1].due_at, ties[1].number)


@given(
    rule=st.sampled_from(R),
    queue=queues,
    now=nows,
    refused=st.sets(st.integers(0, 6)),
    data=st.data(),
)
def test_the_order_of_the_queue_never_matters_and_the_refused_never_win(
    rule: R,
    queue: list[Waiting],
    now: int,
    refused: set[int],
    data: st.DataObject,
) -> None:
    def unmet(job: JobOrder) -> tuple[Condition, ...]:
        return (AGAINST,) if job.number in refused else ()

    def decide(asked: list[Waiting]) -> tuple[tuple[Candidate, ...], str | None]:
        return candidates_of(rule, settings_of(rule), asked, unmet, now=now)

    candidates, chosen = decide(queue)

    assert decide(data.draw(st.permutations(queue))) == (candidates, chosen)
    takable = [one for one in candidates if not one.unmet]
    assert chosen == (takable[0].job_order if takable else None)
    assert (chosen is None) == (refused >= {one.job.number for one in queue})
    assert [one.score for one in candidates] == sorted(one.score for one in candidates)
    assert {one.job_order for one in candidates} == {one.job.id for one in queue}
    assert all(one.why for one in candidates)
