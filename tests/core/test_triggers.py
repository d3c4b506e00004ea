"""Every trigger of a job order, accepted and refused, with what it leads to."""

from decimal import Decimal
from itertools import pairwise

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide import explain
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.runs import Clock, Lane, Run
from tests.core.plants import a_routing
from tests.core.shop import SECOND, Shop
from tests.core.situations import (
    JOB,
    SITUATIONS,
    a_command,
    closed,
    loaded,
    planned,
    processing,
    ready,
    suspended,
)

FIRED = [one for one in T if one not in {T.HOLD, T.MOVE_TO}]
"""A hold is accepted on everything that is not over; a move needs another unit."""


@pytest.mark.parametrize("trigger", FIRED)
@pytest.mark.parametrize("state", SITUATIONS)
def test_a_trigger_is_accepted_where_it_is_shown_as_allowed_and_only_there(
    state: S, trigger: T
) -> None:
    shop = SITUATIONS[state]()
    job = shop.by_id(JOB)
    assert job.state is state
    views = {one.trigger: one for one in explain(shop.state, job)}
    computed = {T.PRECONDITIONS_MET, T.PRECONDITIONS_LOST}
    is_allowed = trigger in views and views[trigger].is_allowed
    if trigger in computed or (trigger is T.TO_HELD and state is not S.CANCELLED):
        is_allowed = False  # They follow from conditions and holds; nobody sets them.

    answer = shop.do(a_command(trigger))

    if is_allowed:
        assert answer.outcome is m.Outcome.ACCEPTED, answer
        return
    assert answer.outcome is m.Outcome.REFUSED
    assert shop.by_id(JOB) == job
    allowed = {one for one, view in views.items() if view.is_allowed}
    if trigger not in views:
        assert answer.allowed == tuple(sorted(allowed))
        assert str(trigger) in answer.message


@pytest.mark.parametrize("trigger", T)
def test_what_is_not_there_is_not_found(trigger: T) -> None:
    shop = Shop(a_routing("cut"))

    answer = shop.do(a_command(trigger))

    assert answer.outcome is m.Outcome.NOT_FOUND
    assert answer.message == "There is no job order 'JO-000001'."


def run_of(shop: Shop, step: str = "cut") -> Run:
    run = shop.state.run.get(shop.job(step).run or "")
    assert run is not None
    return run


def test_release_is_refused_until_the_request_is_released() -> None:
    shop = planned()

    answer = shop.refused(a_command(T.RELEASE))

    assert answer.unmet == ("request_released: WR-1 is planned",)
    assert answer.hint == "Can be mended by: the planner."


def test_a_request_may_leave_its_job_orders_to_be_released_one_by_one() -> None:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10, releases_job_orders=False)
    assert shop.job("cut").state is S.NOT_ALLOWED_READY

    shop.fire("cut", T.RELEASE)
    shop.run("cut", 10)

    assert shop.job("mill").state is S.NOT_ALLOWED_READY


def test_revoking_the_start_drops_the_claim() -> None:
    shop = loaded()

    job = shop.fire("cut", T.REVOKE_START)

    assert job.state is S.NOT_ALLOWED_READY
    assert job.run is None
    assert not any(run.is_open for run in shop.state.run.values())


def test_unloading_gives_the_machine_free_and_enters_the_queue_again() -> None:
    shop = loaded()

    job = shop.fire("cut", T.UNLOAD)

    assert job.state is S.ALLOWED_READY
    assert job.queued_at == shop.at
    shop.load("cut")


def test_an_unsuitable_work_unit_is_refused_with_the_suitable_ones() -> None:
    shop = ready()

    answer = shop.refused(m.LoadJobOrder(job_order=JOB, work_unit="mill-1"))
    assert answer.unmet == ("work_unit_suitable: JO-000001 needs cut at WC-CUT",)
    assert answer.hint == "Suitable: cut-1."
    nowhere = m.LoadJobOrder(job_order=JOB, work_unit="saw-1")
    assert shop.do(nowhere).outcome is m.Outcome.NOT_FOUND


def test_setup_and_processing_time_are_clocked_apart() -> None:
    shop = loaded()
    shop.fire("cut", T.BEGIN_SETUP)
    shop.at += 4 * SECOND
    shop.begin("cut")
    shop.at += 9 * SECOND
    shop.fire("cut", T.BEGIN_SETUP)
    shop.begin("cut")
    job = shop.job("cut")
    assert job.setup_us == 6 * SECOND
    assert job.processing_us == 10 * SECOND
    assert run_of(shop).clock is Clock.PROCESSING


