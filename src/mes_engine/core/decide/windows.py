"""Time windows: armed and ended by work, brought on by time, waived by people.

Every moment is that of a message. What time alone brings is told by the clock's command
at the moment it was due, however late the command comes.
"""

from collections.abc import Iterable

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import JobOrder, JobOrderState
from mes_engine.core.lots import MaterialLot
from mes_engine.core.messages import CheckTimeWindows, WaiveTimeWindow
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.routing import ConnectionKind
from mes_engine.core.time_windows import (
    CLOCK,
    RUNNING_OUT,
    TimeWindow,
    WindowPoint,
    WindowRule,
    WindowState,
    after,
    told_at,
)
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.window_condition import live_windows

replace = msgspec.structs.replace
COMPLETED = (JobOrderState.ENDED_COMPLETED, JobOrderState.ENDED_CLOSED)


def check_windows(draft: Draft, _command: CheckTimeWindows) -> dict[str, str]:
    """Tell everything that time has brought, each at the moment it was due."""
    due = [
        (one.due_at, one.number, one)
        for one in draft.state.time_window.find("due", CLOCK)
        if one.due_at is not None and one.due_at <= draft.at
    ]
    for _, _, window in sorted(due, key=lambda one: one[:2]):
        _advance(draft, window, draft.at)
    return {"changed": str(len(due))}


def waive_window(draft: Draft, command: WaiveTimeWindow) -> dict[str, str]:
    """Let the lot go on; what was violated stays on record as waived."""
    if not command.reason.strip():
        raise Malformed("Waiving a time window needs a reason.", hint="Say why.")
    window = draft.state.time_window.get(command.window)
    if window is None:
        raise NotFound(f"There is no time window '{command.window}'.")
    window = _advance(draft, window, draft.at)
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
    _touch(draft, window)
    return {"time_window": window.id, "state": WindowState.WAIVED.value}


def catch_up(draft: Draft, job: JobOrder) -> None:
    """Bring the windows that the job order's work will end up to the message's time."""
    for window in live_windows(draft.state, job):
        _advance(draft, window, draft.at)


def begun(draft: Draft, job: JobOrder) -> None:
    """The step's work has begun: end what ends here, arm what starts here."""
    _end(draft, job, WindowPoint.BEGUN, draft.at)
    rules = _rules(draft, job, WindowPoint.BEGUN)
    for lot in _lots_at(draft, job) if rules else []:
        _arm_at_begin(draft, job, rules, lot)


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
        ahead = {taken.target, *routing.beyond(taken.target)}
        for rule in _rules(draft, job, WindowPoint.ENDED):
            if rule.target in ahead and not _is_known(draft, rule, successor, lot):
                _arm_or_extend(draft, job, rule, lot)
        if taken.kind is ConnectionKind.ALTERNATIVE:
            _void_missed(draft, job, lot, ahead)
    if successor.begun_at is None:
        return
    for window in draft.state.time_window.find(
        "target", (job.request, lot, successor.step)
    ):
        if window.ends_at is WindowPoint.BEGUN:
            _settle(draft, _advance(draft, window, draft.at), draft.at)
    _arm_at_begin(draft, successor, _rules(draft, successor, WindowPoint.BEGUN), lot)


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


def _void_missed(draft: Draft, job: JobOrder, lot: str, ahead: set[str]) -> None:
    missed = routing_of(draft.state, job).beyond(job.step) - ahead
    for window in draft.state.time_window.find("request", job.request):
        if window.is_live and window.lot == lot and window.target in missed:
            _void(draft, window, f"no way leads to step {window.target} any more")


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
            _arm_or_extend(draft, job, rule, None)
    for window in draft.state.time_window.find("request", job.request):
        if window.is_live and window.target == job.step:
            _void(draft, window, f"no more pieces come to step {job.step}")


def inherit(draft: Draft, parent: MaterialLot, child: MaterialLot) -> None:
    """What was split off or merged is in the time windows that it was in before."""
    if parent.request is None:
        return
    for window in draft.state.time_window.find("request", parent.request):
        if window.is_live and window.lot == parent.id:
            number = draft.state.last_number("time_window") + 1
            own = replace(window, id=_name(number), number=number, lot=child.id)
            draft.emit(f.TimeWindowArmed(window=own))
            _touch(draft, own)
            if _is_gone(draft, window):
                _void(draft, window, f"its pieces are of lot {child.id} now")


def _name(number: int) -> str:
    return f"TW-{number:06}"


def _rules(draft: Draft, job: JobOrder, point: WindowPoint) -> list[WindowRule]:
    rules = routing_of(draft.state, job).time_windows
    return [one for one in rules if one.source == job.step and one.starts_at is point]


def _lots_at(draft: Draft, job: JobOrder) -> list[str | None]:
    if not job.expects_pieces:
        return [None]
    return [one.lot for one in positions_of(draft.state, job) if one.on_floor]


def _arm_at_begin(
    draft: Draft, job: JobOrder, rules: Iterable[WindowRule], lot: str | None
) -> None:
    """Arm what starts with the begin, once a pass: the first begin counts."""
    pass_number = visit_of(draft.state, job).pass_number
    for rule in rules:
        known = draft.state.time_window.find("request", job.request)
        if not any(
            one.is_of(rule) and (one.lot, one.pass_number) == (lot, pass_number)
            for one in known
        ):
            _supersede(draft, job, rule, lot)
            _arm(draft, job, rule, lot)


