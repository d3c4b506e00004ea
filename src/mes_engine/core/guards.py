"""The guards of the job order's chart, by name: what is unmet, and why."""

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from mes_engine.core import readiness as r
from mes_engine.core.batching import least_of
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.holding import lot_not_held
from mes_engine.core.job_order import (
    JOB_ORDER_CHART,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.means import (
    Asker,
    asker_qualified,
    document_released,
    person_qualified,
    tool_available,
)
from mes_engine.core.measured_data import required_data
from mes_engine.core.plant import CapacityUnit, WorkUnit
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import Lane, Run
from mes_engine.core.state import State
from mes_engine.core.window_condition import may_end, time_window_open
from mes_engine.core.wip_condition import wip_limit

Guard = Callable[[State, JobOrder], Condition]

TOGETHER = frozenset(
    {
        JobOrderTrigger.BEGIN_SETUP,
        JobOrderTrigger.BEGIN,
        JobOrderTrigger.PAUSE,
        JobOrderTrigger.RESUME,
        JobOrderTrigger.COMPLETE,
    }
)
"""What all that is in one run does together."""


def unmet_guards(
    state: State,
    job: JobOrder,
    trigger: JobOrderTrigger,
    asker: Asker | None = None,
) -> tuple[Condition, ...]:
    """Return why ``trigger`` would be refused; empty if its guards hold.

    What is in one run goes together or not at all.

    Args:
        state: Where to look.
        job: Whose state is expected to accept the trigger.
        trigger: What is asked for.
        asker: By whom; whether anybody could, if None.
    """
    found = _unmet_of(state, job, trigger, asker)
    run = None if job.run is None else state.run.get(job.run)
    if run is None or len(run.job_orders) == 1 or trigger not in TOGETHER:
        return found
    for name in run.job_orders:
        other = state.job_order.get(name)
        if other is not None and name != job.id:
            found += tuple(
                msgspec.structs.replace(one, why=f"{name}: {one.why}")
                for one in _unmet_of(state, other, trigger, asker)
            )
    return found


def _unmet_of(
    state: State, job: JobOrder, trigger: JobOrderTrigger, asker: Asker | None
) -> tuple[Condition, ...]:
    guards = _GUARDS.get((job.state, trigger), ())
    asked = [guard(state, job, asker) for guard in guards]
    return tuple(one for one in asked if not one.is_met)


def unmet(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return those that do not hold."""
    return tuple(one for one in conditions if not one.is_met)


def lane_of(
    state: State, unit: WorkUnit, wanted: Lane | None, takes: Decimal = ZERO
) -> Lane | None:
    """Return the lane of ``unit`` that is free: ``wanted``, or active before staged.

    Args:
        state: Who is on it.
        unit: Whose lanes.
        wanted: Only this one, if not None.
        takes: How much has to be free, as the unit counts it; 0 for anything at all.
    """
    runs = state.run.find("work_unit", unit.id)
    for lane in _LANES if wanted is None else (wanted,):
        free: Decimal | int = unit.active if lane is Lane.ACTIVE else unit.staged
        for one in runs:
            if one.lane is lane:
                free -= one.occupies
        if free > 0 and free >= takes:
            return lane
    return None


_LANES = (Lane.ACTIVE, Lane.STAGED)


def claims_of(state: State, unit: WorkUnit) -> dict[Lane, list[Run]]:
    """Return the open runs on ``unit``, by lane."""
    claims: dict[Lane, list[Run]] = {Lane.ACTIVE: [], Lane.STAGED: []}
    for run in state.run.find("work_unit", unit.id):
        claims[run.lane].append(run)
    return claims


def claims_told(state: State, unit: WorkUnit) -> str:
    """Say who has what of ``unit``."""
    runs = state.run.find("work_unit", unit.id)
    if not runs:
        return f"{unit.id} is free"
    told = (
        f"{' and '.join(one.job_orders)} ({one.lane}, {one.person})" for one in runs
    )
    return f"{unit.id} has {', '.join(told)}"


def lane_free(state: State, job: JobOrder) -> Condition:
    """Whether some capable work unit has a lane free."""
    units = state.site.capable_units(job.work_center, job.equipment_class)
    if any(_is_idle(state, unit) for unit in units) or any(
        lane_of(state, unit, None, least_of(state, job, unit)) is not None
        for unit in units
    ):
        return Condition(name=ConditionName.LANE_FREE, is_met=True, why="", mender="")
    return Condition(
        name=ConditionName.LANE_FREE,
        is_met=False,
        why="; ".join(claims_told(state, unit) for unit in units),
        mender="the operators of these work units",
    )


def _is_idle(state: State, unit: WorkUnit) -> bool:
    """Whether it takes any job order: it counts nothing else, and has none."""
    counts_jobs = unit.counted_in is CapacityUnit.JOBS and unit.active > 0
    return counts_jobs and not state.run.members("work_unit", unit.id)


def claim_held(state: State, job: JobOrder) -> Condition:
    """Whether it has the active lane of its work unit, or can take it now."""
    run = None if job.run is None else state.run.get(job.run)
    if run is None:
        return Condition(
            name=ConditionName.CLAIM_HELD,
            is_met=False,
            why="it has given up its place: name a work unit to go on at",
            mender="the operator",
        )
    unit = state.site.work_unit(run.work_unit)
    is_free = lane_of(state, unit, Lane.ACTIVE, run.occupies) is not None
    if run.lane is Lane.ACTIVE or is_free:
        return Condition(name=ConditionName.CLAIM_HELD, is_met=True, why="", mender="")
    return Condition(
        name=ConditionName.CLAIM_HELD,
        is_met=False,
        why=f"it is staged, and {claims_told(state, unit)}",
        mender=f"the operator of {unit.id}",
    )


_READINESS: dict[ConditionName, Guard] = {
    ConditionName.UPSTREAM_QUANTITY: r.upstream_quantity,
    ConditionName.MATERIAL_AVAILABLE: r.material_available,
    ConditionName.EQUIPMENT_AVAILABLE: r.equipment_available,
    ConditionName.TOOL_AVAILABLE: tool_available,
    ConditionName.PERSON_QUALIFIED: person_qualified,
    ConditionName.DOCUMENT_RELEASED: document_released,
    ConditionName.NO_HOLD: r.no_hold,
    ConditionName.REQUEST_RELEASED: r.request_released,
    ConditionName.TIME_WINDOW_OPEN: time_window_open,
    ConditionName.WIP_LIMIT: wip_limit,
}
_OTHERS: dict[ConditionName, Guard] = {
    ConditionName.LOT_NOT_HELD: lot_not_held,
    ConditionName.LANE_FREE: lane_free,
    ConditionName.CLAIM_HELD: claim_held,
    ConditionName.QUANTITY_ACCOUNTED: r.quantity_accounted,
    ConditionName.NOTHING_EXPECTED: r.nothing_expected,
    ConditionName.NOTHING_BOOKED: r.nothing_booked,
    ConditionName.NOT_LOADED_WITH_MATERIAL: r.not_loaded_with_material,
    ConditionName.POSTING_SETTLED: r.posting_settled,
    ConditionName.REQUIRED_DATA: required_data,
}


Asked = Callable[[State, JobOrder, Asker | None], Condition]


def _asked(trigger: JobOrderTrigger, name: ConditionName) -> Asked:
    """Return what the guard ``name`` asks when ``trigger`` is fired."""
    if trigger is not JobOrderTrigger.PRECONDITIONS_MET:  # Those ask of nobody.
        if name is ConditionName.PERSON_QUALIFIED:
            return _person
        if name is ConditionName.TOOL_AVAILABLE:
            return lambda state, job, _: tool_available(state, job, is_free=True)
    is_end = trigger in {JobOrderTrigger.COMPLETE, JobOrderTrigger.STOP}
    if name is ConditionName.MATERIAL_AVAILABLE and is_end:
        return _material_of_the_worked
    guard = _READINESS.get(name) or _OTHERS[name]
    if name is ConditionName.TIME_WINDOW_OPEN and trigger is JobOrderTrigger.COMPLETE:
        guard = may_end
    return lambda state, job, _: guard(state, job)


def _person(state: State, job: JobOrder, asker: Asker | None) -> Condition:
    if asker is None:
        return person_qualified(state, job)
    return asker_qualified(state, job, asker)


def _material_of_the_worked(state: State, job: JobOrder, _: Asker | None) -> Condition:
    """Ask for what was worked: it is consumed with the end, and has to be covered."""
    return r.material_available(
        state, job, for_pieces=job.worked, leaves_to_others=False
    )


_GUARDS: dict[tuple[JobOrderState, JobOrderTrigger], tuple[Asked, ...]] = {
    (row.source, row.trigger): tuple(
        _asked(row.trigger, ConditionName(name)) for name in row.guards
    )
    for row in JOB_ORDER_CHART.rows
}
"""What each row of the chart asks, found once: it is asked with every command."""
