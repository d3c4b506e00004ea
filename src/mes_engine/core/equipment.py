"""Equipment: regions that are stored, and states that are derived from them.

Regions are OPC 40001-1's; PackML's state words come in through a map. A lost link means
that the machine's state is unknown: never "down", and never "up".
"""

from enum import StrEnum

import msgspec

from mes_engine.core.samples import LinkState


class ItemState(StrEnum):
    """What the machine does (OPC 40001-1 MachineryItemState)."""

    NOT_AVAILABLE = "not_available"
    OUT_OF_SERVICE = "out_of_service"
    NOT_EXECUTING = "not_executing"
    EXECUTING = "executing"


class OperationMode(StrEnum):
    """What the machine is used for (OPC 40001-1 MachineryOperationMode)."""

    NONE = "none"
    MAINTENANCE = "maintenance"
    SETUP = "setup"
    PROCESSING = "processing"


class Equipment(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one work unit.

    Attributes:
        link: None for a work unit without signals: a bench.
        lost_at: When the link was last lost; 0 if never.
        item_state: The last that it said; None before it said anything.
        word: The state word behind ``item_state``.
        since: When ``item_state`` began, by the machine's time.
        setup: The setup family that it was last set up for; empty if none is known.
        mode: What it is used for, where it tells.
        map_version: Of the map that told ``item_state``; empty where it has none.
    """

    work_unit: str
    link: LinkState | None = None
    link_since: int = 0
    lost_at: int = 0
    item_state: ItemState | None = None
    word: str = ""
    since: int = 0
    setup: str = ""
    mode: OperationMode = OperationMode.NONE
    map_version: str = ""

    @property
    def effective(self) -> ItemState | None:
        """What it does, seen with its mode: under maintenance it does not produce.

        Nor does it while it is worked by hand, though it moves.
        """
        if self.item_state is not None and self.mode is OperationMode.MAINTENANCE:
            return ItemState.OUT_OF_SERVICE
        is_moving = self.item_state is ItemState.EXECUTING
        if is_moving and self.mode is OperationMode.SETUP:
            return ItemState.NOT_EXECUTING
        return self.item_state

    @property
    def shown(self) -> str:
        """The state to show: ``unknown`` where the link does not tell."""
        if self.link is None:
            return "manual"
        if self.link is not LinkState.CONNECTED or self.item_state is None:
            return "unknown"
        return (self.effective or self.item_state).value

    @property
    def is_out_of_service(self) -> bool:
        """Whether the machine itself, on a live link, says that it cannot be used."""
        return self.shown in {ItemState.OUT_OF_SERVICE, ItemState.NOT_AVAILABLE}


_EXECUTING = ItemState.EXECUTING.value
_IDLE = ItemState.NOT_EXECUTING.value
_OUT = ItemState.OUT_OF_SERVICE.value

PACKML: dict[str, str] = {
    "1": _OUT,  # Clearing
    "2": _IDLE,  # Stopped
    "3": _IDLE,  # Starting
    "4": _IDLE,  # Idle
    "5": _IDLE,  # Suspended
    "6": _EXECUTING,  # Execute
    "7": _IDLE,  # Stopping
    "8": _OUT,  # Aborting
    "9": _OUT,  # Aborted
    "10": _IDLE,  # Holding
    "11": _IDLE,  # Held
    "12": _IDLE,  # Unholding
    "13": _IDLE,  # Suspending
    "14": _IDLE,  # Unsuspending
    "15": _IDLE,  # Resetting
    "16": _EXECUTING,  # Completing
    "17": _IDLE,  # Complete
}
"""PackTags ``StateCurrent`` to item state, after ``domain.md``."""
