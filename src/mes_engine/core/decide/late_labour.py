"""Labour that is told late: a person had worked on a run, and nobody had said so."""

import msgspec

from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.labour import end, settle, signed_on
from mes_engine.core.decide.sharing_anew import known_of, share_anew
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.labour import LabourInterval
from mes_engine.core.messages import BookLabour, SignOffPerson
from mes_engine.core.requests import OVER
from mes_engine.core.runs import Run

replace = msgspec.structs.replace


def book(draft: Draft, command: BookLabour) -> dict[str, str]:
    """Book a person's time on a run; what is posted already is added to.

    It is shared with what else the person was on then, by the rules of the work
    centers: of that there is less from now on.
    """
    person = command.person or draft.person
    run = draft.state.run.get(command.run)
    if run is None:
        raise NotFound(
            f"There is no run '{command.run}' of work that is still open.",
            hint="A work request that is closed takes no more time.",
        )
    _check(draft, command, run, person)
    settle(draft, person)
    known = known_of(draft, person, command.known, command.known_seq)
    number = draft.state.last_number("labour_interval") + 1
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
        ended_at=command.ended_at,
        reason=command.reason,
    )
    share_anew(draft, list(known.values()), [*known.values(), interval])
    return {"labour_interval": interval.id, "person": person, "run": run.id}


def sign_off(draft: Draft, command: SignOffPerson) -> dict[str, str]:
    """Let a person be on it no more; if that is told late, since when it was so.

    What was booked after that moment goes to what else the person was on, if anything.
    """
    known = signed_on(draft, command)
    person = known[0].person
    settle(draft, person)
    names = {one.id for one in known}
    late = [
        one
        for one in draft.state.labour_interval.find("person", person)
        if one.sign_on in names and one.since > draft.at
    ]
    if late or any(_is_cut(one, names, draft.at) for one in command.known):
        found = known_of(draft, person, command.known, command.known_seq)
        before = list(found.values())
        after = [
            _cut(one, draft.at) if _is_cut(one, names, draft.at) else one
            for one in before
        ]
        share_anew(draft, before, after)
    for one in known:
        end(draft, one)
    return {"person": person, "work_unit": command.work_unit}


def _is_cut(one: LabourInterval, sign_ons: set[str], at: int) -> bool:
    until = one.since if one.ended_at is None else one.ended_at
    return one.sign_on in sign_ons and until > at


def _cut(one: LabourInterval, at: int) -> LabourInterval:
    until = max(at, one.started_at)
    ended_at = None if one.ended_at is None else until
    return replace(one, since=until, ended_at=ended_at)


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
