"""Readiness: computed from named conditions, each with why and who can mend it."""

from decimal import Decimal

from mes_engine.core.components import goes_round, still_needed, used_of
from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.dedication import bound_units
from mes_engine.core.holding import (
    holds_on,
    holds_on_lot,
    may_hold_lots,
    told,
    who_releases,
)
from mes_engine.core.job_order import AT_WORK, JobOrder, JobOrderState
from mes_engine.core.lots import LotQuality
from mes_engine.core.means import means
from mes_engine.core.quantity import ZERO, shortest
from mes_engine.core.requests import Visit
from mes_engine.core.routing import Routing
from mes_engine.core.runs import Hold, HoldMode, HoldScope
from mes_engine.core.siblings import reserved, siblings
from mes_engine.core.state import State
from mes_engine.core.steps import Component, JobPer, Step, StepOrder
from mes_engine.core.whereabouts import feeding, here, is_within_reach, positions_of
from mes_engine.core.window_condition import time_window_open
from mes_engine.core.wip_condition import wip_limit
from mes_engine.core.wip_ledger import Position


def readiness(
    state: State, job: JobOrder, *, at: int | None = None
) -> tuple[Condition, ...]:
    """Return every condition of readiness of ``job``, met or not.

    Args:
        state: Where to look.
        job: What could be ready.
        at: When; what expires counts for ever if None.
    """
    return (
        upstream_quantity(state, job),
        material_available(state, job),
        equipment_available(state, job),
        *means(state, job, at=at),
        no_hold(state, job),
        request_released(state, job),
        time_window_open(state, job),
        wip_limit(state, job),
    )


def routing_of(state: State, job: JobOrder) -> Routing:
    """Return the routing by which the request's pieces get to ``job`` and from it."""
    request = state.work_request.get(job.request)
    revision = job.revision if request is None else request.revision
    routing = state.routing.get((job.routing, revision))
    return _routing(state, job, revision) if routing is None else routing


def step_of(state: State, job: JobOrder) -> Step:
    """Return the step by which ``job`` is worked: once begun, it keeps its revision."""
    return _routing(state, job, job.revision).step(job.step)


def _routing(state: State, job: JobOrder, revision: str) -> Routing:
    routing = state.routing.get((job.routing, revision))
    if routing is None:
        raise LookupError(f"{job.id} is made by a routing that is not there")
    return routing


def visit_of(state: State, job: JobOrder) -> Visit:
    """Return the visit that ``job`` is of."""
    visit = state.visit.get(job.visit)
    if visit is None:
        raise LookupError(f"{job.id} is of a visit that is not there")
    return visit


def is_fed(state: State, job: JobOrder) -> bool:
    """Whether pieces come to ``job`` from other steps, and are not started by it."""
    if not job.expects_pieces:
        return False
    is_entry = job.step in routing_of(state, job).entry_ids
    return not is_entry or bool(visit_of(state, job).rework)


def remaining(job: JobOrder) -> Decimal:
    """Return the pieces that the plan still wants of ``job``."""
    return max(job.planned - job.worked - job.deviated, ZERO)


def is_per_run(state: State, job: JobOrder) -> bool:
    """Whether its step has a job order for each run, parted off a pool at loading."""
    return step_of(state, job).job_per is JobPer.RUN


def own_part(state: State, job: JobOrder) -> Decimal:
    """Return what is not accounted for at the visit, and not for its siblings."""
    left = here(state, job).unaccounted
    if job.split_of is None:
        return left
    if is_per_run(state, job):
        return _part_of_run(state, job, left)
    fed = is_fed(state, job)
    return max(left - reserved(state, job, is_fed=fed), ZERO)


def _part_of_run(state: State, job: JobOrder, there: Decimal) -> Decimal:
    """Return what a run has taken of what is there; of a pool, what none has taken."""
    fed = is_fed(state, job)
    if _has_taken(job, is_fed=fed):
        return min(there, remaining(job))
    others = siblings(state, job)
    taken = (remaining(one) for one in others if _has_taken(one, is_fed=fed))
    return max(min(there - sum(taken, ZERO), remaining(job)), ZERO)


def _has_taken(job: JobOrder, *, is_fed: bool) -> bool:
    return job.begun_at is not None or (is_fed and job.run is not None)


