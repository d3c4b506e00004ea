"""Work requests, and their visits to steps."""

from decimal import Decimal

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.requests import Visit, WorkRequest, WorkRequestState


class WorkRequestCreated(
    BaseFact, frozen=True, kw_only=True, tag="work_request_created"
):
    """A work request is planned."""

    work_request: WorkRequest


class WorkRequestChanged(
    BaseFact, frozen=True, kw_only=True, tag="work_request_changed"
):
    """A work request has another state, or its lot."""

    work_request: str
    state: WorkRequestState
    lot: str | None
    reason: str = ""


class WorkRequestUpdated(
    BaseFact, frozen=True, kw_only=True, tag="work_request_updated"
):
    """A work request is for another quantity, time, priority or revision."""

    work_request: str
    quantity: Decimal
    due_at: int
    priority: int
    revision: str
    reason: str = ""


class VisitOpened(BaseFact, frozen=True, kw_only=True, tag="visit_opened"):
    """A request has come to a step."""

    visit: Visit


class VisitChanged(BaseFact, frozen=True, kw_only=True, tag="visit_changed"):
    """A token arrived, an alternative was chosen, or the step's work is over."""

    visit: Visit


RequestsFact = (
    WorkRequestCreated
    | WorkRequestChanged
    | WorkRequestUpdated
    | VisitOpened
    | VisitChanged
)
