"""A person lets the pieces of a job order skip an optional step."""

from mes_engine.core.decide.choosing import mark_skipped
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import give_up
from mes_engine.core.decide.flow import pass_by
from mes_engine.core.decide.parting import check_right
from mes_engine.core.decide.visits import NOT_BEGUN, settle_afterwards
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.holding import holds_on_lots_at
from mes_engine.core.job_order import JobOrder
from mes_engine.core.messages import SkipStep
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import step_of, visit_of
from mes_engine.core.whereabouts import here, positions_of


def skip_step(draft: Draft, command: SkipStep) -> dict[str, str]:
    """Let what is queued, and what comes later, go past the step.

    Raises:
        Refused: The step is not optional, it was begun, or the person may not.
    """
    job = draft.job(command.job_order)
    if not command.reason.strip():
        raise Malformed(f"Skipping {job.id} needs a reason.", hint="Say why.")
    check_right(draft, job, "Skipping")
    _check_skippable(draft, job)
    visit = visit_of(draft.state, job)
    mark_skipped(draft, visit, job.lot)
    queued = [one for one in positions_of(draft.state, job) if one.queued]
    for position in queued:
        pass_by(draft, visit, position.lot, position.queued, command.reason)
    job = give_up(draft, draft.job(job.id), command.reason)
    settle_afterwards(draft, visit)
    return {"job_order": job.id, "state": job.state.value, "step": job.step}


def _check_skippable(draft: Draft, job: JobOrder) -> None:
    there = here(draft.state, job)
    told = ""
    if not step_of(draft.state, job).is_optional:
        told = f"step {job.step} is not optional"
    elif job.state not in NOT_BEGUN or job.run is not None:
        told = f"it is '{job.state}'"
    elif there.on_floor != there.queued:
        told = "some of its pieces are not queued"
    elif holds_on_lots_at(draft.state, job):
        told = "its pieces are held"
    if told or job.worked > ZERO:
        raise Refused(
            f"{job.id} cannot be skipped: {told or 'something was reported on it'}.",
            hint="Work it, or send the pieces another way as a deviation.",
            unmet=[f"step_optional: {told}"],
        )