def upstream_quantity(state: State, job: JobOrder) -> Condition:
    """Whether there is something to work on, and every token has arrived."""
    routing = routing_of(state, job)
    missing = _missing_tokens(state, job, routing)
    if missing:
        return _condition(
            ConditionName.UPSTREAM_QUANTITY,
            f"waits for step {', '.join(missing)} of {job.request} to be done",
            "the work centers upstream",
        )
    is_waiting = job.begun_at is None and is_fed(state, job)
    is_strict = routing.step_order is StepOrder.STRICT
    if is_waiting and is_strict and _is_nothing_there(state, job):
        from_steps = [
            one.source for one in routing.reaching(job.step) if one.carries_pieces
        ]
        from_steps += [one.source for one in routing.rework if one.target == job.step]
        sources = ", ".join(dict.fromkeys(from_steps))
        return _condition(
            ConditionName.UPSTREAM_QUANTITY,
            f"no pieces of {job.request} have come from step {sources} yet",
            "the work centers upstream",
        )
    return _met(ConditionName.UPSTREAM_QUANTITY)


def _is_nothing_there(state: State, job: JobOrder) -> bool:
    if job.split_of is not None and is_per_run(state, job):
        return own_part(state, job) == ZERO
    return here(state, job).unaccounted == ZERO


def _missing_tokens(state: State, job: JobOrder, routing: Routing) -> list[str]:
    """Return the steps whose end it waits for."""
    waits_for = routing.waits_for(job.step)
    if not waits_for:
        return []
    visit = visit_of(state, job)
    if visit.rework:
        return []  # What comes back had its tokens the first time.
    return [
        one
        for one in waits_for
        if one not in visit.tokens and is_within_reach(state, routing, job.request, one)
    ]


def to_come(state: State, job: JobOrder) -> Decimal:
    """Return how many pieces the job order will still work on, as far as is known.

    Where nothing more can arrive, that is what is at its step; else what the plan gives
    it: the whole, or its share where the pieces part before it.
    """
    if not job.expects_pieces:
        return remaining(job)
    if not is_fed(state, job):
        return remaining(job)
    there = own_part(state, job)
    if is_per_run(state, job) or nothing_expected(state, job).is_met:
        return there
    if visit_of(state, job).rework:
        return max(remaining(job), there)
    reaching = routing_of(state, job).reaching(job.step)
    inward = [one for one in reaching if one.carries_pieces]
    share = inward[0].share if len(inward) == 1 else Decimal(1)
    return max(job.planned * share - job.worked, there)


def material_available(
    state: State,
    job: JobOrder,
    *,
    for_pieces: Decimal | None = None,
    leaves_to_others: bool = True,
) -> Condition:
    """Whether stock covers the components of ``for_pieces``.

    Args:
        state: Where to look.
        job: Whose components.
        for_pieces: How many pieces were worked; those to come, if not said.
        leaves_to_others: Whether what others at work will need is not to be had. For
            pieces that were worked it is: their components are used up already.
    """
    if not job.materials:
        return _met(ConditionName.MATERIAL_AVAILABLE)
    if for_pieces is None:
        for_pieces = to_come(state, job)
    short: list[str] = []
    for component in step_of(state, job).consumes:
        need = component.per_piece * for_pieces
        ahead = used_of(state, job, component.material)
        if leaves_to_others:
            ahead -= component.per_piece * job.worked
        need -= min(max(ahead, ZERO), need)
        there = on_hand(state, component, job)
        taken = _claimed_by_others(state, component, job) if leaves_to_others else ZERO
        if need > there - taken:
            need, there, taken = shortest(need), shortest(there), shortest(taken)
            claimed = f" less {taken} for work that has begun" if taken else ""
            short.append(
                f"{need} {component.unit} of {component.material} needed, "
                f"{there} in stock{claimed}{held_in_stock(state, component)}"
            )
    if short:
        return _condition(
            ConditionName.MATERIAL_AVAILABLE, "; ".join(short), "the storekeeper"
        )
    return _met(ConditionName.MATERIAL_AVAILABLE)


USABLE = frozenset({LotQuality.UNRESTRICTED, LotQuality.RESTRICTED})


