"""What of a later pass's good pieces an operation has confirmed before.

Each pass confirms for itself. An operation's yield counts a piece once, however often
it came: what it had confirmed as good already is told with the posting.
"""

from decimal import Decimal

from mes_engine.core.job_order import JobOrder
from mes_engine.core.postings import PostingKind
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.state import State


def repeated_of(state: State, job: JobOrder, good: Decimal) -> Decimal:
    """Return how many of ``good`` pieces were good at this step in an earlier pass.

    At the step that sends pieces back, those that had been reported good; at the steps
    before it, all that came through it to get there. Pieces are alike: what was good
    before is told first.
    """
    visit = visit_of(state, job)
    if not visit.rework:
        return ZERO
    loops = {one.id: one for one in routing_of(state, job).rework}
    loop = loops.get(visit.rework[-1].loop)
    if loop is None or loop.source != job.step:
        passes = state.visit.find("step", (job.request, job.step))
        return good if any(not one.rework for one in passes) else ZERO
    known = _sent_back_good(state, job) - _told_before(state, job)
    return max(min(good, known), ZERO)


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


def _told_before(state: State, job: JobOrder) -> Decimal:
    return sum(
        (
            -one.repeated if one.kind is PostingKind.REVERSE else one.repeated
            for one in state.posting.find("stream", job.request)
            if one.step == job.step
        ),
        ZERO,
    )
