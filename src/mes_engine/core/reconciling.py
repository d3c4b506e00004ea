"""What was counted, reported and posted of one job order, and why they differ."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from mes_engine.core.bookings import Booking, BookingKind, Reversal
from mes_engine.core.job_order import JobOrder
from mes_engine.core.parts import rest_of
from mes_engine.core.postings import Posting, PostingKind, PostingState
from mes_engine.core.production import UnassignedProduction, UnassignedReason
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import Run

ROLES = ("good", "scrap")
UNDER_WAY = {
    PostingState.PENDING: "on its way to the ledger",
    PostingState.RETRYING: "the ledger does not answer",
    PostingState.IN_DOUBT: "the ledger did not say whether it is booked",
    PostingState.PARKED: "the ledger refused it",
    PostingState.HELD: "held, as its period is closed",
    PostingState.WAIVED: "the ledger's booking was waived",
}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """By how much one account is above (or below) the one before it, and why."""

    quantity: Decimal
    cause: str


class CountedOn(msgspec.Struct, frozen=True, kw_only=True):
    """What a work unit counted in one run of the job order."""

    run: str
    work_unit: str
    counted: Decimal
    booked: Decimal


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The three accounts of good pieces, or of scrap.

    Attributes:
        counted: By machines, in the runs of the job order; of each by ``by_run``.
        reported: What the job order has by now.
        posted: What the ledger has acknowledged.
        to_reported: Adds up to ``reported`` less ``counted``.
        to_posted: Adds up to ``posted`` less ``reported``.
    """

    role: str
    counted: Decimal
    reported: Decimal
    posted: Decimal
    by_run: tuple[CountedOn, ...]
    to_reported: tuple[Difference, ...]
    to_posted: tuple[Difference, ...]


def reconciled(
    job: JobOrder,
    *,
    bookings: Sequence[Booking],
    runs: Sequence[Run],
    unassigned: Sequence[UnassignedProduction],
    postings: Sequence[Posting],
    reversals: Iterable[Reversal],
) -> tuple[Account, ...]:
    """Hold counts, reports and postings of a job order side by side.

    Args:
        job: The job order.
        bookings: Everything that was booked on it.
        runs: Its runs.
        unassigned: What the work units of these runs counted and nobody took.
        postings: Those of its work request.
        reversals: What of its bookings was taken back.
    """
    taken_back = {one.booking: one for one in reversals}
    standing = [
        rest_of(one, taken_back.get(one.seq))
        for one in bookings
        if one.kind is BookingKind.REPORT
    ]
    ours = [one for one in unassigned if _is_of(one, job, runs)]
    return tuple(
        _account(
            role=role,
            job=job,
            standing=standing,
            runs=runs,
            unassigned=ours,
            postings=postings,
        )
        for role in ROLES
    )


def _is_of(one: UnassignedProduction, job: JobOrder, runs: Iterable[Run]) -> bool:
    if one.job_order is not None:
        return one.job_order == job.id
    return any(_is_in(one, run) for run in runs)


def _is_in(one: UnassignedProduction, run: Run) -> bool:
    is_over = run.closed_at is not None and one.at > run.closed_at
    return one.work_unit == run.work_unit and one.at >= run.opened_at and not is_over


def _account(
    *,
    role: str,
    job: JobOrder,
    standing: Sequence[Booking],
    runs: Sequence[Run],
    unassigned: Sequence[UnassignedProduction],
    postings: Sequence[Posting],
) -> Account:
    by_machine = [one for one in standing if one.source == "machine"]
    by_person = [one for one in standing if one.source != "machine"]
    loose = [one for one in unassigned if one.role == role]
    booked = sum((getattr(one, role) for one in by_machine), ZERO)
    counted = booked + sum((_loose(one) for one in loose), ZERO)
    reported: Decimal = getattr(job, role)
    said = sum((getattr(one, role) for one in by_person), ZERO)
    up = [one for one in postings if one.job_order == job.id]
    return Account(
        role=role,
        counted=counted,
        reported=reported,
        posted=_posted(up, role, PostingState.ACKNOWLEDGED),
        by_run=tuple(_by_run(role, runs, by_machine, loose)),
        to_reported=tuple(_to_reported(said, loose)),
        to_posted=tuple(_to_posted(job, role, up)),
    )


def _loose(one: UnassignedProduction) -> Decimal:
    return one.quantity - one.assigned


def _by_run(
    role: str,
    runs: Iterable[Run],
    by_machine: Sequence[Booking],
    loose: Sequence[UnassignedProduction],
) -> Iterator[CountedOn]:
    for run in runs:
        booked = sum(
            (getattr(one, role) for one in by_machine if one.run == run.id), ZERO
        )
        rest = sum((_loose(one) for one in loose if _is_in(one, run)), ZERO)
        if booked or rest:
            yield CountedOn(
                run=run.id,
                work_unit=run.work_unit,
                counted=booked + rest,
                booked=booked,
            )


def _to_reported(
    said: Decimal, loose: Sequence[UnassignedProduction]
) -> Iterator[Difference]:
    if said:
        yield Difference(quantity=said, cause="reported by people, and not counted")
    for reason in UnassignedReason:
        of_it = [one for one in loose if one.reason is reason]
        left = sum((one.left for one in of_it), ZERO)
        gone = sum((one.dismissed for one in of_it), ZERO)
        if left:
            yield Difference(
                quantity=-left, cause=f"counted, and on no job order: {reason}"
            )
        if gone:
            yield Difference(quantity=-gone, cause=f"counted, and dismissed: {reason}")


def _to_posted(
    job: JobOrder, role: str, postings: Sequence[Posting]
) -> Iterator[Difference]:
    waiting: Decimal = getattr(job, role) - getattr(job, f"posted_{role}")
    if waiting:
        yield Difference(quantity=-waiting, cause="not posted before the run ends")
    for state, cause in UNDER_WAY.items():
        amount = _posted(postings, role, state)
        if amount:
            keys = ", ".join(one.key for one in postings if one.state is state)
            yield Difference(quantity=-amount, cause=f"{cause}: {keys}")


def _posted(postings: Iterable[Posting], role: str, state: PostingState) -> Decimal:
    return sum(
        (
            -getattr(one, role)
            if one.kind is PostingKind.REVERSE
            else getattr(one, role)
            for one in postings
            if one.state is state
        ),
        ZERO,
    )
