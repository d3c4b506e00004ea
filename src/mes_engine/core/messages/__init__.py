"""What goes into the engine, and what it answers.

A message is either a command (of a person, a module, the relay), which has a key, or
something sensed by a link, which has a number. Commands are imperatives.
"""

from enum import StrEnum

import msgspec

from mes_engine.core.bookings import CountedPieces
from mes_engine.core.messages.carriers import (
    CarriersCommand,
    LoadCarrier,
    MoveCarrier,
    PackCarrier,
    RegisterCarrier,
    ShipCarrier,
    UnpackCarrier,
)
from mes_engine.core.messages.corrections import (
    AssignProduction,
    CorrectionsCommand,
    DismissProduction,
    ReverseBooking,
)
from mes_engine.core.messages.floor import (
    ChangeOver,
    DispatchWorkUnit,
    FloorCommand,
    LoadTogether,
    OpenHold,
    ReleaseHold,
)
from mes_engine.core.messages.job_control import (
    ClearJobOrder,
    JobControlCommand,
    RecordMachineJob,
)
from mes_engine.core.messages.labour import (
    BookLabour,
    LabourCommand,
    SignOffPerson,
    SignOnPerson,
)
from mes_engine.core.messages.lots import (
    ConsumeMaterial,
    LotsCommand,
    MergeLots,
    MoveStock,
    ReverseRegrouping,
    ShipLot,
    SplitLot,
)
from mes_engine.core.messages.machine_calls import (
    CallMachine,
    MachineCallsCommand,
    RecordMachineCall,
)
from mes_engine.core.messages.master import (
    ApplyPlant,
    MasterCommand,
    ReleaseRouting,
    WithdrawRouting,
)
from mes_engine.core.messages.material import MaterialCommand, ReceiveMaterial
from mes_engine.core.messages.means import (
    ExpireQualifications,
    GrantQualification,
    MeansCommand,
    MountTool,
    RegisterAsset,
    RegisterPerson,
    ReleaseDocument,
    ReturnTool,
    RevokeQualification,
    UnmountTool,
    WithdrawDocument,
    WithdrawTool,
)
from mes_engine.core.messages.measured import (
    MeasuredCommand,
    RecordMeasurement,
    VoidMeasurement,
)
from mes_engine.core.messages.periods import (
    ClosePeriod,
    PeriodsCommand,
    ReleasePosting,
    ReopenPeriod,
)
from mes_engine.core.messages.posting import (
    PostingCommand,
    RecordPosting,
    RetryPosting,
    WaivePosting,
)
from mes_engine.core.messages.requests import (
    CancelWorkRequest,
    ChangeWorkRequest,
    ChooseAlternative,
    CloseWorkRequest,
    CreateWorkRequest,
    ReleaseWorkRequest,
    RequestsCommand,
)
from mes_engine.core.messages.serials import SerialiseLot, SerialsCommand
from mes_engine.core.messages.signals import (
    CheckSignals,
    RecordAcknowledgement,
    SignalsCommand,
)
from mes_engine.core.messages.ways import (
    DeviateLot,
    ReworkFrom,
    SendToRework,
    SkipStep,
    WaysCommand,
)
from mes_engine.core.messages.windows import (
    CheckTimeWindows,
    WaiveTimeWindow,
    WindowsCommand,
)
from mes_engine.core.messages.work import (
    AbortJobOrder,
    AssertTrigger,
    BeginJobOrder,
    JobOrderCommand,
    LoadJobOrder,
    MoveJobOrder,
    PauseJobOrder,
    Remainder,
    ReportFrom,
    ReportQuantity,
    ResumeJobOrder,
    Scrapped,
    SplitJobOrder,
    StopJobOrder,
    UpdateJobOrder,
    WorkCommand,
)
from mes_engine.core.samples import Report

