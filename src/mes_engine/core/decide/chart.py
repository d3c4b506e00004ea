"""Ask the chart: does this job order take this trigger now, and if not, why not."""

import msgspec

from mes_engine.core.conditions import Condition
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Refused
from mes_engine.core.guards import unmet_guards
from mes_engine.core.job_order import (
    JOB_ORDER_CHART,
    ON_A_MACHINE,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.means import Asker
from mes_engine.core.state import State


class TriggerView(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger that a job order's state accepts, and what speaks against it now."""

    trigger: JobOrderTrigger
    is_allowed: bool
    unmet: tuple[Condition, ...]


def explain(
    state: State, job: JobOrder, asker: Asker | None = None
) -> tuple[TriggerView, ...]:
    """Return every trigger that the job order's state accepts, by name.

    Args:
        state: Where to look.
        job: What would be asked.
        asker: By whom; whether anybody could, if None.
    """
    views = []
    for trigger in JOB_ORDER_CHART.triggers(job.state):
        unmet = unmet_guards(state, job, trigger, asker)
        views.append(TriggerView(trigger=trigger, is_allowed=not unmet, unmet=unmet))
    return tuple(views)


def check(draft: Draft, job: JobOrder, trigger: JobOrderTrigger) -> JobOrderState:
    """Return the state that ``trigger`` leads to.

    Raises:
        Refused: The state does not take it, or a guard does not hold.
    """
    row = JOB_ORDER_CHART.row(job.state, trigger)
    if row is None:
        raise _not_now(draft.state, job, trigger)
    unmet = unmet_guards(draft.state, job, trigger, draft.asker)
    if unmet:
        raise refusal(draft.state, job, trigger, unmet)
    return row.dest


def refusal(
    state: State,
    job: JobOrder,
    trigger: JobOrderTrigger,
    unmet: tuple[Condition, ...],
) -> Refused:
    """Say that conditions speak against ``trigger``."""
    told = "; ".join(one.why for one in unmet)
    menders = ", ".join(dict.fromkeys(one.mender for one in unmet if one.mender))
    return Refused(
        f"'{trigger}' of {job.id} is refused: {told}.",
        hint=f"Can be mended by: {menders}." if menders else "",
        unmet=[str(one) for one in unmet],
        allowed=allowed_triggers(state, job),
    )


def allowed_triggers(state: State, job: JobOrder) -> tuple[str, ...]:
    """Return the triggers that would be accepted now, by name."""
    return tuple(one.trigger.value for one in explain(state, job) if one.is_allowed)


def _not_now(state: State, job: JobOrder, trigger: JobOrderTrigger) -> Refused:
    allowed = allowed_triggers(state, job)
    return Refused(
        f"'{trigger}' is not allowed while {job.id} is '{job.state}'"
        f"{_holder(state, job)}.",
        hint=f"Allowed now: {', '.join(allowed) or 'nothing'}.",
        unmet=[str(one) for one in job.conditions if not (one.is_met or job.is_over)],
        allowed=allowed,
    )


def _holder(state: State, job: JobOrder) -> str:
    run = None if job.run is None else state.run.get(job.run)
    if run is None or job.state not in ON_A_MACHINE:
        return ""
    return f" on {run.work_unit}, taken by {run.person}"
