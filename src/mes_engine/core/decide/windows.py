"""Time windows: armed and ended by work, brought on by time, waived by people.

Every moment is that of a message. What time alone brings is told by the clock's command
at the moment it was due, however late the command comes.
"""

from collections.abc import Iterable

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.window_course import (
    advance,
    arm_again,
    arm_at_begin,
    arm_or_extend,
    settle,
    touch,
    void,
)
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.messages import CheckTimeWindows, WaiveTimeWindow
from mes_engine.core.readiness import routing_of
from mes_engine.core.routing import Routing
from mes_engine.core.steps import ConnectionKind
from mes_engine.core.time_windows import (
    CLOCK,
    WindowPoint,
    WindowRule,
    WindowState,
)
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.window_condition import live_windows

COMPLETED = (JobOrderState.ENDED_COMPLETED, JobOrderState.ENDED_CLOSED)


def check_windows(draft: Draft, _command: CheckTimeWindows) -> dict[str, str]:
    """Tell everything that time has brought, each at the moment it was due."""
    due = [
        (one.due_at, one.number, one)
        for one in draft.state.time_window.find("due", CLOCK)
        if one.due_at is not None and one.due_at <= draft.at
    ]
    for _, _, window in sorted(due, key=lambda one: one[:2]):
        advance(draft, window, draft.at)
    return {"changed": str(len(due))}


def waive_window(draft: Draft, command: WaiveTimeWindow) -> dict[str, str]:
    """Let the lot go on; what was violated stays on record as waived."""
    if not command.reason.strip():
        raise Malformed("Waiving a time window needs a reason.", hint="Say why.")
    window = draft.state.time_window.get(command.window)
    if window is None:
        raise NotFound(f"There is no time window '{command.window}'.")
    window = advance(draft, window, draft.at)
    if not window.is_live or window.state is WindowState.WAIVED:
        raise Refused(
            f"{window.id} is '{window.state}': there is nothing to waive.",
            unmet=[f"time_window_live: it is {window.state}"],
        )
    draft.emit(
        f.TimeWindowWaived(
            window=window.id, at=draft.at, person=draft.person, reason=command.reason
        )
    )
    touch(draft, window)
    return {"time_window": window.id, "state": WindowState.WAIVED.value}


def catch_up(draft: Draft, job: JobOrder) -> None:
    """Bring the windows that the job order's work will end up to the message's time."""
    for window in live_windows(draft.state, job):
        advance(draft, window, draft.at)


def begun(draft: Draft, job: JobOrder) -> None:
    """The step's work has begun: end what ends here, arm what starts here."""
    _end(draft, job, WindowPoint.BEGUN, draft.at)
    rules = _rules(draft, job, WindowPoint.BEGUN)
    for lot in _lots_at(draft, job) if rules else []:
        arm_at_begin(draft, job, rules, lot)


def moved_on(draft: Draft, job: JobOrder, successor: JobOrder, lot: str) -> None:
    """Pieces of a lot have left a step, and have come to the next one.

    What starts here is armed, if it lies on their way. Where the work that they come to
    has begun, it has begun for them as well.
    """
    routing = routing_of(draft.state, job)
    if not routing.time_windows:
        return
    taken = next(
        (one for one in routing.leaving(job.step) if one.target == successor.step), None
    )
    if taken is not None:  # Else they go back, to be worked again.
        for rule in _rules(draft, job, WindowPoint.ENDED):
            is_ahead = _is_ahead(routing, taken.target, rule.target)
            if is_ahead and not _is_known(draft, rule, successor, lot):
                arm_or_extend(draft, job, rule, lot)
        if taken.kind is ConnectionKind.ALTERNATIVE:
            _void_missed(draft, job, lot, taken.target)
    if successor.begun_at is None:
        return
    for window in draft.state.time_window.find(
        "target", (job.request, lot, successor.step)
    ):
        if window.ends_at is WindowPoint.BEGUN:
            settle(draft, advance(draft, window, draft.at), draft.at)
    arm_at_begin(draft, successor, _rules(draft, successor, WindowPoint.BEGUN), lot)


