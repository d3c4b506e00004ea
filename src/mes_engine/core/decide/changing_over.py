"""Changeover: what is staged at a work unit becomes active, at the source's time."""

from mes_engine.core.decide import windows
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import complete
from mes_engine.core.decide.job_orders import begin, take_off
from mes_engine.core.errors import Refused
from mes_engine.core.guards import claims_of, unmet_guards
from mes_engine.core.job_order import JOB_ORDER_CHART, JobOrder, JobOrderTrigger
from mes_engine.core.messages import BeginJobOrder, ChangeOver
from mes_engine.core.runs import Lane


def change_over(draft: Draft, command: ChangeOver) -> JobOrder:
    """Take what is active off the work unit, and begin what is staged there.

    What can be completed is; the rest gives up its place, and goes on later.
    """
    unit = draft.state.site.work_unit(command.work_unit)
    claims = claims_of(draft.state, unit)
    staged = sorted(claims[Lane.STAGED], key=lambda one: (one.opened_at, one.id))
    if not staged:
        raise Refused(
            f"Nothing is staged at {unit.id}, so it cannot change over.",
            hint="Load the next job order into its staged lane first.",
            unmet=[f"staged_run: {unit.id} has none"],
        )
    for run in claims[Lane.ACTIVE]:
        for name in run.job_orders:
            _leave(draft, draft.job(name))
    following = draft.job(staged[0].job_orders[0])
    return begin(draft, BeginJobOrder(job_order=following.id))


def _leave(draft: Draft, job: JobOrder) -> None:
    if job.run is None or job.is_over:
        return  # It went with another of its run.
    windows.catch_up(draft, job)
    if _can_complete(draft, job):
        complete(draft, job)
    else:
        take_off(draft, job, "changed over")


def _can_complete(draft: Draft, job: JobOrder) -> bool:
    if JOB_ORDER_CHART.row(job.state, JobOrderTrigger.COMPLETE) is None:
        return False
    return not unmet_guards(draft.state, job, JobOrderTrigger.COMPLETE, draft.asker)
