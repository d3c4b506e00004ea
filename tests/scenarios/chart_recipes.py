"""For each row of the job order's chart: how it is reached, and how it is refused.

The rows are domain.md's. That none is missing here is a test's business.
"""

from dataclasses import dataclass

from mes_engine.core.job_order import JobOrderState as S
from mes_engine.core.job_order import JobOrderTrigger as T
from tests.scenarios import chart_ways as w
from tests.scenarios.chart_ways import Deed, Way, press, then

CONFLICT, UNPROCESSABLE = 409, 422


@dataclass(frozen=True)
class Accepted:
    """``way`` leads to the row's source; ``deed`` fires its trigger."""

    way: Way
    deed: Deed


@dataclass(frozen=True)
class Refused:
    """``way`` leads to the row's source; ``deed`` is refused there.

    Attributes:
        unmet: The condition that is named as unmet, if one is.
        says: What the problem says, in words.
        is_elsewhere: ``way`` leads to a state that does not take the trigger: the row
            itself has nothing that could speak against it.
    """

    way: Way
    deed: Deed
    unmet: str = ""
    says: str = ""
    status: int = CONFLICT
    is_elsewhere: bool = False


Key = tuple[S, T]

_MOVE, _UPDATE = press("move_to", work_unit="cut-2"), press("update", priority=5)
_STOP = press("stop", remainder="scrap", reason="order")
_ABORT = press("abort", reason="fire", signature="Maria")
_CANCEL, _BEGUN = press("cancel"), press("report", good=1)
_MADE = then(w.unbooked, w.LOAD, w.BEGIN, w.REPORT_ALL)
_RUNNING = then(w.unbooked, w.LOAD, w.BEGIN)

