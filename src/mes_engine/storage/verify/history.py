"""What a fact says of the state before it: the chart's rows, and running totals."""

from collections.abc import Iterator
from typing import Any

from mes_engine.core import facts as f
from mes_engine.core.bookings import ReportedAs
from mes_engine.core.job_order import JOB_ORDER_CHART
from mes_engine.core.laws import broken_tally
from mes_engine.core.state import State

_COUNTED = (ReportedAs.GOOD, ReportedAs.SCRAP, ReportedAs.LOST, ReportedAs.TESTED)
"""What a job order keeps a total of."""


def broken_history(state: State, fact: f.Fact) -> Iterator[str]:
    """Yield what ``fact`` says that cannot be so after ``state``."""
    match fact:
        case f.JobOrderMoved():
            yield from _off_the_chart(state, fact)
        case f.QuantityReported():
            for name in ("good", "scrap", "lost", "tested"):
                yield from _not_the_sum(state, fact, name, f"{name}_total")
        case f.ReworkSent():
            yield from _not_the_sum(state, fact, "reworked", "reworked_total")
        case f.LotDeviated():
            yield from _not_the_sum(state, fact, "deviated", "deviated_total")
        case f.LabourBooked():
            yield from _not_the_sum(state, fact, "labour_us", "labour_total_us")
        case f.TimeBooked():
            for name in ("setup", "processing", "down"):
                yield from _not_the_sum(state, fact, f"{name}_us", f"{name}_total_us")
        case f.BookingReversed() | f.WayReversed():
            yield from _not_taken_back(state, fact)
        case _:
            yield from _not_the_count(state, fact)


def _off_the_chart(state: State, fact: f.JobOrderMoved) -> Iterator[str]:
    job = state.job_order.get(fact.job_order)
    if job is not None and job.state is not fact.source:
        yield f"it takes {job.id} from {fact.source}, which is {job.state}"
    row = JOB_ORDER_CHART.row(fact.source, fact.trigger)
    if row is None or row.dest is not fact.state:
        yield f"no row of the chart goes by {fact.trigger} to {fact.state}"


def _not_the_count(state: State, fact: f.Fact) -> Iterator[str]:
    """Yield that a tally does not add up, or has less than was counted before."""
    if not isinstance(fact, f.MachineCounted):
        return
    yield from broken_tally(fact.tally)
    before = state.machine_tally.get((fact.tally.work_unit, fact.tally.role))
    if before is not None and fact.tally.counted < before.counted:
        yield (
            f"{fact.tally.work_unit} has counted {fact.tally.counted}, "
            f"{before.counted} before"
        )


def _not_taken_back(
    state: State, fact: f.BookingReversed | f.WayReversed
) -> Iterator[str]:
    if isinstance(fact, f.BookingReversed):
        yield from _not_the_rest(state, fact)
    else:
        yield from _not_sent_back(state, fact)


def _not_sent_back(state: State, fact: f.WayReversed) -> Iterator[str]:
    """Yield each total that is not what it was less what is back."""
    job = state.job_order.get(fact.reversal.job_order)
    for name in ("reworked", "deviated") if job is not None else ():
        told = getattr(job, name) - getattr(fact, name)
        if told != getattr(fact, f"{name}_total"):
            yield f"{fact.reversal.job_order} has {told} {name} then, it says otherwise"


def _not_the_rest(state: State, fact: f.BookingReversed) -> Iterator[str]:
    """Yield each total that is not what the job order had less what was taken back."""
    reversal = fact.reversal
    before = state.reversal.get(reversal.booking)
    if before is not None and before.is_whole:
        yield f"booking {reversal.booking} was reversed already, by fact {before.seq}"
    for kind in _COUNTED:
        taken = reversal.of(kind) - (0 if before is None else before.of(kind))
        if taken != getattr(fact, kind):
            yield (
                f"{taken} more {kind} of booking {reversal.booking} are taken back, "
                f"and it says {getattr(fact, kind)}"
            )
    job = state.job_order.get(reversal.job_order)
    if job is None:
        return
    for name in _COUNTED:
        total, wanted = getattr(fact, f"{name}_total"), getattr(job, name)
        wanted -= getattr(fact, name)
        if total != wanted:
            yield f"{name}_total of {job.id} is {total}, and should be {wanted}"


def _not_the_sum(state: State, fact: Any, change: str, total: str) -> Iterator[str]:
    job = state.job_order.get(fact.job_order)
    if job is None:
        return
    wanted = getattr(job, change) + getattr(fact, change)
    if getattr(fact, total) != wanted:
        yield f"{total} of {job.id} is {getattr(fact, total)}, and should be {wanted}"
