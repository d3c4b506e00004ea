"""Job order: a quantity at one step of a routing, dispatched and confirmed as one.

The top states are those of OPC 10031-4 (``ISA95JobOrderReceiverObjectType``), one to
one, so that a job-control server is a translation table. OPC's ``Start`` means
permission; our verb for it is ``release``.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.conditions import READINESS, Condition, ConditionName
from mes_engine.core.quantity import ZERO
from mes_engine.core.statechart import Row, StateChart


class JobOrderState(StrEnum):
    """Where a job order stands; the part before the dot is OPC 10031-4's state."""

    __hash__ = (
        str.__hash__
    )  # an enumeration's own is a call: states are looked up a lot

    NOT_ALLOWED_WAITING = "not_allowed_to_start.waiting"
    NOT_ALLOWED_READY = "not_allowed_to_start.ready"
    ALLOWED_WAITING = "allowed_to_start.waiting"
    ALLOWED_READY = "allowed_to_start.ready"
    ALLOWED_LOADED = "allowed_to_start.loaded"
    RUNNING_SETUP = "running.setup"
    RUNNING_PROCESSING = "running.processing"
    INTERRUPTED_HELD = "interrupted.held"
    INTERRUPTED_SUSPENDED = "interrupted.suspended"
    ENDED_COMPLETED = "ended.completed"
    ENDED_CLOSED = "ended.closed"
    ABORTED = "aborted"
    CANCELLED = "cancelled"


class JobOrderTrigger(StrEnum):
    """What can be asked of a job order, or happens to it."""

    PRECONDITIONS_MET = "preconditions_met"
    PRECONDITIONS_LOST = "preconditions_lost"
    RELEASE = "release"
    REVOKE_START = "revoke_start"
    LOAD = "load"
    UNLOAD = "unload"
    BEGIN_SETUP = "begin_setup"
    BEGIN = "begin"
    REPORT = "report"
    PAUSE = "pause"
    HOLD = "hold"
    TO_HELD = "to_held"
    TO_SUSPENDED = "to_suspended"
    MOVE_TO = "move_to"
    RESUME = "resume"
    COMPLETE = "complete"
    STOP = "stop"
    CLOSE = "close"
    ABORT = "abort"
    CANCEL = "cancel"
    UPDATE = "update"


class JobOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A job order as the engine keeps it.

    Attributes:
        planned: What it was stored or updated to make, in ``unit``.
        expects_pieces: False where the step works on a token and holds no pieces.
        queued_at: When it entered its work center's queue; None before its release.
        good: Reported good so far; ``scrap``, ``lost`` and ``tested`` likewise.
        reworked: Sent back into a rework loop without having been reported good.
        deviated: Sent another way in the same manner, without having been worked.
        setup_us: Closed setup time; processing and breakdown likewise (microseconds).
        labour_us: The time of people, as far as it was booked.
        run: The open run, if it is loaded.
        materials: What its step consumes.
        needs: What else its step names (see ``means``).
        number: Counts the job orders of the plant; its id is made of it.
        last_report: The fact of the last report on it; each names the one before.
        ended_seq: The fact of its end.
        follows: The job order whose remainder this one does, or a part of it.
        split_of: The job order that it and its siblings were split of; None if not.
        lot: The lot that it works on; None where it takes all that come to its visit.
        posted_good: What postings raised so far speak of; the others likewise.
        is_final_posted: Whether a posting has closed the operation.
        is_paused: Whether a person has paused it: that outlasts a hold.
        is_cleared: Whether job control serves it no longer.
    """

    id: str
    number: int
    request: str
    visit: str
    step: str
    routing: str
    revision: str
    work_center: str
    equipment_class: str
    unit: str
    planned: Decimal
    due_at: int
    priority: int
    stored_at: int
    state: JobOrderState = JobOrderState.NOT_ALLOWED_WAITING
    expects_pieces: bool = True
    conditions: tuple[Condition, ...] = ()
    queued_at: int | None = None
    run: str | None = None
    materials: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    good: Decimal = ZERO
    scrap: Decimal = ZERO
    lost: Decimal = ZERO
    tested: Decimal = ZERO
    reworked: Decimal = ZERO
    deviated: Decimal = ZERO
    setup_us: int = 0
    processing_us: int = 0
    down_us: int = 0
    labour_us: int = 0
    posted_good: Decimal = ZERO
    posted_scrap: Decimal = ZERO
    posted_setup_us: int = 0
    posted_processing_us: int = 0
    posted_labour_us: int = 0
    is_final_posted: bool = False
    is_paused: bool = False
    is_cleared: bool = False
    begun_at: int | None = None
    ended_at: int | None = None
    last_report: int | None = None
    ended_seq: int | None = None
    follows: str | None = None
    lot: str | None = None
    split_of: str | None = None
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has reached an end state."""
        return self.state in END_STATES

    @property
    def worked(self) -> Decimal:
        """Pieces that were worked on, whatever became of them."""
        return self.good + self.scrap + self.lost + self.tested + self.reworked