ACCEPTED: dict[Key, Accepted] = {
    (S.NOT_ALLOWED_WAITING, T.PRECONDITIONS_MET): Accepted(
        w.planned, w.release_request
    ),
    (S.ALLOWED_WAITING, T.PRECONDITIONS_MET): Accepted(
        w.short_of_material, w.receive_material
    ),
    (S.NOT_ALLOWED_READY, T.PRECONDITIONS_LOST): Accepted(
        w.permitted, w.hold(scope="work_request")
    ),
    (S.ALLOWED_READY, T.PRECONDITIONS_LOST): Accepted(
        w.with_a_rival, w.begin_the_rival
    ),
    (S.NOT_ALLOWED_WAITING, T.RELEASE): Accepted(
        then(w.permitted, w.hold()), press("release")
    ),
    (S.NOT_ALLOWED_READY, T.RELEASE): Accepted(w.permitted, press("release")),
    (S.ALLOWED_WAITING, T.REVOKE_START): Accepted(w.blocked, press("revoke_start")),
    (S.ALLOWED_READY, T.REVOKE_START): Accepted(w.allowed, press("revoke_start")),
    (S.ALLOWED_LOADED, T.REVOKE_START): Accepted(w.loaded, press("revoke_start")),
    (S.ALLOWED_READY, T.LOAD): Accepted(w.allowed, w.LOAD),
    (S.ALLOWED_LOADED, T.UNLOAD): Accepted(w.loaded, press("unload")),
    (S.ALLOWED_LOADED, T.BEGIN_SETUP): Accepted(w.loaded, w.BEGIN_SETUP),
    (S.RUNNING_PROCESSING, T.BEGIN_SETUP): Accepted(w.processing, w.BEGIN_SETUP),
    (S.ALLOWED_LOADED, T.BEGIN): Accepted(w.loaded, w.BEGIN),
    (S.RUNNING_SETUP, T.BEGIN): Accepted(w.setup, w.BEGIN),
    (S.RUNNING_SETUP, T.REPORT): Accepted(then(w.processing, w.BEGIN_SETUP), _BEGUN),
    (S.RUNNING_PROCESSING, T.REPORT): Accepted(w.processing, _BEGUN),
    (S.INTERRUPTED_HELD, T.REPORT): Accepted(w.held, _BEGUN),
    (S.INTERRUPTED_SUSPENDED, T.REPORT): Accepted(w.suspended, _BEGUN),
    (S.ALLOWED_LOADED, T.MOVE_TO): Accepted(w.loaded, _MOVE),
    (S.INTERRUPTED_HELD, T.MOVE_TO): Accepted(w.held, _MOVE),
    (S.INTERRUPTED_SUSPENDED, T.MOVE_TO): Accepted(w.suspended, _MOVE),
    (S.NOT_ALLOWED_WAITING, T.UPDATE): Accepted(w.planned, _UPDATE),
    (S.NOT_ALLOWED_READY, T.UPDATE): Accepted(w.permitted, _UPDATE),
    (S.ALLOWED_WAITING, T.UPDATE): Accepted(w.blocked, _UPDATE),
    (S.ALLOWED_READY, T.UPDATE): Accepted(w.allowed, _UPDATE),
    (S.ALLOWED_LOADED, T.UPDATE): Accepted(w.loaded, _UPDATE),
    (S.RUNNING_SETUP, T.PAUSE): Accepted(w.setup, w.PAUSE),
    (S.RUNNING_PROCESSING, T.PAUSE): Accepted(w.processing, w.PAUSE),
    (S.RUNNING_SETUP, T.HOLD): Accepted(w.setup, w.HOLD),
    (S.RUNNING_PROCESSING, T.HOLD): Accepted(w.processing, w.hold()),
    (S.INTERRUPTED_SUSPENDED, T.TO_HELD): Accepted(w.suspended, w.hold()),
    (S.INTERRUPTED_HELD, T.TO_SUSPENDED): Accepted(w.held, w.release_hold()),
    (S.INTERRUPTED_HELD, T.RESUME): Accepted(w.held, w.release_hold(resumes=True)),
    (S.INTERRUPTED_SUSPENDED, T.RESUME): Accepted(w.suspended, press("resume")),
    (S.RUNNING_SETUP, T.COMPLETE): Accepted(
        then(_MADE, w.BEGIN_SETUP), press("complete")
    ),
    (S.RUNNING_PROCESSING, T.COMPLETE): Accepted(_MADE, press("complete")),
    (S.RUNNING_SETUP, T.STOP): Accepted(then(w.unbooked, w.LOAD, w.BEGIN_SETUP), _STOP),
    (S.RUNNING_PROCESSING, T.STOP): Accepted(_RUNNING, _STOP),
    (S.INTERRUPTED_HELD, T.STOP): Accepted(then(_RUNNING, w.HOLD), _STOP),
    (S.INTERRUPTED_SUSPENDED, T.STOP): Accepted(then(_RUNNING, w.PAUSE), _STOP),
    (S.ENDED_COMPLETED, T.CLOSE): Accepted(w.stopped_at_once, press("close")),
    (S.NOT_ALLOWED_WAITING, T.ABORT): Accepted(w.planned, _ABORT),
    (S.NOT_ALLOWED_READY, T.ABORT): Accepted(w.permitted, _ABORT),
    (S.ALLOWED_WAITING, T.ABORT): Accepted(w.blocked, _ABORT),
    (S.ALLOWED_READY, T.ABORT): Accepted(w.allowed, _ABORT),
    (S.ALLOWED_LOADED, T.ABORT): Accepted(w.loaded, _ABORT),
    (S.RUNNING_SETUP, T.ABORT): Accepted(w.setup, _ABORT),
    (S.RUNNING_PROCESSING, T.ABORT): Accepted(w.processing, _ABORT),
    (S.INTERRUPTED_HELD, T.ABORT): Accepted(w.held, _ABORT),
    (S.INTERRUPTED_SUSPENDED, T.ABORT): Accepted(w.suspended, _ABORT),
    (S.NOT_ALLOWED_WAITING, T.CANCEL): Accepted(w.planned, _CANCEL),
    (S.NOT_ALLOWED_READY, T.CANCEL): Accepted(w.permitted, _CANCEL),
    (S.ALLOWED_WAITING, T.CANCEL): Accepted(w.blocked, _CANCEL),
    (S.ALLOWED_READY, T.CANCEL): Accepted(w.allowed, _CANCEL),
    (S.ALLOWED_LOADED, T.CANCEL): Accepted(w.loaded, _CANCEL),
}

_NOBODY = "follows from its conditions; nobody sets it"
_TOO_MANY = press("report", good=11)
_REPORTED = then(w.processing, _BEGUN)
_UNSIGNED, _UNSAID = press("abort", reason="fire"), press("pause", reason=" ")
_NOT_THERE = press("abort", reason="fire", in_process=5)
_NO_WHY, _NO_CHANGE = press("hold", reason=""), press("update", reason="none")
_RESTED, _LEFT = w.remainder("queue"), w.remainder("follow_on")


