"""Job orders that a machine serves itself (OPC 10031-4): what it has, what it should.

What a machine says of a job order is absolute: its state, and how many pieces so far.
Two tables tell what follows. ``TRANSLATION``: which of our triggers a new state of the
machine stands for. ``wanted``: what to ask of the machine, so that it does what ours
says. Both look at what is committed, so that a restart loses and doubles nothing.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.job_order import (
    AT_WORK,
    INTERRUPTED,
    ON_A_MACHINE,
    RUNNING,
    JobOrder,
    JobOrderState,
    JobOrderTrigger,
)
from mes_engine.core.quantity import ZERO
from mes_engine.core.runs import Lane, Run


class MachineJobState(StrEnum):
    """Where a job order stands at a machine: OPC 10031-4's top states, or not there."""

    NOT_ALLOWED_TO_START = "not_allowed_to_start"
    ALLOWED_TO_START = "allowed_to_start"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    ENDED = "ended"
    ABORTED = "aborted"
    GONE = "gone"


class JobVerb(StrEnum):
    """What a machine is asked: the methods of a job order receiver."""

    STORE = "Store"
    STORE_AND_START = "StoreAndStart"
    UPDATE = "Update"
    START = "Start"
    REVOKE_START = "RevokeStart"
    PAUSE = "Pause"
    RESUME = "Resume"
    STOP = "Stop"
    ABORT = "Abort"
    CANCEL = "Cancel"
    CLEAR = "Clear"


STORES = frozenset({JobVerb.STORE, JobVerb.STORE_AND_START})
NO_ERROR = 1
"""The specification's status of a call that succeeded."""
ANSWER_WITHIN_S = 60
"""How long a machine may take to answer what it was asked."""
_SECOND = 1_000_000


class ToldJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine says of one job order.

    Attributes:
        good: Pieces so far; None if it does not tell. Scrap likewise.
    """

    job_order: str
    state: MachineJobState
    good: Decimal | None = None
    scrap: Decimal | None = None


class MachineJobList(msgspec.Struct, frozen=True, kw_only=True, tag="machine_jobs"):
    """All the job orders that a machine has, at ``at`` (microseconds of UTC)."""

    jobs: tuple[ToldJob, ...]
    at: int


class MachineJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job order at a machine that serves job orders.

    Attributes:
        state: As the machine told last; None before it has listed it.
        good: How many of the pieces that it told are booked; scrap likewise.
        asked: What it was asked last, and answered.
        status: What it answered: the specification's bits; 0 before any answer.
        asked_at: When it was asked; 0 once it has told another state since.
        is_pending: Whether it has taken that, and not told another state since.
        has_stopped_itself: Whether it was interrupted without our asking.
        refusal: Why it refused what it was asked last; empty if it did not.
        problem: What does not go together with ours; empty if nothing.
        sent: What tells the job order that it was sent from another.
        at: When this became so.
    """

    job_order: str
    link: str
    request: str
    work_unit: str
    state: MachineJobState | None = None
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    asked: JobVerb | None = None
    status: int = 0
    asked_at: int = 0
    is_pending: bool = False
    has_stopped_itself: bool = False
    refusal: str = ""
    problem: str = ""
    sent: str = ""
    at: int = 0

    @property
    def is_there(self) -> bool:
        """Whether the machine has it, or has had it: it is never stored again.

        But for what it has let us take back, of which it never began anything.
        """
        has_taken = self.status == NO_ERROR and self.asked is not None
        if has_taken and self.asked is JobVerb.CANCEL:
            return self.state not in {None, MachineJobState.GONE}
        return self.state is not None or has_taken or bool(self.sent)

    @property
    def is_unanswered(self) -> bool:
        """Whether it was asked something, and what came of it nobody knows."""
        return self.asked_at > 0 and self.status == 0

    def is_echo(self, state: MachineJobState, at: int) -> bool:
        """Whether a new state, read at ``at``, comes of what it was asked.

        It says nothing of what to do here then. Where the answer was lost, it is taken
        for one as long as the machine may have been at it.
        """
        if self.asked is None or ECHO.get(self.asked) is not state:
            return False
        may_be_at_it = at <= self.asked_at + ANSWER_WITHIN_S * _SECOND
        return self.is_pending or (self.is_unanswered and may_be_at_it)


_M, _T, _V = MachineJobState, JobOrderTrigger, JobVerb

