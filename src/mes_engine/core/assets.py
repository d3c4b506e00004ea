"""Physical assets: tools, moulds, fixtures and gauges, each with its serial number.

A step names the classes that it needs. A run claims one asset of each, alone, for as
long as it lasts; what is worked meanwhile counts on their lives.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.quantity import ZERO


class AssetState(StrEnum):
    """Whether an asset may be worked with."""

    AVAILABLE = "available"
    WORN = "worn"
    IN_CALIBRATION = "in_calibration"
    WITHDRAWN = "withdrawn"


class LifeUnit(StrEnum):
    """What the life of an asset is counted in."""

    NONE = "none"
    PIECES = "pieces"
    USES = "uses"


class PhysicalAsset(msgspec.Struct, frozen=True, kw_only=True):
    """A thing with a serial number that is worked with, and not consumed.

    Attributes:
        crib: Where it is kept while it is mounted nowhere.
        life: How many pieces or uses it lasts; says nothing with ``LifeUnit.NONE``.
        used: How many of them are behind it.
        work_unit: Where it is mounted; None in the crib.
        run: The run that has claimed it.
        reason: Why it is in its state.
        renewed: The fact by which its life began anew; 0 if it never did.
    """

    id: str
    asset_class: str
    name: str
    crib: str
    life_unit: LifeUnit = LifeUnit.NONE
    life: Decimal = ZERO
    used: Decimal = ZERO
    state: AssetState = AssetState.AVAILABLE
    work_unit: str | None = None
    run: str | None = None
    reason: str = ""
    renewed: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left of its life."""
        return self.life_unit is not LifeUnit.NONE and self.used >= self.life

    @property
    def is_usable(self) -> bool:
        """Whether it may be worked with at all, whoever has it."""
        return self.state is AssetState.AVAILABLE and not self.is_used_up

    @property
    def told(self) -> str:
        """Say what speaks against working with it; empty if nothing does."""
        if self.state is not AssetState.AVAILABLE:
            why = f" ({self.reason})" if self.reason else ""
            return f"{self.id} is {self.state.replace('_', ' ')}{why}"
        if self.is_used_up:
            return f"{self.id} has worked {self.used} of {self.life} {self.life_unit}"
        return ""


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """That a run had a tool, from when to when.

    Attributes:
        seq: The fact by which it got it, and ``freed_seq`` the one by which it let go:
            what was booked in between was worked with it.
        job_orders: Those that were in the run when it got the tool.
        freed_at: None as long as it has it.
    """

    seq: int
    asset: str
    asset_class: str
    run: str
    work_unit: str
    job_orders: tuple[str, ...]
    claimed_at: int
    freed_at: int | None = None
    freed_seq: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether the run has the tool still."""
        return self.freed_at is None
