"""What waits at a work center, with the times that dispatch rules ask for."""

from decimal import Decimal

from mes_engine.core.dispatching import Waiting, asks_for
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
    has_setup, has_work = asks_for(center.rule, center.rule_settings)
    if not (has_setup or has_work):
        return [Waiting(job=job) for job in jobs]
    present = "" if unit is None else present_setup(state, unit.id)
    if unit is not None and not state.site.has_changeovers(unit):
        present = ""
    return [_timed(state, job, unit, present, has_work=has_work) for job in jobs]


def _timed(
    state: State, job: JobOrder, unit: WorkUnit | None, present: str, *, has_work: bool
) -> Waiting:
    routing = routing_of(state, job)
    step = routing.step(job.step)
    setup = int(step.setup_s * MILLION)
    if unit is not None:
        setup = setup_us(state, job, unit)
    told = f"{present} to {setup_family(state, job)}" if present else ""
    if not has_work:
        return Waiting(job=job, setup_us=setup, setup_told=told)
    pieces = pieces_there(state, job)
    return Waiting(
        job=job,
        setup_us=setup,
        run_us=int(step.run_s * pieces * MILLION),
        rest_us=routing.rest_us(step.id, pieces),
        setup_told=told,
    )


def pieces_there(state: State, job: JobOrder) -> Decimal:
    """Return the pieces that it has to work on; the plan's, before any have come."""
    there = here(state, job).to_work if job.expects_pieces else ZERO
    return there or remaining(job)