_S, _T, _C = JobOrderState, JobOrderTrigger, ConditionName

WAITING = frozenset({_S.NOT_ALLOWED_WAITING, _S.ALLOWED_WAITING})
READY = frozenset({_S.NOT_ALLOWED_READY, _S.ALLOWED_READY})
NOT_ALLOWED = (_S.NOT_ALLOWED_WAITING, _S.NOT_ALLOWED_READY)
ALLOWED = (_S.ALLOWED_WAITING, _S.ALLOWED_READY, _S.ALLOWED_LOADED)
RUNNING = (_S.RUNNING_SETUP, _S.RUNNING_PROCESSING)
INTERRUPTED = (_S.INTERRUPTED_HELD, _S.INTERRUPTED_SUSPENDED)
AT_WORK = frozenset({*RUNNING, *INTERRUPTED})
END_STATES = frozenset({_S.ENDED_COMPLETED, _S.ENDED_CLOSED, _S.ABORTED, _S.CANCELLED})
QUEUED = frozenset({_S.ALLOWED_WAITING, _S.ALLOWED_READY})
ON_A_MACHINE = frozenset({_S.ALLOWED_LOADED, *RUNNING, *INTERRUPTED})

_LOADABLE = (_C.PERSON_QUALIFIED, _C.TOOL_AVAILABLE)
_MENDABLE = (_C.TOOL_AVAILABLE, _C.DOCUMENT_RELEASED)
_NEW_WORK = (_C.TIME_WINDOW_OPEN, _C.WIP_LIMIT)