def usable_stock(state: State, component: Component, job: JobOrder) -> list[Position]:
    """Return the positions that may be consumed as ``component``, oldest lot first.

    Of one lot by the name of the place: after a restart it is the same one.
    """
    found: list[tuple[int, str, Position]] = []
    worked = [state.lot.get(one.lot) for one in positions_of(state, job)]
    into = [one for one in worked if one is not None]
    for position in state.position.find("material_in_stock", component.material):
        lot = state.lot.get(position.lot)
        if position.unit != component.unit or lot is None:
            continue
        is_usable = lot.quality in USABLE and not holds_on_lot(state, lot.id)
        if is_usable and not goes_round(state, lot, into):
            found.append((lot.number, position.place, position))
    found.sort(key=lambda one: one[:2])
    return [position for _, _, position in found]


def on_hand(state: State, component: Component, job: JobOrder) -> Decimal:
    """Return what may be consumed as ``component``, in its unit."""
    return sum((one.stock for one in usable_stock(state, component, job)), ZERO)


def held_in_stock(state: State, component: Component) -> str:
    """Say what of a component is in stock and held; empty if nothing is."""
    if not may_hold_lots(state):
        return ""
    there = state.position.find("material_in_stock", component.material)
    held = [
        told(holds)
        for lot in sorted({one.lot for one in there})
        if (holds := holds_on_lot(state, lot))
    ]
    return f" ({'; '.join(held)})" if held else ""


def _claimed_by_others(state: State, component: Component, job: JobOrder) -> Decimal:
    claimed = ZERO
    for other in state.job_order.find("consumes", component.material):
        is_begun = other.state in AT_WORK and other.begun_at is not None
        if other.id == job.id or not is_begun:
            continue
        for one in step_of(state, other).consumes:
            if (one.material, one.unit) == (component.material, component.unit):
                pieces = other.worked + to_come(state, other)
                claimed += still_needed(
                    state, other, one.material, one.per_piece, pieces
                )
    return claimed


def equipment_available(state: State, job: JobOrder) -> Condition:
    """Whether some work unit of the class is not out of service."""
    units = state.site.capable_units(job.work_center, job.equipment_class)
    if not units:
        return _condition(
            ConditionName.EQUIPMENT_AVAILABLE,
            f"{job.work_center} has no work unit of class {job.equipment_class}",
            "the planner",
        )
    bound = bound_units(state, job)
    if bound:
        units = [one for one in units if bound == {one.id}]
    if not units:
        return _condition(
            ConditionName.EQUIPMENT_AVAILABLE,
            f"its lots are bound to {', '.join(sorted(bound))}",
            "the planner",
        )
    for unit in units:
        equipment = state.equipment.get(unit.id)
        if equipment is None or not equipment.is_out_of_service:
            return _met(ConditionName.EQUIPMENT_AVAILABLE)
    return _condition(
        ConditionName.EQUIPMENT_AVAILABLE,
        f"out of service: {', '.join(unit.id for unit in units)}",
        "maintenance",
    )


def binding_holds(state: State, job: JobOrder) -> list[Hold]:
    """Return the open holds that forbid work on ``job``.

    Its own, its request's, those on lots that are there, and those after the run of
    what feeds it: the run finishes, and its pieces do not move on. What is at work
    under such a hold may finish.
    """
    if not state.hold.has_any("target"):
        return []
    found = holds_on(state, job)
    for one in routing_of(state, job).reaching(job.step):
        for visit in state.visit.find("step", (job.request, one.source)):
            for before in state.job_order.find("visit", visit.id):
                target = (HoldScope.JOB_ORDER, before.id)
                found += [
                    hold
                    for hold in state.hold.find("target", target)
                    if hold.mode is HoldMode.AFTER_RUN
                ]
    if job.state in AT_WORK:
        return [hold for hold in found if hold.mode is HoldMode.STOP_NOW]
    return found


def no_hold(state: State, job: JobOrder) -> Condition:
    """Whether no hold is open on ``job`` or its request."""
    holds = binding_holds(state, job)
    if holds:
        menders = ", ".join(sorted({who_releases(one) for one in holds}))
        return _condition(ConditionName.NO_HOLD, told(holds), menders)
    return _met(ConditionName.NO_HOLD)


def request_released(state: State, job: JobOrder) -> Condition:
    """Whether its work request has been released."""
    request = state.work_request.get(job.request)
    if request is None or not request.is_released:
        word = "unknown" if request is None else request.state.value
        return _condition(
            ConditionName.REQUEST_RELEASED,
            f"{job.request} is {word}",
            "the planner",
        )
    return _met(ConditionName.REQUEST_RELEASED)


