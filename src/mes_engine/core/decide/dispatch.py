"""Dispatch: give a work unit its next job order, or several, and keep why."""

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from mes_engine.core import facts as f
from mes_engine.core.batching import formed, least_of
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.job_orders import begin, load
from mes_engine.core.decide.pooling import all_for_a_run, for_a_run
from mes_engine.core.dedication import bound_elsewhere
from mes_engine.core.dispatching import (
    KEPT_CANDIDATES,
    Candidate,
    DispatchDecision,
    candidates_of,
    in_turn,
    own_unmet,
)
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.guards import claims_told, lane_of
from mes_engine.core.job_order import JobOrder
from mes_engine.core.means import combination
from mes_engine.core.messages import (
    BeginJobOrder,
    DispatchWorkUnit,
    LoadJobOrder,
    LoadTogether,
)
from mes_engine.core.plant import BatchRule, CapacityUnit, WorkUnit
from mes_engine.core.queues import queue_of
from mes_engine.core.runs import Lane
from mes_engine.core.window_estimate import Loads, windows_kept


def dispatch(draft: Draft, command: DispatchWorkUnit) -> dict[str, str]:
    """Load the first job order of the queue that nothing speaks against.

    Where the unit works on several in one run, those are loaded with it that fit.
    """
    unit = draft.state.site.work_unit(command.work_unit)
    lane = lane_of(draft.state, unit, command.lane)
    if lane is None:
        told = claims_told(draft.state, unit)
        raise Refused(
            f"{unit.id} takes no more: {told}.",
            hint="Wait until a run ends, or unload one.",
            unmet=[f"lane_free: {told}"],
        )
    candidates, chosen = _looked_at(draft, unit, lane)
    _keep(draft, unit, candidates, chosen, asked_for=None)
    if not chosen:
        return {"work_unit": unit.id, "job_order": ""}
    jobs = all_for_a_run(draft, [draft.job(one) for one in chosen], unit, lane)
    load(draft, jobs, unit.id, lane)
    if command.begins:
        begin(draft, BeginJobOrder(job_order=jobs[0].id))
    return _told(draft, unit, [one.id for one in jobs])


def load_asked_for(draft: Draft, command: LoadJobOrder) -> JobOrder:
    """Load the job order that a person chose, and keep what the rule would have."""
    job = draft.job(command.job_order)
    unit = draft.state.site.work_unit(command.work_unit)
    candidates, _ = _looked_at(draft, unit, command.lane, asked_for=(job.id,))
    taken = for_a_run(draft, job, unit, command.lane, quantity=command.quantity)
    load(draft, [taken], unit.id, command.lane)
    _keep(draft, unit, candidates, [job.id], asked_for=job.id)
    return draft.job(taken.id)


def load_together(draft: Draft, command: LoadTogether) -> dict[str, str]:
    """Load the job orders that a person chose into one run; it may be a small one."""
    names = tuple(dict.fromkeys(command.job_orders))
    if not names or len(names) < len(command.job_orders):
        raise Malformed(
            "Each job order of a run is named once, and there is one at least."
        )
    jobs = [draft.job(one) for one in names]
    unit = draft.state.site.work_unit(command.work_unit)
    candidates, _ = _looked_at(draft, unit, command.lane, asked_for=names)
    taken = all_for_a_run(draft, jobs, unit, command.lane)
    load(draft, taken, unit.id, command.lane)
    _keep(draft, unit, candidates, names, asked_for=names[0])
    return _told(draft, unit, [one.id for one in taken])


def _told(draft: Draft, unit: WorkUnit, loaded: Sequence[str]) -> dict[str, str]:
    first = draft.job(loaded[0])
    told = {"work_unit": unit.id, "job_order": first.id, "state": first.state.value}
    if first.run is not None:
        told["run"] = first.run
    if len(loaded) > 1:
        told["job_orders"] = " ".join(loaded)
    return told


def _looked_at(
    draft: Draft, unit: WorkUnit, lane: Lane | None, *, asked_for: Sequence[str] = ()
) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    """Return the candidates, with what speaks against each, and who would be loaded."""
    rule = draft.state.site.batch_rule(unit)
    if rule is not None:
        return _looked_at_together(draft, unit, lane, rule, asked_for)
    center = draft.state.site.work_center(unit.work_center)
    candidates, first = candidates_of(
        center.rule,
        center.rule_settings,
        queue_of(draft.state, center, unit),
        partial(_speaks_against, draft, unit, lane, {}),
        now=draft.at,
        asked_for=asked_for[0] if asked_for else None,
    )
    return candidates, () if first is None else (first,)


def _looked_at_together(
    draft: Draft,
    unit: WorkUnit,
    lane: Lane | None,
    rule: BatchRule,
    asked_for: Sequence[str],
) -> tuple[tuple[Candidate, ...], tuple[str, ...]]:
    center = draft.state.site.work_center(unit.work_center)
    queue = queue_of(draft.state, center, unit)
    order, scored = in_turn(center.rule, center.rule_settings, queue, draft.at)
    waiting = [queue[at].job for at in order]
    loads: Loads = {}
    against = {
        job.id: _speaks_against(draft, unit, lane, loads, job) for job in waiting
    }
    takable = (job for job in waiting if not against[job.id])
    run = formed(draft.state, rule, unit, takable, draft.at)
    chosen = tuple(one.id for one in run.jobs)
    kept = {*chosen, *asked_for}
    candidates = tuple(
        Candidate(
            job_order=job.id,
            score=Decimal(scored.scores[at]),
            why=scored.why(at),
            unmet=run.reasons.get(job.id, against[job.id]),
        )
        for turn, (at, job) in enumerate(zip(order, waiting, strict=True))
        if turn < KEPT_CANDIDATES or job.id in kept
    )
    return candidates, chosen


def _speaks_against(
    draft: Draft, unit: WorkUnit, lane: Lane | None, loads: Loads, job: JobOrder
) -> tuple[Condition, ...]:
    against = own_unmet(job)
    if job.needs:
        known = {one.name for one in against}
        asked = combination(draft.state, job, unit, draft.asker)
        against += tuple(one for one in asked if one.name not in known)
    if job.equipment_class not in unit.classes:
        why = f"{unit.id} has no class {job.equipment_class}"
        return (*against, _unmet(ConditionName.WORK_UNIT_SUITABLE, why))
    if why := bound_elsewhere(draft.state, job, unit):
        return (*against, _unmet(ConditionName.WORK_UNIT_SUITABLE, why))
    if unit.counted_in is not CapacityUnit.JOBS:
        takes = least_of(draft.state, job, unit)
        if lane_of(draft.state, unit, lane, takes) is None:
            told = claims_told(draft.state, unit)
            why = f"it takes {takes} {unit.counted_in}; {told}"
            return (*against, _unmet(ConditionName.LANE_FREE, why))
    return against or windows_kept(draft.state, job, loads)


def _unmet(name: ConditionName, why: str) -> Condition:
    return Condition(name=name, is_met=False, why=why, mender="the planner")


def _keep(
    draft: Draft,
    unit: WorkUnit,
    candidates: tuple[Candidate, ...],
    chosen: Sequence[str],
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
                chosen=chosen[0] if chosen else None,
                asked_for=asked_for,
                settings=center.rule_settings,
                loaded_with=tuple(chosen[1:]),
            )
        )
    )
