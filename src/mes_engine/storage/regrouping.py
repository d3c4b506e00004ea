"""How a lot came to be by a split or a merge, read from the journal."""

import msgspec
from sqlalchemy import Connection, or_

from mes_engine.core import facts as f
from mes_engine.core.lots import EdgeKind, GenealogyEdge
from mes_engine.core.wip_ledger import Move
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.journal import fact_at, facts_of_cause

REGROUPED = frozenset({EdgeKind.SPLIT, EdgeKind.MERGED})


class Regrouping(msgspec.Struct, frozen=True, kw_only=True):
    """How a lot came to be, and what became of it.

    Attributes:
        moves: By which pieces came to it from the other lots.
        edges: All that lead to it; ``uses``, all from it.
    """

    moves: tuple[Move, ...]
    edges: tuple[GenealogyEdge, ...]
    uses: tuple[GenealogyEdge, ...]


def regrouping_of(connection: Connection, partition: str, lot: str) -> Regrouping:
    """Return how ``lot`` came to be; without moves if by no split and no merge."""
    codec, edge = CODECS["genealogy_edge"], t.genealogy_edge.c
    query = codec.query(partition).where(or_(edge.source == lot, edge.target == lot))
    found: list[GenealogyEdge] = codec.values(connection.execute(query))
    found.sort(key=lambda one: one.seq)
    edges = [one for one in found if one.target == lot]
    came = [one for one in edges if one.kind in REGROUPED and one.reverses is None]
    return Regrouping(
        moves=_moves_to(connection, partition, lot, came[0]) if came else (),
        edges=tuple(edges),
        uses=tuple(one for one in found if one.source == lot),
    )


def _moves_to(
    connection: Connection, partition: str, lot: str, edge: GenealogyEdge
) -> tuple[Move, ...]:
    """Return the moves of the message that wrote an edge by which pieces came to it."""
    recorded = fact_at(connection, partition, edge.seq)
    if recorded is None:
        return ()
    facts = (one.fact for one in facts_of_cause(connection, partition, recorded.cause))
    return tuple(
        fact.move
        for fact in facts
        if isinstance(fact, f.QuantityMoved)
        and fact.move.to_lot == lot
        and fact.move.reverses is None
    )
