"""What waits at a work center, with the times that dispatch rules ask for."""

from collections.abc import Iterable
from decimal import Decimal

from mes_engine.core.dispatching import RULES, Waiting
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import WorkCenter, WorkUnit
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.readiness import remaining, routing_of
from mes_engine.core.setups import present_setup, setup_family, setup_us
from mes_engine.core.state import State
from mes_engine.core.whereabouts import here


def queue_of(
    state: State, center: WorkCenter, unit: WorkUnit | None = None
) -> list[Waiting]:
    """Return the queue of a work center, seen from one of its work units.

    Without one, each job order takes its standard setup.
    """
    jobs = state.job_order.find("queue", center.id)
    if not RULES[center.rule].has_times:
        return [Waiting(job=job) for job in jobs]
    return [*_timed(state, jobs, unit)]


def _timed(
    state: State, jobs: Iterable[JobOrder], unit: WorkUnit | None
) -> Iterable[Waiting]:
    present = "" if unit is None else present_setup(state, unit.id)
    for job in jobs:
        routing = routing_of(state, job)
        step = routing.step(job.step)
        pieces = pieces_there(state, job)
        family = setup_family(state, job)
        is_told = present and unit is not None and state.site.has_changeovers(unit)
        yield Waiting(
            job=job,
            setup_us=int(step.setup_s * MILLION)
            if unit is None
            else setup_us(state, job, unit),
            run_us=int(step.run_s * pieces * MILLION),
            rest_us=routing.rest_us(step.id, pieces),
            setup_told=f"{present} to {family}" if is_told else "",
        )


def pieces_there(state: State, job: JobOrder) -> Decimal:
    """Return the pieces that it has to work on; the plan's, before any have come."""
    there = here(state, job).to_work if job.expects_pieces else ZERO
    return there or remaining(job)
