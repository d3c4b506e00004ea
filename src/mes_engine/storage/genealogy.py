"""Genealogy: what a lot came of and went into, with the work on the way; recalls.

Edges that were taken back, and what was taken back of them, do not count.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    literal,
    literal_column,
    select,
)

from mes_engine.core.carriers import AggregationAction, AggregationEvent, Carrier
from mes_engine.core.lots import EdgeKind, GenealogyEdge, MaterialLot
from mes_engine.core.quantity import ZERO
from mes_engine.core.wip_ledger import Bucket, Move, Position
from mes_engine.storage import tables as t
from mes_engine.storage.carriers import events_of_contents, inside
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import Listed, sql, string
from mes_engine.storage.journal import origins, origins_of, uses, uses_of
from mes_engine.storage.measurements import Told, measurements_of_lots
from mes_engine.storage.tables.material import IS_BOUGHT
from mes_engine.storage.tool_uses import Tooled, lots_worked_with, tools_of_lots

MOST_LOTS = 10_000
"""How many lots are looked up; a genealogy of more is told without the rest."""


class Direction(StrEnum):
    """Which way a genealogy is followed."""

    BACKWARD = "backward"
    FORWARD = "forward"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An edge, and at which remove it was come to: 1 touches the lot asked for."""

    depth: int
    edge: GenealogyEdge


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Who worked on a lot, by which job order, where and when.

    Attributes:
        began_at: Of its first move there, in microseconds of UTC; ``ended_at`` of the
            last.
    """

    lot: str
    job_order: str
    work_request: str
    step: str
    work_center: str
    work_unit: str | None
    person: str
    began_at: int
    ended_at: int


class Genealogy(msgspec.Struct, frozen=True, kw_only=True):
    """What a lot came of, or went into; or all that is in a carrier.

    Attributes:
        lot: That was asked for, or the carrier; ``holds`` is what is in that.
        lots: All of them, the one asked for among them, by their numbers.
        measurements: What was measured of any of them, voided or not, in order.
        tools: With what any of them was worked.
        packing: What carriers any of them went into, and out of.
        is_cut: Whether there are more, further away than was asked or is looked up.
    """

    lot: str
    direction: Direction
    steps: list[Step]
    lots: list[MaterialLot]
    work: list[Work]
    measurements: list[Told]
    tools: list[Tooled]
    packing: list[AggregationEvent]
    is_cut: bool
    holds: list[str] = []


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """A lot that a recall speaks of, and where its pieces are.

    Attributes:
        depth: At which remove from what is recalled; 0 is that itself.
        shipments: The moves by which it left the plant.
        shipped_in: The carriers in which it did, if in any.
    """

    lot: MaterialLot
    depth: int
    on_floor: Decimal
    in_stock: Decimal
    shipped: Decimal
    shipments: list[Move]
    shipped_in: list[AggregationEvent]


def genealogy(
    connection: Connection,
    partition: str,
    lot: str,
    direction: Direction,
    *,
    depth: int | None = None,
) -> Genealogy:
    """Return what ``lot`` came of, or went into, up to ``depth`` removes away."""
    find = origins if direction is Direction.BACKWARD else uses
    edges = find(connection, partition, lot)
    start = {lot: [lot]}
    return _told(connection, partition, start, edges, direction=direction, depth=depth)


def genealogy_of_carrier(
    connection: Connection,
    partition: str,
    carrier: Carrier,
    direction: Direction,
    *,
    depth: int | None = None,
) -> Genealogy:
    """Return what the lots in a carrier came of, or went into; as one genealogy.

    Of one that was shipped, those that left the plant in it.
    """
    within = inside(connection, partition, carrier)
    lots = [lot.id for _, lot in within.lots]
    find = origins_of if direction is Direction.BACKWARD else uses_of
    edges = find(connection, partition, _each(partition, lots))
    start = {carrier.id: lots}
    told = _told(connection, partition, start, edges, direction=direction, depth=depth)
    held = [*(one.id for _, one in within.carriers), *lots]
    names = [carrier.id, *held, *(one.id for one in told.lots)]
    packing = events_of_contents(connection, partition, list(dict.fromkeys(names)))
    return msgspec.structs.replace(told, holds=held, packing=packing)


def _told(
    connection: Connection,
    partition: str,
    asked: Mapping[str, Sequence[str]],
    edges: Iterable[GenealogyEdge],
    *,
    direction: Direction,
    depth: int | None,
) -> Genealogy:
    [(name, start)] = asked.items()
    steps = _by_depth(edges, start, direction)
    near = [one for one in steps if depth is None or one.depth <= depth]
    names = dict.fromkeys(start)
    for one in near:
        names.update(dict.fromkeys((one.edge.source, one.edge.target)))
    looked_up = list(names)[:MOST_LOTS]
    work = _work(connection, partition, looked_up)
    job_orders = sorted({one.job_order for one in work})
    return Genealogy(
        lot=name,
        direction=direction,
        steps=near,
        lots=_lots(connection, partition, looked_up),
        work=work,
        measurements=measurements_of_lots(connection, partition, looked_up, job_orders),
        tools=tools_of_lots(connection, partition, looked_up, job_orders),
        packing=events_of_contents(connection, partition, looked_up),
        is_cut=len(near) < len(steps) or len(looked_up) < len(names),
    )


def recall(
    connection: Connection,
    partition: str,
    *,
    supplier_lot: str,
    supplier: str | None = None,
) -> list[Affected]:
    """Return every lot that contains a supplier's lot, and itself, by number.

    What was damaged at work is in nothing, and leads nowhere.
    """
    lot = t.lot.c
    wanted: list[ColumnElement[bool]] = [
        lot.partition == partition,
        lot.supplier_lot == supplier_lot,
        literal_column(IS_BOUGHT),
    ]
    if supplier is not None:
        wanted.append(lot.supplier == supplier)
    found = list(connection.execute(select(lot.id).where(*wanted)).scalars())
    return _affected(connection, partition, found)


def recall_by_tool(
    connection: Connection,
    partition: str,
    *,
    tool: str,
    since: int | None = None,
    until: int | None = None,
) -> list[Affected]:
    """Return every lot that was worked with a tool, or contains such a one, by number.

    Args:
        connection: Where to read.
        partition: Whose.
        tool: Which.
        since: Only what was worked from then on, in microseconds of UTC.
        until: Only what was worked up to then.
    """
    found = lots_worked_with(connection, partition, tool, since=since, until=until)
    return _affected(connection, partition, found)


def _affected(
    connection: Connection, partition: str, found: Sequence[str]
) -> list[Affected]:
    """Return these lots and what they went into, and where their pieces are."""
    edges = uses_of(connection, partition, _each(partition, found))
    inside = [one for one in edges if one.kind is not EdgeKind.DAMAGED]
    depths = dict.fromkeys(found, 0)
    for one in _by_depth(inside, found, Direction.FORWARD):
        depths.setdefault(one.edge.target, one.depth)
    there = standing_of(connection, partition, list(depths), depths)
    return list(there.values())


def standing_of(
    connection: Connection,
    partition: str,
    names: Sequence[str],
    depths: Mapping[str, int] | None = None,
) -> dict[str, Affected]:
    """Return where the pieces of these lots are, and how they left; by number."""
    there: dict[str, list[Position]] = defaultdict(list)
    for position in _rows_of(connection, partition, "position", "lot", names):
        there[position.lot].append(position)
    sent = [name for name in names if any(one.shipped for one in there[name])]
    shipments = _shipments(connection, partition, sent)
    carried: dict[str, list[AggregationEvent]] = defaultdict(list)
    for event in events_of_contents(connection, partition, sent):
        if event.action is AggregationAction.SHIP:
            carried[event.content].append(event)
    return {
        one.id: Affected(
            lot=one,
            depth=0 if depths is None else depths[one.id],
            on_floor=sum((at.on_floor for at in there[one.id]), ZERO),
            in_stock=sum((at.stock for at in there[one.id]), ZERO),
            shipped=sum((at.shipped for at in there[one.id]), ZERO),
            shipments=shipments.get(one.id, []),
            shipped_in=carried.get(one.id, []),
        )
        for one in _lots(connection, partition, names)
    }


def _each(partition: str, lots: Sequence[str]) -> Select[str, str]:
    # With the partition in it, SQLite begins with what is reached, not with all edges.
    each = Listed(literal(json.dumps(list(lots)))).table_valued("value", name="each")
    return select(
        string(partition).label("partition"), string(each.c.value).label("lot")
    )


def _by_depth(
    edges: Iterable[GenealogyEdge], start: Sequence[str], direction: Direction
) -> list[Step]:
    """Return the edges that lead on from ``start``, the nearest first."""
    is_back = direction is Direction.BACKWARD
    leading: dict[str, list[GenealogyEdge]] = defaultdict(list)
    for edge in edges:
        leading[edge.target if is_back else edge.source].append(edge)
    found: list[Step] = []
    seen, frontier, depth = set(start), list(start), 0
    while frontier:
        depth += 1
        reached: dict[str, None] = {}
        for lot in frontier:
            for edge in leading.get(lot, ()):
                found.append(Step(depth=depth, edge=edge))
                reached[edge.source if is_back else edge.target] = None
        frontier = [lot for lot in reached if lot not in seen]
        seen.update(frontier)
    return found


def _lots(
    connection: Connection, partition: str, names: Sequence[str]
) -> list[MaterialLot]:
    lots: list[MaterialLot] = _rows_of(connection, partition, "lot", "id", names)
    return sorted(lots, key=lambda one: one.number)


def _rows_of(
    connection: Connection,
    partition: str,
    table: str,
    column: str,
    names: Sequence[str],
) -> list[Any]:
    codec = CODECS[table]
    columns = ", ".join(f"{table}.{name}" for name in codec.columns)
    query = sql(f"SELECT {columns} FROM {_wanted(table, column)}")  # noqa: S608 - ours
    asked = {"names": json.dumps(names), "partition": partition}
    return codec.values(connection.execute(query, asked))


def _wanted(table: str, column: str) -> str:
    # With CROSS JOIN, SQLite begins with what is wanted; and of moves it thinks so few
    # that it would read every one of them. SQLAlchemy does not tell SQLite any hint.
    hint = "INDEXED BY ix_move_partition_lot_seq" if table == "move" else ""
    return (
        f"json_each(:names) AS wanted CROSS JOIN {table} {hint} "
        f"ON {table}.partition = :partition AND {table}.{column} = wanted.value"
    )


def _shipments(
    connection: Connection, partition: str, names: Sequence[str]
) -> Mapping[str, list[Move]]:
    found: dict[str, list[Move]] = defaultdict(list)
    for one in _rows_of(connection, partition, "move", "lot", names):
        if one.to_bucket is Bucket.SHIPPED:
            found[one.lot].append(one)
    return found


_WORK = sql(
    "SELECT done.lot, job_order.id, job_order.request, job_order.step, "  # noqa: S608
    "job_order.work_center, run.work_unit, done.person, "
    "min(done.began_at), max(done.ended_at) FROM ("
    # Added up before they are joined: there is a move for each piece reported.
    "SELECT move.lot, move.job_order, move.run, move.person, "
    "min(move.at) AS began_at, max(move.at) AS ended_at "
    f"FROM {_wanted('move', 'lot')} "
    "GROUP BY move.lot, move.job_order, move.run, move.person) AS done "
    "CROSS JOIN job_order "
    "ON job_order.partition = :partition AND job_order.id = done.job_order "
    "LEFT JOIN run ON run.partition = :partition AND run.id = done.run "
    "GROUP BY done.lot, job_order.id, job_order.request, job_order.step, "
    "job_order.work_center, run.work_unit, done.person"
)


def _work(connection: Connection, partition: str, names: Sequence[str]) -> list[Work]:
    """Return the work on these lots: their moves, added up by job order and person."""
    asked = {"names": json.dumps(names), "partition": partition}
    found = [
        Work(
            lot=row[0],
            job_order=row[1],
            work_request=row[2],
            step=row[3],
            work_center=row[4],
            work_unit=row[5],
            person=row[6],
            began_at=row[7],
            ended_at=row[8],
        )
        for row in connection.execute(_WORK, asked)
    ]
    return sorted(found, key=lambda one: (one.began_at, one.job_order, one.lot))
