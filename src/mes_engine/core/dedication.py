"""Lot-to-tool dedication: a step is worked on the work unit that an earlier one was.

In a fab, a layer is exposed on the scanner that exposed the layer below, whose lens it
has to match. What a lot is bound to is kept with the lot, from the begin of the earlier
step; a piece that was worked on another unit in a later pass is bound to that one.
"""

from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import WorkUnit
from mes_engine.core.state import State
from mes_engine.core.whereabouts import positions_of


def bound_units(state: State, job: JobOrder) -> frozenset[str]:
    """Return the work units that the job order's lots are bound to; most often none."""
    step = _binding_step(state, job)
    if not step:
        return frozenset()
    names = [job.lot] if job.lot else [one.lot for one in positions_of(state, job)]
    lots = [lot for name in names if (lot := state.lot.get(name)) is not None]
    return frozenset(lot.bound_units[step] for lot in lots if step in lot.bound_units)


def bound_elsewhere(state: State, job: JobOrder, unit: WorkUnit) -> str:
    """Say why ``unit`` is not the one that it is bound to; empty if it is."""
    others = bound_units(state, job) - {unit.id}
    if not others:
        return ""
    step = _binding_step(state, job)
    return f"{job.id} is bound to {', '.join(sorted(others))}, where step {step} was"


def _binding_step(state: State, job: JobOrder) -> str:
    routing = state.routing.get((job.routing, job.revision))
    return "" if routing is None else routing.step(job.step).same_unit_as
