"""Machines that serve job orders: what they say of them, and what they answered."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import ending, job_orders
from mes_engine.core.decide.claims import open_run
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.reporting import book, can_take, count_report
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import AT_WORK, INTERRUPTED, JobOrder, JobOrderTrigger
from mes_engine.core.machine_jobs import (
    NO_ERROR,
    STORES,
    TRANSLATION,
    JobMachine,
    JobVerb,
    MachineJob,
    MachineJobList,
    MachineJobState,
    ToldJob,
    applies,
)
from mes_engine.core.messages import (
    AbortJobOrder,
    BeginJobOrder,
    PauseJobOrder,
    RecordMachineJob,
    ResumeJobOrder,
)
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import OVER

replace = msgspec.structs.replace
_T = JobOrderTrigger


def hear_jobs(draft: Draft, link: str, heard: MachineJobList) -> None:
    """Do what a machine's list of job orders means for ours."""
    listed = {one.job_order: one for one in heard.jobs}
    known = {one.job_order: one for one in draft.state.machine_job.find("link", link)}
    for name in dict.fromkeys((*listed, *known)):
        job = draft.state.job_order.get(name)
        if job is None:
            continue
        was = _placed(draft, link, job, known.get(name))
        if was is None:
            continue
        told = listed.get(name)
        if told is None and was.state is not None:
            told = ToldJob(job_order=name, state=MachineJobState.GONE)
        if told is not None:
            _follow(draft, was, told, at=heard.at)


def record(draft: Draft, command: RecordMachineJob) -> dict[str, str]:
    """Keep what a machine is asked, or has answered."""
    job = draft.job(command.job_order)
    known = draft.state.machine_job.get((job.id, command.link))
    was = _placed(draft, command.link, job, known)
    if was is None:
        raise Refused(
            f"{job.id} has nothing to do with a machine of link {command.link}.",
            hint="No work unit serves job orders over it, or its request is over.",
        )
    is_answer = command.status is not None and was.asked is command.verb
    is_taken = command.status == NO_ERROR
    is_refused = command.status is not None and not is_taken
    sends = command.verb in STORES or command.verb is JobVerb.UPDATE
    _keep(
        draft,
        was,
        asked=command.verb,
        status=command.status or 0,
        asked_at=was.asked_at if is_answer else draft.at,
        is_pending=is_taken and command.verb is not JobVerb.UPDATE,
        refusal=f"{command.verb}: {command.problem}" if is_refused else "",
        sent=command.sent if is_taken and sends else was.sent,
    )
    return {"job_order": job.id, "state": job.state.value}


def _placed(
    draft: Draft, link: str, job: JobOrder, known: MachineJob | None
) -> MachineJob | None:
    """Return the record of a job order at a link's machine, at the unit where it is.

    What the machine has of ours is followed wherever ours is by now: it may have been
    taken away while the machine was still being asked.
    """
    state = draft.state
    units = state.site.units_served_over(link) if state.has_plant else []
    run = open_run(draft, job)
    if run is not None and run.work_unit in units:
        unit = run.work_unit
    elif known is not None or not units or draft.request(job.request).state in OVER:
        return known
    else:
        unit = units[0]
    if known is not None:
        return replace(known, work_unit=unit)
    return MachineJob(job_order=job.id, link=link, request=job.request, work_unit=unit)


def _machine(draft: Draft, work_unit: str) -> JobMachine | None:
    unit = draft.state.site.work_units.get(work_unit)
    return None if unit is None else unit.jobs