def runs_on(draft: Draft, job: JobOrder, lot: str, reached: str) -> bool:
    """Whether pieces of a lot that leave for ``reached`` are in a window then."""
    routing = routing_of(draft.state, job)
    if not routing.time_windows:
        return False
    if any(
        _is_ahead(routing, reached, rule.target)
        for rule in _rules(draft, job, WindowPoint.ENDED)
    ):
        return True
    return any(
        one.is_live and one.lot == lot and _is_ahead(routing, reached, one.target)
        for one in draft.state.time_window.find("request", job.request)
    )


def _is_known(draft: Draft, rule: WindowRule, successor: JobOrder, lot: str) -> bool:
    """Whether pieces that join work under way have nothing new to tell.

    They are not late; where they had to wait, once is enough that others had not.
    """
    joins = rule.target == successor.step and rule.ends_at is WindowPoint.BEGUN
    if not joins or successor.begun_at is None:
        return False
    if not rule.min_s:
        return True
    return any(
        one.is_of(rule)
        and one.lot == lot
        and one.violated_at is not None
        and one.settled_at is not None
        and one.settled_at >= successor.begun_at
        for one in draft.state.time_window.find("request", successor.request)
    )


def _is_ahead(routing: Routing, reached: str, step: str) -> bool:
    return step == reached or routing.leads_to(reached, step, by_tokens=True)


def _void_missed(draft: Draft, job: JobOrder, lot: str, reached: str) -> None:
    routing = routing_of(draft.state, job)
    for window in draft.state.time_window.find("request", job.request):
        if (
            window.is_live
            and window.lot == lot
            and routing.leads_to(job.step, window.target, by_tokens=True)
            and not _is_ahead(routing, reached, window.target)
        ):
            void(draft, window, f"no way leads to step {window.target} any more")


def ended(draft: Draft, job: JobOrder) -> None:
    """A job order is over: end what ends with its work."""
    job = draft.job(job.id)
    if job.state in COMPLETED and job.ended_at is not None:
        _end(draft, job, WindowPoint.ENDED, job.ended_at)


def visit_done(draft: Draft, job: JobOrder) -> None:
    """Nothing is left to do at a step: arm behind a token, give up what cannot end."""
    routing = routing_of(draft.state, job)
    if not routing.time_windows:
        return
    visits = draft.state.visit.find("step", (job.request, job.step))
    if any(not one.is_done for one in visits):
        return
    if not any(one.carries_pieces for one in routing.leaving(job.step)):
        for rule in _rules(draft, job, WindowPoint.ENDED):
            arm_or_extend(draft, job, rule, None)
    for window in draft.state.time_window.find("request", job.request):
        if window.is_live and window.target == job.step:
            void(draft, window, f"no more pieces come to step {job.step}")


def taken_back(draft: Draft, job: JobOrder, lots: Iterable[str]) -> None:
    """Reports were taken back: so is what they had started and ended.

    A window that pieces had started by leaving the step comes to nothing, once none of
    their lot has left it. One that the end of the step's work had ended is armed anew,
    with its old times: the pieces are in it still. What a begin did stands.
    """
    if not routing_of(draft.state, job).time_windows:
        return
    for lot in lots:
        at_step = draft.state.position.get((lot, job.visit))
        has_left = at_step is not None and bool(at_step.moved_out or at_step.transit)
        for window in draft.state.time_window.find("request", job.request):
            if window.lot != lot:
                continue
            if (window.source, window.starts_at) == (job.step, WindowPoint.ENDED):
                if window.is_live and not has_left:
                    void(draft, window, f"what had left step {job.step} is back there")
            elif (window.target, window.ends_at) == (job.step, WindowPoint.ENDED):
                arm_again(draft, job, window)


def _rules(draft: Draft, job: JobOrder, point: WindowPoint) -> list[WindowRule]:
    rules = routing_of(draft.state, job).windows_from(job.step)
    return [one for one in rules if one.starts_at is point]


def _lots_at(draft: Draft, job: JobOrder) -> list[str | None]:
    if not job.expects_pieces:
        return [None]
    return [one.lot for one in positions_of(draft.state, job) if one.on_floor]


def _end(draft: Draft, job: JobOrder, point: WindowPoint, at: int) -> None:
    for window in live_windows(draft.state, job):
        if window.ends_at is point:
            settle(draft, advance(draft, window, at), at)
