"""Rework: pieces go back to a declared step, and come again through all after it."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.chart import allowed_triggers, check
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.flow import bring
from mes_engine.core.decide.parting import Taken, part_off, shared_out
from mes_engine.core.decide.reporting import let_in
from mes_engine.core.decide.starting import start_pieces
from mes_engine.core.decide.storing import visit_to
from mes_engine.core.errors import Malformed, Refused
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.messages import ReworkFrom, SendToRework
from mes_engine.core.quantity import ZERO, checked_quantity
from mes_engine.core.readiness import routing_of, visit_of
from mes_engine.core.steps import ReworkLoop
from mes_engine.core.whereabouts import Stack, here, next_pass
from mes_engine.core.wip_ledger import Bucket, Position


def send_to_rework(draft: Draft, command: SendToRework) -> dict[str, str]:
    """Send pieces back along a loop: as a split lot, or as the whole one.

    Raises:
        Refused: No such loop starts here, there are not as many, or they have been
            through the loop as often as they may.
    """
    job = draft.job(command.job_order)
    quantity = checked_quantity(command.quantity, unit=job.unit, of="rework quantity")
    if quantity == ZERO or not command.reason.strip():
        raise Malformed(
            f"Rework of {quantity} {job.unit} at {job.id} needs pieces and a reason.",
            hint="Say how many in 'quantity', and why in 'reason'.",
        )
    check(draft, job, JobOrderTrigger.REPORT)
    loop, reason = _loop_of(draft, job, command.loop), command.reason
    rework = _checked_pass(draft, job, loop)
    start_pieces(draft, job)
    if command.taken_from is ReworkFrom.WORK and command.lot is None:
        excess = quantity - here(draft.state, job).to_work
        tolerated = routing_of(draft.state, job).over_tolerance
        if excess > ZERO and tolerated:
            let_in(draft, job, excess, of=quantity, reason=reason, may=True)
    lots: list[str] = []
    successor = job
    parts = shared_out(
        draft, job, quantity, lot=command.lot, taken_from=command.taken_from
    )
    for position, taken in parts:
        way = (loop, rework)
        lot, successor = _send(draft, draft.job(job.id), way, (position, taken), reason)
        lots.append(lot)
    draft.touch(job.id)
    return {
        "job_order": successor.id,
        "visit": successor.visit,
        "lot": ", ".join(lots),
        "pass": str(rework[-1].pass_number),
    }


def _loop_of(draft: Draft, job: JobOrder, name: str) -> ReworkLoop:
    loops = [
        one for one in routing_of(draft.state, job).rework if one.source == job.step
    ]
    for one in loops:
        if one.id == name:
            return one
    known = ", ".join(one.id for one in loops) or "none"
    raise Refused(
        f"No rework loop '{name}' starts at step {job.step} of {job.request}.",
        hint=f"Loops from here: {known}.",
        allowed=tuple(one.id for one in loops),
    )


def _checked_pass(draft: Draft, job: JobOrder, loop: ReworkLoop) -> Stack:
    """Return the pass that pieces get into by taking the loop.

    Raises:
        Refused: They have taken it as often as they may.
    """
    rework = next_pass(visit_of(draft.state, job).rework, loop.id)
    times = rework[-1].pass_number - 1
    if times > loop.limit:
        told = f"limit {loop.limit} of loop {loop.id}, taken {times - 1} times"
        raise Refused(
            f"{job.id}: its pieces have been through rework loop '{loop.id}' "
            f"{times - 1} times, and may no more.",
            hint="Scrap them, or have them used as they are.",
            unmet=[f"rework_limit: {told}"],
            allowed=allowed_triggers(draft.state, job),
        )
    return rework


def _send(
    draft: Draft,
    job: JobOrder,
    way: tuple[ReworkLoop, Stack],
    part: tuple[Position, Taken],
    reason: str,
) -> tuple[str, JobOrder]:
    """Send what is taken of one lot; return the lot as which it goes, and where."""
    (loop, rework), (position, taken) = way, part
    lot, parent = part_off(draft, job, position, taken, reason=reason)
    quantity: Decimal = sum(taken.values(), ZERO)
    reworked = quantity - taken.get(Bucket.OUT, ZERO)
    request = draft.request(job.request)
    draft.emit(
        f.ReworkSent(
            job_order=job.id,
            loop=loop.id,
            pass_number=rework[-1].pass_number,
            quantity=quantity,
            lot=lot,
            parent=parent,
            reworked=reworked,
            reworked_total=job.reworked + reworked,
            visit=visit_to(draft, request, loop.target, rework).id,
            reason=reason,
            at=draft.at,
            person=draft.person,
        )
    )
    successor = bring(
        draft,
        job,
        quantity,
        lot=lot,
        step=loop.target,
        rework=rework,
        named=f"{loop.source}>{loop.target}",
        reason=reason,
    )
    return lot, successor
