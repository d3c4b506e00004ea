"""Facts: what happened, in full values. The journal is made of them, and only of them.

A fact is never an input to be computed again: ``evolve`` puts its values into place,
the same way live and in a rebuild. Names are past participles. A fact that changes its
shape gets a new version, and ``decoded`` an upcast from the old one.
"""

from decimal import Decimal
from typing import Any

import msgspec

from mes_engine.core.conditions import Condition
from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.equipment import Equipment
from mes_engine.core.errors import MesError
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.lots import GenealogyEdge, LotExistence, MaterialLot
from mes_engine.core.messages import Answer
from mes_engine.core.plant import Plant
from mes_engine.core.postings import Posting, PostingState
from mes_engine.core.production import MachineTally, UnassignedProduction
from mes_engine.core.requests import Visit, WorkRequest, WorkRequestState
from mes_engine.core.routing import Routing
from mes_engine.core.runs import Hold, Run
from mes_engine.core.signals import CounterChange, SignalState
from mes_engine.core.wip_ledger import Move

FACT_VERSION = 1


class _Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every fact is: a frozen struct that knows its own name."""


class PlantApplied(_Fact, frozen=True, kw_only=True, tag="plant_applied"):
    """From now on the plant is this one."""

    plant: Plant


class RoutingReleased(_Fact, frozen=True, kw_only=True, tag="routing_released"):
    """Work may be stored by this revision."""

    routing: Routing


class RoutingWithdrawn(_Fact, frozen=True, kw_only=True, tag="routing_withdrawn"):
    """No more work is stored by this revision."""

    routing: str
    revision: str


class WorkRequestCreated(_Fact, frozen=True, kw_only=True, tag="work_request_created"):
    """A work request is planned."""

    work_request: WorkRequest


class WorkRequestChanged(_Fact, frozen=True, kw_only=True, tag="work_request_changed"):
    """A work request has another state, or its lot."""

    work_request: str
    state: WorkRequestState
    lot: str | None
    reason: str = ""


class LotCreated(_Fact, frozen=True, kw_only=True, tag="lot_created"):
    """There is a lot of this id."""

    lot: MaterialLot


class LotEnded(_Fact, frozen=True, kw_only=True, tag="lot_ended"):
    """Nothing is left of a lot."""

    lot: str
    existence: LotExistence


class LotConsumed(_Fact, frozen=True, kw_only=True, tag="lot_consumed"):
    """A quantity of one lot went into another."""

    edge: GenealogyEdge


class VisitOpened(_Fact, frozen=True, kw_only=True, tag="visit_opened"):
    """A request has come to a step."""

    visit: Visit


class VisitChanged(_Fact, frozen=True, kw_only=True, tag="visit_changed"):
    """A token arrived, an alternative was chosen, or the step's work is over."""

    visit: Visit


class QuantityMoved(_Fact, frozen=True, kw_only=True, tag="quantity_moved"):
    """Pieces or material went from one bucket to another."""

    move: Move


class JobOrderStored(_Fact, frozen=True, kw_only=True, tag="job_order_stored"):
    """There is a job order of this id."""

    job_order: JobOrder


class JobOrderMoved(_Fact, frozen=True, kw_only=True, tag="job_order_moved"):
    """A job order went along a row of its chart."""

    job_order: str
    trigger: JobOrderTrigger
    source: JobOrderState
    state: JobOrderState
    at: int
    person: str
    reason: str = ""


class ConditionsChanged(_Fact, frozen=True, kw_only=True, tag="conditions_changed"):
    """The conditions of a job order's readiness are these."""

    job_order: str
    conditions: tuple[Condition, ...]


class QuantityReported(_Fact, frozen=True, kw_only=True, tag="quantity_reported"):
    """Pieces were reported; the totals are those of the job order afterwards."""

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


class JobOrderUpdated(_Fact, frozen=True, kw_only=True, tag="job_order_updated"):
    """A job order has another due date, priority or quantity."""

    job_order: str
    planned: Decimal
    due_at: int
    priority: int


class RunOpened(_Fact, frozen=True, kw_only=True, tag="run_opened"):
    """A job order claims a lane of a work unit."""

    run: Run


class RunChanged(_Fact, frozen=True, kw_only=True, tag="run_changed"):
    """A run's lane or clock is another, or the run is over."""

    run: Run


class TimeBooked(_Fact, frozen=True, kw_only=True, tag="time_booked"):
    """Time was clocked or reported; the totals are the job order's afterwards."""

    job_order: str
    run: str | None
    setup_us: int
    processing_us: int
    down_us: int
    setup_total_us: int
    processing_total_us: int
    down_total_us: int


