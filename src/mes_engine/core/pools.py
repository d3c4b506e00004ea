"""Pools: what waits at a step whose job orders are made per run.

What comes to such a step waits on one job order, the pool. A run takes a part of it, as
large as a person says or as the machine can take: that is a job order of its own. One
that nothing bounds takes the pool as it is, and what it leaves is a pool again.
"""

from decimal import Decimal

from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import CapacityUnit, WorkUnit
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.readiness import (
    is_fed,
    is_per_run,
    own_part,
    remaining,
    step_of,
)
from mes_engine.core.runs import Lane
from mes_engine.core.siblings import siblings
from mes_engine.core.state import State

KILOGRAM = "KGM"


def is_pool(state: State, job: JobOrder) -> bool:
    """Whether the job order is what waits for runs, and no run's."""
    return _waits(job) and is_per_run(state, job)


def waiting_in(state: State, job: JobOrder) -> Decimal:
    """Return how many pieces of a pool a run could take now."""
    return own_part(state, job) if is_fed(state, job) else remaining(job)


def pool_of(state: State, job: JobOrder) -> JobOrder | None:
    """Return the pool that a run's job order was parted off, if there is one."""
    return next((one for one in siblings(state, job) if _waits(one)), None)


def _waits(job: JobOrder) -> bool:
    return job.run is None and job.begun_at is None and not job.is_over


def piece_takes(state: State, job: JobOrder, counted_in: CapacityUnit) -> Decimal:
    """Return how much of a capacity one piece takes; 0 where pieces do not count."""
    if counted_in is CapacityUnit.JOBS:
        return ZERO
    is_weight = counted_in is CapacityUnit.KILOGRAMS and job.unit == KILOGRAM
    if counted_in is CapacityUnit.PIECES or is_weight:
        return Decimal(1)
    return step_of(state, job).load_per_piece


def run_room(
    state: State,
    unit: WorkUnit,
    lane: Lane | None,
    job: JobOrder,
    *,
    beside: Decimal = ZERO,
) -> Decimal | None:
    """Return how many pieces of ``job`` a run on ``unit`` may have; None for any.

    Args:
        state: Who is on it.
        unit: The work unit.
        lane: The lane that is asked for; the one with the most room if None.
        job: Whose pieces.
        beside: What others bring into the same run, as its rule counts it.
    """
    rooms: list[Decimal] = []
    rule = state.site.batch_rule(unit)
    if rule is not None and (takes := piece_takes(state, job, rule.counted_in)):
        rooms.append((rule.most - beside) / takes)
    if takes := piece_takes(state, job, unit.counted_in):
        free = [_free(state, unit, one) for one in Lane if lane in {None, one}]
        rooms.append((max(free) - beside) / takes)
    if not rooms:
        return None
    return max(floored(min(rooms), unit=job.unit), ZERO)


def _free(state: State, unit: WorkUnit, lane: Lane) -> Decimal:
    whole = unit.active if lane is Lane.ACTIVE else unit.staged
    runs = state.run.find("work_unit", unit.id)
    return whole - sum((one.occupies for one in runs if one.lane is lane), ZERO)
