"""Which of several ways pieces take where only one can be taken."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.routing import Connection, Routing

replace = msgspec.structs.replace


def chosen(draft: Draft, job: JobOrder, leaving: list[Connection]) -> Connection:
    """Return the alternative to take: a person's choice, or the first that can."""
    visit = visit_of(draft.state, job)
    if visit.chosen is not None:
        return next(one for one in leaving if one.target == visit.chosen)
    routing = routing_of(draft.state, job)
    choice = next(
        (one for one in leaving if _has_equipment(draft, routing, one.target)),
        leaving[0],
    )
    draft.emit(f.VisitChanged(visit=replace(visit, chosen=choice.target)))
    return choice


def _has_equipment(draft: Draft, routing: Routing, step: str) -> bool:
    detail = routing.step(step)
    units = draft.state.site.capable_units(detail.work_center, detail.equipment_class)
    known = (draft.state.equipment.get(unit.id) for unit in units)
    return any(one is None or not one.is_out_of_service for one in known)
