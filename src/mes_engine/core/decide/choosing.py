"""Which of several ways pieces take where only one can be taken."""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.job_order import JobOrder
from mes_engine.core.measured_conditions import judged
from mes_engine.core.measurements import Seen
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.requests import ALL, Visit
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Connection, Sampling, Step

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


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """Why pieces are not worked at a step, and the values that told it."""

    why: str
    saw: tuple[Seen, ...] = ()


def why_skipped(
    draft: Draft,
    routing: Routing,
    visit: Visit,
    *,
    of_lot: str | None,
    lot: str,
    quantity: Decimal,
) -> Skip | None:
    """Say why pieces that have come to a step are not worked there; None if they are.

    Whether a sample is taken of a lot, or of the request where it has no job orders
    lot by lot, is decided once, by counting those that come to the step. Measured data
    tells it of each lot, when its first pieces come.

    Args:
        draft: The decision.
        routing: Of the request.
        visit: To the step.
        of_lot: The lot that a job order there would be of, if it would.
        lot: Whose pieces have come.
        quantity: How many, just now.
    """
    step = routing.step(visit.step)
    if {ALL, of_lot, lot} & set(visit.skips):
        return Skip(why=f"{of_lot or lot} skips step {step.id}")
    position = draft.state.position.get((lot, visit.id))
    is_first = position is None or position.moved_in <= quantity
    skip = _by_data(draft, routing, step, visit, lot) if is_first else None
    if skip is None and step.sampling is not None:
        why = _by_sample(draft, step, step.sampling, visit, of_lot)
        skip = Skip(why=why) if why else None
    return skip


def _by_data(
    draft: Draft,
    routing: Routing,
    step: Step,
    visit: Visit,
    lot: str,
) -> Skip | None:
    if not step.skip_when:
        return None
    verdict = judged(
        draft.state,
        routing,
        step.skip_when,
        step=step.id,
        is_after=False,
        request=visit.request,
        visit=visit.id,
        lot=lot,
    )
    if not verdict.holds:
        return None
    mark_skipped(draft, visit, lot)
    return Skip(why=step.skip_when, saw=verdict.saw)


def _by_sample(
    draft: Draft, step: Step, sampling: Sampling, visit: Visit, lot: str | None
) -> str:
    jobs = draft.state.job_order.find("visit", visit.id)
    if any(job.lot == lot for job in jobs):
        return ""
    request = draft.request(visit.request)
    counter = f"sample:{request.routing}/{step.id}"
    number = draft.state.last_number(counter) + 1
    is_taken = sampling.takes(number)
    draft.emit(
        f.StepSampled(
            counter=counter, number=number, visit=visit.id, lot=lot, is_taken=is_taken
        )
    )
    if is_taken:
        return ""
    mark_skipped(draft, visit, lot)
    return f"sampling takes {sampling}; this is number {number}"


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
