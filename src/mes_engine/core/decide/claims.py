"""Runs: claims on a work unit's lanes, and the clocks that run while they last."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.assets import PhysicalAsset
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.tools import chosen_tools, claim_tools, free_tools
from mes_engine.core.equipment import Equipment
from mes_engine.core.errors import Refused
from mes_engine.core.guards import claims_told, lane_of
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import WorkUnit
from mes_engine.core.runs import Clock, Lane, Run
from mes_engine.core.setups import setup_family

replace = msgspec.structs.replace


def suitable_unit(draft: Draft, job: JobOrder, name: str) -> WorkUnit:
    """Return the work unit, if the job order can be worked on at it.

    Raises:
        NotFound: There is none of that id.
        Refused: It belongs to another work center, or lacks the class.
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
    return unit


def claim(
    draft: Draft,
    job: JobOrder,
    unit: WorkUnit,
    wanted: Lane | None,
    *,
    tools: list[PhysicalAsset] | None = None,
) -> Run:
    """Open a run of the job order on a free lane of ``unit``, with its tools.

    Raises:
        Refused: No lane or no tool is free; says who has them.
    """
    equipment = draft.state.equipment.get(unit.id)
    if equipment is not None and equipment.is_out_of_service:
        told = f"{unit.id} is out of service"
        raise Refused(
            f"{told}: {job.id} cannot be loaded there.",
            hint="Choose another work unit, or call maintenance.",
            unmet=[f"equipment_available: {told}"],
        )
    lane = lane_of(draft.state, unit, wanted)
    if lane is None:
        told = claims_told(draft.state, unit)
        raise Refused(
            f"No {wanted or 'free'} lane for {job.id}: {told}.",
            hint="Wait for it to end, unload it, or choose another work unit.",
            unmet=[f"lane_free: {told}"],
        )
    chosen = chosen_tools(draft, job, unit) if tools is None else tools
    number = draft.state.last_number("run") + 1
    run = Run(
        id=f"R-{number:06}",
        number=number,
        work_unit=unit.id,
        work_center=unit.work_center,
        job_order=job.id,
        lane=lane,
        opened_at=max(draft.at, job.stored_at),
        person=draft.person,
    )
    draft.emit(f.RunOpened(run=run))
    claim_tools(draft, chosen, run)
    return run


def open_run(draft: Draft, job: JobOrder) -> Run | None:
    """Return the run that claims a work unit for the job order, if one does."""
    return None if job.run is None else draft.state.run.get(job.run)


def take_active_lane(draft: Draft, job: JobOrder) -> Run:
    """Bring the job order's run from the staged to the active lane, if need be."""
    run = open_run(draft, job)
    if run is None:
        raise LookupError(f"{job.id} is on no work unit")
    if run.lane is Lane.STAGED:
        run = replace(run, lane=Lane.ACTIVE)
        draft.emit(f.RunChanged(run=run))
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


def set_clock(draft: Draft, run: Run, clock: Clock, *, begins: bool = False) -> Run:
    """Let the run's time count as ``clock`` from now on; book what was counted."""
    at = max(draft.at, run.since, run.opened_at)  # What was told late counts once.
    elapsed = at - run.since
    setup = elapsed if run.clock is Clock.SETUP else 0
    processing = elapsed if run.clock is Clock.PROCESSING else 0
    changed = replace(
        run,
        clock=clock,
        since=at,
        setup_us=run.setup_us + setup,
        processing_us=run.processing_us + processing,
        begun_at=at if begins and run.begun_at is None else run.begun_at,
    )
    draft.emit(f.RunChanged(run=changed))
    if setup or processing:
        book_time(draft, draft.job(run.job_order), setup, processing)
    return changed


def book_time(
    draft: Draft, job: JobOrder, setup_us: int, processing_us: int, down_us: int = 0
) -> None:
    """Add time to the job order's totals."""
    draft.emit(
        f.TimeBooked(
            job_order=job.id,
            run=job.run,
            setup_us=setup_us,
            processing_us=processing_us,
            down_us=down_us,
            setup_total_us=job.setup_us + setup_us,
            processing_total_us=job.processing_us + processing_us,
            down_total_us=job.down_us + down_us,
        )
    )


def close_run(draft: Draft, job: JobOrder) -> None:
    """Stop the clock and give the work unit free, if the job order is on one."""
    run = open_run(draft, job)
    if run is not None:
        stopped = set_clock(draft, run, Clock.STOPPED)
        draft.emit(f.RunChanged(run=replace(stopped, closed_at=stopped.since)))
        free_tools(draft, job, stopped)
        # Whoever is staged or queued here may have a lane now.
        for other in draft.state.run.find("work_unit", run.work_unit):
            draft.touch(other.job_order)
