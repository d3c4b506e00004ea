"""The rows of the chart that ask for tools, people and documents, over HTTP.

Each is accepted where its guard holds, and refused with the condition named where that
alone does not. A row that asks for one of them and has no case here fails.
"""

from collections.abc import Callable

import httpx
import pytest

from mes_engine.core.conditions import ConditionName as C
from mes_engine.core.job_order import JOB_ORDER_CHART as CHART
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from tests.scenarios.chart_ways import Deed, press
from tests.scenarios.means import Means
from tests.scenarios.shop import Job, Shop
from tests.scenarios.test_chart_over_http import problem_of

Loss = Callable[[Means], httpx.Response]
Key = tuple[S, T]

LOAD, BEGIN = press("load", work_unit="cut-1"), press("begin")
SETUP, PAUSE = press("begin_setup"), press("pause", reason="break")
HELD = (LOAD, BEGIN, press("hold", reason="drawing"))

WAYS: dict[Key, tuple[tuple[Deed, ...], Deed]] = {
    (S.ALLOWED_READY, T.LOAD): ((), LOAD),
    (S.ALLOWED_LOADED, T.BEGIN): ((LOAD,), BEGIN),
    (S.RUNNING_SETUP, T.BEGIN): ((LOAD, SETUP), BEGIN),
    (S.ALLOWED_LOADED, T.MOVE_TO): ((LOAD,), press("move_to", work_unit="cut-2")),
    (S.INTERRUPTED_SUSPENDED, T.MOVE_TO): (
        (LOAD, BEGIN, PAUSE),
        press("move_to", work_unit="cut-2"),
    ),
    (S.INTERRUPTED_SUSPENDED, T.RESUME): (
        (LOAD, BEGIN, PAUSE),
        press("resume", work_unit="cut-1"),
    ),
    (S.INTERRUPTED_HELD, T.RESUME): (HELD, press("resume", work_unit="cut-1")),
}
"""How the row's source is reached, and what fires its trigger."""

LOSSES: dict[C, Loss] = {
    C.TOOL_AVAILABLE: Means.wear,
    C.PERSON_QUALIFIED: Means.revoke,
    C.DOCUMENT_RELEASED: Means.withdraw_document,
}

MENDING: dict[C, Callable[[Means], object]] = {
    C.TOOL_AVAILABLE: lambda means: means.site.post(f"/tools/{means.tool}/return"),
    C.PERSON_QUALIFIED: Means.grant,
    C.DOCUMENT_RELEASED: lambda means: means.release_document("B"),
}

FOLLOWS = {T.PRECONDITIONS_MET}
"""What nobody asks for: it follows from the conditions, see below."""
TAKEN_OFF = {
    (S.ALLOWED_LOADED, T.BEGIN, C.DOCUMENT_RELEASED),
}
"""A withdrawn document takes the job order out of the row's source."""
HOLD_FIRST = {(S.INTERRUPTED_HELD, T.RESUME)}
"""The hold alone refuses it already; its release resumes."""

ASKED = {
    (row.source, row.trigger, C(name))
    for row in CHART.rows
    for name in row.guards
    if C(name) in LOSSES and row.trigger not in FOLLOWS
}


def lost_before(row: Key) -> bool:
    """Whether the means must be lost first: to lose them takes it out of the source."""
    return row == (S.ALLOWED_READY, T.LOAD)


def test_every_row_that_asks_for_means_has_its_case() -> None:
    assert {(state, trigger) for state, trigger, _ in ASKED} == set(WAYS)


@pytest.mark.parametrize("row", WAYS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_row_is_accepted_with_all_means(shop: Shop, row: Key) -> None:
    way, deed = WAYS[row]
    job = Means(shop).make()
    for one in way:
        assert one(job).is_success
    assert job.state == row[0]
    if row in HOLD_FIRST:
        assert job.release_hold(resumes=True).is_success
    else:
        assert deed(job).is_success
    dest = CHART.row(*row)
    assert dest is not None
    assert job.state == dest.dest


@pytest.mark.parametrize(
    ("state", "trigger", "name"),
    sorted(ASKED - TAKEN_OFF),
    ids=str,
)
def test_a_row_is_refused_where_one_is_lost(
    shop: Shop, state: S, trigger: T, name: C
) -> None:
    way, deed = WAYS[state, trigger]
    means = Means(shop)
    job = means.make()
    for one in way:
        assert one(job).is_success
    assert LOSSES[name](means).is_success
    before = job.state

    answer = deed(job)

    problem = problem_of(answer)
    assert answer.status_code == 409
    assert str(name) in {one.partition(": ")[0] for one in problem["unmet"]}
    assert job.state == before
    if not lost_before((state, trigger)):
        is_taken_off = state is S.RUNNING_SETUP and name is C.DOCUMENT_RELEASED
        assert before == (S.INTERRUPTED_SUSPENDED if is_taken_off else state)


@pytest.mark.parametrize("name", LOSSES)
def test_readiness_is_lost_and_met_again_with_each(shop: Shop, name: C) -> None:
    means = Means(shop)
    job = means.make()
    assert job.state == S.ALLOWED_READY

    LOSSES[name](means)
    assert (job.state, job.unmet) == (S.ALLOWED_WAITING, [name])
    refused = job.press("preconditions_met")
    assert str(name) in problem_of(refused)["unmet"][0]
    MENDING[name](means)

    assert (job.state, job.unmet) == (S.ALLOWED_READY, [])


def test_the_person_who_presses_is_asked(shop: Shop) -> None:
    job: Job = Means(shop, of_other=True).make()
    assert job.state == S.ALLOWED_READY

    answer = LOAD(job)

    [unmet] = problem_of(answer)["unmet"]
    assert unmet.startswith("person_qualified: ")
