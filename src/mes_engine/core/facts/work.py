"""Job orders and what is done on them."""

from decimal import Decimal

from mes_engine.core.conditions import Condition
from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger


class JobOrderStored(BaseFact, frozen=True, kw_only=True, tag="job_order_stored"):
    """There is a job order of this id."""

    job_order: JobOrder


class JobOrderMoved(BaseFact, frozen=True, kw_only=True, tag="job_order_moved"):
    """A job order went along a row of its chart."""

    job_order: str
    trigger: JobOrderTrigger
    source: JobOrderState
    state: JobOrderState
    at: int
    person: str
    reason: str = ""


class ConditionsChanged(BaseFact, frozen=True, kw_only=True, tag="conditions_changed"):
    """The conditions of a job order's readiness are these."""

    job_order: str
    conditions: tuple[Condition, ...]


class QuantityReported(BaseFact, frozen=True, kw_only=True, tag="quantity_reported"):
    """Pieces were reported; the totals are those of the job order afterwards.

    Attributes:
        previous: The report on the same job order before this one.
    """

    job_order: str
    run: str | None
    good: Decimal
    scrap: Decimal
    suspect: Decimal
    lost: Decimal
    tested: Decimal
    good_total: Decimal
    scrap_total: Decimal
    lost_total: Decimal
    tested_total: Decimal
    at: int
    person: str
    source: str
    reason: str = ""
    previous: int | None = None


class JobOrderUpdated(BaseFact, frozen=True, kw_only=True, tag="job_order_updated"):
    """A job order has another due date, priority or quantity."""

    job_order: str
    planned: Decimal
    due_at: int
    priority: int


class JobOrderRevised(BaseFact, frozen=True, kw_only=True, tag="job_order_revised"):
    """A job order that has not begun is to be worked by another routing revision."""

    job_order: str
    revision: str
    work_center: str
    equipment_class: str
    expects_pieces: bool
    materials: tuple[str, ...]
    needs: tuple[str, ...]
    reason: str = ""


class JobOrderSplit(BaseFact, frozen=True, kw_only=True, tag="job_order_split"):
    """A part of what a job order had to do went to another at the same visit."""

    job_order: str
    planned: Decimal
    split_of: str


class TimeBooked(BaseFact, frozen=True, kw_only=True, tag="time_booked"):
    """Time was clocked or reported; the totals are the job order's afterwards."""

    job_order: str
    run: str | None
    setup_us: int
    processing_us: int
    down_us: int
    setup_total_us: int
    processing_total_us: int
    down_total_us: int


WorkFact = (
    JobOrderStored
    | JobOrderMoved
    | ConditionsChanged
    | QuantityReported
    | JobOrderUpdated
    | JobOrderRevised
    | JobOrderSplit
    | TimeBooked
)
