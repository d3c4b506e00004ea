"""Choose among messages what a server was to choose, where it does not."""

from collections.abc import Sequence

from asyncua import ua

from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.events.finding import derived_from
from mes_adapters.opcua.messages import (
    ABOUT_CONDITIONS,
    OVERFLOWED,
    FoundEvent,
    severity_of,
    type_of,
)

FILTER_REFUSALS = frozenset(
    {
        ua.StatusCodes.BadContentFilterInvalid,
        ua.StatusCodes.BadEventFilterInvalid,
        ua.StatusCodes.BadFilterElementInvalid,
        ua.StatusCodes.BadFilterLiteralInvalid,
        ua.StatusCodes.BadFilterNotAllowed,
        ua.StatusCodes.BadFilterOperandCountMismatch,
        ua.StatusCodes.BadFilterOperandInvalid,
        ua.StatusCodes.BadFilterOperatorInvalid,
        ua.StatusCodes.BadFilterOperatorUnsupported,
        ua.StatusCodes.BadMonitoredItemFilterInvalid,
        ua.StatusCodes.BadMonitoredItemFilterUnsupported,
        ua.StatusCodes.BadNotSupported,
    }
)
"""How servers say that they do not filter so. Whether they take it without is tried."""


class Choosing:
    """What types are derived from which, asked once of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._types: dict[ua.NodeId, list[ua.NodeId]] = {}

    async def is_wanted(
        self, found: FoundEvent, severity_min: int | None, values: Sequence[ua.Variant]
    ) -> bool:
        """Whether a message is what the filter would have let pass."""
        kind = type_of(values)
        if not isinstance(kind, ua.NodeId):
            return False
        if kind == OVERFLOWED or kind in ABOUT_CONDITIONS:
            return found.is_condition or kind == OVERFLOWED
        if severity_min is not None and severity_of(values) < severity_min:
            return False
        if kind not in self._types:
            self._types[kind] = await derived_from(self._connection, kind) or []
        return found.type_id in self._types[kind]
