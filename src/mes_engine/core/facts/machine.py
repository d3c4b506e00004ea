"""What machines said, and what was made of it."""

from decimal import Decimal

from mes_engine.core.equipment import Equipment
from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.production import MachineTally, UnassignedProduction
from mes_engine.core.samples import DataGap
from mes_engine.core.signals import CounterChange, SignalState


class EquipmentChanged(BaseFact, frozen=True, kw_only=True, tag="equipment_changed"):
    """A region of a work unit is another."""

    equipment: Equipment


class SignalRead(BaseFact, frozen=True, kw_only=True, tag="signal_read"):
    """A tag's value moved what is known of it; ``delta`` counts for a counter."""

    signal: SignalState
    change: CounterChange | None = None
    delta: int = 0


class GapSeen(BaseFact, frozen=True, kw_only=True, tag="gap_seen"):
    """Values of a tag were dropped by the device, or its value is bad."""

    tag: str
    reason: str
    at: int


class DataGapSeen(BaseFact, frozen=True, kw_only=True, tag="data_gap_seen"):
    """Values of a link may be missing, for a time; what came of them afterwards."""

    link: str
    gap: DataGap
    at: int


class MachineCounted(BaseFact, frozen=True, kw_only=True, tag="machine_counted"):
    """A counter's increase was booked or kept as unassigned; totals afterwards."""

    tally: MachineTally


class ProductionUnassigned(
    BaseFact, frozen=True, kw_only=True, tag="production_unassigned"
):
    """Counted pieces belong to no job order."""

    production: UnassignedProduction


class ProductionSettled(BaseFact, frozen=True, kw_only=True, tag="production_settled"):
    """A person said whose counted pieces are, or that they are nobody's.

    Attributes:
        production: As it is afterwards.
        assigned: How many of it were put on ``job_order`` by this.
        dismissed: How many were written off by this.
    """

    production: UnassignedProduction
    assigned: Decimal
    dismissed: Decimal
    job_order: str | None
    at: int
    person: str
    reason: str


MachineFact = (
    EquipmentChanged
    | SignalRead
    | GapSeen
    | DataGapSeen
    | MachineCounted
    | ProductionUnassigned
    | ProductionSettled
)