class HoldOpened(_Fact, frozen=True, kw_only=True, tag="hold_opened"):
    """A hold forbids work."""

    hold: Hold


class HoldReleased(_Fact, frozen=True, kw_only=True, tag="hold_released"):
    """A hold forbids no more."""

    hold: str
    at: int
    person: str


class DispatchDecided(_Fact, frozen=True, kw_only=True, tag="dispatch_decided"):
    """A work unit was given a job order, or none, for these reasons."""

    decision: DispatchDecision


class EquipmentChanged(_Fact, frozen=True, kw_only=True, tag="equipment_changed"):
    """A region of a work unit is another."""

    equipment: Equipment


class SignalRead(_Fact, frozen=True, kw_only=True, tag="signal_read"):
    """A tag's value moved what is known of it; ``delta`` counts for a counter."""

    signal: SignalState
    change: CounterChange | None = None
    delta: int = 0


class GapSeen(_Fact, frozen=True, kw_only=True, tag="gap_seen"):
    """Values of a tag were dropped by the device, or its value is bad."""

    tag: str
    reason: str
    at: int


class MachineCounted(_Fact, frozen=True, kw_only=True, tag="machine_counted"):
    """A counter's increase was booked or kept as unassigned; totals afterwards."""

    tally: MachineTally


class ProductionUnassigned(
    _Fact, frozen=True, kw_only=True, tag="production_unassigned"
):
    """Counted pieces belong to no job order."""

    production: UnassignedProduction


class PostingRaised(_Fact, frozen=True, kw_only=True, tag="posting_raised"):
    """Something is to be booked in the ledger."""

    posting: Posting


class PostingMoved(_Fact, frozen=True, kw_only=True, tag="posting_moved"):
    """A posting has come further with the ledger."""

    posting: str
    state: PostingState
    reference: str
    reason: str
    at: int


class CommandHandled(_Fact, frozen=True, kw_only=True, tag="command_handled"):
    """A command was answered so, for every delivery of it."""

    origin: str
    key: str
    digest: str
    answer: Answer
    at: int


class SourceAdvanced(_Fact, frozen=True, kw_only=True, tag="source_advanced"):
    """Everything of a source up to (epoch, n) has been handled."""

    source: str
    epoch: int
    n: int


class MessageSetAside(_Fact, frozen=True, kw_only=True, tag="message_set_aside"):
    """A message that could not be handled is kept for a person to look at."""

    message: str
    error: str


Fact = (
    PlantApplied
    | RoutingReleased
    | RoutingWithdrawn
    | WorkRequestCreated
    | WorkRequestChanged
    | LotCreated
    | LotEnded
    | LotConsumed
    | VisitOpened
    | VisitChanged
    | QuantityMoved
    | JobOrderStored
    | JobOrderMoved
    | ConditionsChanged
    | QuantityReported
    | JobOrderUpdated
    | RunOpened
    | RunChanged
    | TimeBooked
    | HoldOpened
    | HoldReleased
    | DispatchDecided
    | EquipmentChanged
    | SignalRead
    | GapSeen
    | MachineCounted
    | ProductionUnassigned
    | PostingRaised
    | PostingMoved
    | CommandHandled
    | SourceAdvanced
    | MessageSetAside
)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A fact with its place in the journal.

    Attributes:
        seq: Gapless within the partition, from 1.
        occurred_at: By the source's time, in microseconds of UTC.
        recorded_at: By ours.
        cause: The message: ``origin:key`` or ``source/epoch/n``.
    """

    partition: str
    seq: int
    occurred_at: int
    recorded_at: int
    cause: str
    person: str
    fact: Fact


_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def fact_name(fact: Fact) -> str:
    """Return the name under which the journal keeps facts of this type."""
    return str(type(fact).__struct_config__.tag)


def encoded(fact: Fact) -> str:
    """Return the JSON that the journal keeps; decimals are strings."""
    return _ENCODER.encode(fact).decode()


def decoded(body: str | bytes, *, version: int) -> Fact:
    """Read a fact of the journal, bringing an older version up to this one.

    Raises:
        MesError: The version is newer than this software.
    """
    if version > FACT_VERSION:
        raise MesError(
            f"The journal has a fact of version {version}; this software knows "
            f"{FACT_VERSION}.",
            hint="Install the version that wrote it, or a later one.",
        )
    return _DECODER.decode(body)


def as_plain(fact: Fact) -> dict[str, Any]:
    """Return ``fact`` as plain values, as a reader over HTTP sees it."""
    plain: dict[str, Any] = msgspec.to_builtins(fact, builtin_types=())
    return plain
