"""What open holds fall on: job orders, lots, and what a query catches."""

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.packing import around, around_lot
from mes_engine.core.runs import Hold, HoldMode, HoldQuery, HoldScope
from mes_engine.core.state import State
from mes_engine.core.whereabouts import positions_of

_OF_MATERIAL = frozenset({HoldScope.LOT, HoldScope.CARRIER})


def future_holds(state: State) -> list[Hold]:
    """Return the open holds that wait for what matches their query, oldest first."""
    if not state.hold.members("open", HoldMode.FUTURE):
        return []
    found = state.hold.find("open", HoldMode.FUTURE)
    return sorted(found, key=lambda one: one.number)


def holds_on_lot(state: State, lot: str) -> list[Hold]:
    """Return the open holds on the lot, and on the carriers that it is in."""
    if not may_hold_lots(state):
        return []  # As nearly always: nothing more is looked up.
    found = state.hold.find("target", (HoldScope.LOT, lot))
    if state.hold.members("open", HoldScope.CARRIER):
        for one in around_lot(state, lot):
            found += state.hold.find("target", (HoldScope.CARRIER, one.id))
    return found


def may_hold_lots(state: State) -> bool:
    """Whether any hold is open on a lot, or on a carrier."""
    return bool(
        state.hold.members("open", HoldScope.LOT)
        or state.hold.members("open", HoldScope.CARRIER)
    )


def holds_on_carrier(state: State, carrier: str) -> list[Hold]:
    """Return the open holds on a carrier, and on those around it."""
    return [
        hold
        for one in around(state, carrier)
        for hold in state.hold.find("target", (HoldScope.CARRIER, one.id))
    ]


def holds_on_lots_at(state: State, job: JobOrder) -> list[Hold]:
    """Return the open holds on lots that are at the job order's visit."""
    if not may_hold_lots(state):
        return []
    return [
        hold
        for position in positions_of(state, job)
        if position.on_floor
        for hold in holds_on_lot(state, position.lot)
    ]


def lot_not_held(state: State, job: JobOrder) -> Condition:
    """Whether no lot at its visit is held now: of such a one nothing is reported."""
    name = ConditionName.LOT_NOT_HELD
    holds = [
        one for one in holds_on_lots_at(state, job) if one.mode is HoldMode.STOP_NOW
    ]
    menders = ", ".join(sorted({who_releases(one) for one in holds}))
    return Condition(name=name, is_met=not holds, why=told(holds), mender=menders)


def told(holds: list[Hold]) -> str:
    """Say which holds these are, and why."""
    return "; ".join(
        f"{one.id}{f' on {one.target}' if one.scope in _OF_MATERIAL else ''} "
        f"by {one.owner}: {one.reason}"
        for one in holds
    )


def who_releases(hold: Hold) -> str:
    """Return the person or role that may release the hold; its owner if any may."""
    return hold.releaser or hold.owner


def holds_on(state: State, job: JobOrder) -> list[Hold]:
    """Return every open hold on the job order, its request and its lots there."""
    if not state.hold.has_any("target"):
        return []
    return [
        *state.hold.find("target", (HoldScope.JOB_ORDER, job.id)),
        *state.hold.find("target", (HoldScope.WORK_REQUEST, job.request)),
        *holds_on_lots_at(state, job),
    ]


def may_release(state: State, hold: Hold, person: str) -> bool:
    """Whether ``person`` is the releaser of the hold, or has that role."""
    known = state.person.get(person)
    roles = () if known is None else known.roles
    return not hold.releaser or hold.releaser in {person, *roles}


def caught_jobs(state: State, hold: Hold, job: JobOrder) -> list[str]:
    """Return what the future hold falls on now that ``job`` is where it is."""
    if not _matches(state, hold.query, job):
        return []
    if hold.scope is HoldScope.LOT:
        found = [one.lot for one in positions_of(state, job) if one.on_floor]
    elif _has_begun(state, hold.query, job):
        return []
    else:
        is_job = hold.scope is HoldScope.JOB_ORDER
        found = [job.id if is_job else job.request]
    return [one for one in found if not is_caught(state, hold, one)]


def catches_lot(state: State, hold: Hold, lot: MaterialLot) -> bool:
    """Whether the future hold falls on a lot in stock."""
    query = hold.query
    asked = {"material": lot.material, "supplier_lot": lot.supplier_lot}
    return (
        hold.scope is HoldScope.LOT
        and all(name in asked for name in query.members)
        and all(asked[name] == value for name, value in query.members.items())
        and not is_caught(state, hold, lot.id)
    )


def is_caught(state: State, hold: Hold, target: str) -> bool:
    """Whether the future hold has fallen on the thing before, and once is enough."""
    return bool(state.hold.members("caught", (hold.id, target)))


def _matches(state: State, query: HoldQuery, job: JobOrder) -> bool:
    request = state.work_request.get(job.request)
    asked = {
        "step": {job.step},
        "material": set() if request is None else {request.material},
        "routing": {job.routing},
        "work_request": {job.request},
        "supplier_lot": set(),
        "equipment": {job.work_center, job.equipment_class, _work_unit(state, job)},
    }
    return all(value in asked[name] for name, value in query.members.items())


def _work_unit(state: State, job: JobOrder) -> str:
    run = None if job.run is None else state.run.get(job.run)
    return "" if run is None else run.work_unit


def _has_begun(state: State, query: HoldQuery, job: JobOrder) -> bool:
    run = None if job.run is None else state.run.get(job.run)
    if run is not None and run.work_unit == query.equipment:
        return run.begun_at is not None
    return job.begun_at is not None
