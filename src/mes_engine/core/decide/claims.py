"""Runs: claims on a work unit's lanes, and the clocks that run while they last."""

from collections.abc import Sequence

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.assets import PhysicalAsset
from mes_engine.core.batching import brought_in, misfits, occupied_by, weights_of
from mes_engine.core.decide import labour
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.tools import chosen_tools, claim_tools, free_tools
from mes_engine.core.dedication import bound_elsewhere, bound_units
from mes_engine.core.equipment import Equipment
from mes_engine.core.errors import Refused
from mes_engine.core.guards import claims_told, lane_of
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import WorkUnit
from mes_engine.core.readiness import routing_of
from mes_engine.core.runs import Clock, Lane, Run, RunMember
from mes_engine.core.setups import setup_family
from mes_engine.core.sharing import shared_out
from mes_engine.core.whereabouts import positions_of

replace = msgspec.structs.replace


def suitable_unit(draft: Draft, job: JobOrder, name: str) -> WorkUnit:
    """Return the work unit, if the job order can be worked on at it.

    Raises:
        NotFound: There is none of that id.
        Refused: It belongs to another work center, lacks the class, or is not the one
            that its lots are bound to.
    """
    unit = draft.state.site.work_unit(name)
    capable = draft.state.site.capable_units(job.work_center, job.equipment_class)
    if unit not in capable:
        names = ", ".join(one.id for one in capable) or "none"
        why = f"{job.id} needs {job.equipment_class} at {job.work_center}"
        raise Refused(
            f"{unit.id} cannot take {job.id}: {why}.",
            hint=f"Suitable: {names}.",
            unmet=[f"work_unit_suitable: {why}"],
        )
    if why := bound_elsewhere(draft.state, job, unit):
        raise Refused(
            f"{unit.id} cannot take {job.id}: {why}.",
            hint=f"Suitable: {', '.join(sorted(bound_units(draft.state, job)))}.",
            unmet=[f"work_unit_suitable: {why}"],
        )
    return unit


def bind(draft: Draft, job: JobOrder) -> None:
    """Keep where its lots are worked, for a later step that has to be worked there."""
    later = routing_of(draft.state, job).bound_by(job.step)
    run = open_run(draft, job) if later else None
    if run is None:
        return
    for position in positions_of(draft.state, job):
        lot = draft.state.lot.get(position.lot)
        if lot is not None and lot.bound_units.get(job.step) != run.work_unit:
            bound = f.LotBound(lot=lot.id, step=job.step, work_unit=run.work_unit)
            draft.emit(bound)
    for other in draft.state.job_order.find("live_of", job.request):
        if other.step in later:
            draft.touch(other.id)


def claim(
    draft: Draft,
    jobs: Sequence[JobOrder],
    unit: WorkUnit,
    wanted: Lane | None,
    *,
    tools: list[PhysicalAsset] | None = None,
) -> Run:
    """Open a run of the job orders on a free lane of ``unit``, with their tools.

    What is in one run is worked with the same tools.

    Raises:
        Refused: They do not go together there, or no lane or no tool is free; says who
            has them.
    """
    names = ", ".join(one.id for one in jobs)
    against = misfits(draft.state, draft.state.site.batch_rule(unit), unit, jobs)
    if against:
        told = "; ".join(one.why for one in against)
        raise Refused(
            f"{names} cannot be loaded on {unit.id} in one run: {told}.",
            hint="Load fewer, or split off what does not fit.",
            unmet=[str(one) for one in against],
        )
    equipment = draft.state.equipment.get(unit.id)
    if equipment is not None and equipment.is_out_of_service:
        told = f"{unit.id} is out of service"
        raise Refused(
            f"{told}: {names} cannot be loaded there.",
            hint="Choose another work unit, or call maintenance.",
            unmet=[f"equipment_available: {told}"],
        )
    takes = occupied_by(draft.state, jobs, unit)
    lane = lane_of(draft.state, unit, wanted, takes)
    if lane is None:
        told = claims_told(draft.state, unit)
        raise Refused(
            f"No {wanted or 'free'} lane for {names}: {told}.",
            hint="Wait for it to end, unload it, or choose another work unit.",
            unmet=[f"lane_free: {told}"],
        )
    chosen = _shared_tools(draft, jobs, unit) if tools is None else tools
    number = draft.state.last_number("run") + 1
    run = Run(
        id=f"R-{number:06}",
        number=number,
        work_unit=unit.id,
        work_center=unit.work_center,
        job_orders=tuple(one.id for one in jobs),
        lane=lane,
        opened_at=max(draft.at, *(one.stored_at for one in jobs)),
        person=draft.person,
        occupies=takes,
    )
    draft.emit(f.RunOpened(run=run, members=_members(draft, run)))
    claim_tools(draft, chosen, run)
    if lane is Lane.ACTIVE:
        labour.run_active(draft, run)
    return run


def _shared_tools(
    draft: Draft, jobs: Sequence[JobOrder], unit: WorkUnit
) -> list[PhysicalAsset]:
    found = [tool for one in jobs for tool in chosen_tools(draft, one, unit)]
    return list({one.id: one for one in found}.values())


def _members(draft: Draft, run: Run) -> tuple[RunMember, ...]:
    return tuple(
        RunMember(
            job_order=name,
            run=run.id,
            quantity=brought_in(draft.state, draft.job(name)),
        )
        for name in run.job_orders
    )


