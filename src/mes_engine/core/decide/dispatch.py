"""Dispatch: give a work unit its next job order, and keep why."""

from mes_engine.core import facts as f
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.job_orders import load
from mes_engine.core.dispatching import (
    Candidate,
    DispatchDecision,
    first_takable,
    ranked,
)
from mes_engine.core.errors import Refused
from mes_engine.core.guards import claims_told, lane_of, unmet
from mes_engine.core.job_order import JobOrder
from mes_engine.core.means import combination
from mes_engine.core.messages import DispatchWorkUnit, LoadJobOrder
from mes_engine.core.plant import WorkUnit

KEPT_CANDIDATES = 100
"""How many candidates a decision keeps besides the chosen one: enough to see why."""


def dispatch(draft: Draft, command: DispatchWorkUnit) -> dict[str, str]:
    """Load the first job order of the queue that nothing speaks against."""
    unit = draft.state.site.work_unit(command.work_unit)
    lane = lane_of(draft.state, unit, command.lane)
    if lane is None:
        told = claims_told(draft.state, unit)
        raise Refused(
            f"{unit.id} takes no more: {told}.",
            hint="Wait until a run ends, or unload one.",
            unmet=[f"lane_free: {told}"],
        )
    candidates = queue(draft, unit)
    chosen = first_takable(candidates)
    _keep(draft, unit, candidates, chosen, asked_for=None)
    if chosen is None:
        return {"work_unit": unit.id, "job_order": ""}
    job = load(draft, draft.job(chosen), unit.id, lane)
    return {"work_unit": unit.id, "job_order": job.id, "state": job.state.value}


def load_asked_for(draft: Draft, command: LoadJobOrder) -> JobOrder:
    """Load the job order that a person chose, and keep what the rule would have."""
    job = draft.job(command.job_order)
    unit = draft.state.site.work_unit(command.work_unit)
    candidates = queue(draft, unit)
    loaded = load(draft, job, unit.id, command.lane)
    _keep(draft, unit, candidates, loaded.id, asked_for=loaded.id)
    return loaded


def queue(draft: Draft, unit: WorkUnit) -> tuple[Candidate, ...]:
    """Return the queue of the unit's work center, in turn, with what is unmet."""
    center = draft.state.site.work_center(unit.work_center)
    waiting = draft.state.job_order.find("queue", center.id)
    reasons = {job.id: _speaks_against(draft, job, unit) for job in waiting}
    return ranked(center.rule, waiting, reasons)


def _speaks_against(
    draft: Draft, job: JobOrder, unit: WorkUnit
) -> tuple[Condition, ...]:
    against = unmet(job.conditions)
    if job.needs:
        known = {one.name for one in against}
        asked = combination(draft.state, job, unit, draft.asker)
        against += tuple(one for one in asked if one.name not in known)
    if job.equipment_class in unit.classes:
        return against
    unsuitable = Condition(
        name=ConditionName.WORK_UNIT_SUITABLE,
        is_met=False,
        why=f"{unit.id} has no class {job.equipment_class}",
        mender="the planner",
    )
    return (*against, unsuitable)


def _keep(
    draft: Draft,
    unit: WorkUnit,
    candidates: tuple[Candidate, ...],
    chosen: str | None,
    *,
    asked_for: str | None,
) -> None:
    center = draft.state.site.work_center(unit.work_center)
    kept = candidates[:KEPT_CANDIDATES]
    kept += tuple(
        one for one in candidates[KEPT_CANDIDATES:] if one.job_order == chosen
    )
    draft.emit(
        f.DispatchDecided(
            decision=DispatchDecision(
                seq=draft.next_seq,
                work_unit=unit.id,
                work_center=center.id,
                rule=center.rule,
                at=draft.at,
                person=draft.person,
                candidates=kept,
                chosen=chosen,
                asked_for=asked_for,
            )
        )
    )
