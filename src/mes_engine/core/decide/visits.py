"""What follows from the end of a step's work: tokens, tidings, the request's state."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import windows
from mes_engine.core.decide.choosing import passer
from mes_engine.core.decide.claims import close_run
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.posting import raise_posting
from mes_engine.core.decide.stock import end_if_empty
from mes_engine.core.decide.storing import store, visit_to
from mes_engine.core.job_order import (
    NOT_ALLOWED,
    QUEUED,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import nothing_expected, routing_of
from mes_engine.core.requests import Visit, WorkRequest, WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Connection, ConnectionKind
from mes_engine.core.whereabouts import fed_by, here

replace = msgspec.structs.replace
BEGUN = frozenset({WorkRequestState.IN_PROGRESS, WorkRequestState.COMPLETED})
NOT_BEGUN = frozenset({*NOT_ALLOWED, *QUEUED, JobOrderState.ALLOWED_LOADED})


def settle_visit(draft: Draft, job: JobOrder) -> bool:
    """Close the job order's visit if nothing is left to do there, and tell on.

    Returns:
        Whether the visit is done.
    """
    if job.id:
        windows.ended(draft, job)
    visit = draft.state.visit.get(job.visit)
    if visit is None or visit.is_done:
        return visit is not None
    if _on_floor(draft, visit) or _has_live_job(draft, visit):
        return False
    if not nothing_expected(draft.state, job, by_rework=True).is_met:
        return False
    visit = replace(visit, is_done=True)
    draft.emit(f.VisitChanged(visit=visit))
    windows.visit_done(draft, job)
    routing = routing_of(draft.state, job)
    request = draft.request(job.request)
    _pass_tokens(draft, request, routing, visit)
    for other in fed_by(draft.state, routing, visit):
        _tell_nothing_comes(draft, other)
    for one in draft.state.job_order.find("live_of", request.id):
        draft.touch(one.id)  # Some may have waited for what cannot come any more.
    return True


def _on_floor(draft: Draft, visit: Visit) -> bool:
    positions = draft.state.position.find("place", visit.id)
    return any(one.on_floor for one in positions)


def _has_live_job(draft: Draft, visit: Visit) -> bool:
    jobs = draft.state.job_order.find("visit", visit.id)
    return any(not one.is_over for one in jobs)


def _pass_tokens(
    draft: Draft, request: WorkRequest, routing: Routing, visit: Visit
) -> None:
    """Tell the steps that wait for this one's end, once no pass of it is open."""
    passes = draft.state.visit.find("step", (request.id, visit.step))
    if any(not one.is_done for one in passes):
        return
    for one in routing.leaving(visit.step):
        if one.kind is ConnectionKind.PRECEDENCE:
            _pass_token(draft, request, one)


def _pass_token(draft: Draft, request: WorkRequest, one: Connection) -> None:
    target = visit_to(draft, request, one.target)
    if one.source in target.tokens:
        return
    tokens = (*target.tokens, one.source)
    draft.emit(f.VisitChanged(visit=replace(target, tokens=tokens)))
    if not draft.state.job_order.find("visit", target.id):
        store(draft, request, one.target)
    for successor in draft.state.job_order.find("visit", target.id):
        if not successor.is_over:
            draft.touch(successor.id)
            if successor.expects_pieces:
                give_up_if_empty(draft, successor, target)


def nothing_comes_of(draft: Draft, job: JobOrder) -> None:
    """Tell on that of what a job order sent less is there, and no more to come."""
    visit = draft.state.visit.get(job.visit)
    if visit is not None and visit.is_done:
        for other in fed_by(draft.state, routing_of(draft.state, job), visit):
            _tell_nothing_comes(draft, other)


def _tell_nothing_comes(draft: Draft, target: Visit) -> None:
    """Tell a visit that nothing more comes; give it up if nothing ever came."""
    jobs = draft.state.job_order.find("visit", target.id)
    live = [one for one in jobs if not one.is_over]
    if not live:
        settle_afterwards(draft, target)
    for one in live:
        draft.touch(one.id)
        give_up_if_empty(draft, one, target)


def give_up_if_empty(
    draft: Draft, successor: JobOrder, visit: Visit, *, keeps_slot: bool = True
) -> None:
    """Cancel a job order that no pieces came to, and that none can come to.

    Args:
        draft: The decision.
        successor: The job order.
        visit: Its visit.
        keeps_slot: Whether it is left alone where it is loaded.
    """
    if (
        here(draft.state, successor).on_floor == ZERO
        and successor.state in NOT_BEGUN
        and not (keeps_slot and successor.run and successor.split_of is None)
        and nothing_expected(draft.state, successor, by_rework=True).is_met
    ):
        close_run(draft, successor)  # Of one that siblings have left nothing.
        draft.move_state(
            draft.job(successor.id),
            JobOrderTrigger.CANCEL,
            JobOrderState.CANCELLED,
            reason="no pieces came to it",
        )
        settle_afterwards(draft, visit)


def settle_afterwards(draft: Draft, visit: Visit) -> None:
    """Close a visit whose job orders ended before it was known that no more come."""
    now = draft.state.visit.get(visit.id)
    jobs = draft.state.job_order.find("visit", visit.id)
    if now is None or now.is_done:
        return  # What was told on has come round to it already.
    if not jobs:
        if now.skips:
            settle_visit(draft, passer(draft, now, None))
        return
    if settle_visit(draft, jobs[-1]):
        booked = [one for one in jobs if is_to_post(one)]
        if booked:
            raise_posting(draft, booked[-1].id, is_final=True)


def is_to_post(job: JobOrder) -> bool:
    """Tell whether anything was done at it that the ledger should hear of."""
    return bool(job.worked or job.setup_us or job.processing_us or job.labour_us)


def _is_begun(draft: Draft, request: WorkRequest) -> bool:
    jobs = draft.state.job_order.find("request", request.id)
    return any(job.begun_at is not None or job.worked for job in jobs)


def derive_request(draft: Draft, request_id: str) -> None:
    """Bring the request's state in line with what its job orders have come to."""
    request = draft.request(request_id)
    if not request.is_released:
        return
    begun = request.state in BEGUN or _is_begun(draft, request)
    is_over = begun and not draft.state.job_order.members("live_of", request.id)
    held = ZERO
    if is_over:
        positions = draft.state.position.find("request", request.id)
        held = sum((one.on_floor for one in positions), ZERO)
    if is_over and held == ZERO:
        derived = WorkRequestState.COMPLETED
    else:
        derived = WorkRequestState.IN_PROGRESS if begun else WorkRequestState.RELEASED
    if derived is not request.state:
        draft.emit(
            f.WorkRequestChanged(
                work_request=request.id, state=derived, lot=request.lot
            )
        )
    if derived is WorkRequestState.COMPLETED:
        for lot in draft.state.lot.find("request", request.id):
            end_if_empty(draft, lot.id)
