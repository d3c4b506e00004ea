"""Dispatch: give a work unit its next job order, and keep why."""

from functools import partial

from mes_engine.core import facts as f
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.job_orders import load
from mes_engine.core.dispatching import Candidate, DispatchDecision, candidates_of
from mes_engine.core.errors import Refused
from mes_engine.core.guards import claims_told, lane_of, unmet
from mes_engine.core.job_order import READY, JobOrder
from mes_engine.core.means import combination
from mes_engine.core.messages import DispatchWorkUnit, LoadJobOrder
from mes_engine.core.plant import WorkUnit
from mes_engine.core.queues import queue_of


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
    candidates, chosen = _looked_at(draft, unit)
    _keep(draft, unit, candidates, chosen, asked_for=None)
    if chosen is None:
        return {"work_unit": unit.id, "job_order": ""}
    job = load(draft, draft.job(chosen), unit.id, lane)
    return {"work_unit": unit.id, "job_order": job.id, "state": job.state.value}


def load_asked_for(draft: Draft, command: LoadJobOrder) -> JobOrder:
    """Load the job order that a person chose, and keep what the rule would have."""
    job = draft.job(command.job_order)
    unit = draft.state.site.work_unit(command.work_unit)
    candidates, _ = _looked_at(draft, unit, asked_for=job.id)
    loaded = load(draft, job, unit.id, command.lane)
    _keep(draft, unit, candidates, loaded.id, asked_for=loaded.id)
    return loaded


def _looked_at(
    draft: Draft, unit: WorkUnit, *, asked_for: str | None = None
) -> tuple[tuple[Candidate, ...], str | None]:
    center = draft.state.site.work_center(unit.work_center)
    return candidates_of(
        center.rule,
        center.rule_settings,
        queue_of(draft.state, center, unit),
        partial(_speaks_against, draft, unit),
        now=draft.at,
        asked_for=asked_for,
    )


def _speaks_against(
    draft: Draft, unit: WorkUnit, job: JobOrder
) -> tuple[Condition, ...]:
    against = () if job.state in READY else unmet(job.conditions)
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
    draft.emit(
        f.DispatchDecided(
            decision=DispatchDecision(
                seq=draft.next_seq,
                work_unit=unit.id,
                work_center=center.id,
                rule=center.rule,
                at=draft.at,
                person=draft.person,
                candidates=candidates,
                chosen=chosen,
                asked_for=asked_for,
                settings=center.rule_settings,
            )
        )
    )
