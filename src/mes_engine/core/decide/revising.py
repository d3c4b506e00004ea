"""Another routing revision for what has not started.

The request's revision says which ways its pieces go; a job order's says how it is
worked, and one that has begun keeps it.
"""

from collections.abc import Iterator

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.storing import look_ahead, stored_first
from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.job_order import AT_WORK, JobOrder, JobOrderState
from mes_engine.core.means import needs_of
from mes_engine.core.requests import Visit, WorkRequest
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Step
from mes_engine.core.whereabouts import here

replace = msgspec.structs.replace


def revise(draft: Draft, request: WorkRequest, revision: str, reason: str) -> None:
    """Go on by another revision, if nothing of what has started stands in the way.

    Raises:
        NotFound: There is no such revision.
        Refused: It is not effective, or what has started stands in the way; says what.
    """
    old = _routing(draft, request.routing, request.revision)
    new = _routing(draft, request.routing, revision)
    effective = draft.state.effective_routing.get(request.routing)
    if effective is None or effective.revision != revision:
        word = "none" if effective is None else effective.revision or "none"
        raise Refused(
            f"{request.routing} {revision} is not effective: revision {word} is.",
            unmet=[f"routing_effective: revision {word} is effective"],
        )
    obstacles = [*_obstacles(draft, request, old, new)]
    if obstacles:
        raise Refused(
            f"{request.id} cannot go on by revision {revision}: "
            f"{'; '.join(obstacles)}.",
            hint="Complete or stop what is in work there, or keep the revision.",
            unmet=[f"not_started: {one}" for one in obstacles],
        )
    draft.emit(
        f.WorkRequestUpdated(
            work_request=request.id,
            quantity=request.quantity,
            due_at=request.due_at,
            priority=request.priority,
            revision=revision,
            reason=reason,
        )
    )
    for job in _live(draft, request):
        if not _has_begun(job):
            _revise_job(draft, job, new, reason)
    _close_empty_visits(draft, request, new)
    _store_what_comes(draft, draft.request(request.id), new)
    for job in _live(draft, request):
        draft.touch(job.id)


def _obstacles(
    draft: Draft, request: WorkRequest, old: Routing, new: Routing
) -> Iterator[str]:
    if (new.material, new.unit) != (old.material, old.unit):
        yield f"it makes {new.material} in {new.unit}, not {old.material} in {old.unit}"
    positions = draft.state.position.find("request", request.id)
    has_started = any(one.started or one.found for one in positions)
    if has_started and new.entry_ids != old.entry_ids:
        was, now = (", ".join(sorted(one.entry_ids)) for one in (old, new))
        yield f"pieces were started at step {was}, and it begins with {now}"
    steps = {one.id: one for one in new.steps}
    for visit in _open_visits(draft, request):
        has_loops = all(one in new.rework for one in old.rework)
        if visit.rework and not has_loops:
            yield f"step {visit.step} is in a rework loop that it has not"
        step = steps.get(visit.step)
        if step is None:
            yield from _without_a_step(draft, visit)
        else:
            yield from _with_another_step(draft, visit, step, old, new)


def _without_a_step(draft: Draft, visit: Visit) -> Iterator[str]:
    begun = [one.id for one in _live_at(draft, visit) if _has_begun(one)]
    if begun:
        yield f"step {visit.step} is not in it, and {', '.join(begun)} is in work there"
    elif _has_pieces(draft, visit):
        yield f"step {visit.step} is not in it, and pieces are there"


def _with_another_step(
    draft: Draft, visit: Visit, step: Step, old: Routing, new: Routing
) -> Iterator[str]:
    jobs, before = _live_at(draft, visit), old.step(visit.step)
    is_in_work = _has_pieces(draft, visit) or any(_has_begun(one) for one in jobs)
    counts_otherwise = step.job_per is not before.job_per or new.holds_pieces(
        step.id
    ) is not old.holds_pieces(step.id)
    if is_in_work and counts_otherwise:
        yield f"step {step.id} is in work, and counts its pieces otherwise in it"
    for job in jobs:
        if job.state is JobOrderState.ALLOWED_LOADED and step != before:
            yield f"{job.id} is loaded for step {step.id}, which is another in it"


def _has_pieces(draft: Draft, visit: Visit) -> bool:
    positions = draft.state.position.find("place", visit.id)
    return any(one.on_floor for one in positions)


def _revise_job(draft: Draft, job: JobOrder, new: Routing, reason: str) -> None:
    step = next((one for one in new.steps if one.id == job.step), None)
    if step is None:
        why = reason or f"step {job.step} is not in revision {new.revision}"
        give_up(draft, job, why)
        return
    draft.emit(
        f.JobOrderRevised(
            job_order=job.id,
            revision=new.revision,
            work_center=step.work_center,
            equipment_class=step.equipment_class,
            expects_pieces=new.holds_pieces(step.id),
            materials=tuple(one.material for one in step.consumes),
            needs=needs_of(step),
            reason=reason,
        )
    )


def _close_empty_visits(draft: Draft, request: WorkRequest, new: Routing) -> None:
    """Close the visits to steps that there are no more; nothing is there."""
    steps = {one.id for one in new.steps}
    for visit in _open_visits(draft, request):
        if visit.step not in steps:
            draft.emit(f.VisitChanged(visit=replace(visit, is_done=True)))


def _store_what_comes(draft: Draft, request: WorkRequest, new: Routing) -> None:
    for step in new.entries:
        if not draft.state.visit.find("step", (request.id, step.id)):
            stored_first(draft, request, step)
    for job in _live(draft, request):
        if _has_begun(job) or here(draft.state, job).on_floor:
            look_ahead(draft, job)


def _has_begun(job: JobOrder) -> bool:
    is_at_work = job.state in AT_WORK or job.begun_at is not None
    return bool(is_at_work or job.worked or job.setup_us or job.processing_us)


def _open_visits(draft: Draft, request: WorkRequest) -> list[Visit]:
    return draft.state.visit.find("open", request.id)


def _live_at(draft: Draft, visit: Visit) -> list[JobOrder]:
    jobs = draft.state.job_order.find("visit", visit.id)
    return [job for job in jobs if not job.is_over]


def _live(draft: Draft, request: WorkRequest) -> list[JobOrder]:
    jobs = draft.state.job_order.find("request", request.id)
    return [job for job in jobs if not job.is_over]


def _routing(draft: Draft, routing: str, revision: str) -> Routing:
    found = draft.state.routing.get((routing, revision))
    if found is None:
        raise NotFound(
            f"There is no revision {revision} of routing {routing}.",
            hint="Release it in PLM first.",
        )
    return found