def _rows() -> list[Row[JobOrderState, JobOrderTrigger]]:
    itself = [
        *(
            Row(_T.REPORT, state, state, (_C.LOT_NOT_HELD,))
            for state in (*RUNNING, *INTERRUPTED)
        ),
        *(
            Row(_T.MOVE_TO, state, state, (_C.NO_HOLD, *_LOADABLE))
            for state in (_S.ALLOWED_LOADED, _S.INTERRUPTED_SUSPENDED)
        ),
        # What is held may be brought elsewhere, and goes on being held there.
        Row(_T.MOVE_TO, _S.INTERRUPTED_HELD, _S.INTERRUPTED_HELD),
        *(
            Row(_T.UPDATE, state, state, (_C.NOT_LOADED_WITH_MATERIAL,))
            for state in (*NOT_ALLOWED, *ALLOWED)
        ),
    ]
    return [
        Row(
            _T.PRECONDITIONS_MET,
            _S.NOT_ALLOWED_WAITING,
            _S.NOT_ALLOWED_READY,
            READINESS,
        ),
        Row(_T.PRECONDITIONS_MET, _S.ALLOWED_WAITING, _S.ALLOWED_READY, READINESS),
        Row(_T.PRECONDITIONS_LOST, _S.NOT_ALLOWED_READY, _S.NOT_ALLOWED_WAITING),
        Row(_T.PRECONDITIONS_LOST, _S.ALLOWED_READY, _S.ALLOWED_WAITING),
        Row(
            _T.RELEASE,
            _S.NOT_ALLOWED_WAITING,
            _S.ALLOWED_WAITING,
            (_C.REQUEST_RELEASED,),
        ),
        Row(_T.RELEASE, _S.NOT_ALLOWED_READY, _S.ALLOWED_READY, (_C.REQUEST_RELEASED,)),
        Row(_T.REVOKE_START, _S.ALLOWED_WAITING, _S.NOT_ALLOWED_WAITING),
        Row(_T.REVOKE_START, _S.ALLOWED_READY, _S.NOT_ALLOWED_READY),
        Row(_T.REVOKE_START, _S.ALLOWED_LOADED, _S.NOT_ALLOWED_READY),
        Row(
            _T.LOAD,
            _S.ALLOWED_READY,
            _S.ALLOWED_LOADED,
            (_C.NO_HOLD, _C.LANE_FREE, *_LOADABLE),
        ),
        Row(_T.UNLOAD, _S.ALLOWED_LOADED, _S.ALLOWED_READY),
        Row(
            _T.BEGIN_SETUP,
            _S.ALLOWED_LOADED,
            _S.RUNNING_SETUP,
            (_C.NO_HOLD, _C.CLAIM_HELD),
        ),
        Row(_T.BEGIN_SETUP, _S.RUNNING_PROCESSING, _S.RUNNING_SETUP),
        Row(
            _T.BEGIN,
            _S.ALLOWED_LOADED,
            _S.RUNNING_PROCESSING,
            (*READINESS, _C.CLAIM_HELD),
        ),
        Row(_T.BEGIN, _S.RUNNING_SETUP, _S.RUNNING_PROCESSING, READINESS),
        *itself,
        *(Row(_T.PAUSE, state, _S.INTERRUPTED_SUSPENDED) for state in RUNNING),
        *(Row(_T.HOLD, state, _S.INTERRUPTED_HELD) for state in RUNNING),
        Row(_T.TO_HELD, _S.INTERRUPTED_SUSPENDED, _S.INTERRUPTED_HELD),
        Row(
            _T.TO_SUSPENDED,
            _S.INTERRUPTED_HELD,
            _S.INTERRUPTED_SUSPENDED,
            (_C.NO_HOLD,),
        ),
        *(
            Row(
                _T.RESUME,
                state,
                _S.RUNNING_PROCESSING,
                (
                    _C.NO_HOLD,
                    _C.CLAIM_HELD,
                    *_NEW_WORK,
                    *_MENDABLE,
                ),
            )
            for state in INTERRUPTED
        ),
        *(
            Row(
                _T.COMPLETE,
                state,
                _S.ENDED_COMPLETED,
                (
                    _C.LOT_NOT_HELD,
                    _C.QUANTITY_ACCOUNTED,
                    _C.NOTHING_EXPECTED,
                    _C.MATERIAL_AVAILABLE,
                    _C.TIME_WINDOW_OPEN,
                    _C.REQUIRED_DATA,
                ),
            )
            for state in RUNNING
        ),
        *(
            Row(
                _T.STOP,
                state,
                _S.ENDED_COMPLETED,
                (_C.LOT_NOT_HELD, _C.MATERIAL_AVAILABLE, _C.REQUIRED_DATA),
            )
            for state in (*RUNNING, *INTERRUPTED)
        ),
        Row(_T.CLOSE, _S.ENDED_COMPLETED, _S.ENDED_CLOSED, (_C.POSTING_SETTLED,)),
        *(
            Row(_T.ABORT, state, _S.ABORTED)
            for state in (*NOT_ALLOWED, *ALLOWED, *RUNNING, *INTERRUPTED)
        ),
        *(
            Row(_T.CANCEL, state, _S.CANCELLED, (_C.NOTHING_BOOKED,))
            for state in (*NOT_ALLOWED, *ALLOWED)
        ),
    ]


JOB_ORDER_CHART: StateChart[JobOrderState, JobOrderTrigger] = StateChart(
    states=JobOrderState, triggers=JobOrderTrigger, rows=_rows()
)
