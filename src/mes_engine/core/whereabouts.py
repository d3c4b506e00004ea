"""Where the pieces of a job order are, and what may still come to it."""

from decimal import Decimal
from operator import attrgetter

import msgspec

from mes_engine.core.job_order import JobOrder
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import SECOND, ReworkPass, Visit
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import ConnectionKind
from mes_engine.core.wip_ledger import Bucket, Position

Stack = tuple[ReworkPass, ...]


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """What there is at a visit of what a job order works on, in its unit."""

    queued: Decimal = ZERO
    in_process: Decimal = ZERO
    suspect: Decimal = ZERO
    out: Decimal = ZERO
    transit: Decimal = ZERO

    def of(self, bucket: Bucket) -> Decimal:
        """Return the amount in ``bucket``, one of those on the floor."""
        amount: Decimal = getattr(self, bucket)
        return amount

    @property
    def to_work(self) -> Decimal:
        """What is there to be worked on."""
        return self.queued + self.in_process

    @property
    def unaccounted(self) -> Decimal:
        """What has not been reported yet, or waits for a disposition."""
        return self.queued + self.in_process + self.suspect

    @property
    def on_floor(self) -> Decimal:
        """Everything."""
        return self.unaccounted + self.out + self.transit


NOTHING = Here()
_amounts = attrgetter("queued", "in_process", "suspect", "out", "transit")


def here(state: State, job: JobOrder, lot: str | None = None) -> Here:
    """Return what is at the job order's visit, of its lot or of all of them.

    Args:
        state: Where to look.
        job: Whose.
        lot: One of those that it works on, if only that is asked of.
    """
    positions = positions_of(state, job, lot)
    if not positions:
        return NOTHING
    amounts = _amounts(positions[0])
    for one in positions[1:]:
        amounts = tuple(map(Decimal.__add__, amounts, _amounts(one)))
    queued, in_process, suspect, out, transit = amounts
    return Here(
        queued=queued, in_process=in_process, suspect=suspect, out=out, transit=transit
    )


def positions_of(state: State, job: JobOrder, lot: str | None = None) -> list[Position]:
    """Return the positions at the job order's visit that it works on, oldest first."""
    if lot is not None and job.lot not in {None, lot}:
        return []
    if job.lot is not None or lot is not None:
        position = state.position.get((lot or job.lot or "", job.visit))
        return [] if position is None else [position]
    return state.position.find("place", job.visit)


def places_of(state: State, lot: str) -> list[Position]:
    """Return the positions of a lot by place: in the same order after a restart."""
    found = state.position.find("lot", lot)
    return sorted(found, key=attrgetter("place")) if len(found) > 1 else found


def visit_at(state: State, request: str, step: str, rework: Stack) -> Visit | None:
    """Return the request's visit to ``step`` in this pass, if it has come to it."""
    visits = state.visit.find("step", (request, step))
    return next((one for one in visits if one.rework == rework), None)


def next_pass(rework: Stack, loop: str) -> Stack:
    """Return the loops that pieces in ``rework`` are in once they take ``loop``.

    Taken again, a loop ends those that were taken within its last pass.
    """
    for index, one in enumerate(rework):
        if one.loop == loop:
            again = ReworkPass(loop=loop, pass_number=one.pass_number + 1)
            return (*rework[:index], again)
    return (*rework, ReworkPass(loop=loop, pass_number=SECOND))


def rework_at(routing: Routing, rework: Stack, step: str) -> Stack:
    """Return the loops that pieces in ``rework`` are still in once they reach a step.

    A loop is left with the step that follows its source.
    """
    while rework and step not in routing.body(rework[-1].loop):
        rework = rework[:-1]
    return rework


def feeding(
    state: State, routing: Routing, target: Visit, *, by_rework: bool = True
) -> list[Visit]:
    """Return the open visits from which pieces may still come to ``target``.

    Args:
        state: Where to look.
        routing: Of the request.
        target: A visit.
        by_rework: Whether those count that could send pieces into its pass, or that
            would have to be sent more into theirs.
    """
    comes = _may_come if by_rework else _is_on_the_way
    return [
        one
        for one in state.visit.find("open", target.request)
        if one.id != target.id
        and comes(state, routing, one, target.step, target.rework)
    ]


def fed_by(state: State, routing: Routing, source: Visit) -> list[Visit]:
    """Return the open visits to which pieces of ``source`` may come."""
    return [
        one
        for one in state.visit.find("open", source.request)
        if one.id != source.id
        and _may_come(state, routing, source, one.step, one.rework)
    ]


def is_within_reach(state: State, routing: Routing, request: str, step: str) -> bool:
    """Whether the request has come to ``step``, or may still come there."""
    if state.visit.find("step", (request, step)):
        return True
    inward = routing.reaching(step)
    if not inward:
        return True
    if any(one.carries_pieces for one in inward):
        return any(
            _may_come(state, routing, one, step, ())
            for one in state.visit.find("open", request)
        )
    return any(is_within_reach(state, routing, request, one.source) for one in inward)


def _is_on_the_way(
    state: State, routing: Routing, source: Visit, step: str, rework: Stack
) -> bool:
    is_idle = source.rework and not _is_at_work(state, source)
    return not is_idle and _leads_to(state, routing, source, step, rework)


def _is_at_work(state: State, visit: Visit) -> bool:
    jobs = state.job_order.find("visit", visit.id)
    return any(not job.is_over for job in jobs) or any(
        one.on_floor for one in state.position.find("place", visit.id)
    )


def _leads_to(
    state: State, routing: Routing, source: Visit, step: str, rework: Stack
) -> bool:
    return rework_at(routing, source.rework, step) == rework and (
        _comes_to(state, routing, source, step)
    )


def _may_come(
    state: State, routing: Routing, source: Visit, step: str, rework: Stack
) -> bool:
    if _leads_to(state, routing, source, step, rework):
        return True
    if not rework:
        return False
    last = rework[-1]
    before = rework[:-1]
    turn = routing.loop(last.loop).source
    if last.pass_number > SECOND:
        before += (ReworkPass(loop=last.loop, pass_number=last.pass_number - 1),)
        if source.rework[: len(before)] == before:
            return True  # From its last pass, or from a loop within that.
    is_there = (source.step, source.rework) == (turn, before)
    return is_there or _may_come(state, routing, source, turn, before)


def _comes_to(state: State, routing: Routing, source: Visit, step: str) -> bool:
    """Whether a way that may still be taken leads from a visit to ``step``."""
    if not routing.leads_to(source.step, step):
        return False
    if not routing.has_alternatives:
        return True
    seen: set[str] = set()
    frontier = [source.step]
    while frontier:
        reached = frontier.pop()
        rework = rework_at(routing, source.rework, reached)
        visit = visit_at(state, source.request, reached, rework)
        for one in routing.leaving(reached):
            is_not_taken = (
                one.kind is ConnectionKind.ALTERNATIVE
                and visit is not None
                and visit.chosen not in {None, one.target}
            )
            if not one.carries_pieces or is_not_taken:
                continue
            if one.target == step:
                return True
            if one.target not in seen and routing.leads_to(one.target, step):
                seen.add(one.target)
                frontier.append(one.target)
    return False
