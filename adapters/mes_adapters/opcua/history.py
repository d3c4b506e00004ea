"""What an OPC UA server has kept of a tag's past (OPC UA Part 11, raw history)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asyncua import ua
from structlog.stdlib import BoundLogger

from mes_adapters.opcua.connection import Connection
from mes_adapters.opcua.mapping import in_chunks, to_datetime

BUCKET_US = 1_000_000
"""Tags that changed last within the same second are asked for together."""
PAGE = 1_000
MOST_VALUES = 200_000
"""Of all tags at once: what comes back is sorted in memory."""
AHEAD_US = 86_400_000_000
"""How far a device's clock may be ahead of ours."""


@dataclass(slots=True)
class Past:
    """The values of one tag from a time on, oldest first.

    Attributes:
        is_whole: Not cut short by us or by the server.
    """

    values: list[ua.DataValue] = field(default_factory=list)
    is_whole: bool = True


async def read_past(
    connection: Connection,
    nodes: Mapping[str, ua.NodeId],
    since: Mapping[str, int],
    *,
    now: int,
    log: BoundLogger,
) -> dict[str, Past]:
    """Return the values of ``nodes`` from the times of ``since`` on, inclusive.

    A tag of which the server keeps no history has no entry.
    """
    pasts: dict[str, Past] = {}
    room = MOST_VALUES
    buckets: dict[int, list[str]] = {}
    for tag in sorted(nodes):
        buckets.setdefault(since[tag] // BUCKET_US, []).append(tag)
    for _, tags in sorted(buckets.items()):
        for chunk in in_chunks(tags, connection.per_call["histories"]):
            start = min(since[tag] for tag in chunk)
            end = max(now, start) + AHEAD_US
            try:
                room -= await _read(
                    connection,
                    {tag: nodes[tag] for tag in chunk},
                    pasts,
                    start=start,
                    end=end,
                    room=room,
                )
            except ua.UaStatusCodeError as error:
                log.warning("opcua_history_refused", tags=chunk, reason=str(error))
    return pasts


async def _read(
    connection: Connection,
    nodes: Mapping[str, ua.NodeId],
    pasts: dict[str, Past],
    *,
    start: int,
    end: int,
    room: int,
) -> int:
    """Read page by page into ``pasts``; return how many values came."""
    count = 0
    points: dict[str, bytes | None] = dict.fromkeys(nodes)
    while points:
        asked = dict(points)
        results = await _page(connection, nodes, asked, start=start, end=end)
        points = {}
        for (tag, before), result in zip(asked.items(), results, strict=True):
            if result.StatusCode.is_bad():
                if tag in pasts:
                    pasts[tag].is_whole = False
                continue
            past = pasts.setdefault(tag, Past())
            page = getattr(result.HistoryData, "DataValues", None) or []
            past.values += page
            count += len(page)
            point = result.ContinuationPoint
            if not point:
                continue
            if count >= room or point == before:
                past.is_whole = False
            else:
                points[tag] = point
    return count


async def _page(
    connection: Connection,
    nodes: Mapping[str, ua.NodeId],
    points: Mapping[str, bytes | None],
    *,
    start: int,
    end: int,
) -> Sequence[ua.HistoryReadResult]:
    details = ua.ReadRawModifiedDetails()
    details.IsReadModified = False
    details.StartTime = to_datetime(start)
    details.EndTime = to_datetime(end)
    details.NumValuesPerNode = PAGE
    details.ReturnBounds = False
    params = ua.HistoryReadParameters()
    params.HistoryReadDetails = details
    params.TimestampsToReturn = ua.TimestampsToReturn.Both
    params.ReleaseContinuationPoints = False
    for tag, point in points.items():
        value = ua.HistoryReadValueId()
        value.NodeId = nodes[tag]
        value.IndexRange = ""
        value.ContinuationPoint = point
        params.NodesToRead.append(value)
    return await connection.session.history_read(params)
