"""The job orders of pools: what runs leave, and what comes when all of it is taken."""

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.lot_jobs import plan
from mes_engine.core.decide.storing import store
from mes_engine.core.job_order import (
    NOT_ALLOWED,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.pools import is_pool, pool_of
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import is_per_run, own_part, remaining, visit_of
from mes_engine.core.siblings import siblings
from mes_engine.core.whereabouts import here


def pool_for(draft: Draft, job: JobOrder) -> JobOrder:
    """Return who waits for what has come to a visit: a new pool, if runs have it all.

    Args:
        draft: The decision.
        job: The one that would have it.
    """
    if not is_per_run(draft.state, job):
        return job
    wanted = sum(map(remaining, siblings(draft.state, job)), remaining(job))
    more = here(draft.state, job).unaccounted - wanted
    if more <= ZERO:
        return job
    if is_pool(draft.state, job):
        plan(draft, job, job.planned + more)
        return draft.job(job.id)
    if job.split_of is None:
        family = f.JobOrderSplit(job_order=job.id, planned=job.planned, split_of=job.id)
        draft.emit(family)
    return store(
        draft,
        draft.request(job.request),
        job.step,
        planned=more,
        follows=job,
        rework=visit_of(draft.state, job).rework,
        split_of=job.split_of or job.id,
    )


def put_back(draft: Draft, job: JobOrder) -> JobOrder:
    """Let what was parted off for a run that never began wait in the pool again."""
    pool = pool_of(draft.state, job)
    if pool is None or not is_per_run(draft.state, job) or job.worked:
        return job
    plan(draft, pool, pool.planned + job.planned)
    draft.touch(pool.id)
    return draft.move_state(
        draft.job(job.id),
        JobOrderTrigger.CANCEL,
        JobOrderState.CANCELLED,
        reason=f"back to {pool.id}",
    )


def leave_the_rest(draft: Draft, job: JobOrder) -> None:
    """Let a run that ends leave what it has not worked to the next one.

    What it worked beyond its part the pool has less. A run that took the pool as it was
    leaves a new one.
    """
    if not is_per_run(draft.state, job):
        return
    left = job.planned - job.worked - job.deviated
    if left == ZERO:
        return
    pool = pool_of(draft.state, job)
    draft.emit(
        f.JobOrderSplit(
            job_order=job.id,
            planned=job.planned - left,
            split_of=job.split_of or job.id,
        )
    )
    if pool is not None:
        planned = max(pool.planned + left, ZERO)
        plan(draft, pool, planned)
        draft.touch(pool.id)
        if planned == ZERO and own_part(draft.state, draft.job(pool.id)) == ZERO:
            _give_up(draft, draft.job(pool.id))
    elif left > ZERO:
        store(
            draft,
            draft.request(job.request),
            job.step,
            planned=left,
            follows=job,
            is_released=job.state not in NOT_ALLOWED,
            rework=visit_of(draft.state, job).rework,
            split_of=job.split_of or job.id,
        )


def _give_up(draft: Draft, pool: JobOrder) -> None:
    draft.move_state(
        pool,
        JobOrderTrigger.CANCEL,
        JobOrderState.CANCELLED,
        reason="nothing is left for it",
    )
