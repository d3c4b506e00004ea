"""What of a step's good pieces it has confirmed before.

Each pass confirms for itself. An operation's yield counts a piece once, however often
it came: what it had confirmed as good already is told with the posting.
"""

from decimal import Decimal

from mes_engine.core.job_order import JobOrder
from mes_engine.core.postings import PostingKind
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.whereabouts import rework_at, visit_at
from mes_engine.core.wip_ledger import Bucket


def repeated_of(state: State, job: JobOrder, good: Decimal) -> Decimal:
    """Return how many of ``good`` pieces were good at this step before.

    In a later pass: at the step that sends pieces back, those that had been reported
    good; at the steps before it, all that came through it to get there. In the first,
    what a deviation has brought again. Pieces are alike: what was good before is told
    first.
    """
    visit = visit_of(state, job)
    if not visit.rework:
        if visit.repeats == ZERO:
            return ZERO
        return max(min(good, visit.repeats - _told(state, job, is_back=False)), ZERO)
    if not _is_turn(state, job):
        passes = state.visit.find("step", (job.request, job.step))
        return good if any(not one.rework for one in passes) else ZERO
    known = _sent_back_good(state, job) - _told(state, job, is_back=True)
    return max(min(good, known), ZERO)


def is_told_too_often(state: State, job: JobOrder) -> bool:
    """Whether postings of the step say that more was confirmed before than was.

    So it is once pieces that were to come again are taken off their way.
    """
    visit = visit_of(state, job)
    if not visit.rework:
        return _told(state, job, is_back=False) > visit.repeats
    told = _told(state, job, is_back=True)
    return _is_turn(state, job) and told > _sent_back_good(state, job)


def confirmed_before(
    state: State,
    routing: Routing,
    job: JobOrder,
    to_step: str,
    taken: dict[Bucket, Decimal],
) -> dict[str, Decimal]:
    """Return, by visit, how many of the pieces that go to a step were good there.

    Those behind it that lead here have let them come; here, what is out was good.
    Later passes know by themselves.
    """
    if not routing.leads_to(to_step, job.step):
        return {}
    rework = rework_at(routing, visit_of(state, job).rework, to_step)
    quantity = sum(taken.values(), ZERO)
    found: dict[str, Decimal] = {}
    for step in routing.steps:
        is_again = step.id == to_step or routing.leads_to(to_step, step.id)
        is_here = step.id == job.step
        if not is_again or not (is_here or routing.leads_to(step.id, job.step)):
            continue
        stack = rework_at(routing, rework, step.id)
        visit = visit_at(state, job.request, step.id, stack)
        if visit is None or visit.rework:
            continue
        there = state.job_order.find("visit", visit.id)
        good = sum((one.good for one in there), ZERO)
        again = taken.get(Bucket.OUT, ZERO) if is_here else min(quantity, good)
        if again > ZERO:
            found[visit.id] = again
    return found


def _is_turn(state: State, job: JobOrder) -> bool:
    """Whether the innermost loop of the job order's pass starts at its step."""
    loops = {one.id: one for one in routing_of(state, job).rework}
    loop = loops.get(visit_of(state, job).rework[-1].loop)
    return loop is not None and loop.source == job.step


def _sent_back_good(state: State, job: JobOrder) -> Decimal:
    """Return how many pieces the step has sent back that were good there."""
    sent = ZERO
    for loop in routing_of(state, job).rework:
        flow = state.connection_flow.get((job.request, loop.source, loop.target))
        if loop.source == job.step and flow is not None:
            sent += flow.sent
    for visit in state.visit.find("step", (job.request, job.step)):
        for one in state.job_order.find("visit", visit.id):
            sent -= one.reworked
    return sent


def _told(state: State, job: JobOrder, *, is_back: bool) -> Decimal:
    """Return what postings have told as repeated, of first or of later passes."""
    jobs = {
        one.id
        for visit in state.visit.find("step", (job.request, job.step))
        if bool(visit.rework) is is_back
        for one in state.job_order.find("visit", visit.id)
    }
    return sum(
        (
            -one.repeated if one.kind is PostingKind.REVERSE else one.repeated
            for one in state.posting.find("stream", job.request)
            if one.job_order in jobs
        ),
        ZERO,
    )
