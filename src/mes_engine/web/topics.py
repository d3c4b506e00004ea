"""Which work centers a fact is of interest to: a terminal hears of its own only."""

from collections.abc import Iterable

from mes_engine.core import facts as f
from mes_engine.core.job_order import JobOrder
from mes_engine.core.runs import HoldScope
from mes_engine.core.state import State

TOLD_TO_ALL = (
    f.HoldReleased
    | f.PlantApplied
    | f.WorkRequestChanged
    | f.WorkRequestUpdated
    | f.PersonRegistered
    | f.PersonQualified
    | f.DocumentReleased
    | f.DocumentWithdrawn
    | f.ContentAggregated
    | f.CarrierPlaced
    | f.SerialGiven
)
_OF_A_WINDOW = (
    f.TimeWindowExtended
    | f.TimeWindowOpened
    | f.TimeWindowWarned
    | f.TimeWindowViolated
    | f.TimeWindowWaived
)


def is_of_interest(state: State, fact: f.Fact, work_center: str) -> bool:
    """Whether a terminal of ``work_center`` may show something else after ``fact``."""
    if isinstance(fact, TOLD_TO_ALL):
        return True
    if isinstance(fact, f.HoldOpened) and fact.hold.scope is not HoldScope.JOB_ORDER:
        return True
    if isinstance(fact, f.AssetChanged) and fact.asset.work_unit is None:
        return True
    if any(job.work_center == work_center for job in _jobs(state, fact)):
        return True
    return work_center in _centers(state, fact)


def _jobs(state: State, fact: f.Fact) -> Iterable[JobOrder]:
    match fact:
        case (
            f.JobOrderMoved()
            | f.ConditionsChanged()
            | f.QuantityReported()
            | f.JobOrderUpdated()
            | f.JobOrderRevised()
            | f.JobOrderSplit()
            | f.TimeBooked()
            | f.LabourBooked()
        ):
            found = [state.job_order.get(fact.job_order)]
        case f.BookingReversed() | f.WayReversed():
            found = [state.job_order.get(fact.reversal.job_order)]
        case f.HoldOpened():
            found = [state.job_order.get(fact.hold.target)]
        case f.JobOrderStored():
            found = [fact.job_order]
        case f.QuantityMoved():
            places = {fact.move.place, fact.move.to_place}
            found = [job for one in places for job in _at_place(state, one)]
        case _ if isinstance(fact, _OF_A_WINDOW):
            found = _behind(state, fact.window)
        case _:
            found = []
    return [job for job in found if job is not None]


def _at_place(state: State, place: str) -> list[JobOrder]:
    return state.job_order.find("visit", place)


def _behind(state: State, window: str) -> list[JobOrder | None]:
    """Return the job orders whose work ends a time window."""
    known = state.time_window.get(window)
    jobs = [] if known is None else state.job_order.find("live_of", known.request)
    return [job for job in jobs if known is not None and job.step == known.target]


def _centers(state: State, fact: f.Fact) -> tuple[str, ...]:
    match fact:
        case f.RunOpened() | f.RunChanged():
            return (fact.run.work_center,)
        case f.SignedOn() | f.SignedOff():
            return (fact.sign_on.work_center,)
        case f.DispatchDecided():
            return (fact.decision.work_center,)
        case f.EquipmentChanged():
            return _center_of(state, fact.equipment.work_unit)
        case f.AssetChanged(asset=asset) if asset.work_unit is not None:
            return _center_of(state, asset.work_unit)
        case f.MachineCounted():
            return _center_of(state, fact.tally.work_unit)
        case f.AlarmRaised() | f.AlarmCleared():
            return _center_of(state, fact.alarm.work_unit)
        case f.ProductionUnassigned() | f.ProductionSettled():
            return _center_of(state, fact.production.work_unit)
        case _:
            return ()


def _center_of(state: State, work_unit: str) -> tuple[str, ...]:
    unit = state.site.work_units.get(work_unit)
    return () if unit is None else (unit.work_center,)
