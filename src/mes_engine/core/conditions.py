"""Named conditions: does it hold, why not, and who can mend it."""

from enum import StrEnum

import msgspec


class ConditionName(StrEnum):
    """The conditions of readiness, and the guards that a trigger may name."""

    UPSTREAM_QUANTITY = "upstream_quantity"
    MATERIAL_AVAILABLE = "material_available"
    EQUIPMENT_AVAILABLE = "equipment_available"
    TOOL_AVAILABLE = "tool_available"
    PERSON_QUALIFIED = "person_qualified"
    DOCUMENT_RELEASED = "document_released"
    NO_HOLD = "no_hold"
    REQUEST_RELEASED = "request_released"
    TIME_WINDOW_OPEN = "time_window_open"
    WIP_LIMIT = "wip_limit"
    ROUTING_EFFECTIVE = "routing_effective"
    LOT_NOT_HELD = "lot_not_held"
    LANE_FREE = "lane_free"
    CLAIM_HELD = "claim_held"
    QUANTITY_ACCOUNTED = "quantity_accounted"
    NOTHING_EXPECTED = "nothing_expected"
    NOTHING_BOOKED = "nothing_booked"
    NOT_LOADED_WITH_MATERIAL = "not_loaded_with_material"
    POSTING_SETTLED = "posting_settled"
    REQUIRED_DATA = "required_data"
    WAY_DECIDED = "way_decided"
    WORK_UNIT_SUITABLE = "work_unit_suitable"
    BATCH_COMPATIBLE = "batch_compatible"
    BATCH_CAPACITY = "batch_capacity"
    BATCH_COMPLETE = "batch_complete"


READINESS = (
    ConditionName.UPSTREAM_QUANTITY,
    ConditionName.MATERIAL_AVAILABLE,
    ConditionName.EQUIPMENT_AVAILABLE,
    ConditionName.TOOL_AVAILABLE,
    ConditionName.PERSON_QUALIFIED,
    ConditionName.DOCUMENT_RELEASED,
    ConditionName.NO_HOLD,
    ConditionName.REQUEST_RELEASED,
    ConditionName.TIME_WINDOW_OPEN,
    ConditionName.WIP_LIMIT,
)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One named condition of one thing.

    Attributes:
        why: One sentence that names the things involved.
        mender: Who can make it hold.
    """

    name: ConditionName
    is_met: bool
    why: str
    mender: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"
