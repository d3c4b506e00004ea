"""Reports: what became of pieces, from a person or from a machine's counter."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide import limits, windows
from mes_engine.core.decide.chart import allowed_triggers, check
from mes_engine.core.decide.claims import book_time
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.ending import complete
from mes_engine.core.decide.flow import touch_siblings, transfer
from mes_engine.core.decide.moving import move, move_of
from mes_engine.core.decide.posting import post_report
from mes_engine.core.decide.starting import (
    entry_of,
    lot_for_more,
    open_lots,
    start_pieces,
)
from mes_engine.core.decide.stock import touch_rivals
from mes_engine.core.decide.tools import wear_tools
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.messages import ReportFrom, ReportQuantity, Scrapped
from mes_engine.core.quantity import MILLION, ZERO, checked_quantity, floored
from mes_engine.core.readiness import is_fed, remaining, routing_of, visit_of
from mes_engine.core.whereabouts import here, positions_of
from mes_engine.core.wip_ledger import Bucket


def report(draft: Draft, command: ReportQuantity) -> dict[str, str]:
    """Book what a person reports."""
    job = draft.job(command.job_order)
    _check_amounts(command, job)
    _check_faults(draft, job, command)
    check(draft, job, JobOrderTrigger.REPORT)
    book(draft, job, command, source="person")
    job = draft.job(job.id)
    if command.completes:
        job = complete(draft, job)
    return {
        "job_order": job.id,
        "state": job.state.value,
        "good": str(job.good),
        "scrap": str(job.scrap),
    }


def book(
    draft: Draft,
    job: JobOrder,
    command: ReportQuantity,
    *,
    source: str,
    run: str | None = None,
) -> None:
    """Book a checked report: moves, totals, transfer, posting.

    Args:
        draft: The decision.
        job: Whose.
        command: What is reported.
        source: ``person`` or ``machine``.
        run: In which it was made, if not in the one that is open.
    """
    total = _total(command)
    if job.begun_at is None:  # Reported in setup: nothing has begun that would have.
        start_pieces(draft, job)
        if total:
            windows.begun(draft, job)
            limits.begun(draft, job)
    if job.expects_pieces:
        _make_room(draft, job, command, total)
        _move_all(draft, job, command)
    else:
        _check_token_report(job, command, total)
    scrap = sum((one.quantity for one in command.scrap), ZERO)
    draft.emit(
        f.QuantityReported(
            job_order=job.id,
            run=job.run if run is None else run,
            good=command.good,
            scrap=scrap,
            suspect=command.suspect,
            lost=command.lost,
            tested=command.tested,
            good_total=job.good + command.good,
            scrap_total=job.scrap + scrap,
            lost_total=job.lost + command.lost,
            tested_total=job.tested + command.tested,
            at=draft.at,
            person=draft.person,
            source=source,
            reason=command.reason,
            previous=job.last_report,
        )
    )
    if command.setup_s or command.processing_s or command.down_s:
        seconds = (command.setup_s, command.processing_s, command.down_s)
        book_time(draft, draft.job(job.id), *(int(one * MILLION) for one in seconds))
    job = draft.job(job.id)
    if command.taken_from is ReportFrom.WORK:
        wear_tools(draft, job, total)
    transfer(draft, job, is_ending=False)
    post_report(draft, job)
    if job.worked > job.planned:
        touch_rivals(draft, job)
    touch_siblings(draft, job)
    if job.materials or job.begun_at is None:
        draft.touch(job.id)  # Of one at work, only what it still needs has changed.


def can_take(draft: Draft, job: JobOrder, lot: str | None = None) -> Decimal:
    """Return how many counted pieces the job order can take as its own."""
    if not job.expects_pieces:
        return remaining(job)
    return here(draft.state, job, lot).to_work


def count_report(job: JobOrder, role: str, quantity: Decimal) -> ReportQuantity:
    """Return the report that a machine's count of ``role`` amounts to."""
    if role == "good":
        return ReportQuantity(job_order=job.id, good=quantity)
    scrapped = Scrapped(quantity=quantity, reason="counted by the machine")
    return ReportQuantity(job_order=job.id, scrap=(scrapped,))


def _check_amounts(command: ReportQuantity, job: JobOrder) -> None:
    unit = job.unit
    for word, amount in (
        ("good quantity", command.good),
        ("suspect quantity", command.suspect),
        ("lost quantity", command.lost),
        ("tested quantity", command.tested),
        *(("scrap quantity", one.quantity) for one in command.scrap),
    ):
        if amount:
            checked_quantity(amount, unit=unit, of=word)
    times = (command.setup_s, command.processing_s, command.down_s)
    for seconds in times:
        if seconds:
            checked_quantity(seconds, unit="SEC", of="time")
    if _total(command) == ZERO and not any(times):
        raise Malformed(
            f"The report on {job.id} has neither quantity nor time.",
            hint="Say how many were good, scrap, suspect, lost or tested.",
        )
    for one in command.scrap:
        if not one.reason.strip():
            raise Malformed(
                f"{one.quantity} scrap on {job.id} without a reason.",
                hint="Give each scrap quantity its reason.",
            )
    unusual = command.suspect + command.lost + command.tested
    if unusual and not command.reason.strip():
        raise Malformed(
            f"Suspect, lost or tested pieces on {job.id} without a reason.",
            hint="Say why in 'reason'.",
        )