TRANSLATION: dict[
    MachineJobState, tuple[tuple[JobOrderTrigger, ...], tuple[JobOrderTrigger, ...]]
] = {
    _M.RUNNING: ((_T.BEGIN, _T.RESUME), ()),
    _M.INTERRUPTED: ((_T.BEGIN,), (_T.PAUSE,)),
    _M.ENDED: ((_T.BEGIN, _T.RESUME), (_T.COMPLETE,)),
    _M.ABORTED: ((), (_T.ABORT,)),
}
"""The triggers of a machine's new state: before its pieces are booked, and after."""

ECHO: dict[JobVerb, MachineJobState] = {
    _V.PAUSE: _M.INTERRUPTED,
    _V.RESUME: _M.RUNNING,
    _V.STOP: _M.ENDED,
    _V.ABORT: _M.ABORTED,
}
"""The state that what was asked leads to; what does is told before it is asked."""

_FROM: dict[JobOrderTrigger, frozenset[JobOrderState]] = {
    _T.BEGIN: frozenset({JobOrderState.ALLOWED_LOADED, JobOrderState.RUNNING_SETUP}),
    _T.RESUME: frozenset(INTERRUPTED),
    _T.PAUSE: frozenset(RUNNING),
    _T.COMPLETE: frozenset(RUNNING),
    _T.ABORT: frozenset(ON_A_MACHINE),
}


def applies(trigger: JobOrderTrigger, job: JobOrder) -> bool:
    """Whether a trigger of the translation takes a job order somewhere."""
    return job.state in _FROM[trigger]


class StartsOn(StrEnum):
    """When a machine is allowed to begin what it has stored."""

    LOADED = "loaded"
    BEGUN = "begun"


class JobMachine(msgspec.Struct, frozen=True, kw_only=True):
    """That a work unit serves job orders, over a link.

    Attributes:
        counts: Whether the pieces that it tells are booked; not where a signal counts.
        clears: Whether it is told to forget what is over.
    """

    link: str
    counts: bool = True
    starts: StartsOn = StartsOn.LOADED
    clears: bool = True


def wanted(
    job: JobOrder,
    run: Run | None,
    machine: JobMachine,
    known: MachineJob | None,
    *,
    sent: str,
) -> JobVerb | None:
    """Return what to ask of a machine next; None if nothing.

    Args:
        job: Ours.
        run: Its open run on the machine's work unit; None if it is not there.
        machine: How the work unit serves job orders.
        known: What is known of it at the machine.
        sent: What tells the job order, as it is now, from another.
    """
    verb = _missing(job, run, machine, known, sent=sent)
    is_asked = known is not None and known.is_pending and known.asked is verb
    return None if is_asked else verb


def _missing(
    job: JobOrder,
    run: Run | None,
    machine: JobMachine,
    known: MachineJob | None,
    *,
    sent: str,
) -> JobVerb | None:
    is_there = known is not None and known.is_there
    if run is not None and job.state in ON_A_MACHINE:
        may_start = run.lane is Lane.ACTIVE and (
            machine.starts is StartsOn.LOADED or job.state in AT_WORK
        )
        if known is None or not is_there:
            return _V.STORE_AND_START if may_start else _V.STORE
        return _to_follow(job, known, may_start=may_start, sent=sent)
    if known is None or not is_there:
        return None
    return _to_end(job, known, clears=machine.clears)


def _to_follow(
    job: JobOrder, known: MachineJob, *, may_start: bool, sent: str
) -> JobVerb | None:
    """Return what makes the machine do what a job order on it does."""
    is_open = known.state in {_M.NOT_ALLOWED_TO_START, _M.ALLOWED_TO_START}
    if is_open and known.sent != sent:
        return _V.UPDATE
    match known.state:
        case _M.NOT_ALLOWED_TO_START if may_start:
            return _V.START
        case _M.RUNNING if job.state in INTERRUPTED:
            return _V.PAUSE
        case _M.INTERRUPTED if job.state in RUNNING and not known.has_stopped_itself:
            return _V.RESUME
    return None


def _to_end(job: JobOrder, known: MachineJob, *, clears: bool) -> JobVerb | None:
    """Return what ends a job order at a machine that it is not on any more."""
    match known.state:
        case None | _M.NOT_ALLOWED_TO_START | _M.ALLOWED_TO_START:
            return _V.CANCEL
        case _M.RUNNING | _M.INTERRUPTED:
            is_aborted = job.state is JobOrderState.ABORTED
            return _V.ABORT if is_aborted else _V.STOP
        case _M.ENDED | _M.ABORTED if clears and job.is_over:
            return _V.CLEAR
    return None
