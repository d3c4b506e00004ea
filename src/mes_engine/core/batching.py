"""Several job orders in one run, as in a furnace: what fits together, and how much.

SEMI calls such equipment a batch tool. A run takes job orders that have in common what
its rule asks for, up to its capacity, and waits a while for as many as it should have.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import BatchKey, BatchRule, CapacityUnit, WorkUnit
from mes_engine.core.pools import is_pool, piece_takes
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.readiness import to_come
from mes_engine.core.runs import Run
from mes_engine.core.state import State

WORDS = {
    CapacityUnit.JOBS: "job orders",
    CapacityUnit.PIECES: "pieces",
    CapacityUnit.KILOGRAMS: "kilograms",
    CapacityUnit.POSITIONS: "positions",
}


def brought_in(state: State, job: JobOrder) -> Decimal:
    """Return the quantity that ``job`` brings into a run, in its own unit."""
    return to_come(state, job)


def weights_of(state: State, run: Run) -> list[Decimal]:
    """Return what each job order of the run has brought in, in their order."""
    members = (state.run_member.get((one, run.id)) for one in run.job_orders)
    return [ZERO if one is None else one.quantity for one in members]


def taken_by(state: State, job: JobOrder, counted_in: CapacityUnit) -> Decimal:
    """Return how much of a capacity ``job`` takes."""
    if counted_in is CapacityUnit.JOBS:
        return Decimal(1)
    return brought_in(state, job) * piece_takes(state, job, counted_in)


def occupied_by(state: State, jobs: Iterable[JobOrder], unit: WorkUnit) -> Decimal:
    """Return how much of a lane of ``unit`` a run of ``jobs`` takes."""
    if unit.counted_in is CapacityUnit.JOBS:
        return Decimal(1)
    return sum((taken_by(state, one, unit.counted_in) for one in jobs), ZERO)


def least_of(state: State, job: JobOrder, unit: WorkUnit) -> Decimal:
    """Return how much of a lane of ``unit`` has to be free for ``job``.

    A run takes of a pool what there is room for: for one piece at the least.
    """
    takes = occupied_by(state, (job,), unit)
    if unit.counted_in is CapacityUnit.JOBS or not is_pool(state, job):
        return takes
    return min(takes, piece_takes(state, job, unit.counted_in))


def _taken_of(state: State, job: JobOrder, rule: BatchRule, room: Decimal) -> Decimal:
    """Return how much of a run ``job`` takes; of a pool, as much as there is room."""
    takes = taken_by(state, job, rule.counted_in)
    if takes <= room or not is_pool(state, job):
        return takes
    piece = piece_takes(state, job, rule.counted_in)
    return room // piece * piece if piece else takes


def misfits(
    state: State, rule: BatchRule | None, unit: WorkUnit, jobs: Sequence[JobOrder]
) -> tuple[Condition, ...]:
    """Return why ``jobs`` cannot be one run on ``unit``; empty if they can."""
    if rule is None:
        if len(jobs) == 1:
            return ()
        why = f"{unit.id} works on one job order in a run, not on {len(jobs)}"
        return (_unmet(ConditionName.BATCH_CAPACITY, why),)
    family = _family(state, jobs[0], rule)
    found = [
        _differs(rule, one, jobs[0])
        for one in jobs[1:]
        if _family(state, one, rule) != family
    ]
    total = sum((_taken_of(state, one, rule, rule.most) for one in jobs), ZERO)
    if total > rule.most:
        told = f"{unit.id} takes {rule.most} {WORDS[rule.counted_in]}, not {total}"
        found.append(_unmet(ConditionName.BATCH_CAPACITY, told))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Formed:
    """What a run is to be made of.

    Attributes:
        jobs: In the rule's order; empty if nothing can go now.
        reasons: By job order, why it is not among them.
    """

    jobs: tuple[JobOrder, ...]
    reasons: dict[str, tuple[Condition, ...]]


def formed(
    state: State, rule: BatchRule, unit: WorkUnit, takable: Iterable[JobOrder], at: int
) -> Formed:
    """Put together the next run of ``unit``.

    The first job order that can be taken begins it, and those after it join that fit. A
    run that is too small goes once its oldest member has waited long enough; until then
    the next that has nothing in common with it may go before it.

    Args:
        state: Where they stand.
        rule: Of the unit.
        unit: Where to.
        takable: Nothing speaks against any of them by itself; in the rule's order.
        at: Now, in microseconds of UTC.
    """
    reasons: dict[str, tuple[Condition, ...]] = {}
    families: dict[tuple[str, ...], list[JobOrder]] = {}
    for job in takable:
        alone = misfits(state, rule, unit, (job,))
        if alone:
            reasons[job.id] = alone
        else:
            families.setdefault(_family(state, job, rule), []).append(job)
    chosen: tuple[JobOrder, ...] = ()
    for family in families.values():
        if chosen:
            reasons.update(
                {one.id: (_differs(rule, one, chosen[0]),) for one in family}
            )
            continue
        group, left = _filled(state, rule, family)
        missing = _missing(state, rule, group, at)
        if missing is None:
            chosen = group
            full = f"{unit.id} is full with {', '.join(one.id for one in group)}"
            why = (_unmet(ConditionName.BATCH_CAPACITY, full),)
            reasons.update({one.id: why for one in left})
        else:
            reasons.update({one.id: (missing,) for one in family})
    return Formed(chosen, reasons)


def _filled(
    state: State, rule: BatchRule, family: Iterable[JobOrder]
) -> tuple[tuple[JobOrder, ...], list[JobOrder]]:
    """Return those that go in together, in turn, and those that no room is left for."""
    group, left, total = [], [], ZERO
    for one in family:
        room = rule.most - total
        takes = _taken_of(state, one, rule, room)
        if takes <= room and (takes or not is_pool(state, one)):
            group.append(one)
            total += takes
        else:
            left.append(one)
    return tuple(group), left


def _missing(
    state: State, rule: BatchRule, group: Sequence[JobOrder], at: int
) -> Condition | None:
    total = sum((taken_by(state, one, rule.counted_in) for one in group), ZERO)
    oldest = min(
        one.stored_at if one.queued_at is None else one.queued_at for one in group
    )
    left_us = oldest + rule.wait_s * int(MILLION) - at
    if total >= rule.least or left_us <= 0:
        return None
    return _unmet(
        ConditionName.BATCH_COMPLETE,
        f"{total} of at least {rule.least} {WORDS[rule.counted_in]}; it waits for "
        f"{-(-left_us // int(MILLION))} s more",
    )


def _family(state: State, job: JobOrder, rule: BatchRule) -> tuple[str, ...]:
    return tuple(_common(state, job, one) for one in rule.same)


def _common(state: State, job: JobOrder, key: BatchKey) -> str:
    match key:
        case BatchKey.ROUTING:
            return job.routing
        case BatchKey.STEP:
            return f"{job.routing}/{job.step}"
        case BatchKey.WORK_REQUEST:
            return job.request
        case BatchKey.MATERIAL:
            request = state.work_request.get(job.request)
            return "" if request is None else request.material


def _differs(rule: BatchRule, one: JobOrder, other: JobOrder) -> Condition:
    same = " and ".join(key.value.replace("_", " ") for key in rule.same)
    why = f"{one.id} has not the same {same} as {other.id}"
    return _unmet(ConditionName.BATCH_COMPATIBLE, why)


def _unmet(name: ConditionName, why: str) -> Condition:
    return Condition(name=name, is_met=False, why=why, mender="the planner")
