"""What the engine needs from the world, as the engine would say it.

Implementations live in ``storage`` (the database), in ``modules`` (the embedded ledger)
and in ``mes_adapters`` (devices and other ERPs). An adapter package advertises one
:class:`AdapterSpec` under the entry-point group ``mes_engine.adapters``; nothing here
imports an implementation.
"""

from mes_engine.ports.adapters import (
    ENTRY_POINT_GROUP,
    AdapterSpec,
    BrowsedNode,
    PlanLine,
    Probe,
    ProbeLine,
    ServerSpec,
    Unfit,
)
from mes_engine.ports.engine import Changes, Floor, Submit
from mes_engine.ports.gateways import Downlink, GatewayView, Intake, Uplink
from mes_engine.ports.ledger import LedgerRefused, PeriodClosed, WorkCenterLedger
from mes_engine.ports.links import (
    Calls,
    Devices,
    Emit,
    JobAnswer,
    JobMachines,
    Link,
    MachineMethods,
    Pulse,
    ReadsTogether,
    Recalls,
    Resumes,
    RunsJobs,
    SeesPulses,
    TagGroup,
    WriteResult,
    Writes,
)
from mes_engine.ports.store import (
    CommitInDoubt,
    DuplicateKey,
    Fenced,
    StoreUnavailable,
    WipStore,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "AdapterSpec",
    "BrowsedNode",
    "Calls",
    "Changes",
    "CommitInDoubt",
    "Devices",
    "Downlink",
    "DuplicateKey",
    "Emit",
    "Fenced",
    "Floor",
    "GatewayView",
    "Intake",
    "JobAnswer",
    "JobMachines",
    "LedgerRefused",
    "Link",
    "MachineMethods",
    "PeriodClosed",
    "PlanLine",
    "Probe",
    "ProbeLine",
    "Pulse",
    "ReadsTogether",
    "Recalls",
    "Resumes",
    "RunsJobs",
    "SeesPulses",
    "ServerSpec",
    "StoreUnavailable",
    "Submit",
    "TagGroup",
    "Unfit",
    "Uplink",
    "WipStore",
    "WorkCenterLedger",
    "WriteResult",
    "Writes",
]
