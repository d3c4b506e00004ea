"""Facts: what happened, in full values. The journal is made of them, and only of them.

A fact is never an input to be computed again: ``evolve`` puts its values into place,
the same way live and in a rebuild. Names are past participles. A fact that changes its
shape gets a new version, and ``decoded`` an upcast from the old one.
"""

from typing import Any

import msgspec

from mes_engine.core.errors import MesError
from mes_engine.core.facts.carriers import (
    CarrierPlaced,
    CarrierRegistered,
    CarriersFact,
    CarrierShipped,
    ContentAggregated,
)
from mes_engine.core.facts.corrections import (
    BookingReversed,
    CorrectionsFact,
    WayReversed,
)
from mes_engine.core.facts.floor import (
    DispatchDecided,
    FloorFact,
    HoldOpened,
    HoldReleased,
    RunChanged,
    RunOpened,
)
from mes_engine.core.facts.handling import (
    CommandHandled,
    HandlingFact,
    MessageSetAside,
    SourceAdvanced,
)
from mes_engine.core.facts.job_control import (
    JobControlFact,
    JobOrderCleared,
    MachineJobChanged,
)
from mes_engine.core.facts.labour import (
    LabourBooked,
    LabourChanged,
    LabourFact,
    SignedOff,
    SignedOn,
)
from mes_engine.core.facts.limits import AreaEntered, AreaLeft, LimitsFact
from mes_engine.core.facts.machine import (
    DataGapSeen,
    EquipmentChanged,
    GapSeen,
    MachineCounted,
    MachineFact,
    ProductionSettled,
    ProductionUnassigned,
    SignalRead,
)
from mes_engine.core.facts.machine_calls import (
    MachineCallAsked,
    MachineCallSettled,
    MachineCallsFact,
)
from mes_engine.core.facts.master import (
    MasterFact,
    PlantApplied,
    RoutingReleased,
    RoutingWithdrawn,
)
from mes_engine.core.facts.material import (
    ComponentUsed,
    LotBound,
    LotConsumed,
    LotCreated,
    LotEnded,
    LotMerged,
    LotProduced,
    LotRestored,
    LotSplit,
    MaterialFact,
    QuantityMoved,
)
from mes_engine.core.facts.means import (
    AssetChanged,
    AssetRegistered,
    DocumentReleased,
    DocumentWithdrawn,
    MeansFact,
    PersonQualified,
    PersonRegistered,
    ToolUsed,
)
from mes_engine.core.facts.measured import (
    MeasuredFact,
    MeasurementRecorded,
    MeasurementsInherited,
    MeasurementVoided,
)
from mes_engine.core.facts.periods import BooksClosed, PeriodsFact
from mes_engine.core.facts.posting import PostingFact, PostingMoved, PostingRaised
from mes_engine.core.facts.requests import (
    RequestsFact,
    VisitChanged,
    VisitOpened,
    WorkRequestChanged,
    WorkRequestCreated,
    WorkRequestUpdated,
)
from mes_engine.core.facts.serials import SerialGiven, SerialsFact
from mes_engine.core.facts.signals import (
    LinkClockRead,
    MachineEventSeen,
    SignalsFact,
    SignalWatched,
)
from mes_engine.core.facts.transactions import (
    AlarmCleared,
    AlarmRaised,
    HandshakeMoved,
    TransactionDecided,
    TransactionsFact,
)
from mes_engine.core.facts.ways import (
    AlternativeChosen,
    LotDeviated,
    ReworkSent,
    StepSampled,
    StepSkipped,
    WaysFact,
)
from mes_engine.core.facts.windows import (
    TimeWindowArmed,
    TimeWindowExtended,
    TimeWindowOpened,
    TimeWindowPassed,
    TimeWindowSatisfied,
    TimeWindowViolated,
    TimeWindowVoided,
    TimeWindowWaived,
    TimeWindowWarned,
    WindowsFact,
)
from mes_engine.core.facts.work import (
    ConditionsChanged,
    JobOrderMoved,
    JobOrderRevised,
    JobOrderSplit,
    JobOrderStored,
    JobOrderUpdated,
    QuantityReported,
    TimeBooked,
    WorkFact,
)

__all__ = [
    "FACT_VERSION",
    "AlarmCleared",
    "AlarmRaised",
    "AlternativeChosen",
    "AreaEntered",
    "AreaLeft",
    "AssetChanged",
    "AssetRegistered",
    "BookingReversed",
    "BooksClosed",
    "CarrierPlaced",
    "CarrierRegistered",
    "CarrierShipped",
    "CommandHandled",
    "ComponentUsed",
    "ConditionsChanged",
    "ContentAggregated",
    "DataGapSeen",
    "DispatchDecided",
    "DocumentReleased",
    "DocumentWithdrawn",
    "EquipmentChanged",
    "Fact",
    "GapSeen",
    "HandshakeMoved",
    "HoldOpened",
    "HoldReleased",
    "JobOrderCleared",
    "JobOrderMoved",
    "JobOrderRevised",
    "JobOrderSplit",
    "JobOrderStored",
    "JobOrderUpdated",
    "LabourBooked",
    "LabourChanged",
    "LinkClockRead",
    "LotBound",
    "LotConsumed",
    "LotCreated",
    "LotDeviated",
    "LotEnded",
    "LotMerged",
    "LotProduced",
    "LotRestored",
    "LotSplit",
    "MachineCallAsked",
    "MachineCallSettled",
    "MachineCounted",
    "MachineEventSeen",
    "MachineJobChanged",
    "MeasurementRecorded",
    "MeasurementVoided",
    "MeasurementsInherited",
    "MessageSetAside",
    "PersonQualified",
    "PersonRegistered",
    "PlantApplied",
    "PostingMoved",
    "PostingRaised",
    "ProductionSettled",
    "ProductionUnassigned",
    "QuantityMoved",
    "QuantityReported",
    "Recorded",
    "ReworkSent",
    "RoutingReleased",
    "RoutingWithdrawn",
    "RunChanged",
    "RunOpened",
    "SerialGiven",
    "SignalRead",
    "SignalWatched",
    "SignedOff",
    "SignedOn",
    "SourceAdvanced",
    "StepSampled",
    "StepSkipped",
    "TimeBooked",
    "TimeWindowArmed",
    "TimeWindowExtended",
    "TimeWindowOpened",
    "TimeWindowPassed",
    "TimeWindowSatisfied",
    "TimeWindowViolated",
    "TimeWindowVoided",
    "TimeWindowWaived",
    "TimeWindowWarned",
    "ToolUsed",
    "TransactionDecided",
    "VisitChanged",
    "VisitOpened",
    "WayReversed",
    "WorkRequestChanged",
    "WorkRequestCreated",
    "WorkRequestUpdated",
    "as_plain",
    "decoded",
    "encoded",
    "fact_name",
    "plain_of",
]

FACT_VERSION = 1

Fact = (
    MasterFact
    | RequestsFact
    | MaterialFact
    | MeansFact
    | WorkFact
    | JobControlFact
    | WaysFact
    | FloorFact
    | LabourFact
    | MachineFact
    | PostingFact
    | PeriodsFact
    | WindowsFact
    | CorrectionsFact
    | LimitsFact
    | MeasuredFact
    | SerialsFact
    | CarriersFact
    | HandlingFact
    | TransactionsFact
    | SignalsFact
    | MachineCallsFact
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
    return plain_of(fact)


def plain_of(struct: msgspec.Struct) -> dict[str, Any]:
    """Return a struct as plain values: decimals as text."""
    plain: dict[str, Any] = msgspec.to_builtins(struct, builtin_types=())
    return plain
