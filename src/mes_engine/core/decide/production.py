"""Unassigned production: what was counted and belongs to no job order, until it does.

A person says whose it is, or that it is nobody's. Counts that come one after the other
for the same reason are one stretch, so that an idle machine's counter fills no memory.
"""

from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.bookings import Booking
from mes_engine.core.decide.chart import check
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.flow import transfer
from mes_engine.core.decide.posting import raise_posting
from mes_engine.core.decide.reopening import reopen
from mes_engine.core.decide.reporting import book, count_report
from mes_engine.core.decide.stock import consume
from mes_engine.core.decide.storing import live_job
from mes_engine.core.decide.visits import give_up_if_empty, settle_visit
from mes_engine.core.errors import Malformed, NotFound, Refused
from mes_engine.core.job_order import AT_WORK, JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.messages import (
    AssignProduction,
    CountedPieces,
    DismissProduction,
    ReportQuantity,
)
from mes_engine.core.production import (
    MachineTally,
    UnassignedProduction,
    UnassignedReason,
)
from mes_engine.core.quantity import ZERO, checked_quantity

replace = msgspec.structs.replace


def keep_unassigned(
    draft: Draft, known: MachineTally, production: UnassignedProduction
) -> int:
    """Keep what a count brought in and no job order took; return the stretch it is in.

    Args:
        draft: The decision.
        known: The counter's tally before this count.
        production: What is left of the count, as a stretch of its own.
    """
    last = None
    if known.stretch is not None:
        last = draft.state.unassigned_production.get(known.stretch)
    if last is not None and _goes_on(draft, last, production):
        production = replace(
            last,
            quantity=last.quantity + production.quantity,
            until=max(last.until, production.until),
        )
    draft.emit(f.ProductionUnassigned(production=production))
    return production.seq


def _goes_on(
    draft: Draft, last: UnassignedProduction, production: UnassignedProduction
) -> bool:
    day = draft.state.site.business_date
    return (
        last.left == last.quantity
        and (last.tag, last.reason) == (production.tag, production.reason)
        and last.job_order == production.job_order
        and day(last.at) == day(production.at)
    )


def assign(draft: Draft, command: AssignProduction) -> dict[str, str]:
    """Book what was counted on the job order that a person says it belongs to."""
    production = _open(draft, command.production)
    quantity = _wanted(production, command.quantity, command.reason)
    job = draft.job(command.job_order)
    _check_job(draft, production, job)
    is_supplement = job.is_over
    if not is_supplement:
        check(draft, job, JobOrderTrigger.REPORT)
    report = replace(
        count_report(job, production.role, quantity), reason=command.reason
    )
    if is_supplement:
        supplement(draft, job, report)
    else:
        book(draft, job, report, source="machine")
    _settle(draft, production, command.reason, assigned=quantity, job_order=job.id)
    return {
        "production": str(production.seq),
        "job_order": job.id,
        "left": str(production.left - quantity),
    }


def dismiss(draft: Draft, command: DismissProduction) -> dict[str, str]:
    """Write off what was counted: no pieces stand behind it."""
    production = _open(draft, command.production)
    quantity = _wanted(production, command.quantity, command.reason)
    _settle(draft, production, command.reason, dismissed=quantity)
    return {
        "production": str(production.seq),
        "left": str(production.left - quantity),
    }


def unassign(
    draft: Draft, booking: Booking, counted: CountedPieces, reason: str
) -> None:
    """Keep what a machine counted, once the report of it is taken back."""
    for role, quantity in (("good", booking.good), ("scrap", booking.scrap)):
        known = draft.state.machine_tally.get((booking.work_unit, role))
        if not quantity or known is None:
            continue
        production = UnassignedProduction(
            seq=draft.next_seq,
            work_unit=booking.work_unit,
            tag=booking.tag,
            role=role,
            quantity=quantity,
            reason=UnassignedReason.REVERSED,
            at=booking.at,
            until=booking.at,
            job_order=booking.job_order,
        )
        draft.emit(f.ProductionUnassigned(production=production))
        draft.emit(
            f.MachineCounted(
                tally=replace(
                    known,
                    booked=known.booked - quantity,
                    unassigned=known.unassigned + quantity,
                )
            )
        )
        if counted is CountedPieces.DISMISSED:
            _settle(draft, production, reason, dismissed=quantity)