def _check_faults(draft: Draft, job: JobOrder, command: ReportQuantity) -> None:
    """See that each step at fault is one that the pieces can have come through."""
    for one in command.scrap:
        if not one.caused_by:
            continue
        routing = routing_of(draft.state, job)
        known = {step.id for step in routing.steps}
        is_behind = one.caused_by in known and (
            one.caused_by == job.step
            or job.step in routing.beyond(one.caused_by)
            or visit_of(draft.state, job).rework
        )
        if not is_behind:
            before = sorted(step for step in known if job.step in routing.beyond(step))
            raise Refused(
                f"Scrap at {job.id} cannot be caused by '{one.caused_by}': its pieces "
                "have not been there.",
                hint=f"Steps before {job.step}: {', '.join(before) or 'none'}.",
                unmet=[f"caused_by: '{one.caused_by}' is no step before {job.step}"],
            )


def _total(command: ReportQuantity) -> Decimal:
    scrap = sum((one.quantity for one in command.scrap), ZERO)
    return command.good + scrap + command.suspect + command.lost + command.tested


def _check_token_report(job: JobOrder, command: ReportQuantity, total: Decimal) -> None:
    if total != command.good:
        raise Refused(
            f"Step {job.step} of {job.request} holds no pieces: only good quantities "
            "are confirmed there.",
            hint="Report what is wrong at the step where the pieces are.",
        )
    if total > remaining(job):
        raise Refused(
            f"{job.id} has {remaining(job)} {job.unit} left to confirm, not {total}.",
            unmet=[f"quantity_accounted: {total} reported, {remaining(job)} left"],
        )


def _make_room(
    draft: Draft, job: JobOrder, command: ReportQuantity, total: Decimal
) -> None:
    """See that as many pieces are there as are reported; over-production enters here.

    Raises:
        Refused: More are reported than are there and the routing tolerates.
    """
    if command.taken_from is ReportFrom.SUSPECT:
        there = here(draft.state, job, command.lot).suspect
        if command.suspect:
            raise Malformed("What is suspect already cannot be reported suspect.")
        excess = total - there
    else:
        there = can_take(draft, job, command.lot)
        excess = total - there
    if excess > ZERO:
        is_work = command.taken_from is ReportFrom.WORK and command.lot is None
        let_in(draft, job, excess, of=total, reason=command.reason, may=is_work)


def let_in(
    draft: Draft, job: JobOrder, excess: Decimal, *, of: Decimal, reason: str, may: bool
) -> None:
    """Let pieces beyond those that are there come in, within the tolerance.

    Raises:
        Refused: There may be no more, or more than one tolerates.
    """
    request, routing = draft.request(job.request), routing_of(draft.state, job)
    allowed = floored(request.quantity * routing.over_tolerance, unit=job.unit)
    used = _over_produced(draft, job)
    is_entry = not is_fed(draft.state, job)
    is_within = may and excess <= allowed - used
    if not is_within or not (is_entry or reason.strip()):
        told = (
            f"{of} reported, {of - excess} there, "
            f"{max(allowed - used, ZERO)} more tolerated"
        )
        hint = (
            "Give a 'reason' for pieces that were found here."
            if is_within
            else "Report what is there, or raise the routing's tolerance."
        )
        raise Refused(
            f"{job.id} cannot take {of} {job.unit}: {told}.",
            hint=hint,
            unmet=[f"quantity_accounted: {told}"],
            allowed=allowed_triggers(draft.state, job),
        )
    source = entry_of(job) if is_entry else Bucket.FOUND
    # In a later pass, to what came back; it may be of any of the request's lots.
    is_back = bool(visit_of(draft.state, job).rework)
    there = [one.lot for one in positions_of(draft.state, job)] if is_back else []
    lot = job.lot or (there[0] if there else open_lots(draft, request)[0].id)
    lot = lot_for_more(draft, job, lot)
    move_of(draft, job, excess, source, Bucket.QUEUED, lot=lot, reason=reason)


def _over_produced(draft: Draft, job: JobOrder) -> Decimal:
    request = draft.request(job.request)
    positions = draft.state.position.find("request", request.id)
    began = sum((one.entered for one in positions), ZERO)
    return max(began - request.quantity, ZERO)


def _move_all(draft: Draft, job: JobOrder, command: ReportQuantity) -> None:
    reason, scrap = command.reason, command.scrap
    amounts = [
        (command.good, Bucket.OUT, reason, ""),
        *((one.quantity, Bucket.SCRAP, one.reason, one.caused_by) for one in scrap),
        (command.suspect, Bucket.SUSPECT, reason, ""),
        (command.lost, Bucket.LOST, reason, ""),
        (command.tested, Bucket.TESTED, reason, ""),
    ]
    lot = command.lot
    at_step = here(draft.state, job, lot)
    there = {source: at_step.of(source) for source in _sources(command)}
    for quantity, bucket, why, fault in amounts:
        left = quantity
        for source, amount in there.items():
            taken = min(left, amount)
            if taken > ZERO:
                move(
                    draft,
                    job,
                    taken,
                    source,
                    bucket,
                    reason=why,
                    lot=lot,
                    caused_by=fault,
                )
                there[source] = amount - taken
                left -= taken


def _sources(command: ReportQuantity) -> tuple[Bucket, ...]:
    if command.taken_from is ReportFrom.SUSPECT:
        return (Bucket.SUSPECT,)
    return (Bucket.IN_PROCESS, Bucket.QUEUED)
