"""Holds: opened and released as records; the job orders that they fall on follow."""

from mes_engine.core import facts as f
from mes_engine.core.decide import job_orders
from mes_engine.core.decide.chart import check
from mes_engine.core.decide.claims import in_run_with
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import RUNNING, JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.messages import OpenHold, ReleaseHold, ResumeJobOrder
from mes_engine.core.readiness import AT_WORK, binding_holds
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import Hold, HoldMode, HoldScope

_S, _T = JobOrderState, JobOrderTrigger


def open_hold(draft: Draft, command: OpenHold) -> dict[str, str]:
    """Record a hold; with ``stop_now``, interrupt what it falls on.

    What has begun in one run with others finishes with them: a hold on it is one that
    falls after the run.
    """
    if not command.reason.strip():
        raise Malformed("A hold needs a reason.", hint="Say why in 'reason'.")
    mode = command.mode
    if command.scope is HoldScope.JOB_ORDER and _shares_run(
        draft, draft.job(command.target)
    ):
        mode = HoldMode.AFTER_RUN
    number = draft.state.last_number("hold") + 1
    hold = Hold(
        id=f"H-{number:06}",
        number=number,
        scope=command.scope,
        target=command.target,
        mode=mode,
        reason=command.reason,
        owner=draft.person,
        opened_at=draft.at,
    )
    _check_target(draft, command)
    jobs = _held_jobs(draft, hold)
    draft.emit(f.HoldOpened(hold=hold))
    _touch_request(draft, jobs)
    for job in jobs:
        if hold.mode is HoldMode.STOP_NOW:
            _interrupt(draft, job, f"{hold.id}: {hold.reason}")
    return {"hold": hold.id, "mode": hold.mode.value}


def _shares_run(draft: Draft, job: JobOrder) -> bool:
    return job.state in AT_WORK and len(in_run_with(draft, job)) > 1


def _check_target(draft: Draft, command: OpenHold) -> None:
    if command.scope is HoldScope.WORK_REQUEST:
        request = draft.request(command.target)
        if request.state in {WorkRequestState.CLOSED, WorkRequestState.CANCELLED}:
            raise Refused(f"{request.id} is '{request.state}': nothing is to be held.")
        return
    job = draft.job(command.target)
    if job.is_over:
        raise Refused(f"{job.id} is '{job.state}': there is nothing to hold.")


def release_hold(draft: Draft, command: ReleaseHold) -> dict[str, str]:
    """Take a hold back; what no other hold falls on is free again."""
    hold = draft.state.hold.get(command.hold)
    if hold is None:
        raise NotFound(f"There is no hold '{command.hold}'.")
    if not hold.is_open:
        raise Refused(f"{hold.id} was released by {hold.released_by}.")
    jobs = _held_jobs(draft, hold)
    draft.emit(f.HoldReleased(hold=hold.id, at=draft.at, person=draft.person))
    _touch_request(draft, jobs)
    for job in jobs:
        if job.state is not _S.INTERRUPTED_HELD or binding_holds(draft.state, job):
            continue
        if command.resumes and job.run is not None and not job.is_paused:
            job_orders.resume(draft, ResumeJobOrder(job_order=job.id))
        else:
            draft.move_state(job, _T.TO_SUSPENDED, check(draft, job, _T.TO_SUSPENDED))
    return {"hold": hold.id}


def hold_back(draft: Draft, job: JobOrder) -> None:
    """Let an open ``stop_now`` hold fall on a job order that came under it late."""
    holds = binding_holds(draft.state, job)
    now = next((one for one in holds if one.mode is HoldMode.STOP_NOW), None)
    if now is None:
        raise Refused(
            f"No 'stop_now' hold is open on {job.id}.",
            hint="Open a hold, with its reason.",
            unmet=["no_hold: none is open"],
        )
    check(draft, job, _T.TO_HELD)
    if _shares_run(draft, job):
        raise Refused(
            f"{job.id} is in one run with others, and finishes with them.",
            hint="Stop it, or move it elsewhere.",
        )
    _interrupt(draft, job, f"{now.id}: {now.reason}")


def _touch_request(draft: Draft, jobs: list[JobOrder]) -> None:
    for name in {job.request: None for job in jobs}:
        for other in draft.state.job_order.find("request", name):
            draft.touch(other.id)


def _held_jobs(draft: Draft, hold: Hold) -> list[JobOrder]:
    if hold.scope is HoldScope.JOB_ORDER:
        job = draft.state.job_order.get(hold.target)
        return [] if job is None else [job]
    jobs = draft.state.job_order.find("request", hold.target)
    return [job for job in jobs if not job.is_over]


def _interrupt(draft: Draft, job: JobOrder, reason: str) -> None:
    if _shares_run(draft, job):
        return
    if job.state in RUNNING:
        job_orders.hold(draft, job, reason)
    elif job.state is _S.INTERRUPTED_SUSPENDED:
        draft.move_state(job, _T.TO_HELD, check(draft, job, _T.TO_HELD), reason=reason)
    elif job.state is _S.ALLOWED_LOADED:
        job_orders.unload(draft, job, reason)
