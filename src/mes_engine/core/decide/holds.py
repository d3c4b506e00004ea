"""Holds: opened and released as records; what they fall on follows."""

from operator import attrgetter

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide import job_orders
from mes_engine.core.decide.chart import check
from mes_engine.core.decide.claims import in_run_with
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.packing import carrier_here
from mes_engine.core.decide.sending import send_on
from mes_engine.core.decide.stock import touch_consumers
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.holding import (
    catches_lot,
    caught_jobs,
    future_holds,
    may_release,
    who_releases,
)
from mes_engine.core.job_order import (
    AT_WORK,
    RUNNING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.lots import LotExistence, MaterialLot
from mes_engine.core.messages import OpenHold, ReleaseHold, ResumeJobOrder
from mes_engine.core.packing import lots_within
from mes_engine.core.readiness import binding_holds
from mes_engine.core.requests import WorkRequestState
from mes_engine.core.runs import Hold, HoldMode, HoldQuery, HoldScope
from mes_engine.core.whereabouts import places_of

_S, _T = JobOrderState, JobOrderTrigger


def open_hold(draft: Draft, command: OpenHold) -> dict[str, str]:
    """Record a hold; with ``stop_now``, interrupt what it falls on.

    What has begun in one run with others finishes with them: a hold on it is one that
    falls after the run.
    """
    if not command.reason.strip():
        raise Malformed("A hold needs a reason.", hint="Say why in 'reason'.")
    if command.mode is HoldMode.FUTURE:
        _check_query(draft, command)
    else:
        _check_target(draft, command)
    hold = _open(
        draft,
        scope=command.scope,
        target=command.target,
        mode=command.mode,
        reason=command.reason,
        owner=command.owner or draft.person,
        releaser=command.releaser,
        query=command.query,
        opens_as=command.opens_as,
    )
    if hold.mode is HoldMode.FUTURE:
        _look_for(draft)
    return {"hold": hold.id, "mode": hold.mode.value}


def _shares_run(draft: Draft, job: JobOrder) -> bool:
    return job.state in AT_WORK and len(in_run_with(draft, job)) > 1


def _open(
    draft: Draft,
    *,
    scope: HoldScope,
    target: str,
    mode: HoldMode,
    reason: str,
    owner: str,
    releaser: str,
    query: HoldQuery | None = None,
    opens_as: HoldMode = HoldMode.STOP_NOW,
    from_hold: str | None = None,
) -> Hold:
    number = draft.state.last_number("hold") + 1
    hold = Hold(
        id=f"H-{number:06}",
        number=number,
        scope=scope,
        target=target,
        mode=mode,
        reason=reason,
        owner=owner,
        opened_at=draft.at,
        releaser=releaser,
        query=query or HoldQuery(),
        opens_as=opens_as,
        from_hold=from_hold,
    )
    jobs = _held_jobs(draft, hold)
    is_whole = scope is HoldScope.WORK_REQUEST
    if not is_whole and any(_shares_run(draft, job) for job in jobs):
        hold = msgspec.structs.replace(hold, mode=HoldMode.AFTER_RUN)
    draft.emit(f.HoldOpened(hold=hold))
    _touch_around(draft, hold, jobs)
    for job in jobs:
        if hold.mode is HoldMode.STOP_NOW:
            _interrupt(draft, job, f"{hold.id}: {hold.reason}")
    return hold


def _check_target(draft: Draft, command: OpenHold) -> None:
    if command.query is not None or command.opens_as is not HoldMode.STOP_NOW:
        raise Malformed(
            "A query belongs to a hold of mode 'future'.",
            hint="Name the 'target', or hold what matches with mode 'future'.",
        )
    match command.scope:
        case HoldScope.WORK_REQUEST:
            request = draft.request(command.target)
            if request.state in {WorkRequestState.CLOSED, WorkRequestState.CANCELLED}:
                raise Refused(
                    f"{request.id} is '{request.state}': nothing is to be held."
                )
        case HoldScope.JOB_ORDER:
            job = draft.job(command.target)
            if job.is_over:
                raise Refused(f"{job.id} is '{job.state}': there is nothing to hold.")
        case HoldScope.LOT:
            lot = draft.state.lot.get(command.target)
            if lot is None:
                raise NotFound(f"There is no lot '{command.target}'.")
            if lot.existence is not LotExistence.ACTIVE:
                raise Refused(f"{lot.id} is '{lot.existence}': nothing is left of it.")
        case HoldScope.CARRIER:
            carrier_here(draft.state, command.target)


def _check_query(draft: Draft, command: OpenHold) -> None:
    asked = {} if command.query is None else command.query.members
    if command.target or not asked or command.opens_as is HoldMode.FUTURE:
        raise Malformed(
            "A hold of mode 'future' has a query, and no target.",
            hint="Say in 'query' what is to be held when it gets there.",
        )
    if command.scope is HoldScope.CARRIER:
        raise Malformed(
            "No hold waits for carriers.",
            hint="Hold a carrier that is here, or the lots that get there.",
        )
    of_supplier = "supplier_lot" in asked
    others = asked.keys() - {"supplier_lot", "material"}
    if of_supplier and (others or command.scope is not HoldScope.LOT):
        raise Malformed(
            "A supplier's lot is met in stock, at no step and on no machine.",
            hint="Say scope 'lot', and no more than 'supplier_lot' and 'material'.",
        )
    site, equipment = draft.state.site, asked.get("equipment", "")
    classes = {one.id for one in site.plant.classes}
    if equipment and not (
        equipment in site.work_units
        or equipment in site.work_centers
        or equipment in classes
    ):
        raise NotFound(f"There is no work unit, work center or class '{equipment}'.")


def _look_for(draft: Draft) -> None:
    """See what a future hold falls on already, oldest first: memory has no order."""
    by_number = attrgetter("number")
    for job in sorted(draft.state.job_order.values(), key=by_number):
        if not job.is_over:
            draft.touch(job.id)
    for lot in sorted(draft.state.lot.values(), key=by_number):
        if lot.existence is LotExistence.ACTIVE:
            catch_lot(draft, lot.id)


def catch(draft: Draft, job: JobOrder) -> None:
    """Let future holds fall on the job order, its request or its lots."""
    for hold in future_holds(draft.state):
        for target in caught_jobs(draft.state, hold, draft.job(job.id)):
            _fall(draft, hold, target)


def catch_lot(draft: Draft, name: str) -> None:
    """Let future holds fall on a lot in stock."""
    lot = draft.state.lot.get(name)
    for hold in future_holds(draft.state):
        if lot is not None and catches_lot(draft.state, hold, lot):
            _fall(draft, hold, lot.id)


def _fall(draft: Draft, hold: Hold, target: str) -> None:
    _open(
        draft,
        scope=hold.scope,
        target=target,
        mode=hold.opens_as,
        reason=hold.reason,
        owner=hold.owner,
        releaser=hold.releaser,
        from_hold=hold.id,
    )


def release_hold(draft: Draft, command: ReleaseHold) -> dict[str, str]:
    """Take a hold back; what no other hold falls on is free again."""
    hold = draft.state.hold.get(command.hold)
    if hold is None:
        raise NotFound(f"There is no hold '{command.hold}'.")
    if not hold.is_open:
        raise Refused(f"{hold.id} was released by {hold.released_by}.")
    if not may_release(draft.state, hold, draft.person):
        raise Refused(
            f"{hold.id} is released by {hold.releaser}, not by {draft.person}.",
            hint=f"Ask {who_releases(hold)}.",
            unmet=[f"releaser: {hold.releaser}"],
        )
    jobs = _held_jobs(draft, hold)
    draft.emit(f.HoldReleased(hold=hold.id, at=draft.at, person=draft.person))
    _touch_around(draft, hold, jobs)
    for lot in _held_lots(draft, hold):
        _send_on(draft, lot.id)
    for job in jobs:
        if job.state is not _S.INTERRUPTED_HELD or binding_holds(draft.state, job):
            continue
        if command.resumes and job.run is not None and not job.is_paused:
            job_orders.resume(draft, ResumeJobOrder(job_order=job.id))
        else:
            draft.move_state(job, _T.TO_SUSPENDED, check(draft, job, _T.TO_SUSPENDED))
    return {"hold": hold.id}


def _send_on(draft: Draft, lot: str) -> None:
    """Send on what the hold kept where it was worked."""
    for position in places_of(draft.state, lot):
        visit = draft.state.visit.get(position.place)
        if visit is not None:
            send_on(draft, visit, lot)


def hold_back(draft: Draft, job: JobOrder) -> None:
    """Take an interrupted job order under a hold that is open on it already."""
    holds = binding_holds(draft.state, job)
    now = next((one for one in holds if one.mode is HoldMode.STOP_NOW), None)
    if now is None:
        raise Refused(
            f"No 'stop_now' hold is open on {job.id}.",
            hint="Open a hold, with its reason.",
            unmet=["no_hold: none is open"],
        )
    check(draft, job, _T.TO_HELD)
    if _shares_run(draft, job):
        raise Refused(
            f"{job.id} is in one run with others, and finishes with them.",
            hint="Stop it, or move it elsewhere.",
        )
    _interrupt(draft, job, f"{now.id}: {now.reason}")


def _touch_around(draft: Draft, hold: Hold, jobs: list[JobOrder]) -> None:
    requests = {job.request: None for job in jobs}
    for lot in _held_lots(draft, hold):
        touch_consumers(draft, lot.material)
        if lot.request is not None:
            requests[lot.request] = None
    for name in requests:
        for other in draft.state.job_order.find("request", name):
            draft.touch(other.id)


def _held_jobs(draft: Draft, hold: Hold) -> list[JobOrder]:
    if hold.mode is HoldMode.FUTURE:
        return []
    match hold.scope:
        case HoldScope.JOB_ORDER:
            job = draft.state.job_order.get(hold.target)
            return [] if job is None else [job]
        case HoldScope.WORK_REQUEST:
            jobs = draft.state.job_order.find("request", hold.target)
            return [job for job in jobs if not job.is_over]
        case HoldScope.LOT | HoldScope.CARRIER:
            jobs = [
                job
                for lot in _held_lots(draft, hold)
                for position in places_of(draft.state, lot.id)
                if position.on_floor
                for job in draft.state.job_order.find("visit", position.place)
                if not job.is_over and job.lot in {None, lot.id}
            ]
            return list({job.id: job for job in jobs}.values())


def _held_lots(draft: Draft, hold: Hold) -> list[MaterialLot]:
    """Return the lots that a hold on a lot or a carrier falls on."""
    if hold.mode is HoldMode.FUTURE:
        return []
    if hold.scope is HoldScope.CARRIER:
        return lots_within(draft.state, hold.target)
    lot = draft.state.lot.get(hold.target) if hold.scope is HoldScope.LOT else None
    return [] if lot is None else [lot]


def _interrupt(draft: Draft, job: JobOrder, reason: str) -> None:
    if _shares_run(draft, job):
        return
    if job.state in RUNNING:
        job_orders.hold(draft, job, reason)
    elif job.state is _S.INTERRUPTED_SUSPENDED:
        draft.move_state(job, _T.TO_HELD, check(draft, job, _T.TO_HELD), reason=reason)
    elif job.state is _S.ALLOWED_LOADED:
        job_orders.unload(draft, job, reason)
