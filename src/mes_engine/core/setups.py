"""Setups: what a work unit is set up for, and what it takes to change that."""

from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import WorkUnit
from mes_engine.core.quantity import MILLION
from mes_engine.core.readiness import routing_of
from mes_engine.core.state import State


def setup_family(state: State, job: JobOrder) -> str:
    """Return what a work unit is set up for when it works on ``job``."""
    routing = routing_of(state, job)
    return routing.step(job.step).setup_family or routing.material


def present_setup(state: State, work_unit: str) -> str:
    """Return the family that the unit was last set up for; empty if none is known."""
    equipment = state.equipment.get(work_unit)
    return "" if equipment is None else equipment.setup


def setup_us(state: State, job: JobOrder, unit: WorkUnit) -> int:
    """Return what setting ``unit`` up for ``job`` takes, in microseconds.

    A changeover, where the unit or the class that the step asks for declares any and
    the unit's present setup is known; else the step's standard setup.
    """
    standard = int(routing_of(state, job).step(job.step).setup_s * MILLION)
    if not state.site.has_changeovers(unit):
        return standard
    present = present_setup(state, unit.id)
    if not present:
        return standard
    family = setup_family(state, job)
    found = state.site.changeover_us(unit, job.equipment_class, present, family)
    return standard if found is None else found