def nothing_expected(
    state: State, job: JobOrder, *, by_rework: bool = False
) -> Condition:
    """Whether no more pieces can come to the job's visit.

    Args:
        state: Where to look.
        job: What may be waiting.
        by_rework: Whether it counts that somebody could send more into its pass: for
            those there will be a follow-on, but the visit's work is not over.
    """
    routing = routing_of(state, job)
    if not is_fed(state, job):
        return _met(ConditionName.NOTHING_EXPECTED)
    if not by_rework and is_per_run(state, job):
        return _met(ConditionName.NOTHING_EXPECTED)  # What comes is for the next run.
    if siblings(state, job) and remaining(job) == ZERO:
        return _met(ConditionName.NOTHING_EXPECTED)  # What comes is for them.
    visit = visit_of(state, job)
    sources = feeding(state, routing, visit, by_rework=by_rework)
    coming = dict.fromkeys(one.step for one in sources)
    if coming:
        nearest = [one.source for one in routing.reaching(job.step)]
        told = [one for one in coming if one in nearest] or coming
        return _condition(
            ConditionName.NOTHING_EXPECTED,
            f"pieces may still come from step {', '.join(told)}",
            "the work centers upstream",
        )
    return _met(ConditionName.NOTHING_EXPECTED)


def quantity_accounted(state: State, job: JobOrder) -> Condition:
    """Whether every piece at the job's visit has been reported."""
    if not job.expects_pieces:
        left = remaining(job)
        told = f"{left} of {job.planned} {job.unit} not reported yet"
    elif positions_of(state, job):
        left = own_part(state, job)
        if left > ZERO and is_per_run(state, job):
            left = _held_in_run(state, job)
        if left <= ZERO:
            return _met(ConditionName.QUANTITY_ACCOUNTED)
        there = here(state, job)
        told = (
            f"queued {there.queued}, in process {there.in_process}, "
            f"suspect {there.suspect} {job.unit} not accounted for"
        )
    else:
        left = ZERO if is_fed(state, job) else job.planned
        told = "nothing has been started"
    if left > ZERO:
        return _condition(ConditionName.QUANTITY_ACCOUNTED, told, "the operator")
    return _met(ConditionName.QUANTITY_ACCOUNTED)


def _held_in_run(state: State, job: JobOrder) -> Decimal:
    """Return what a run has at work or suspect: what it left queued is for the next."""
    there = here(state, job)
    others = (remaining(one) for one in siblings(state, job) if one.state in AT_WORK)
    return there.in_process + there.suspect - sum(others, ZERO)


def nothing_booked(state: State, job: JobOrder) -> Condition:
    """Whether neither pieces nor time were ever booked on ``job``."""
    # What is there may be worked on by a sibling.
    there = ZERO if siblings(state, job) else here(state, job).on_floor
    if job.worked or job.setup_us or job.processing_us or there:
        return _condition(
            ConditionName.NOTHING_BOOKED,
            f"{job.worked} {job.unit} reported, {there} at the step",
            "nobody: stop it, and what remains goes on",
        )
    return _met(ConditionName.NOTHING_BOOKED)


def not_loaded_with_material(state: State, job: JobOrder) -> Condition:
    """Whether no pieces are in process in ``job``."""
    in_process = here(state, job).in_process
    if job.state is JobOrderState.ALLOWED_LOADED and in_process:
        return _condition(
            ConditionName.NOT_LOADED_WITH_MATERIAL,
            f"{in_process} {job.unit} are in process",
            "the operator",
        )
    return _met(ConditionName.NOT_LOADED_WITH_MATERIAL)


def posting_settled(state: State, job: JobOrder) -> Condition:
    """Whether the ledger has acknowledged what ``job`` posted, or it was waived."""
    waiting = state.posting.find("unsettled", job.id)
    if waiting:
        told = ", ".join(f"{one.key} is {one.state}" for one in waiting)
        return _condition(
            ConditionName.POSTING_SETTLED, told, "the ERP; plant IT may waive"
        )
    return _met(ConditionName.POSTING_SETTLED)


_MET = {
    name: Condition(name=name, is_met=True, why="", mender="") for name in ConditionName
}


def _met(name: ConditionName) -> Condition:
    return _MET[name]


def _condition(name: ConditionName, why: str, mender: str) -> Condition:
    return Condition(name=name, is_met=False, why=why, mender=mender)
