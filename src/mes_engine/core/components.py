"""Components: what was used of them by hand, and which stock may go into which lot.

No lot is made of itself, at whatever remove. Edges run along materials: from what a
routing consumes to what it makes, and to what it produces beside. Where materials go
round (a sprue is ground, and moulded again), only an older lot goes into a younger one;
by-products, splits and merges make new lots. So no circle of lots can close.
"""

from collections.abc import Iterable
from decimal import Decimal

from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.state import State


def used_of(state: State, job: JobOrder, material: str) -> Decimal:
    """Return what of ``material`` was consumed by hand into the job order's pieces."""
    use = state.component_use.get((job.id, material))
    return ZERO if use is None else use.used


def still_needed(
    state: State, job: JobOrder, material: str, per_piece: Decimal, pieces: Decimal
) -> Decimal:
    """Return what ``pieces`` of the job order need beyond what was used by hand."""
    return max(per_piece * pieces - used_of(state, job, material), ZERO)


def goes_round(state: State, lot: MaterialLot, into: Iterable[MaterialLot]) -> bool:
    """Whether a lot could be made of itself if ``lot`` went into one of these."""
    if lot.request is None:
        return False  # It was bought, and nothing of ours is in it.
    return any(
        one.number <= lot.number and _leads_to(state, one.material, lot.material)
        for one in into
    )


def _leads_to(state: State, material: str, other: str) -> bool:
    """Whether ``other`` may be made of ``material``, or beside it."""
    seen, frontier = {material}, [material]
    while frontier and other not in seen:
        one = frontier.pop()
        made = {routing.material for routing in state.routing.find("consumes", one)}
        for routing in state.routing.find("makes", one):
            made.update(output.material for output in routing.outputs)
        frontier += made - seen
        seen |= made
    return other in seen
