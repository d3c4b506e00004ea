"""Reads for pages and consumers: the journal, and what follows from it.

All of them are plain functions on a connection, for ``Database.read`` (or inside a
``write``), and return the core's own values.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    func,
    literal_column,
    select,
)

from mes_engine.core.dispatching import DispatchDecision
from mes_engine.core.facts import Recorded, decoded
from mes_engine.core.lots import GenealogyEdge
from mes_engine.core.postings import SETTLED, Posting, PostingState
from mes_engine.core.production import UnassignedProduction
from mes_engine.core.wip_ledger import Move, Position
from mes_engine.storage import tables as t
from mes_engine.storage.chain import GENESIS, Head
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import sql, string
from mes_engine.storage.tables.material import IS_UNSETTLED

MAIN = "main"
SET_ASIDE = "message_set_aside"

# The index is named: SQLite, not knowing better, would rather read the whole journal.
_OF_CAUSES = sql(
    "SELECT * FROM fact INDEXED BY ix_fact_partition_cause "
    "WHERE partition = :partition "
    "AND cause IN (SELECT wanted.value FROM json_each(:causes) AS wanted)"
).columns(*t.fact.c)


def head(connection: Connection, partition: str = MAIN) -> int:
    """Return the seq of the last fact; 0 if there is none."""
    last = select(func.max(t.fact.c.seq)).where(t.fact.c.partition == partition)
    return connection.execute(last).scalar_one() or 0


def chain_head(
    connection: Connection, partition: str = MAIN, *, upto: int | None = None
) -> Head:
    """Return where the chain of the journal ends, or where it did up to a fact."""
    link = t.chain_link.c
    query = (
        select(link.seq, link.digest, link.anchors)
        .where(link.partition == partition)
        .order_by(link.seq.desc())
        .limit(1)
    )
    if upto is not None:
        query = query.where(link.seq <= upto)
    row = connection.execute(query).first()
    return GENESIS if row is None else Head(*row)


def facts_after(
    connection: Connection,
    partition: str,
    seq: int,
    limit: int,
    types: Collection[str] | None = None,
) -> list[Recorded]:
    """Return up to ``limit`` facts after ``seq``, in order.

    Args:
        connection: Where to read.
        partition: Whose journal.
        seq: The last fact that the reader has.
        limit: How many at most.
        types: Only facts of these names, such as ``job_order_moved``.
    """
    conditions = [t.fact.c.seq > seq]
    if types is not None:
        conditions.append(t.fact.c.type.in_(sorted(types)))
    return _facts(connection, partition, conditions, limit)


def facts_of_cause(
    connection: Connection, partition: str, cause: str
) -> list[Recorded]:
    """Return what one message did: ``origin:key``, or ``source/epoch/n``."""
    return facts_of_causes(connection, partition, [cause]).get(cause, [])


def facts_of_causes(
    connection: Connection, partition: str, causes: Collection[str]
) -> dict[str, list[Recorded]]:
    """Return what each of these messages did, by cause and in order."""
    asked = {"partition": partition, "causes": json.dumps(sorted(causes))}
    found: dict[str, list[Recorded]] = {}
    for row in sorted(connection.execute(_OF_CAUSES, asked), key=attrgetter("seq")):
        found.setdefault(row.cause, []).append(recorded(row))
    return found


def fact_at(connection: Connection, partition: str, seq: int) -> Recorded | None:
    """Return the fact with this number; None if there is none."""
    found = _facts(connection, partition, [t.fact.c.seq == seq])
    return found[0] if found else None


def set_aside(
    connection: Connection, partition: str, *, after: int = 0, limit: int = 100
) -> list[Recorded]:
    """Return the messages that could not be handled, in order."""
    is_one = t.fact.c.type == SET_ASIDE
    return _facts(connection, partition, [is_one, t.fact.c.seq > after], limit)


def moves(
    connection: Connection,
    partition: str,
    *,
    request: str | None = None,
    lot: str | None = None,
    job_order: str | None = None,
    after: int = 0,
    limit: int = 1_000,
) -> list[Move]:
    """Return the ledger's moves after fact ``after``, in order."""
    wanted = {"request": request, "lot": lot, "job_order": job_order}
    conditions = [*_equal("move", wanted), t.move.c.seq > after]
    return _values(
        connection, "move", partition, conditions, order=[t.move.c.seq], limit=limit
    )


def positions(
    connection: Connection,
    partition: str,
    *,
    request: str | None = None,
    lot: str | None = None,
    material: str | None = None,
) -> list[Position]:
    """Return where the pieces are, by lot and place."""
    wanted = {"request": request, "lot": lot, "material": material}
    order = [t.position.c.lot, t.position.c.place]
    return _values(
        connection, "position", partition, _equal("position", wanted), order=order
    )


def postings(
    connection: Connection,
    partition: str,
    *,
    states: Iterable[PostingState] | None = None,
    stream: str | None = None,
    limit: int = 1_000,
) -> list[Posting]:
    """Return postings, by stream and number."""
    conditions = _equal("posting", {"stream": stream})
    if states is not None:
        wanted = list(states)
        conditions.append(t.posting.c.state.in_(wanted))
        if not SETTLED.intersection(wanted):
            conditions.append(literal_column(IS_UNSETTLED))  # for its small index
    order = [t.posting.c.stream, t.posting.c.stream_seq]
    return _values(
        connection, "posting", partition, conditions, order=order, limit=limit
    )


