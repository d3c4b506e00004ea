"""Carriers and what is, or was, in them, read from their rows."""

import json
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from mes_engine.core.carriers import (
    AggregationAction,
    AggregationEvent,
    Carrier,
    ContentKind,
)
from mes_engine.core.lots import MaterialLot
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import sql
from mes_engine.storage.journal import one

_COLUMNS = ", ".join(
    f"aggregation_event.{name}" for name in CODECS["aggregation_event"].columns
)
_OF_CONTENTS = sql(
    f"SELECT {_COLUMNS} FROM json_each(:names) AS wanted "  # noqa: S608 - ours
    "CROSS JOIN aggregation_event "
    "INDEXED BY ix_aggregation_event_partition_content_seq "
    "ON aggregation_event.partition = :partition "
    "AND aggregation_event.content = wanted.value"
)


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a carrier now, or was when it was shipped.

    Attributes:
        carriers: Within it, at whatever depth, each with the one that it is in.
        lots: Likewise, by the carrier that each is directly in.
    """

    carriers: list[tuple[str, Carrier]]
    lots: list[tuple[str, MaterialLot]]


def events_of_contents(
    connection: Connection, partition: str, names: Sequence[str]
) -> list[AggregationEvent]:
    """Return what went in and out of carriers of these lots and carriers, in order."""
    asked = {"names": json.dumps(list(names)), "partition": partition}
    found: list[AggregationEvent] = CODECS["aggregation_event"].values(
        connection.execute(_OF_CONTENTS, asked)
    )
    return sorted(found, key=lambda event: event.seq)


def events_of_carrier(
    connection: Connection, partition: str, carrier: str, *, limit: int | None = None
) -> list[AggregationEvent]:
    """Return what went in and out of a carrier, the newest first."""
    codec, event = CODECS["aggregation_event"], t.aggregation_event.c
    query = codec.query(partition).where(event.carrier == carrier)
    rows = connection.execute(query.order_by(event.seq.desc()).limit(limit))
    return codec.values(rows)


def inside(connection: Connection, partition: str, carrier: Carrier) -> Inside:
    """Return what is in a carrier, or left the plant in it the last time."""
    found = Inside(carriers=[], lots=[])
    left = [carrier]
    while left:
        at = left.pop(0)
        for kind, name in _contents(connection, partition, at, is_gone=carrier):
            if kind is ContentKind.LOT:
                found.lots.append((at.id, one(connection, "lot", partition, name)))
            else:
                within: Carrier = one(connection, "carrier", partition, name)
                found.carriers.append((at.id, within))
                left.append(within)
    return found


def _contents(
    connection: Connection, partition: str, carrier: Carrier, *, is_gone: Carrier
) -> list[tuple[ContentKind, str]]:
    """Return what is directly in a carrier now; or was, when all of it was shipped."""
    if not is_gone.is_shipped:
        found = []
        for kind, table in (
            (ContentKind.LOT, t.lot),
            (ContentKind.CARRIER, t.carrier),
        ):
            column = table.c.number if kind is ContentKind.LOT else table.c.id
            query = CODECS[table.name].query(partition)
            values = CODECS[table.name].values(
                connection.execute(
                    query.where(table.c.carrier == carrier.id).order_by(column)
                )
            )
            found += [(kind, value.id) for value in values]
        return found
    events = events_of_carrier(connection, partition, carrier.id)
    shipped = [one for one in events if one.action is AggregationAction.SHIP]
    last = max((one.at for one in shipped), default=0)
    return [(one.kind, one.content) for one in reversed(shipped) if one.at == last]
