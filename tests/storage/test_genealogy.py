"""What a recall follows, and how far a genealogy is told."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from mes_engine.core.lots import EdgeKind, GenealogyEdge, MaterialLot
from mes_engine.storage.codec import CODECS
from mes_engine.storage.database import Database
from mes_engine.storage.genealogy import Direction, genealogy, recall
from tests.databases import open_database

CONSUMED, DAMAGED, SPLIT = EdgeKind.CONSUMED, EdgeKind.DAMAGED, EdgeKind.SPLIT


@pytest.fixture
async def database(tmp_path: Path, either_database: str) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


def write(connection: Connection, table: str, values: Sequence[Any]) -> None:
    codec = CODECS[table]
    rows = [
        {"partition": "main"} | {name: getattr(one, name) for name in codec.columns}
        for one in values
    ]
    connection.execute(insert(codec.table), rows)


async def related(database: Database, *told: tuple[str, str, EdgeKind, int]) -> None:
    """Write edges, and their lots; of lot A, the supplier's name is S-1."""
    names = dict.fromkeys(name for one in told for name in one[:2])
    lots = [
        MaterialLot(
            id=name,
            number=number,
            material="M",
            unit="C62",
            created_at=0,
            supplier_lot="S-1" if name == "A" else "",
        )
        for number, name in enumerate(names)
    ]
    edges = [
        GenealogyEdge(
            seq=seq,
            source=source,
            target=target,
            quantity=Decimal(5),
            unit="C62",
            job_order=None,
            at=0,
            kind=kind,
            reverses=reverses or None,
        )
        for seq, (source, target, kind, reverses) in enumerate(told, 1)
    ]
    await database.write(partial(write, table="lot", values=lots))
    await database.write(partial(write, table="genealogy_edge", values=edges))


async def recalled(database: Database) -> dict[str, int]:
    found = await database.read(
        lambda connection: recall(connection, "main", supplier_lot="S-1")
    )
    return {one.lot.id: one.depth for one in found}


async def test_a_recall_does_not_follow_what_was_damaged(database: Database) -> None:
    await related(
        database,
        ("A", "B", CONSUMED, 0),
        ("B", "C", SPLIT, 0),
        ("A", "D", DAMAGED, 0),
        ("D", "E", CONSUMED, 0),
    )

    assert await recalled(database) == {"A": 0, "B": 1, "C": 2}


async def test_a_recall_does_not_follow_what_was_taken_back(
    database: Database,
) -> None:
    await related(
        database,
        ("A", "B", CONSUMED, 0),
        ("A", "C", CONSUMED, 0),
        ("A", "C", CONSUMED, 2),
        ("C", "D", CONSUMED, 0),
    )

    assert await recalled(database) == {"A": 0, "B": 1}


@pytest.mark.parametrize(
    ("depth", "told", "is_cut"),
    [(1, [("A", "B", 1), ("A", "C", 1)], True), (2, None, False), (None, None, False)],
)
async def test_a_genealogy_is_told_as_far_as_is_asked(
    database: Database,
    depth: int | None,
    told: list[tuple[str, str, int]] | None,
    is_cut: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Two ways lead to D: it is come to once, by two edges."""
    await related(
        database,
        ("A", "B", CONSUMED, 0),
        ("A", "C", CONSUMED, 0),
        ("B", "D", CONSUMED, 0),
        ("C", "D", CONSUMED, 0),
    )

    found = await database.read(
        lambda connection: genealogy(
            connection, "main", "A", Direction.FORWARD, depth=depth
        )
    )

    edges = [(one.edge.source, one.edge.target, one.depth) for one in found.steps]
    whole = [("A", "B", 1), ("A", "C", 1), ("B", "D", 2), ("C", "D", 2)]
    assert edges == (told or whole)
    assert found.is_cut is is_cut
