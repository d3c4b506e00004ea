"""What becomes of one time window: armed, extended, brought on, ended, given up."""

from collections.abc import Iterable

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import visit_of
from mes_engine.core.time_windows import (
    RUNNING_OUT,
    TimeWindow,
    WindowRule,
    WindowState,
    after,
    told_at,
)

replace = msgspec.structs.replace


def arm_at_begin(
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


def arm_or_extend(
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
        touch(draft, window)


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
            void(draft, window, reason)
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
    touch(draft, window)


def inherit(draft: Draft, parent: MaterialLot, child: MaterialLot) -> None:
    """What was split off or merged is in the time windows that it was in before."""
    if parent.request is None:
        return
    for window in draft.state.time_window.find("request", parent.request):
        if window.is_live and window.lot == parent.id:
            number = draft.state.last_number("time_window") + 1
            own = replace(window, id=_name(number), number=number, lot=child.id)
            draft.emit(f.TimeWindowArmed(window=own))
            touch(draft, own)
            if _is_gone(draft, window):
                void(draft, window, f"its pieces are of lot {child.id} now")


def hand_back(draft: Draft, lot: MaterialLot, sources: Iterable[MaterialLot]) -> None:
    """Let lots be in the time windows again that a split or a merge had taken them out.

    What a lot is in already it is in once; and only what it had been in comes back.
    """
    if lot.request is None:
        return
    known = draft.state.time_window.find("request", lot.request)
    windows = [one for one in known if one.is_live and one.lot == lot.id]
    for source in sources:
        own = [one for one in known if one.lot == source.id]
        for window in windows:
            twins = [one for one in own if _points(one) == _points(window)]
            if not twins or any(one.is_live for one in twins):
                continue
            number = draft.state.last_number("time_window") + 1
            back = replace(window, id=_name(number), number=number, lot=source.id)
            draft.emit(f.TimeWindowArmed(window=back))
            touch(draft, back)
            own.append(back)
    for window in windows:
        void(draft, window, f"its pieces are of {_names(sources)} again")


def _names(lots: Iterable[MaterialLot]) -> str:
    return ", ".join(one.id for one in lots)


def arm_again(draft: Draft, job: JobOrder, window: TimeWindow) -> None:
    """Let a window run on that the end of a job order had ended; that is taken back."""
    if not job.is_over or window.state is not WindowState.SATISFIED:
        return
    number = draft.state.last_number("time_window") + 1
    own = replace(
        window,
        id=_name(number),
        number=number,
        state=WindowState.ARMED,
        settled_at=None,
    )
    twins = draft.state.time_window.find(
        "target", (window.request, window.lot, window.target)
    )
    if not any(_points(one) == _points(window) for one in twins):
        draft.emit(f.TimeWindowArmed(window=own))
        touch(draft, own)


def _points(window: TimeWindow) -> tuple[object, ...]:
    return (window.source, window.starts_at, window.ends_at, window.pass_number)


def _name(number: int) -> str:
    return f"TW-{number:06}"


def settle(draft: Draft, window: TimeWindow, at: int) -> None:
    """Let the end of a window that was brought up to ``at`` have come then."""
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


def advance(draft: Draft, window: TimeWindow, at: int) -> TimeWindow:
    """Tell what time has brought of one window up to ``at``; return it as it is."""
    is_changed = False
    while (due := window.due_at) is not None and due <= at:
        fact = _next(window, due)
        if isinstance(fact, f.TimeWindowViolated) and _is_gone(draft, window):
            void(draft, window, "nothing is left of the lot")
            return _now(draft, window)
        draft.emit(fact)
        window = _now(draft, window)
        is_changed = True
    if is_changed:
        touch(draft, window)
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


def void(draft: Draft, window: TimeWindow, reason: str) -> None:
    """Give a window up; one that was violated or waived stays so on record."""
    if window.state in RUNNING_OUT:
        voided = f.TimeWindowVoided(window=window.id, at=draft.at, reason=reason)
        draft.emit(voided)
    else:
        draft.emit(f.TimeWindowPassed(window=window.id, at=draft.at))
    touch(draft, window)


def _now(draft: Draft, window: TimeWindow) -> TimeWindow:
    now = draft.state.time_window.get(window.id)
    if now is None:
        raise LookupError(f"{window.id} is not there")
    return now


def touch(draft: Draft, window: TimeWindow) -> None:
    """Whoever may end it is asked again whether it may begin."""
    for job in draft.state.job_order.find("request", window.request):
        is_its = job.lot is None or window.lot in {None, job.lot}
        if job.step == window.target and is_its and not job.is_over:
            draft.touch(job.id)
