"""Which commands a row is made of, by where its job order stands: pure."""

from mes_engine.core import messages as m
from mes_engine.core.job_order import INTERRUPTED, JobOrder
from mes_engine.core.runs import Run
from mes_engine.core.whereabouts import Here
from mes_engine.replay.rows import Row
from mes_engine.replay.shop import Order, rework_of

NO_CLOCK = "the log tells its own times"
LEFT = "no row is at work on it"
REJECTED = "rejected"
FOR_REVIEW = "for material review"
REWORK = "rework"
AS_BOOKED = "as booked in the log"

CLAIMS = (m.LoadJobOrder, m.ResumeJobOrder, m.MoveJobOrder)
"""The commands that a lane can be refused to."""


def opening(order: Order) -> list[m.Command]:
    """Return what brings a case's work request into being."""
    return [
        m.ReleaseRouting(routing=order.routing),
        m.CreateWorkRequest(
            work_request=order.request,
            routing=order.routing.id,
            revision=order.routing.revision,
            quantity=order.quantity,
            due_at=order.due_at,
        ),
        m.ReleaseWorkRequest(work_request=order.request),
    ]


def claiming(job: JobOrder, run: Run | None, work_unit: str) -> list[m.Command]:
    """Return what brings a job order to a work unit, its clock standing."""
    pause = m.PauseJobOrder(job_order=job.id, reason=NO_CLOCK)
    if run is not None and run.work_unit == work_unit:
        return []
    if run is not None:
        return [m.MoveJobOrder(job_order=job.id, work_unit=work_unit)]
    if job.state in INTERRUPTED:
        return [m.ResumeJobOrder(job_order=job.id, work_unit=work_unit), pause]
    load = m.LoadJobOrder(job_order=job.id, work_unit=work_unit)
    return [load, m.BeginJobOrder(job_order=job.id), pause]


def reporting(job: JobOrder, row: Row) -> m.Command:
    """Return the report that a row is; of an empty one, that somebody was there."""
    if row.is_empty:
        return m.ResumeJobOrder(job_order=job.id)
    amounts = row.amounts
    scrapped = m.Scrapped(quantity=amounts.scrap, reason=REJECTED)
    reason = REWORK if row.is_rework else AS_BOOKED
    return m.ReportQuantity(
        job_order=job.id,
        good=amounts.good,
        scrap=(scrapped,) if amounts.scrap else (),
        suspect=amounts.suspect,
        reason=FOR_REVIEW if amounts.suspect else reason,
        setup_s=amounts.setup_s,
        processing_s=amounts.processing_s,
        down_s=amounts.down_s,
    )


def sending_back(job: JobOrder, there: Here, row: Row) -> m.Command:
    """Return what sends the row's pieces back to be worked at their step again.

    They are taken from where there are as many: what waits for a decision, what waits
    to move on, or else what is queued; of a shop that books ahead it is found there.
    """
    pieces = row.amounts.pieces
    taken_from = m.ReworkFrom.WORK
    if there.suspect >= pieces:
        taken_from = m.ReworkFrom.SUSPECT
    elif there.out >= pieces:
        taken_from = m.ReworkFrom.OUT
    return m.SendToRework(
        job_order=job.id,
        quantity=pieces,
        loop=rework_of(job.step),
        reason=REWORK,
        taken_from=taken_from,
    )


def ending(job: JobOrder, *, is_running: bool, gives_up_slot: bool) -> list[m.Command]:
    """Return what stops the clock if it runs, and gives the machine free if asked."""
    if job.run is None:
        return []
    commands: list[m.Command] = []
    if gives_up_slot and not is_running:
        # Only a running job order can give up its place.
        commands.append(m.ResumeJobOrder(job_order=job.id))
    if gives_up_slot or is_running:
        reason = LEFT if gives_up_slot else NO_CLOCK
        commands.append(
            m.PauseJobOrder(
                job_order=job.id, reason=reason, gives_up_slot=gives_up_slot
            )
        )
    return commands
