"""What is done with a job order on its way: release, load, begin, pause, resume."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import limits, windows
from mes_engine.core.decide.chart import check
from mes_engine.core.decide.claims import (
    bind,
    claim,
    close_run,
    in_run_with,
    open_run,
    set_clock,
    set_up,
    suitable_unit,
    take_active_lane,
)
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.moving import move
from mes_engine.core.decide.pool_jobs import put_back
from mes_engine.core.decide.posting import raise_posting
from mes_engine.core.decide.starting import start_pieces
from mes_engine.core.decide.stock import touch_rivals
from mes_engine.core.decide.storing import look_ahead
from mes_engine.core.decide.tools import chosen_tools
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import (
    INTERRUPTED,
    RUNNING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.messages import (
    BeginJobOrder,
    MoveJobOrder,
    PauseJobOrder,
    ResumeJobOrder,
    UpdateJobOrder,
)
from mes_engine.core.plant import PostingPolicy
from mes_engine.core.quantity import checked_quantity
from mes_engine.core.runs import Clock, Lane
from mes_engine.core.whereabouts import here
from mes_engine.core.wip_ledger import Bucket

replace = msgspec.structs.replace
_T = JobOrderTrigger


def release(draft: Draft, job: JobOrder) -> JobOrder:
    """Allow it to start: it enters its work center's queue."""
    return draft.move_state(job, _T.RELEASE, check(draft, job, _T.RELEASE))


def revoke_start(draft: Draft, job: JobOrder, reason: str) -> JobOrder:
    """Take the permission back, and the claim with it."""
    after = check(draft, job, _T.REVOKE_START)
    close_run(draft, job)
    return draft.move_state(draft.job(job.id), _T.REVOKE_START, after, reason=reason)


def load(
    draft: Draft, jobs: Sequence[JobOrder], work_unit: str, lane: Lane | None
) -> None:
    """Claim a lane of a work unit for them, in one run."""
    after = {one.id: check(draft, one, _T.LOAD) for one in jobs}
    units = [suitable_unit(draft, one, work_unit) for one in jobs]
    claim(draft, jobs, units[0], lane)
    for name, state in after.items():
        draft.move_state(draft.job(name), _T.LOAD, state)


def unload(draft: Draft, job: JobOrder, reason: str) -> JobOrder:
    """Give the work unit back; others that were loaded with it stay."""
    after = check(draft, job, _T.UNLOAD)
    close_run(draft, job)
    job = draft.move_state(draft.job(job.id), _T.UNLOAD, after, reason=reason)
    return put_back(draft, job)


def begin_setup(draft: Draft, job: JobOrder) -> JobOrder:
    """Let setup time run, for all that are in its run."""
    after = _checked(draft, job, _T.BEGIN_SETUP)
    run = take_active_lane(draft, job)
    set_up(draft, job, run)
    set_clock(draft, run, Clock.SETUP)
    for one in after:
        touch_rivals(draft, draft.job(one))
    _move_all(draft, _T.BEGIN_SETUP, after)
    return draft.job(job.id)


def _checked(
    draft: Draft, job: JobOrder, trigger: JobOrderTrigger
) -> dict[str, JobOrderState]:
    """Return where ``trigger`` takes each job order in the run of ``job``.

    Raises:
        Refused: One of them cannot go; they go together or not at all.
    """
    after = check(draft, job, trigger)
    return {one.id: after for one in in_run_with(draft, job)}


def _move_all(
    draft: Draft,
    trigger: JobOrderTrigger,
    after: Mapping[str, JobOrderState],
    *,
    reason: str = "",
) -> None:
    for name, state in after.items():
        draft.move_state(draft.job(name), trigger, state, reason=reason)


def begin(draft: Draft, command: BeginJobOrder) -> JobOrder:
    """Let machine time run; the first step of a routing starts its pieces here.

    What is in one run begins together; pieces in process are of the one that is named.
    """
    job = draft.job(command.job_order)
    for one in in_run_with(draft, job):
        windows.catch_up(draft, one)
    after = _checked(draft, job, _T.BEGIN)
    enter(draft, job)
    entering = checked_quantity(command.in_process, unit=job.unit, of="in process")
    if entering:
        _take_in_process(draft, job, entering)
    _move_all(draft, _T.BEGIN, after)
    return draft.job(job.id)


def enter(draft: Draft, job: JobOrder) -> None:
    """Do what beginning brings with it, the state apart."""
    run = take_active_lane(draft, job)
    set_up(draft, job, run)
    set_clock(draft, run, Clock.PROCESSING, begins=True)
    for one in in_run_with(draft, draft.job(job.id)):
        start_pieces(draft, one)
        bind(draft, one)
        if one.begun_at is None:
            windows.begun(draft, one)
            limits.begun(draft, one)
        touch_rivals(draft, one)
        look_ahead(draft, one)


