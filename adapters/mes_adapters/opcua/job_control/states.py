"""The states of a job order in OPC 10031-4's numbers, and ours among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from mes_engine.core.job_order import JobOrderState

NOT_ALLOWED_TO_START = 1
ALLOWED_TO_START = 2
RUNNING = 3
INTERRUPTED = 4
ENDED = 5
ABORTED = 6

NAMES = {
    NOT_ALLOWED_TO_START: "NotAllowedToStart",
    ALLOWED_TO_START: "AllowedToStart",
    RUNNING: "Running",
    INTERRUPTED: "Interrupted",
    ENDED: "Ended",
    ABORTED: "Aborted",
}
SUBSTATES = {
    NOT_ALLOWED_TO_START: {1: "Waiting", 2: "Ready", 3: "Loaded"},
    ALLOWED_TO_START: {1: "Waiting", 2: "Ready", 3: "Loaded"},
    INTERRUPTED: {1: "Held", 2: "Suspended"},
    ENDED: {1: "Completed", 2: "Closed"},
}


@dataclass(frozen=True, slots=True)
class OpcState:
    """A top state, and the state below it where there is one."""

    top: int
    sub: int | None = None


_S = JobOrderState

OPC_STATE: Mapping[JobOrderState, OpcState] = {
    _S.NOT_ALLOWED_WAITING: OpcState(NOT_ALLOWED_TO_START, 1),
    _S.NOT_ALLOWED_READY: OpcState(NOT_ALLOWED_TO_START, 2),
    _S.ALLOWED_WAITING: OpcState(ALLOWED_TO_START, 1),
    _S.ALLOWED_READY: OpcState(ALLOWED_TO_START, 2),
    _S.ALLOWED_LOADED: OpcState(ALLOWED_TO_START, 3),
    _S.RUNNING_SETUP: OpcState(RUNNING),
    _S.RUNNING_PROCESSING: OpcState(RUNNING),
    _S.INTERRUPTED_HELD: OpcState(INTERRUPTED, 1),
    _S.INTERRUPTED_SUSPENDED: OpcState(INTERRUPTED, 2),
    _S.ENDED_COMPLETED: OpcState(ENDED, 1),
    _S.ENDED_CLOSED: OpcState(ENDED, 2),
    _S.ABORTED: OpcState(ABORTED),
}
"""Cancelled is not among them: the specification removes what is cancelled."""


def state_entries(state: JobOrderState, index: int) -> list[dict[str, Any]]:
    """Return an array of ``ISA95StateDataType``: the top state, then the one below.

    Args:
        state: Not cancelled.
        index: The index of the specification's namespace.
    """
    known = OPC_STATE[state]
    entries = [_entry(NAMES[known.top], known.top, ua.RelativePath())]
    if known.sub is not None:
        below = ua.RelativePath.from_string(f"/{index}:{NAMES[known.top]}Substates")
        name = SUBSTATES[known.top][known.sub]
        entries.append(_entry(name, known.sub, below))
    return entries


def _entry(name: str, number: int, path: ua.RelativePath) -> dict[str, Any]:
    return {
        "BrowsePath": path,
        "StateText": ua.LocalizedText(name, "en"),
        "StateNumber": number,
    }


def read_state(entries: Sequence[Mapping[str, Any]]) -> OpcState:
    """Return the state that an array of ``ISA95StateDataType`` speaks of.

    Raises:
        ValueError: It names no top state of the specification.
    """
    top: int | None = None
    sub: int | None = None
    for entry in entries:
        if not entry["BrowsePath"].Elements:
            top = int(entry["StateNumber"])
        elif sub is None:
            sub = int(entry["StateNumber"])
    if top not in NAMES:
        raise ValueError(f"{top} is no state of a job order")
    return OpcState(top, sub if sub in SUBSTATES.get(top, {}) else None)
