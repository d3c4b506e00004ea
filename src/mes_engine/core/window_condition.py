"""The condition ``time_window_open``: what time windows say of a job order's step."""

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.state import State
from mes_engine.core.time_windows import TimeWindow, WindowPoint, told_at, told_s
from mes_engine.core.whereabouts import positions_of

QUALITY = "quality: waive it, with a reason"
_MET = Condition(name=ConditionName.TIME_WINDOW_OPEN, is_met=True, why="", mender="")


def live_windows(state: State, job: JobOrder) -> list[TimeWindow]:
    """Return the time windows that the job order's work will end.

    Those of its lot; of one that takes all that come, those of the lots that have come.
    """
    if not state.time_window.members("request", job.request):
        return []
    lots: list[str | None] = [None, job.lot]
    if job.lot is None:
        lots = [None, *(one.lot for one in positions_of(state, job))]
    find = state.time_window.find
    return [one for lot in lots for one in find("target", (job.request, lot, job.step))]


def time_window_open(state: State, job: JobOrder) -> Condition:
    """Whether the job order may begin; one that has begun is not asked again."""
    if job.begun_at is not None:
        return _MET
    return _condition(
        [
            _told(one)
            for one in live_windows(state, job)
            if one.is_too_late
            or (one.is_too_early and one.ends_at is WindowPoint.BEGUN)
        ]
    )


def may_end(state: State, job: JobOrder) -> Condition:
    """Whether what has to pass before the end of the step's work has passed."""
    return _condition(
        [
            _told(one)
            for one in live_windows(state, job)
            if one.is_too_early and one.ends_at is WindowPoint.ENDED
        ]
    )


def _condition(reasons: list[str]) -> Condition:
    if not reasons:
        return _MET
    return Condition(
        name=ConditionName.TIME_WINDOW_OPEN,
        is_met=False,
        why="; ".join(reasons),
        mender=QUALITY,
    )


def _told(window: TimeWindow) -> str:
    since = f"after step {window.source} {window.starts_at}"
    if window.is_too_late and window.closes_at is not None:
        most = told_s(window.closes_at - window.armed_at)
        return (
            f"{window.id} is over since {told_at(window.closes_at)}: "
            f"at most {most} {since}"
        )
    opens_at = window.opens_at or 0
    least = told_s(opens_at - window.last_at)
    return f"{window.id} opens at {told_at(opens_at)}: at least {least} {since}"
