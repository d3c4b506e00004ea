"""Runs take their part of a pool when they are loaded."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.claims import suitable_unit
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.parallel import part_off
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import (
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.plant import WorkUnit
from mes_engine.core.pools import (
    is_pool,
    piece_takes,
    run_room,
    waiting_in,
)
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import remaining
from mes_engine.core.runs import Lane


def for_a_run(
    draft: Draft,
    job: JobOrder,
    unit: WorkUnit,
    lane: Lane | None,
    *,
    quantity: Decimal | None = None,
    beside: Decimal = ZERO,
) -> JobOrder:
    """Return the job order that a run on ``unit`` takes: of a pool, a part of it.

    Args:
        draft: The decision.
        job: What was chosen.
        unit: Where it is to run.
        lane: The lane that is asked for.
        quantity: How many pieces a person wants in the run.
        beside: What others bring into it, as the unit's rule counts it.

    Raises:
        Refused: It is no pool, or has not as many.
    """
    if quantity is not None:
        _check_quantity(draft, job, quantity)
    if not is_pool(draft.state, job) or job.state is not JobOrderState.ALLOWED_READY:
        return job
    suitable_unit(draft, job, unit.id)
    room = run_room(draft.state, unit, lane, job, beside=beside)
    size = quantity
    if size is None and room is not None:
        size = min(room, waiting_in(draft.state, job))
    if size is None or size <= ZERO or size >= remaining(job):
        return job
    made = part_off(draft, job, size)
    draft.emit(f.ConditionsChanged(job_order=made.id, conditions=job.conditions))
    return draft.move_state(
        draft.job(made.id),
        JobOrderTrigger.PRECONDITIONS_MET,
        JobOrderState.ALLOWED_READY,
    )


def all_for_a_run(
    draft: Draft, jobs: list[JobOrder], unit: WorkUnit, lane: Lane | None
) -> list[JobOrder]:
    """Return what goes into one run, of each that was chosen: no more than it takes."""
    rule, beside = draft.state.site.batch_rule(unit), ZERO
    found = []
    for job in jobs:
        one = for_a_run(draft, job, unit, lane, beside=beside)
        found.append(one)
        if rule is not None:
            takes = piece_takes(draft.state, one, rule.counted_in)
            beside += takes * waiting_in(draft.state, one)
    return found


def _check_quantity(draft: Draft, job: JobOrder, quantity: Decimal) -> None:
    if checked_quantity(quantity, unit=job.unit, of="quantity of a run") == ZERO:
        raise Malformed(f"A run of 0 {job.unit} of {job.id}.")
    if not is_pool(draft.state, job):
        raise Refused(
            f"{job.id} is loaded whole: its step has no job order for each run.",
            hint="Split off what is to run apart.",
            unmet=[f"job_per_run: {job.step} is not"],
        )
    there = waiting_in(draft.state, job)
    if quantity > there:
        raise Refused(
            f"{quantity} {job.unit} of {job.id} cannot run: {there} wait for it.",
            hint="Load what is there, or wait until more has come.",
            unmet=[f"quantity_there: {quantity} asked for, {there} there"],
        )