def open_run(draft: Draft, job: JobOrder) -> Run | None:
    """Return the run that claims a work unit for the job order, if one does."""
    return None if job.run is None else draft.state.run.get(job.run)


def in_run_with(draft: Draft, job: JobOrder) -> tuple[JobOrder, ...]:
    """Return the job orders that are in the run of ``job``, itself among them."""
    run = open_run(draft, job)
    if run is None or len(run.job_orders) == 1:
        return (job,)
    return tuple(draft.job(name) for name in run.job_orders)


def take_active_lane(draft: Draft, job: JobOrder) -> Run:
    """Bring the job order's run from the staged to the active lane, if need be."""
    run = open_run(draft, job)
    if run is None:
        raise LookupError(f"{job.id} is on no work unit")
    if run.lane is Lane.STAGED:
        run = replace(run, lane=Lane.ACTIVE)
        draft.emit(f.RunChanged(run=run))
        labour.run_active(draft, run)
    return run


def set_up(draft: Draft, job: JobOrder, run: Run) -> None:
    """Note what the work unit is set up for, where its next setup depends on that."""
    unit = draft.state.site.work_unit(run.work_unit)
    if not draft.state.site.has_changeovers(unit):
        return
    known = draft.state.equipment.get(unit.id) or Equipment(work_unit=unit.id)
    family = setup_family(draft.state, job)
    if known.setup != family:
        draft.emit(f.EquipmentChanged(equipment=replace(known, setup=family)))


def set_clock(
    draft: Draft, run: Run, clock: Clock, *, begins: bool = False, ends: bool = False
) -> Run:
    """Let the run's time count as ``clock`` from now on; book what was counted.

    Args:
        draft: The decision.
        run: Whose.
        clock: What its time is from now on.
        begins: Whether its work begins with this, if it has not begun yet.
        ends: Whether it gives its work unit free.
    """
    at = max(draft.at, run.since, run.opened_at)  # What was told late counts once.
    is_first = begins and run.begun_at is None
    elapsed = at - run.since
    setup = elapsed if run.clock is Clock.SETUP else 0
    processing = elapsed if run.clock is Clock.PROCESSING else 0
    changed = replace(
        run,
        clock=clock,
        since=at,
        setup_us=run.setup_us + setup,
        processing_us=run.processing_us + processing,
        begun_at=at if is_first else run.begun_at,
        closed_at=at if ends else None,
    )
    # What goes in is known when it begins: more may have come since it was loaded.
    is_shared = len(run.job_orders) > 1
    members = _members(draft, run) if is_first and is_shared else ()
    draft.emit(f.RunChanged(run=changed, members=members))
    if setup or processing:
        _share_time(draft, run, setup, processing)
    return changed


def _share_time(draft: Draft, run: Run, setup_us: int, processing_us: int) -> None:
    """Book the run's time on its job orders, by what each has brought in."""
    if len(run.job_orders) == 1:
        job = draft.job(run.job_orders[0])
        book_time(draft, job, setup_us, processing_us, run=run.id)
        return
    weights = weights_of(draft.state, run)
    shares = zip(
        run.job_orders,
        shared_out(setup_us, weights),
        shared_out(processing_us, weights),
        strict=True,
    )
    for name, setup, processing in shares:
        if setup or processing:
            book_time(draft, draft.job(name), setup, processing, run=run.id)


def book_time(
    draft: Draft,
    job: JobOrder,
    setup_us: int,
    processing_us: int,
    down_us: int = 0,
    *,
    run: str | None = None,
) -> None:
    """Add time to the job order's totals, of its own run if none is named."""
    draft.emit(
        f.TimeBooked(
            job_order=job.id,
            run=run or job.run,
            setup_us=setup_us,
            processing_us=processing_us,
            down_us=down_us,
            setup_total_us=job.setup_us + setup_us,
            processing_total_us=job.processing_us + processing_us,
            down_total_us=job.down_us + down_us,
        )
    )


def close_run(draft: Draft, job: JobOrder) -> None:
    """Take the job order off the work unit that it is on, if it is on one.

    The last one of a run stops its clock, and gives the work unit free.
    """
    run = open_run(draft, job)
    if run is None:
        return
    if len(run.job_orders) == 1:
        end_run(draft, run)
        return
    counted = set_clock(draft, run, run.clock)
    labour.settle_run(draft, run)
    staying = tuple(one for one in run.job_orders if one != job.id)
    unit = draft.state.site.work_unit(run.work_unit)
    occupies = occupied_by(draft.state, [draft.job(one) for one in staying], unit)
    draft.emit(
        f.RunChanged(run=replace(counted, job_orders=staying, occupies=occupies))
    )
    draft.touch(*staying)


def end_run(draft: Draft, run: Run) -> None:
    """Stop the clock for all that are in the run, and give the work unit free."""
    labour.leave_run(draft, run)
    stopped = set_clock(draft, run, Clock.STOPPED, ends=True)
    for name in run.job_orders:
        free_tools(draft, draft.job(name), stopped)
    # Whoever is staged or queued here may have a lane now.
    for other in draft.state.run.find("work_unit", run.work_unit):
        draft.touch(*other.job_orders)
