"""Which alternative a lot takes when it leaves a step, by what was measured of it."""

from collections.abc import Sequence

import msgspec

from mes_engine.core.conditions import Condition, ConditionName
from mes_engine.core.job_order import JobOrder
from mes_engine.core.measured_conditions import judged
from mes_engine.core.measurements import Seen
from mes_engine.core.quantity import ZERO
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.requests import Visit
from mes_engine.core.routing import Routing
from mes_engine.core.state import State
from mes_engine.core.steps import Connection
from mes_engine.core.whereabouts import positions_of
from mes_engine.core.wip_ledger import Position


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Where a lot goes; ``target`` is None where that cannot be told yet.

    Attributes:
        why: The condition that holds, or what is missing.
        saw: The measured values that it was decided by.
        is_new: Whether it was decided now; else it had been before.
    """

    target: str | None
    why: str = ""
    saw: tuple[Seen, ...] = ()
    is_new: bool = True


def conditional_ways(routing: Routing, step: str) -> tuple[Connection, ...]:
    """Return the alternatives out of ``step``, if measured data tells between them."""
    if not routing.has_conditions:
        return ()
    leaving = routing.leaving(step)
    is_told = any(one.is_conditional for one in leaving)
    return tuple(one for one in leaving if one.carries_pieces) if is_told else ()


def way_of(
    state: State,
    routing: Routing,
    visit: Visit,
    leaving: Sequence[Connection],
    position: Position,
) -> Way:
    """Return which of the alternatives the lot of a position takes."""
    known = next((one for one in visit.ways if one.lot == position.lot), None)
    if known is not None and (known.is_set or position.moved_out > ZERO):
        return Way(target=known.target, is_new=False)
    if visit.chosen is not None:
        return Way(target=visit.chosen, is_new=False)
    saw: dict[Seen, None] = {}
    rest: str | None = None
    for one in leaving:
        if one.is_otherwise:
            rest = one.target
            continue
        verdict = judged(
            state,
            routing,
            one.when,
            step=one.source,
            is_after=True,
            request=visit.request,
            visit=visit.id,
            lot=position.lot,
        )
        saw.update(dict.fromkeys(verdict.saw))
        if verdict.holds is None:
            why = f"not measured yet: {', '.join(verdict.missing)}"
            return Way(target=None, why=why, saw=tuple(saw))
        if verdict.holds:
            return Way(target=one.target, why=one.when, saw=tuple(saw))
    why = "none of the conditions holds"
    return Way(target=rest, why=why, saw=tuple(saw))


def awaited(state: State, job: JobOrder) -> list[Condition]:
    """Return why lots at the job order cannot go on yet: their way is not told."""
    routing = routing_of(state, job)
    leaving = conditional_ways(routing, job.step)
    if not leaving:
        return []
    visit = visit_of(state, job)
    unmet = []
    for position in positions_of(state, job):
        if position.out > ZERO:
            way = way_of(state, routing, visit, leaving, position)
            if way.target is None:
                told = "; ".join(str(one) for one in way.saw)
                seen = f" ({told})" if told else ""
                unmet.append(
                    Condition(
                        name=ConditionName.WAY_DECIDED,
                        is_met=False,
                        why=f"{position.lot}: {way.why}{seen}",
                        mender="whoever measures it, or may choose the way",
                    )
                )
    return unmet