def test_begin_starts_the_pieces_of_the_first_step_once() -> None:
    shop = processing()
    assert shop.at_step("cut") == {"queued": 10, "started": 10}

    shop.fire("cut", T.BEGIN_SETUP)
    shop.begin("cut")

    assert shop.at_step("cut") == {"queued": 10, "started": 10}


@pytest.mark.parametrize("in_process", [11, 100])
def test_no_more_go_in_than_are_queued(in_process: int) -> None:
    shop = loaded()
    command = m.BeginJobOrder(job_order=JOB, in_process=Decimal(in_process))

    answer = shop.refused(command)

    assert answer.unmet == ("upstream_quantity: 10 queued",)
    assert shop.job("cut").state is S.ALLOWED_LOADED


def test_begin_waits_for_pieces_from_upstream() -> None:
    shop = processing()
    assert shop.job("mill").state is S.ALLOWED_WAITING

    answer = shop.refused(
        m.LoadJobOrder(job_order=shop.job("mill").id, work_unit="mill-1")
    )

    assert answer.unmet == (
        "upstream_quantity: no pieces of WR-1 have come from step cut yet",
    )


def test_a_pause_that_gives_up_its_slot_lets_another_in() -> None:
    shop = processing()
    shop.make(5, request="WR-2")
    other = shop.job("cut", "WR-2").id

    shop.ok(m.PauseJobOrder(job_order=JOB, reason="rush job", gives_up_slot=True))

    shop.ok(m.LoadJobOrder(job_order=other, work_unit="cut-1"))
    answer = shop.refused(m.ResumeJobOrder(job_order=JOB))
    assert answer.unmet[0].startswith("claim_held: it has given up its place")
    answer = shop.refused(m.ResumeJobOrder(job_order=JOB, work_unit="cut-1"))
    assert answer.unmet == (f"lane_free: cut-1 has {other} (active, Maria)",)
    shop.fire_of(other, T.UNLOAD)
    shop.ok(m.ResumeJobOrder(job_order=JOB, work_unit="cut-1"))


def test_a_resumption_elsewhere_needs_a_move_first() -> None:
    shop = Shop(a_routing("mill"))
    shop.make(10)
    shop.begin("mill", "mill-1")
    shop.ok(m.PauseJobOrder(job_order=JOB, reason="spindle"))

    answer = shop.refused(m.ResumeJobOrder(job_order=JOB, work_unit="mill-2"))
    assert answer.message == "JO-000001 is on mill-1, not on mill-2."

    shop.ok(m.MoveJobOrder(job_order=JOB, work_unit="mill-2"))
    shop.ok(m.ResumeJobOrder(job_order=JOB, work_unit="mill-2"))


def test_a_move_to_where_it_is_already_is_refused() -> None:
    shop = suspended()

    answer = shop.refused(a_command(T.MOVE_TO))

    assert answer.message == "JO-000001 is on cut-1 already."


def test_an_update_changes_the_place_in_the_queue() -> None:
    shop = ready()

    shop.ok(m.UpdateJobOrder(job_order=JOB, due_at=7, priority=3))
    shop.malformed(m.UpdateJobOrder(job_order=JOB))

    job = shop.by_id(JOB)
    assert [job.due_at, job.priority] == [7, 3]
    assert job.state is S.ALLOWED_READY


def test_every_move_along_the_chart_is_a_fact_with_its_row() -> None:
    shop = closed()

    moved = [one for one in shop.facts(f.JobOrderMoved) if one.job_order == JOB]

    assert [one.trigger for one in moved] == [
        T.RELEASE,
        T.PRECONDITIONS_MET,
        T.LOAD,
        T.BEGIN,
        T.COMPLETE,
        T.CLOSE,
    ]
    for before, after in pairwise(moved):
        assert before.state is after.source


def test_a_staged_job_moves_to_the_active_lane_with_its_setup() -> None:
    shop = ready()
    shop.ok(m.LoadJobOrder(job_order=JOB, work_unit="cut-1", lane=Lane.STAGED))

    shop.fire("cut", T.BEGIN_SETUP)

    assert run_of(shop).lane is Lane.ACTIVE