def _unspecified(way: Way) -> Refused:
    return Refused(
        way,
        press("update", priority=None),
        says="'due_at' or 'priority'",
        status=UNPROCESSABLE,
    )


def _unsigned(way: Way) -> Refused:
    return Refused(way, _UNSIGNED, says="Sign with the name")


def _touching_nothing(way: Way) -> Refused:
    return Refused(way, _NOT_THERE, says="has 0 queued, so 5 cannot be at work")


def _elsewhere(way: Way, trigger: T) -> Refused:
    return Refused(way, press(trigger), is_elsewhere=True)


REFUSED: dict[Key, Refused] = {
    (S.NOT_ALLOWED_WAITING, T.PRECONDITIONS_MET): Refused(
        w.planned, press("preconditions_met"), unmet="request_released"
    ),
    (S.ALLOWED_WAITING, T.PRECONDITIONS_MET): Refused(
        w.short_of_material, press("preconditions_met"), unmet="material_available"
    ),
    (S.NOT_ALLOWED_READY, T.PRECONDITIONS_LOST): Refused(
        w.permitted, press("preconditions_lost"), says=_NOBODY
    ),
    (S.ALLOWED_READY, T.PRECONDITIONS_LOST): Refused(
        w.allowed, press("preconditions_lost"), says=_NOBODY
    ),
    (S.NOT_ALLOWED_WAITING, T.RELEASE): Refused(
        w.planned, press("release"), unmet="request_released"
    ),
    (S.NOT_ALLOWED_READY, T.RELEASE): _elsewhere(w.allowed, T.RELEASE),
    (S.ALLOWED_WAITING, T.REVOKE_START): _elsewhere(w.planned, T.REVOKE_START),
    (S.ALLOWED_READY, T.REVOKE_START): _elsewhere(w.permitted, T.REVOKE_START),
    (S.ALLOWED_LOADED, T.REVOKE_START): _elsewhere(w.setup, T.REVOKE_START),
    (S.ALLOWED_READY, T.LOAD): Refused(
        w.beside_a_full_bench, w.STAGE, unmet="lane_free"
    ),
    (S.ALLOWED_LOADED, T.UNLOAD): _elsewhere(w.processing, T.UNLOAD),
    (S.ALLOWED_LOADED, T.BEGIN_SETUP): Refused(
        w.staged_behind, w.BEGIN_SETUP, unmet="claim_held"
    ),
    (S.RUNNING_PROCESSING, T.BEGIN_SETUP): _elsewhere(w.suspended, T.BEGIN_SETUP),
    (S.ALLOWED_LOADED, T.BEGIN): Refused(w.staged_behind, w.BEGIN, unmet="claim_held"),
    (S.RUNNING_SETUP, T.BEGIN): Refused(
        then(w.with_a_rival, w.LOAD, w.BEGIN_SETUP, w.begin_the_rival),
        w.BEGIN,
        unmet="material_available",
    ),
    (S.RUNNING_SETUP, T.REPORT): Refused(
        then(w.processing, w.BEGIN_SETUP), _TOO_MANY, unmet="quantity_accounted"
    ),
    (S.RUNNING_PROCESSING, T.REPORT): Refused(
        w.processing, _TOO_MANY, unmet="quantity_accounted"
    ),
    (S.INTERRUPTED_HELD, T.REPORT): Refused(
        w.held, _TOO_MANY, unmet="quantity_accounted"
    ),
    (S.INTERRUPTED_SUSPENDED, T.REPORT): Refused(
        w.suspended, _TOO_MANY, unmet="quantity_accounted"
    ),
    (S.ALLOWED_LOADED, T.MOVE_TO): Refused(
        then(w.loaded, w.AFTER_RUN), _MOVE, unmet="no_hold"
    ),
    (S.INTERRUPTED_HELD, T.MOVE_TO): Refused(
        w.held, press("move_to", work_unit="mill-1"), unmet="work_unit_suitable"
    ),
    (S.INTERRUPTED_SUSPENDED, T.MOVE_TO): Refused(
        w.suspended, press("move_to", work_unit="mill-1"), unmet="work_unit_suitable"
    ),
    (S.NOT_ALLOWED_WAITING, T.UPDATE): _unspecified(w.planned),
    (S.NOT_ALLOWED_READY, T.UPDATE): _unspecified(w.permitted),
    (S.ALLOWED_WAITING, T.UPDATE): _unspecified(w.blocked),
    (S.ALLOWED_READY, T.UPDATE): _unspecified(w.allowed),
    (S.ALLOWED_LOADED, T.UPDATE): Refused(
        w.remainder("follow_on", w.LOAD, in_process=4),
        _UPDATE,
        unmet="not_loaded_with_material",
    ),
    (S.RUNNING_SETUP, T.PAUSE): Refused(
        w.setup, _UNSAID, says="reason", status=UNPROCESSABLE
    ),
    (S.RUNNING_PROCESSING, T.PAUSE): Refused(
        w.processing, _UNSAID, says="reason", status=UNPROCESSABLE
    ),
    (S.RUNNING_SETUP, T.HOLD): Refused(
        w.setup, _NO_WHY, says="reason", status=UNPROCESSABLE
    ),
    (S.RUNNING_PROCESSING, T.HOLD): Refused(
        w.processing, _NO_WHY, says="reason", status=UNPROCESSABLE
    ),
    (S.INTERRUPTED_SUSPENDED, T.TO_HELD): Refused(
        w.suspended, press("to_held"), unmet="no_hold"
    ),
    (S.INTERRUPTED_HELD, T.TO_SUSPENDED): Refused(
        w.held, press("to_suspended"), unmet="no_hold"
    ),
    (S.INTERRUPTED_HELD, T.RESUME): Refused(w.held, press("resume"), unmet="no_hold"),
    (S.INTERRUPTED_SUSPENDED, T.RESUME): Refused(
        then(w.processing, press("pause", reason="break", gives_up_slot=True)),
        press("resume"),
        unmet="claim_held",
    ),
    (S.RUNNING_SETUP, T.COMPLETE): Refused(
        then(w.processing, w.BEGIN_SETUP), press("complete"), unmet="quantity_accounted"
    ),
    (S.RUNNING_PROCESSING, T.COMPLETE): Refused(
        _REPORTED, press("complete"), unmet="quantity_accounted"
    ),
    (S.RUNNING_SETUP, T.STOP): Refused(
        then(w.over_produced, w.BEGIN_SETUP), _STOP, unmet="material_available"
    ),
    (S.RUNNING_PROCESSING, T.STOP): Refused(
        w.over_produced, _STOP, unmet="material_available"
    ),
    (S.INTERRUPTED_HELD, T.STOP): Refused(
        then(w.over_produced, w.HOLD), _STOP, unmet="material_available"
    ),
    (S.INTERRUPTED_SUSPENDED, T.STOP): Refused(
        then(w.over_produced, w.PAUSE), _STOP, unmet="material_available"
    ),
    (S.ENDED_COMPLETED, T.CLOSE): Refused(
        w.completed, press("close"), unmet="posting_settled"
    ),
    (S.NOT_ALLOWED_WAITING, T.ABORT): _touching_nothing(w.planned),
    (S.NOT_ALLOWED_READY, T.ABORT): _touching_nothing(w.permitted),
    (S.ALLOWED_WAITING, T.ABORT): _touching_nothing(w.blocked),
    (S.ALLOWED_READY, T.ABORT): _touching_nothing(w.allowed),
    (S.ALLOWED_LOADED, T.ABORT): _touching_nothing(w.loaded),
    (S.RUNNING_SETUP, T.ABORT): _unsigned(then(_REPORTED, w.BEGIN_SETUP)),
    (S.RUNNING_PROCESSING, T.ABORT): _unsigned(_REPORTED),
    (S.INTERRUPTED_HELD, T.ABORT): _unsigned(then(_REPORTED, w.HOLD)),
    (S.INTERRUPTED_SUSPENDED, T.ABORT): _unsigned(then(_REPORTED, w.PAUSE)),
    (S.NOT_ALLOWED_WAITING, T.CANCEL): Refused(
        then(_RESTED, w.hold()), _CANCEL, unmet="nothing_booked"
    ),
    (S.NOT_ALLOWED_READY, T.CANCEL): Refused(_RESTED, _CANCEL, unmet="nothing_booked"),
    (S.ALLOWED_WAITING, T.CANCEL): Refused(
        then(_LEFT, w.hold()), _CANCEL, unmet="nothing_booked"
    ),
    (S.ALLOWED_READY, T.CANCEL): Refused(_LEFT, _CANCEL, unmet="nothing_booked"),
    (S.ALLOWED_LOADED, T.CANCEL): Refused(
        then(_LEFT, w.LOAD), _CANCEL, unmet="nothing_booked"
    ),
}
