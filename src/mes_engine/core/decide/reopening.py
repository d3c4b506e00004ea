"""A visit is worked at again: what its end had told is unsaid."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.posting import take_back_final
from mes_engine.core.decide.storing import live_job, store
from mes_engine.core.job_order import JobOrder
from mes_engine.core.readiness import is_per_run, visit_of
from mes_engine.core.requests import Visit
from mes_engine.core.steps import ConnectionKind
from mes_engine.core.whereabouts import rework_at, visit_at

replace = msgspec.structs.replace


def reopen(draft: Draft, name: str) -> None:
    """Let a visit be worked at again, and all that its end had told be unsaid.

    What was posted as the last word on its operation is posted anew, and not as that.
    A step that had a token of it, and has begun on the strength of that, keeps it.
    """
    visit = draft.state.visit.get(name)
    if visit is None or not visit.is_done:
        return
    draft.emit(f.VisitChanged(visit=replace(visit, is_done=False)))
    request = draft.request(visit.request)
    jobs: list[JobOrder] = draft.state.job_order.find("visit", name)
    for job in jobs:
        if job.is_final_posted:
            take_back_final(draft, job.id)
    routing = draft.state.routing.get((request.routing, request.revision))
    if routing is None:
        raise LookupError(f"{request.id} names a routing revision that is not there")
    for one in routing.leaving(visit.step):
        rework = rework_at(routing, visit.rework, one.target)
        target = visit_at(draft.state, request.id, one.target, rework)
        if target is None:
            continue
        if one.kind is ConnectionKind.PRECEDENCE:
            _take_token_back(draft, target, one.source)
        else:
            reopen(draft, target.id)
    for other in draft.state.job_order.find("request", request.id):
        draft.touch(other.id)


def _take_token_back(draft: Draft, target: Visit, source: str) -> None:
    jobs = draft.state.job_order.find("visit", target.id)
    if source in target.tokens and all(job.begun_at is None for job in jobs):
        tokens = tuple(one for one in target.tokens if one != source)
        draft.emit(f.VisitChanged(visit=replace(target, tokens=tokens)))


def follow_on(draft: Draft, job: JobOrder, returned: Decimal) -> None:
    """Have a job order for the pieces that are to be worked on again."""
    live = live_job(draft, job.visit, job.lot)
    if live is None:
        store(
            draft,
            draft.request(job.request),
            job.step,
            planned=returned,
            follows=job,
            rework=visit_of(draft.state, job).rework,
            lot=job.lot,
        )
        return
    draft.touch(live.id)
    if live.follows is not None or is_per_run(draft.state, live):
        draft.emit(
            f.JobOrderUpdated(
                job_order=live.id,
                planned=live.planned + returned,
                due_at=live.due_at,
                priority=live.priority,
            )
        )