def _arm_or_extend(
    draft: Draft, job: JobOrder, rule: WindowRule, lot: str | None
) -> None:
    """Count the most from the first piece, and the least from the last one."""
    window = _supersede(draft, job, rule, lot)
    if window is None:
        _arm(draft, job, rule, lot)
    elif window.opens_at is not None and window.last_at < draft.at:
        draft.emit(
            f.TimeWindowExtended(
                window=window.id,
                last_at=draft.at,
                opens_at=after(draft.at, rule.min_s),
            )
        )
        _touch(draft, window)


def _supersede(
    draft: Draft, job: JobOrder, rule: WindowRule, lot: str | None
) -> TimeWindow | None:
    """Return the pass's own live window, if any; those of other passes are void."""
    own = None
    pass_number = visit_of(draft.state, job).pass_number
    for window in draft.state.time_window.find(
        "target", (job.request, lot, rule.target)
    ):
        if not window.is_of(rule):
            continue
        if window.pass_number == pass_number:
            own = window
        else:
            reason = f"step {rule.source} was done again, in pass {pass_number}"
            _void(draft, window, reason)
    return own


def _arm(draft: Draft, job: JobOrder, rule: WindowRule, lot: str | None) -> None:
    number = draft.state.last_number("time_window") + 1
    at = draft.at
    window = TimeWindow(
        id=_name(number),
        number=number,
        request=job.request,
        lot=lot,
        source=rule.source,
        target=rule.target,
        pass_number=visit_of(draft.state, job).pass_number,
        starts_at=rule.starts_at,
        ends_at=rule.ends_at,
        armed_at=at,
        last_at=at,
        opens_at=after(at, rule.min_s or None),
        warns_at=after(at, rule.warn_s),
        closes_at=after(at, rule.max_s),
    )
    draft.emit(f.TimeWindowArmed(window=window))
    _touch(draft, window)


def _end(draft: Draft, job: JobOrder, point: WindowPoint, at: int) -> None:
    for window in live_windows(draft.state, job):
        if window.ends_at is point:
            _settle(draft, _advance(draft, window, at), at)


def _settle(draft: Draft, window: TimeWindow, at: int) -> None:
    if not window.is_live:
        return
    is_early = window.opens_at is not None and at < window.opens_at
    if window.state in RUNNING_OUT and not is_early:
        draft.emit(f.TimeWindowSatisfied(window=window.id, at=at))
        return
    if window.state in RUNNING_OUT:
        reason = (
            f"step {window.target} had {window.ends_at} at {told_at(at)}, "
            f"before {told_at(window.opens_at or 0)}"
        )
        draft.emit(f.TimeWindowViolated(window=window.id, at=at, reason=reason))
    draft.emit(f.TimeWindowPassed(window=window.id, at=at))


def _advance(draft: Draft, window: TimeWindow, at: int) -> TimeWindow:
    """Tell what time has brought of one window up to ``at``; return it as it is."""
    is_changed = False
    while (due := window.due_at) is not None and due <= at:
        fact = _next(window, due)
        if isinstance(fact, f.TimeWindowViolated) and _is_gone(draft, window):
            _void(draft, window, "nothing is left of the lot")
            return _now(draft, window)
        draft.emit(fact)
        window = _now(draft, window)
        is_changed = True
    if is_changed:
        _touch(draft, window)
    return window


def _next(window: TimeWindow, due: int) -> f.Fact:
    if window.opened_at is None and window.opens_at == due:
        return f.TimeWindowOpened(window=window.id, at=due)
    if window.state is WindowState.ARMED and window.warns_at == due:
        return f.TimeWindowWarned(window=window.id, at=due)
    closed_at = due - 1
    return f.TimeWindowViolated(
        window=window.id,
        at=closed_at,
        reason=f"step {window.target} had not {window.ends_at} by {told_at(closed_at)}",
    )


def _is_gone(draft: Draft, window: TimeWindow) -> bool:
    """Whether nothing of the lot is there that could still end the window."""
    if window.lot is None:
        return False
    positions = draft.state.position.find("lot", window.lot)
    return all(one.on_floor == ZERO for one in positions)


def _void(draft: Draft, window: TimeWindow, reason: str) -> None:
    if window.state in RUNNING_OUT:
        voided = f.TimeWindowVoided(window=window.id, at=draft.at, reason=reason)
        draft.emit(voided)
    else:
        draft.emit(f.TimeWindowPassed(window=window.id, at=draft.at))
    _touch(draft, window)


def _now(draft: Draft, window: TimeWindow) -> TimeWindow:
    now = draft.state.time_window.get(window.id)
    if now is None:
        raise LookupError(f"{window.id} is not there")
    return now


def _touch(draft: Draft, window: TimeWindow) -> None:
    """Whoever may end it is asked again whether it may begin."""
    for job in draft.state.job_order.find("request", window.request):
        is_its = job.lot is None or window.lot in {None, job.lot}
        if job.step == window.target and is_its and not job.is_over:
            draft.touch(job.id)
