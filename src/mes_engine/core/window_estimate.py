"""Dispatch looks ahead: would this start open a time window that cannot be kept?

An estimate from standard times, and from what waits at the step where the window ends.
It refuses a dispatch, with its figures; a person may load the job order all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import ON_A_MACHINE, READY, JobOrder
from mes_engine.core.quantity import MILLION
from mes_engine.core.readiness import routing_of, step_of, to_come
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import Step
from mes_engine.core.time_windows import WindowPoint, WindowRule, told_s

MENDER = "the supervisor: free the step at its end, or load it by hand"


@dataclass(frozen=True, slots=True)
class Load:
    """What waits for machines: in all, and of each request's step, by its lots."""

    total_us: int
    of_step: Mapping[tuple[str, str], Sequence[tuple[str | None, int]]]


Loads = dict[tuple[str, str], Load]
"""By work center and class."""


def windows_kept(state: State, job: JobOrder, loads: Loads) -> tuple[Condition, ...]:
    """Return why the windows that this start would open could not be kept.

    Empty if they could, or if it opens none that may be too long.

    Args:
        state: Where to look.
        job: What could be started.
        loads: What was found already of what waits; for one look at one queue.
    """
    routing = routing_of(state, job)
    told = [
        why
        for rule in routing.windows_from(job.step)
        for why in _against(state, job, routing, rule, loads)
    ]
    if not told:
        return ()
    unkept = Condition(
        name=ConditionName.TIME_WINDOW_OPEN,
        is_met=False,
        why="; ".join(told),
        mender=MENDER,
    )
    return (unkept,)


def _against(
    state: State,
    job: JobOrder,
    routing: Routing,
    rule: WindowRule,
    loads: Loads,
) -> Iterator[str]:
    max_s = rule.max_s
    if max_s is None:
        return
    target = routing.step(rule.target)
    places = _places(state, target)
    if places == 0:
        yield (
            f"step {target.id} has no {target.equipment_class} in service at "
            f"{target.work_center} to end it at"
        )
        return
    waits_us = _waiting_us(state, job, target, loads) // places
    needed_us = _needed_us(state, job, routing, rule, waits_us)
    if needed_us > max_s * MILLION:
        yield (
            f"to step {target.id} it would have {told_s(int(max_s * MILLION))}, needs "
            f"about {told_s(needed_us)} ({told_s(waits_us)} of work wait there)"
        )


def _needed_us(
    state: State, job: JobOrder, routing: Routing, rule: WindowRule, waits_us: int
) -> int:
    """Estimate the time between the points of ``rule``, if the job started now."""
    pieces = to_come(state, job)
    own, target = routing.step(job.step), routing.step(rule.target)
    own_us, setup_us = own.standard_us(pieces), own.standard_us(Decimal(0))
    starts_us = setup_us if rule.starts_at is WindowPoint.BEGUN else own_us
    arrives_us = own_us + _between_us(routing, job.step, rule.target, pieces)
    ends_us = max(arrives_us, waits_us) + target.standard_us(Decimal(0))
    if rule.ends_at is WindowPoint.ENDED:
        ends_us += target.standard_us(pieces) - target.standard_us(Decimal(0))
    return ends_us - starts_us


def _between_us(routing: Routing, source: str, target: str, pieces: Decimal) -> int:
    """Return the longest path of standard times strictly between two steps."""
    longest: dict[str, int | None] = {target: 0}
    waiting = [source]
    while waiting:
        step = waiting[-1]
        nearest = [one.target for one in routing.leaving(step)]
        unknown = [one for one in nearest if one not in longest]
        if unknown:
            waiting += unknown
            continue
        waiting.pop()
        ways = [
            rest + (0 if one == target else routing.step(one).standard_us(pieces))
            for one in nearest
            if (rest := longest[one]) is not None
        ]
        longest[step] = max(ways, default=None)
    return longest[source] or 0


def _places(state: State, step: Step) -> int:
    """Return how many job orders can be worked on at a time, machines in service."""
    places = 0
    for unit in state.site.capable_units(step.work_center, step.equipment_class):
        equipment = state.equipment.get(unit.id)
        if equipment is None or not equipment.is_out_of_service:
            places += unit.active
    return places


def _waiting_us(state: State, job: JobOrder, target: Step, loads: Loads) -> int:
    """Return the standard time of what is at the step's machines, or bound to come.

    Its own work there apart. Nothing where machines take several job orders in a run:
    what waits goes with it.
    """
    site = state.site
    units = site.capable_units(target.work_center, target.equipment_class)
    if all(site.batch_rule(unit) is not None for unit in units):
        return 0
    place = target.work_center, target.equipment_class
    if place not in loads:
        loads[place] = _load(state, target)
    load = loads[place]
    own = load.of_step.get((job.request, target.id), ())
    return load.total_us - sum(us for lot, us in own if lot in {None, job.lot})


def _load(state: State, target: Step) -> Load:
    total = 0
    of_step: dict[tuple[str, str], list[tuple[str | None, int]]] = {}
    for one in state.job_order.find("live_at", target.work_center):
        if one.equipment_class != target.equipment_class:
            continue
        if one.state in READY or one.state in ON_A_MACHINE or _comes(state, one):
            step = step_of(state, one)
            us = step.standard_us(to_come(state, one))
            if one.begun_at is not None:
                us -= step.standard_us(Decimal(0))
            total += us
            of_step.setdefault((one.request, one.step), []).append((one.lot, us))
    return Load(total, of_step)


def _comes(state: State, job: JobOrder) -> bool:
    """Whether it is in a time window already: it will come, and has to in time."""
    return any(
        one.is_live and one.target == job.step and job.lot in {None, one.lot}
        for one in state.time_window.find("request", job.request)
    )
