"""Labour: sign on, sign off, and share a person's time among what he or she is on."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.batching import weights_of
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.labour import LabourInterval, SignOn
from mes_engine.core.messages import SignOffPerson, SignOnPerson
from mes_engine.core.plant import LabourRule
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import Lane, Run
from mes_engine.core.sharing import shared_out

replace = msgspec.structs.replace


def sign_on(draft: Draft, command: SignOnPerson) -> dict[str, str]:
    """Let a person be on a run, or on a work unit with all that is active there."""
    unit = draft.state.site.work_unit(command.work_unit)
    person = command.person or draft.person
    there = draft.state.run.find("work_unit", unit.id)
    if command.run is not None and command.run not in {one.id for one in there}:
        raise NotFound(f"There is no open run '{command.run}' on {unit.id}.")
    for one in _of_person(draft, person, unit.id):
        if one.run == command.run:
            raise Refused(f"{person} is on {command.run or unit.id} already.")
    number = draft.state.last_number("sign_on") + 1
    made = SignOn(
        id=f"SO-{number:06}",
        number=number,
        person=person,
        work_unit=unit.id,
        work_center=unit.work_center,
        run=command.run,
        signed_on_at=draft.at,
        signed_on_by=draft.person,
    )
    draft.emit(f.SignedOn(sign_on=made))
    for run in there:
        is_meant = run.lane is Lane.ACTIVE if made.run is None else run.id == made.run
        if is_meant:
            _start(draft, made, run)
    return {"sign_on": made.id, "person": person, "work_unit": unit.id}


def signed_on(draft: Draft, command: SignOffPerson) -> list[SignOn]:
    """Return what a person is to be signed off from.

    Raises:
        Refused: He or she is not on it.
    """
    unit = draft.state.site.work_unit(command.work_unit)
    person = command.person or draft.person
    known = [
        one
        for one in _of_person(draft, person, unit.id)
        if command.run in {None, one.run}
    ]
    if not known:
        raise Refused(
            f"{person} is not on {command.run or unit.id}.",
            hint="See who is: the people of the work unit.",
        )
    return known


def run_active(draft: Draft, run: Run) -> None:
    """Let those who are on the work unit be on a run that is active there now."""
    for one in draft.state.sign_on.find("work_unit", run.work_unit):
        if one.run is None:
            _start(draft, one, run)


def settle_run(draft: Draft, run: Run) -> None:
    """Book the time of all who are on a run, before it is shared otherwise."""
    for one in draft.state.labour_interval.find("run", run.id):
        settle(draft, one.person)


def leave_run(draft: Draft, run: Run) -> None:
    """Sign off everybody from a run that ends; who is on the work unit stays there."""
    settle_run(draft, run)
    for one in draft.state.sign_on.find("work_unit", run.work_unit):
        if one.run == run.id:
            end(draft, one)
    for interval in draft.state.labour_interval.find("run", run.id):
        _close(draft, interval)


def settle(draft: Draft, person: str, *, at: int = 0) -> None:
    """Book a person's time up to now on the runs that he or she is on.

    By the rule of each work center: a fair part among those that share a person's time,
    all of it where it counts in full.

    Args:
        draft: The decision.
        person: Whose.
        at: Up to when, if that is later than now and than what was booked.
    """
    intervals = draft.state.labour_interval.find("person", person)
    if not intervals:
        return
    since = intervals[0].since  # Of all of them: they are booked up to one moment.
    until = max(draft.at, at, since)
    sharing = [one for one in intervals if not is_full(draft, one)]
    parts = dict.fromkeys((one.id for one in intervals), until - since)
    if sharing:
        shares = shared_out(until - since, [ZERO] * len(sharing))
        parts |= dict(zip((one.id for one in sharing), shares, strict=True))
    for one in intervals:
        _book(draft, one, parts[one.id], until)


def is_full(draft: Draft, interval: LabourInterval) -> bool:
    """Whether all of a person's time counts there, whatever else he or she is on."""
    center = draft.state.site.work_center(interval.work_center)
    return center.labour is LabourRule.FULL


def _book(draft: Draft, interval: LabourInterval, part_us: int, at: int) -> None:
    if at > interval.since:
        changed = replace(interval, since=at, labour_us=interval.labour_us + part_us)
        draft.emit(f.LabourChanged(interval=changed))
    run = draft.state.run.get(interval.run)
    if run is not None and part_us:
        share_labour(draft, run, interval.person, part_us)


def share_labour(draft: Draft, run: Run, person: str, part_us: int) -> None:
    """Book a person's time on a run on its job orders, by what each has brought in."""
    shares = shared_out(part_us, weights_of(draft.state, run))
    for name, share in zip(run.job_orders, shares, strict=True):
        if share:
            job = draft.job(name)
            draft.emit(
                f.LabourBooked(
                    job_order=name,
                    run=run.id,
                    person=person,
                    labour_us=share,
                    labour_total_us=job.labour_us + share,
                )
            )


def _start(draft: Draft, made: SignOn, run: Run) -> None:
    known = draft.state.labour_interval.find("person", made.person)
    if any(one.run == run.id for one in known):
        return  # A person is on a run once.
    at = max(draft.at, run.opened_at, *(one.since for one in known))
    settle(draft, made.person, at=at)
    number = draft.state.last_number("labour_interval") + 1
    draft.emit(
        f.LabourChanged(
            interval=LabourInterval(
                id=f"LI-{number:06}",
                number=number,
                sign_on=made.id,
                person=made.person,
                run=run.id,
                work_unit=run.work_unit,
                work_center=run.work_center,
                started_at=at,
                since=at,
            )
        )
    )


def end(draft: Draft, known: SignOn) -> None:
    """Let a sign-on, and the person's time by it, be over."""
    at = max(draft.at, known.signed_on_at)
    draft.emit(f.SignedOff(sign_on=replace(known, signed_off_at=at)))
    for interval in draft.state.labour_interval.find("person", known.person):
        if interval.sign_on == known.id:
            _close(draft, interval)


def _close(draft: Draft, interval: LabourInterval) -> None:
    draft.emit(f.LabourChanged(interval=replace(interval, ended_at=interval.since)))


def _of_person(draft: Draft, person: str, work_unit: str) -> list[SignOn]:
    there = draft.state.sign_on.find("work_unit", work_unit)
    return [one for one in there if one.person == person]