def _take_in_process(draft: Draft, job: JobOrder, entering: Decimal) -> None:
    there = here(draft.state, job).queued
    if not job.expects_pieces or entering > there:
        raise Refused(
            f"{job.id} has {there} {job.unit} queued, so {entering} cannot go in.",
            unmet=[f"upstream_quantity: {there} queued"],
        )
    move(draft, job, entering, Bucket.QUEUED, Bucket.IN_PROCESS)


def pause(draft: Draft, command: PauseJobOrder) -> JobOrder:
    """Interrupt it, and all in its run; a person may give up its place too."""
    job = draft.job(command.job_order)
    if not command.reason.strip():
        raise Malformed(f"Pausing {job.id} needs a reason.", hint="Say why.")
    after = _checked(draft, job, _T.PAUSE)
    if command.gives_up_slot and len(after) > 1:
        raise Refused(
            f"{job.id} is in one run with {len(after) - 1} more: they keep their place "
            "together.",
            hint="Pause the run, and move or stop those that are to leave it.",
            unmet=[f"claim_held: {', '.join(after)} are in one run"],
        )
    if command.gives_up_slot:
        _leave_unit(draft, job)
    else:
        _stop_clock(draft, job)
    _move_all(draft, _T.PAUSE, after, reason=command.reason)
    return draft.job(job.id)


def _leave_unit(draft: Draft, job: JobOrder) -> None:
    close_run(draft, job)
    center = draft.state.site.work_center(job.work_center)
    if center.posting is PostingPolicy.RUN:
        raise_posting(draft, job.id, is_final=False)


def _stop_clock(draft: Draft, job: JobOrder) -> None:
    run = open_run(draft, job)
    if run is not None:
        set_clock(draft, run, Clock.STOPPED)


def hold(draft: Draft, job: JobOrder, reason: str) -> JobOrder:
    """Interrupt it because a hold fell on it."""
    after = check(draft, job, _T.HOLD)
    _stop_clock(draft, job)
    return draft.move_state(draft.job(job.id), _T.HOLD, after, reason=reason)


def take_off(draft: Draft, job: JobOrder, reason: str) -> None:
    """Take it off its machine: it goes on when what forbids it is mended."""
    if job.run is None:
        return
    if job.state is JobOrderState.ALLOWED_LOADED:
        unload(draft, job, reason)
        return
    _leave_unit(draft, job)
    job = draft.job(job.id)
    if job.state in RUNNING:
        after = check(draft, job, _T.PAUSE)
        draft.move_state(job, _T.PAUSE, after, reason=reason)


def resume(draft: Draft, command: ResumeJobOrder) -> JobOrder:
    """Go on where it was interrupted, or at another work unit."""
    job = draft.job(command.job_order)
    run = open_run(draft, job)
    if run is not None and command.work_unit not in {None, run.work_unit}:
        raise Refused(
            f"{job.id} is on {run.work_unit}, not on {command.work_unit}.",
            hint="Move it there first.",
        )
    if job.state in INTERRUPTED and run is None and command.work_unit is not None:
        unit = suitable_unit(draft, job, command.work_unit)
        claim(draft, [job], unit, Lane.ACTIVE)
        job = draft.job(job.id)
    for one in in_run_with(draft, job):
        if one.begun_at is None:
            windows.catch_up(draft, one)
    after = _checked(draft, job, _T.RESUME)
    enter(draft, job)  # It may have been interrupted in its setup, before it began.
    _move_all(draft, _T.RESUME, after)
    return draft.job(job.id)


def move_to(draft: Draft, command: MoveJobOrder) -> JobOrder:
    """Close the run where it is, and open one at another work unit."""
    job = draft.job(command.job_order)
    after = check(draft, job, _T.MOVE_TO)
    unit = suitable_unit(draft, job, command.work_unit)
    run = open_run(draft, job)
    if run is not None and run.work_unit == unit.id:
        raise Refused(f"{job.id} is on {unit.id} already.")
    tools = chosen_tools(draft, job, unit)  # Its own come along.
    _leave_unit(draft, job)
    claim(draft, [draft.job(job.id)], unit, command.lane, tools=tools)
    return draft.move_state(draft.job(job.id), _T.MOVE_TO, after)


def update(draft: Draft, command: UpdateJobOrder) -> JobOrder:
    """Give it another due date or priority."""
    job = draft.job(command.job_order)
    after = check(draft, job, _T.UPDATE)
    if command.due_at is None and command.priority is None:
        raise Malformed(
            f"Nothing to update on {job.id}.", hint="Give 'due_at' or 'priority'."
        )
    draft.emit(
        f.JobOrderUpdated(
            job_order=job.id,
            planned=job.planned,
            due_at=job.due_at if command.due_at is None else command.due_at,
            priority=job.priority if command.priority is None else command.priority,
        )
    )
    return draft.move_state(draft.job(job.id), _T.UPDATE, after)