def _follow(draft: Draft, was: MachineJob, told: ToldJob, *, at: int) -> None:
    """Take our job order where the machine's is, as far as it may go."""
    is_new = told.state is not was.state
    before, after = TRANSLATION.get(told.state, ((), ()))
    if was.is_echo(told.state, at) or not is_new:
        before, after = (), ()
    problem = "" if is_new else was.problem
    job = draft.job(was.job_order)
    is_on_it = _is_on(draft, was)
    if told.state is MachineJobState.GONE and is_on_it:
        problem = "the machine has it no longer"
    if not is_on_it and not job.is_over and (before or after):
        problem = f"the machine says '{told.state}', and it is not on {was.work_unit}"
    booked, was_interrupted = was, job.state in INTERRUPTED
    if is_on_it:
        for trigger in before:
            problem = _fire(draft, was, trigger) or problem
        booked, short = _book(draft, was, told)
        problem = short or problem
        for trigger in after:
            problem = _fire(draft, was, trigger) or problem
    _keep(
        draft,
        was,
        state=told.state,
        good=booked.good,
        scrap=booked.scrap,
        problem=problem,
        asked_at=0 if is_new else was.asked_at,
        is_pending=was.is_pending and not is_new,
        has_stopped_itself=(
            was.has_stopped_itself
            if not is_new
            else _T.PAUSE in after and not was_interrupted
        ),
    )


def _is_on(draft: Draft, was: MachineJob) -> bool:
    run = open_run(draft, draft.job(was.job_order))
    return run is not None and run.work_unit == was.work_unit


def _fire(draft: Draft, was: MachineJob, trigger: JobOrderTrigger) -> str:
    """Do what everybody may do; say why not, if it cannot be done."""
    job = draft.job(was.job_order)
    if not applies(trigger, job):
        return ""
    said = f"by the machine ({was.link})"
    actions: dict[JobOrderTrigger, Callable[[], object]] = {
        _T.BEGIN: lambda: job_orders.begin(draft, BeginJobOrder(job_order=job.id)),
        _T.RESUME: lambda: job_orders.resume(draft, ResumeJobOrder(job_order=job.id)),
        _T.PAUSE: lambda: job_orders.pause(
            draft, PauseJobOrder(job_order=job.id, reason=f"interrupted {said}")
        ),
        _T.COMPLETE: lambda: ending.complete(draft, job),
        _T.ABORT: lambda: ending.abort(
            draft,
            AbortJobOrder(
                job_order=job.id, reason=f"aborted {said}", signature=was.work_unit
            ),
        ),
    }
    return _tried(draft, actions[trigger])


def _tried(draft: Draft, action: Callable[[], object]) -> str:
    """Do something, or nothing of it; return why not."""
    mark = len(draft.records)
    try:
        with draft.state.attempt():
            action()
    except (Refused, Malformed, NotFound) as error:
        del draft.records[mark:]
        return error.message
    return ""


def _book(draft: Draft, was: MachineJob, told: ToldJob) -> tuple[MachineJob, str]:
    """Book the pieces that are more than those booked before, as far as it can be."""
    machine = _machine(draft, was.work_unit)
    problem = ""
    if machine is None or not machine.counts:
        return was, problem
    for role, amount in (("good", told.good), ("scrap", told.scrap)):
        before: Decimal = getattr(was, role)
        more = ZERO if amount is None else amount - before
        if more <= ZERO:
            continue
        booked = _book_role(draft, was.job_order, role, more)
        if booked < more:
            problem = f"it made {amount} {role}, and {before + booked} are booked"
        was = replace(was, **{role: before + booked})
    return was, problem


def _book_role(draft: Draft, name: str, role: str, more: Decimal) -> Decimal:
    job = draft.job(name)
    if job.state not in AT_WORK:
        return ZERO
    pieces = min(more, can_take(draft, job))
    if pieces <= ZERO:
        return ZERO
    report = count_report(job, role, pieces)
    refused = _tried(draft, lambda: book(draft, job, report, source="machine"))
    return ZERO if refused else pieces


def _keep(draft: Draft, was: MachineJob, **changes: object) -> None:
    """Emit what is new; nothing if it is all as it was."""
    known = draft.state.machine_job.get((was.job_order, was.link))
    now = replace(was, **changes)
    if known is None or replace(now, at=known.at) != known:
        draft.emit(f.MachineJobChanged(machine_job=replace(now, at=draft.at)))