def unassigned_production(
    connection: Connection,
    partition: str,
    *,
    work_unit: str | None = None,
    limit: int = 100,
) -> list[UnassignedProduction]:
    """Return what was counted and is on no job order, the newest first."""
    conditions = _equal("unassigned_production", {"work_unit": work_unit})
    order = [t.unassigned_production.c.seq.desc()]
    return _values(
        connection,
        "unassigned_production",
        partition,
        conditions,
        order=order,
        limit=limit,
    )


def dispatch_decisions(
    connection: Connection,
    partition: str,
    *,
    work_unit: str | None = None,
    limit: int = 100,
) -> list[DispatchDecision]:
    """Return what was dispatched to a work unit, and why; the newest first."""
    conditions = _equal("dispatch_decision", {"work_unit": work_unit})
    order = [t.dispatch_decision.c.seq.desc()]
    return _values(
        connection, "dispatch_decision", partition, conditions, order=order, limit=limit
    )


def one(connection: Connection, table: str, partition: str, *key: Any) -> Any:
    """Return what ``table`` has under ``key``, live or long over; None if nothing.

    Args:
        connection: Where to read.
        table: A table of the state, such as ``job_order``.
        partition: Whose.
        key: The values of its key.
    """
    wanted = dict(zip(CODECS[table].keys, key, strict=True))
    found = _values(connection, table, partition, _equal(table, wanted))
    return found[0] if found else None


def origins(connection: Connection, partition: str, lot: str) -> list[GenealogyEdge]:
    """Return every edge by which anything came into ``lot``, at whatever remove."""
    return origins_of(connection, partition, _only(partition, lot))


def origins_of(
    connection: Connection, partition: str, start: Select[str, str]
) -> list[GenealogyEdge]:
    """Return every edge by which anything came into several lots, as ``uses_of``."""
    edge = t.genealogy_edge.c
    return _reached(connection, partition, start, edge.target, edge.source)


def uses(connection: Connection, partition: str, lot: str) -> list[GenealogyEdge]:
    """Return every edge by which anything of ``lot`` went on, at whatever remove."""
    return uses_of(connection, partition, _only(partition, lot))


def uses_of(
    connection: Connection, partition: str, start: Select[str, str]
) -> list[GenealogyEdge]:
    """Return every edge by which anything of several lots went on.

    Args:
        connection: Where to read.
        partition: Whose.
        start: Selects the ``partition`` and the ``lot`` of each.
    """
    edge = t.genealogy_edge.c
    return _reached(connection, partition, start, edge.source, edge.target)


def _only(partition: str, lot: str) -> Select[str, str]:
    # With the partition in it, SQLite begins with what is reached, not with all edges.
    return select(string(partition).label("partition"), string(lot).label("lot"))


def _reached(
    connection: Connection,
    partition: str,
    start: Select[str, str],
    near: ColumnElement[str],
    far: ColumnElement[str],
) -> list[GenealogyEdge]:
    reached = start.cte("reached", recursive=True)
    edge = t.genealogy_edge.c
    further = select(reached.c.partition, far).where(
        edge.partition == reached.c.partition, near == reached.c.lot, _stands()
    )
    reached = reached.union(further)
    edges: list[GenealogyEdge] = _values(
        connection, "genealogy_edge", partition, [near.in_(select(reached.c.lot))]
    )
    # Sorted here: asked to, SQLite would rather read every edge in order.
    return sorted(_standing(edges), key=lambda edge: edge.seq)


def _stands() -> ColumnElement[bool]:
    """Return the condition that an edge is none of a reversal, nor all reversed."""
    edge, back = t.genealogy_edge.c, t.genealogy_edge.alias("back").c
    given_back = (
        select(func.coalesce(func.sum(back.quantity), 0))
        .where(back.partition == edge.partition, back.reverses == edge.seq)
        .scalar_subquery()
    )
    return edge.reverses.is_(None) & (edge.quantity > given_back)


def _standing(edges: Iterable[GenealogyEdge]) -> list[GenealogyEdge]:
    """Return edges less what was given back of them."""
    standing: dict[int, GenealogyEdge] = {}
    for edge in sorted(edges, key=lambda one: one.seq):
        if edge.reverses is None:
            standing[edge.seq] = edge
        else:
            before = standing[edge.reverses]
            left = before.quantity - edge.quantity
            standing[before.seq] = msgspec.structs.replace(before, quantity=left)
    return [edge for edge in standing.values() if edge.quantity]


def _facts(
    connection: Connection,
    partition: str,
    conditions: Iterable[ColumnElement[bool]],
    limit: int | None = None,
) -> list[Recorded]:
    query = (
        select(t.fact)
        .where(t.fact.c.partition == partition, *conditions)
        .order_by(t.fact.c.seq)
        .limit(limit)
    )
    return [recorded(row) for row in connection.execute(query)]


def recorded(row: Row[Any]) -> Recorded:
    """Return the fact that a row of the journal holds, in today's version."""
    return Recorded(
        partition=row.partition,
        seq=row.seq,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        cause=row.cause,
        person=row.person,
        fact=decoded(row.body, version=row.version),
    )


def _equal(table: str, wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    columns = t.PROJECTIONS[table].c
    return [
        columns[name] == value for name, value in wanted.items() if value is not None
    ]


def _values(
    connection: Connection,
    table: str,
    partition: str,
    conditions: Iterable[ColumnElement[bool]],
    *,
    order: Sequence[ColumnElement[Any]] = (),
    limit: int | None = None,
) -> list[Any]:
    codec = CODECS[table]
    query = codec.query(partition).where(*conditions).order_by(*order).limit(limit)
    return codec.values(connection.execute(query))
