"""What a server has kept of the messages that it told (OPC UA Part 11, events)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.history import AHEAD_US, PAGE
from mes_adapters.opcua.mapping import to_datetime
from mes_adapters.opcua.messages import FoundEvent, filter_of

MOST_EVENTS = 50_000
"""What comes back is held in memory."""

Columns = Sequence[ua.Variant]


@dataclass(slots=True)
class PastEvents:
    """Messages from a time on, oldest first.

    Attributes:
        is_whole: Not cut short by us or by the server.
    """

    events: list[Columns] = field(default_factory=list)
    is_whole: bool = True


async def read_past_events(
    connection: Connection,
    found: FoundEvent,
    severity_min: int | None,
    since: int,
    *,
    now: int,
    is_of_all: bool,
    log: BoundLogger,
) -> PastEvents | None:
    """Return the messages from ``since`` on; None if the server has none to give.

    Args:
        connection: To the server.
        found: The kind of messages.
        severity_min: Less severe ones are left out.
        since: From when on, by the server's clock; ``now`` likewise.
        now: Until when.
        is_of_all: The server does not choose: all of the notifier's are returned.
        log: Where a refusal is told.
    """
    details = ua.ReadEventDetails(
        NumValuesPerNode=ua.UInt32(PAGE),
        StartTime=to_datetime(since),
        EndTime=to_datetime(max(now, since) + AHEAD_US),
        Filter=filter_of(found, severity_min, is_past=True, is_of_all=is_of_all),
    )
    past = PastEvents()
    point: bytes | None = None
    while True:
        params = ua.HistoryReadParameters(
            HistoryReadDetails=details,
            TimestampsToReturn=ua.TimestampsToReturn.Both,
            ReleaseContinuationPoints=False,
            NodesToRead=[
                ua.HistoryReadValueId(
                    NodeId=found.notifier, IndexRange="", ContinuationPoint=point
                )
            ],
        )
        try:
            (result,) = await connection.session.history_read(params)
        except ua.UaStatusCodeError as error:
            log.warning("opcua_event_history_refused", reason=str(error))
            return None
        if result.StatusCode.is_bad():
            name = result.StatusCode.name
            log.warning("opcua_event_history_refused", reason=name)
            if not past.events:
                return None
            past.is_whole = False
            return past
        past.events += _page(result.HistoryData)
        before, point = point, result.ContinuationPoint
        if not point:
            return past
        if len(past.events) >= MOST_EVENTS or point == before:
            past.is_whole = False
            return past


def _page(data: object) -> list[Columns]:
    return [one.EventFields for one in getattr(data, "Events", None) or ()]
