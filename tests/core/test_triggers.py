"""Every trigger of a job order, accepted and refused, with what it leads to."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

import pytest

from mes_engine.core import facts as f
from mes_engine.core import messages as m
from mes_engine.core.decide import explain
from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from mes_engine.core.postings import PostingState
from mes_engine.core.runs import Clock, HoldMode, HoldScope, Lane, Run
from tests.core.plants import a_plant, a_routing, in_batches
from tests.core.shop import SECOND, Shop

ZERO = Decimal(0)


def planned() -> Shop:
    """A request that is not released: its first job order may not start."""
    shop = Shop(a_routing("cut", "mill"))
    shop.ok(
        m.CreateWorkRequest(
            work_request="WR-1", routing="R", quantity=Decimal(10), due_at=0
        )
    )
    return shop


def ready() -> Shop:
    shop = Shop(a_routing("cut", "mill"))
    shop.make(10)
    return shop


def loaded() -> Shop:
    shop = ready()
    shop.load("cut")
    return shop


def in_setup() -> Shop:
    shop = loaded()
    shop.fire("cut", T.BEGIN_SETUP)
    return shop


def processing() -> Shop:
    shop = loaded()
    shop.begin("cut")
    return shop


def suspended() -> Shop:
    shop = processing()
    shop.ok(m.PauseJobOrder(job_order=JOB, reason="break"))
    return shop


def held() -> Shop:
    shop = processing()
    hold(shop)
    return shop


def completed() -> Shop:
    shop = processing()
    shop.report("cut", 10)
    shop.complete("cut")
    return shop


def closed() -> Shop:
    shop = completed()
    for posting in list(shop.state.posting.values()):
        state = PostingState.ACKNOWLEDGED
        shop.ok(m.RecordPosting(posting=posting.key, state=state))
    return shop


def aborted() -> Shop:
    shop = processing()
    shop.ok(m.AbortJobOrder(job_order=JOB, reason="crash"))
    return shop


def cancelled() -> Shop:
    shop = ready()
    shop.fire("cut", T.CANCEL)
    return shop


def hold(shop: Shop, mode: HoldMode = HoldMode.STOP_NOW) -> str:
    command = m.OpenHold(
        scope=HoldScope.JOB_ORDER, target=JOB, reason="crack", mode=mode
    )
    return shop.ok(command)["hold"]


SITUATIONS: dict[S, Callable[[], Shop]] = {
    S.NOT_ALLOWED_WAITING: planned,
    S.ALLOWED_READY: ready,
    S.ALLOWED_LOADED: loaded,
    S.RUNNING_SETUP: in_setup,
    S.RUNNING_PROCESSING: processing,
    S.INTERRUPTED_SUSPENDED: suspended,
    S.INTERRUPTED_HELD: held,
    S.ENDED_COMPLETED: completed,
    S.ENDED_CLOSED: closed,
    S.ABORTED: aborted,
    S.CANCELLED: cancelled,
}


JOB = "JO-000001"
COMMANDS: dict[T, m.Command] = {
    T.LOAD: m.LoadJobOrder(job_order=JOB, work_unit="cut-1"),
    T.BEGIN: m.BeginJobOrder(job_order=JOB),
    T.REPORT: m.ReportQuantity(job_order=JOB, processing_s=Decimal(1)),
    T.PAUSE: m.PauseJobOrder(job_order=JOB, reason="because"),
    T.MOVE_TO: m.MoveJobOrder(job_order=JOB, work_unit="cut-1"),
    T.RESUME: m.ResumeJobOrder(job_order=JOB),
    T.STOP: m.StopJobOrder(
        job_order=JOB, remainder=m.Remainder.FOLLOW_ON, reason="because"
    ),
    T.ABORT: m.AbortJobOrder(job_order=JOB, reason="because", signature="Ana"),
    T.UPDATE: m.UpdateJobOrder(job_order=JOB, priority=1),
    T.HOLD: m.OpenHold(scope=HoldScope.JOB_ORDER, target=JOB, reason="because"),
}


def a_command(trigger: T) -> m.Command:
    """The command that asks the first job order for a trigger."""
    return COMMANDS.get(trigger, m.AssertTrigger(job_order=JOB, trigger=trigger))


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


def test_a_move_to_where_it_is_already_is_refused() -> None:
    shop = suspended()

    answer = shop.refused(a_command(T.MOVE_TO))

    assert answer.message == "JO-000001 is on cut-1 already."


@pytest.mark.parametrize(
    ("reported", "unmet"),
    [
        (ZERO, "queued 10, in process 0, suspect 0 C62 not accounted for"),
        (Decimal(9), "queued 1, in process 0, suspect 0 C62 not accounted for"),
    ],
)
def test_complete_needs_every_piece_accounted_for(
    reported: Decimal, unmet: str
) -> None:
    shop = processing()
    if reported:
        shop.report("cut", int(reported))

    answer = shop.refused(a_command(T.COMPLETE))

    assert answer.unmet == (f"quantity_accounted: {unmet}",)


def test_complete_waits_for_pieces_that_may_still_come() -> None:
    shop = Shop(in_batches("cut", "mill", of=5))
    shop.make(10)
    shop.begin("cut")
    shop.report("cut", 5)
    shop.begin("mill")
    shop.report("mill", 5)

    job = shop.job("mill").id
    answer = shop.refused(m.AssertTrigger(job_order=job, trigger=T.COMPLETE))

    assert answer.unmet == ("nothing_expected: pieces may still come from step cut",)


def test_suspect_pieces_wait_for_their_disposition() -> None:
    shop = processing()
    shop.report("cut", 8, suspect=Decimal(2), reason="scratch")
    answer = shop.refused(a_command(T.COMPLETE))
    assert "suspect 2" in answer.unmet[0]

    shop.refused(shop.a_report("cut", 3, taken_from=m.ReportFrom.SUSPECT))
    shop.report("cut", 1, taken_from=m.ReportFrom.SUSPECT)
    scrap = (m.Scrapped(quantity=Decimal(1), reason="scratch"),)
    shop.report("cut", scrap=scrap, taken_from=m.ReportFrom.SUSPECT)

    shop.complete("cut")
    assert shop.at_step("mill") == {"queued": 9}


@pytest.mark.parametrize(
    ("remainder", "state", "planned_next"),
    [
        (m.Remainder.FOLLOW_ON, S.ALLOWED_READY, 6),
        (m.Remainder.QUEUE, S.NOT_ALLOWED_READY, 6),
    ],
)
def test_stop_leaves_the_rest_to_a_follow_on(
    remainder: m.Remainder, state: S, planned_next: int
) -> None:
    shop = processing()
    shop.report("cut", 4)

    shop.ok(m.StopJobOrder(job_order=JOB, remainder=remainder, reason="rush"))

    assert shop.by_id(JOB).state is S.ENDED_COMPLETED
    following = shop.job("cut")
    assert following.follows == JOB
    assert following.state is state
    assert following.planned == planned_next
    assert shop.at_step("cut") == {"queued": 6, "started": 10}
    assert shop.at_step("mill") == {"queued": 4}
    posting = next(shop.state.posting.values())
    assert not posting.is_final


def test_stop_with_scrap_leaves_nothing() -> None:
    shop = processing()
    shop.report("cut", 4)

    shop.ok(
        m.StopJobOrder(job_order=JOB, remainder=m.Remainder.SCRAP, reason="wrong steel")
    )

    assert len(shop.jobs("cut")) == 1
    assert shop.job("cut").scrap == 6
    assert shop.at_step("cut") == {"scrap": 6, "started": 10}
    assert next(shop.state.posting.values()).is_final


def test_close_waits_for_the_ledger() -> None:
    shop = completed()
    posting = next(shop.state.posting.values())

    answer = shop.refused(a_command(T.CLOSE))
    assert answer.unmet == (f"posting_settled: {posting.key} is pending",)

    state = PostingState.ACKNOWLEDGED
    shop.ok(m.RecordPosting(posting=posting.key, state=state, reference="4711"))
    assert shop.by_id(JOB).state is S.ENDED_CLOSED


def test_cancel_needs_that_nothing_was_booked() -> None:
    shop = completed()
    following = shop.job("mill").id

    answer = shop.refused(m.AssertTrigger(job_order=following, trigger=T.CANCEL))

    assert answer.unmet == ("nothing_booked: 0 C62 reported, 10 at the step",)


def test_an_update_changes_the_place_in_the_queue() -> None:
    shop = ready()

    shop.ok(m.UpdateJobOrder(job_order=JOB, due_at=7, priority=3))
    shop.malformed(m.UpdateJobOrder(job_order=JOB))

    job = shop.by_id(JOB)
    assert [job.due_at, job.priority] == [7, 3]
    assert job.state is S.ALLOWED_READY


@pytest.mark.parametrize(
    "report",
    [
        m.ReportQuantity(job_order=JOB),
        m.ReportQuantity(job_order=JOB, good=Decimal(-1)),
        m.ReportQuantity(job_order=JOB, good=Decimal("NaN")),
        m.ReportQuantity(job_order=JOB, good=Decimal("sNaN")),
        m.ReportQuantity(job_order=JOB, good=Decimal("Infinity")),
        m.ReportQuantity(job_order=JOB, good=Decimal("0.5")),
        m.ReportQuantity(job_order=JOB, good=Decimal("1E+10")),
        m.ReportQuantity(job_order=JOB, good=Decimal("-0")),
        m.ReportQuantity(job_order=JOB, lost=Decimal(1)),
        m.ReportQuantity(job_order=JOB, tested=Decimal(1)),
        m.ReportQuantity(job_order=JOB, suspect=Decimal(1), reason=" "),
        m.ReportQuantity(job_order=JOB, setup_s=Decimal(-1)),
        m.ReportQuantity(job_order=JOB, down_s=Decimal("0.0000001")),
        m.ReportQuantity(
            job_order=JOB, scrap=(m.Scrapped(quantity=Decimal(1), reason=" "),)
        ),
        m.ReportQuantity(
            job_order=JOB, scrap=(m.Scrapped(quantity=Decimal(-1), reason="x"),)
        ),
        m.PauseJobOrder(job_order=JOB, reason=" "),
        m.StopJobOrder(job_order=JOB, remainder=m.Remainder.SCRAP, reason=""),
        m.AbortJobOrder(job_order=JOB, reason=""),
        m.AbortJobOrder(job_order=JOB, reason="crash", in_process=Decimal("NaN")),
        m.OpenHold(scope=HoldScope.JOB_ORDER, target=JOB, reason=" "),
    ],
)
def test_what_no_state_would_allow_is_malformed_and_not_kept(
    report: m.Command,
) -> None:
    shop = processing()

    shop.malformed(report)

    assert shop.at_step("cut") == {"queued": 10, "started": 10}


def test_reported_times_add_to_those_of_the_clock() -> None:
    shop = processing()

    shop.report(
        "cut", 1, setup_s=Decimal("1.5"), processing_s=Decimal(2), down_s=Decimal(3)
    )

    job = shop.job("cut")
    assert [job.setup_us, job.processing_us, job.down_us] == [
        1_500_000,
        2_000_000,
        3_000_000,
    ]


def test_a_job_order_newly_under_a_hold_is_held_when_it_is_asked_for() -> None:
    """A hold that was opened while its slot was given up falls on it later."""
    shop = suspended()
    shop.refused(a_command(T.TO_HELD))

    hold(shop)

    assert shop.job("cut").state is S.INTERRUPTED_HELD


def test_a_hold_takes_a_loaded_job_off_the_machine() -> None:
    shop = loaded()

    name = hold(shop)

    job = shop.job("cut")
    assert job.state is S.ALLOWED_WAITING
    assert job.run is None
    assert job.reason == f"no_hold: {name} by Maria: crack"


def test_a_hold_after_the_run_lets_it_go_on_and_nothing_begin() -> None:
    shop = processing()
    hold(shop, HoldMode.AFTER_RUN)

    shop.report("cut", 10)
    shop.complete("cut")

    waiting = loaded()
    hold(waiting, HoldMode.AFTER_RUN)
    assert waiting.job("cut").state is S.ALLOWED_LOADED
    waiting.refused(m.BeginJobOrder(job_order=JOB))


@pytest.mark.parametrize("resumes", [True, False])
def test_a_release_of_a_hold_resumes_only_if_it_says_so(*, resumes: bool) -> None:
    shop = held()

    shop.ok(m.ReleaseHold(hold="H-000001", resumes=resumes))

    after = S.RUNNING_PROCESSING if resumes else S.INTERRUPTED_SUSPENDED
    assert shop.job("cut").state is after
    shop.refused(m.ReleaseHold(hold="H-000001"))
    assert shop.do(m.ReleaseHold(hold="H-9")).outcome is m.Outcome.NOT_FOUND


def test_the_plant_keeps_what_something_is_loaded_on() -> None:
    shop = loaded()
    units = tuple(one for one in a_plant().work_units if one.id != "cut-1")
    smaller = a_plant(work_units=units, signals=())

    answer = shop.refused(m.ApplyPlant(plant=smaller))
    assert answer.message == "cut-1 cannot be removed: JO-000001 is loaded on it."

    shop.fire("cut", T.UNLOAD)
    shop.ok(m.ApplyPlant(plant=smaller))
    assert shop.job("cut").state is S.ALLOWED_WAITING
    shop.ok(m.ApplyPlant(plant=a_plant()))
    assert shop.job("cut").state is S.ALLOWED_READY


def test_the_plant_keeps_a_loaded_unit_at_its_work_center() -> None:
    shop = loaded()
    units = tuple(
        one
        if one.id != "cut-1"
        else type(one)(id="cut-1", work_center="WC-MILL", name="cut", classes=("cut",))
        for one in a_plant().work_units
    )

    answer = shop.refused(m.ApplyPlant(plant=a_plant(work_units=units)))

    assert answer.message.startswith("cut-1 cannot leave WC-CUT")


def test_a_work_center_that_is_gone_leaves_its_queue_waiting() -> None:
    shop = ready()
    gone = a_plant()
    centers = tuple(one for one in gone.work_centers if one.id != "WC-CUT")
    units = tuple(one for one in gone.work_units if one.id != "cut-1")

    shop.ok(
        m.ApplyPlant(plant=a_plant(work_centers=centers, work_units=units, signals=()))
    )

    assert shop.job("cut").state is S.ALLOWED_WAITING


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
