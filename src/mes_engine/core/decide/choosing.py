"""Which of several ways pieces take where only one can be taken."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.requests import ALL, Visit
from mes_engine.core.routing import Connection, Routing, Step

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


def why_skipped(draft: Draft, step: Step, visit: Visit, lot: str | None) -> str:
    """Say why pieces that have come to a step are not worked there; empty if they are.

    Whether a sample is taken of a lot, or of the request where it has no job orders
    lot by lot, is decided once, by counting those that come to the step.
    """
    if ALL in visit.skips or lot in visit.skips:
        return f"{lot or visit.request} skips step {step.id}"
    if step.sampling is None:
        return ""
    jobs = draft.state.job_order.find("visit", visit.id)
    if any(job.lot == lot for job in jobs):
        return ""
    request = draft.request(visit.request)
    counter = f"sample:{request.routing}/{step.id}"
    number = draft.state.last_number(counter) + 1
    is_taken = step.sampling.takes(number)
    draft.emit(
        f.StepSampled(
            counter=counter, number=number, visit=visit.id, lot=lot, is_taken=is_taken
        )
    )
    if is_taken:
        return ""
    mark_skipped(draft, visit, lot)
    return f"sampling takes {step.sampling}; this is number {number}"


def mark_skipped(draft: Draft, visit: Visit, lot: str | None) -> None:
    """Let the lot, or all of them, skip the visit from now on."""
    now = draft.state.visit.get(visit.id) or visit
    skips = (*now.skips, ALL if lot is None else lot)
    draft.emit(f.VisitChanged(visit=replace(now, skips=skips)))


def passer(draft: Draft, visit: Visit, lot: str | None) -> JobOrder:
    """Return what stands for a job order of pieces that skip a step: it has no id."""
    request = draft.request(visit.request)
    routing = draft.state.routing.get((request.routing, request.revision))
    if routing is None:
        raise LookupError(f"{request.id} names a routing revision that is not there")
    step = routing.step(visit.step)
    return JobOrder(
        id="",
        number=0,
        request=request.id,
        visit=visit.id,
        step=step.id,
        routing=routing.id,
        revision=routing.revision,
        work_center=step.work_center,
        equipment_class=step.equipment_class,
        unit=request.unit,
        planned=request.quantity,
        due_at=request.due_at,
        priority=request.priority,
        stored_at=draft.at,
        lot=lot,
    )