__all__ = [
    "KEPT",
    "AbortJobOrder",
    "Answer",
    "ApplyPlant",
    "AssertTrigger",
    "AssignProduction",
    "BeginJobOrder",
    "BookLabour",
    "CallMachine",
    "CancelWorkRequest",
    "ChangeOver",
    "ChangeWorkRequest",
    "CheckSignals",
    "CheckTimeWindows",
    "ChooseAlternative",
    "ClearJobOrder",
    "ClosePeriod",
    "CloseWorkRequest",
    "Command",
    "Commanded",
    "ConsumeMaterial",
    "CountedPieces",
    "CreateWorkRequest",
    "DeviateLot",
    "DismissProduction",
    "DispatchWorkUnit",
    "ExpireQualifications",
    "GrantQualification",
    "JobOrderCommand",
    "LoadCarrier",
    "LoadJobOrder",
    "LoadTogether",
    "MergeLots",
    "Message",
    "MountTool",
    "MoveCarrier",
    "MoveJobOrder",
    "MoveStock",
    "OpenHold",
    "Outcome",
    "PackCarrier",
    "PauseJobOrder",
    "ReceiveMaterial",
    "RecordAcknowledgement",
    "RecordMachineCall",
    "RecordMachineJob",
    "RecordMeasurement",
    "RecordPosting",
    "RegisterAsset",
    "RegisterCarrier",
    "RegisterPerson",
    "ReleaseDocument",
    "ReleaseHold",
    "ReleasePosting",
    "ReleaseRouting",
    "ReleaseWorkRequest",
    "Remainder",
    "ReopenPeriod",
    "ReportFrom",
    "ReportQuantity",
    "ResumeJobOrder",
    "RetryPosting",
    "ReturnTool",
    "ReverseBooking",
    "ReverseRegrouping",
    "RevokeQualification",
    "ReworkFrom",
    "Scrapped",
    "SendToRework",
    "Sensed",
    "SerialiseLot",
    "ShipCarrier",
    "ShipLot",
    "SignOffPerson",
    "SignOnPerson",
    "SkipStep",
    "SplitJobOrder",
    "SplitLot",
    "StopJobOrder",
    "UnmountTool",
    "UnpackCarrier",
    "UpdateJobOrder",
    "VoidMeasurement",
    "WaivePosting",
    "WaiveTimeWindow",
    "WithdrawDocument",
    "WithdrawRouting",
    "WithdrawTool",
]

Command = (
    MasterCommand
    | RequestsCommand
    | WorkCommand
    | JobControlCommand
    | WaysCommand
    | FloorCommand
    | LabourCommand
    | MaterialCommand
    | LotsCommand
    | MeansCommand
    | PostingCommand
    | WindowsCommand
    | CorrectionsCommand
    | PeriodsCommand
    | MeasuredCommand
    | SerialsCommand
    | SignalsCommand
    | MachineCallsCommand
    | CarriersCommand
)


class Commanded(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way in.

    Attributes:
        origin: Whose key it is: an authenticated client, a module, the relay.
        key: The same message, sent again, has the same; a scope of its origin.
        digest: Of route, person and the sender's body; another one under the same key
            is refused. Not of what we added.
        at: When it happened, by the sender's word; else when it came in.
    """

    origin: str
    key: str
    digest: str
    person: str
    at: int
    command: Command


class Sensed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a link heard, numbered by (source, epoch, n).

    Attributes:
        epoch: Grows with each life of the source's numbering.
        n: Counts within the epoch, from 1.
    """

    source: str
    epoch: int
    n: int
    report: Report


Message = Commanded | Sensed


class Outcome(StrEnum):
    """What became of a command."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    KEY_REUSED = "key_reused"
    MALFORMED = "malformed"
    NOT_FOUND = "not_found"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's answer: the same for every delivery of the same message.

    Attributes:
        result: Ids and states that the command led to, by name.
        unmet: The conditions that do not hold, as ``name: why``.
        allowed: The triggers that would have been accepted.
        seq: The last fact of it: a reader that has seen this seq sees its effects.
    """

    outcome: Outcome
    result: dict[str, str] = {}
    message: str = ""
    hint: str = ""
    unmet: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    seq: int = 0


KEPT = frozenset({Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_FOUND})
"""The outcomes that are kept under their key; a malformed command may be mended."""
