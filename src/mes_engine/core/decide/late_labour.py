"""Labour that is told late: a person had worked on a run, and nobody had said so."""

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.labour import share_labour
from mes_engine.core.decide.posting import raise_posting
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.labour import LabourInterval
from mes_engine.core.messages import BookLabour
from mes_engine.core.requests import OVER
from mes_engine.core.runs import Run


def book(draft: Draft, command: BookLabour) -> dict[str, str]:
    """Book a person's time on a run; what is posted already is added to.

    It counts in full: nobody can say any more what else the person was on then.
    """
    person = command.person or draft.person
    run = draft.state.run.get(command.run)
    if run is None:
        raise NotFound(
            f"There is no run '{command.run}' of work that is still open.",
            hint="A work request that is closed takes no more time.",
        )
    _check(draft, command, run, person)
    number = draft.state.last_number("labour_interval") + 1
    labour_us = command.ended_at - command.started_at
    interval = LabourInterval(
        id=f"LI-{number:06}",
        number=number,
        sign_on="",
        person=person,
        run=run.id,
        work_unit=run.work_unit,
        work_center=run.work_center,
        started_at=command.started_at,
        since=command.ended_at,
        labour_us=labour_us,
        ended_at=command.ended_at,
        reason=command.reason,
    )
    draft.emit(f.LabourChanged(interval=interval))
    share_labour(draft, run, person, labour_us)
    for name in run.job_orders:
        if draft.job(name).is_over:
            raise_posting(draft, name, is_final=False)
    return {"labour_interval": interval.id, "person": person, "run": run.id}


def _check(draft: Draft, command: BookLabour, run: Run, person: str) -> None:
    began, ended = command.started_at, command.ended_at
    if not command.reason.strip() or not began < ended <= draft.now:
        raise Malformed(
            f"{person} on {run.id}: time that has passed, and why it is told late.",
            hint="Say 'started_at', a later 'ended_at', and 'reason'.",
        )
    closed_at = draft.now if run.closed_at is None else run.closed_at
    if not run.opened_at <= began <= closed_at:
        raise Refused(
            f"{person} cannot have begun on {run.id} then: it was not on "
            f"{run.work_unit}.",
            unmet=[f"in_the_run: {run.id} is of another time"],
        )
    for one in (*command.known, *draft.state.labour_interval.find("person", person)):
        is_same = (one.person, one.run) == (person, run.id)
        until = draft.now if one.ended_at is None else one.ended_at
        if is_same and one.started_at < ended and began < until:
            raise Refused(
                f"{person} was on {run.id} then, and that is booked ({one.id}).",
                hint="Book only what is missing.",
                unmet=[f"not_booked: {one.id} is of the same time"],
            )
    for name in run.job_orders:
        request = draft.request(draft.job(name).request)
        if request.state in OVER:
            raise Refused(
                f"No time is booked on {name}: {request.id} is {request.state}.",
                unmet=[f"request_open: {request.id} is {request.state}"],
            )