def _open(draft: Draft, seq: int) -> UnassignedProduction:
    production = draft.state.unassigned_production.get(seq)
    if production is None or production.left == ZERO:
        raise NotFound(
            f"There is no unassigned production {seq} that is open.",
            hint="It may have been assigned or dismissed meanwhile.",
        )
    return production


def _wanted(
    production: UnassignedProduction, quantity: Decimal | None, reason: str
) -> Decimal:
    if not reason.strip():
        raise Malformed(
            f"Unassigned production {production.seq} is settled without a reason.",
            hint="Say why in 'reason'.",
        )
    if quantity is None:
        return production.left
    if quantity == ZERO or quantity > production.left:
        raise Refused(
            f"{quantity} of unassigned production {production.seq}: "
            f"{production.left} of it are open.",
            unmet=[f"quantity_open: {production.left} are"],
        )
    return quantity


def _check_job(draft: Draft, production: UnassignedProduction, job: JobOrder) -> None:
    unit = draft.state.site.work_unit(production.work_unit)
    if unit.work_center != job.work_center:
        raise Refused(
            f"{production.work_unit} counted it at {unit.work_center}; {job.id} is "
            f"worked at {job.work_center}.",
            unmet=[f"same_work_center: {unit.work_center} is not {job.work_center}"],
        )
    if job.state not in AT_WORK and job.state is not JobOrderState.ENDED_COMPLETED:
        raise Refused(
            f"{job.id} is '{job.state}': nothing that was counted is booked on it.",
            hint="Assign it to a job order that is at work, or dismiss it.",
            unmet=[f"job_order_open: {job.id} is {job.state}"],
        )
    checked_quantity(production.quantity, unit=job.unit)


def supplement(
    draft: Draft, job: JobOrder, report: ReportQuantity, *, run: str | None = None
) -> None:
    """Book late on a job order that has ended: what its end did, for these pieces.

    They come out of what is left at the step: who was to work on that has less to do.
    """
    reopen(draft, job.visit)
    worked = job.worked
    book(draft, draft.job(job.id), report, source="machine", run=run)
    job = draft.job(job.id)
    transfer(draft, job, is_ending=True)
    consume(draft, job, pieces=job.worked - worked)
    _relieve(draft, job, job.worked - worked)
    is_done = settle_visit(draft, job)
    at_step = draft.state.job_order.find("visit", job.visit)
    is_told = any(one.is_final_posted for one in at_step)
    raise_posting(draft, job.id, is_final=is_done and not is_told)


def _relieve(draft: Draft, job: JobOrder, done: Decimal) -> None:
    """Let the follow-on plan less, or be given up if nothing is left for it."""
    follow_on = live_job(draft, job.visit, job.lot)
    visit = draft.state.visit.get(job.visit)
    if follow_on is None or follow_on.follows is None or visit is None:
        return
    planned = max(follow_on.planned - done, follow_on.worked)
    draft.emit(
        f.JobOrderUpdated(
            job_order=follow_on.id,
            planned=planned,
            due_at=follow_on.due_at,
            priority=follow_on.priority,
        )
    )
    draft.touch(follow_on.id)
    raise_posting(draft, job.id, is_final=False)  # Before what may be the last word.
    give_up_if_empty(draft, draft.job(follow_on.id), visit)


def _settle(
    draft: Draft,
    production: UnassignedProduction,
    reason: str,
    *,
    assigned: Decimal = ZERO,
    dismissed: Decimal = ZERO,
    job_order: str | None = None,
) -> None:
    draft.emit(
        f.ProductionSettled(
            production=replace(
                production,
                assigned=production.assigned + assigned,
                dismissed=production.dismissed + dismissed,
            ),
            assigned=assigned,
            dismissed=dismissed,
            job_order=job_order,
            at=draft.at,
            person=draft.person,
            reason=reason,
        )
    )
    known = draft.state.machine_tally.get((production.work_unit, production.role))
    if known is not None:
        draft.emit(
            f.MachineCounted(
                tally=replace(
                    known,
                    booked=known.booked + assigned,
                    unassigned=known.unassigned - assigned - dismissed,
                    dismissed=known.dismissed + dismissed,
                )
            )
        )
