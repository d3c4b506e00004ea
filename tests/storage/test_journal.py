"""Reads for pages and consumers."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mes_engine.core.facts import MessageSetAside, fact_name
from mes_engine.core.postings import SETTLED, PostingState
from mes_engine.storage import journal
from mes_engine.storage.cursors import advance_cursor, cursor_of
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_day
from tests.databases import open_database


@pytest.fixture
async def database(tmp_path: Path, either_database: str) -> AsyncIterator[Database]:
    async with open_database(tmp_path) as opened:
        yield opened


@pytest.fixture
async def shop(database: Database) -> Shop:
    shop = Shop()
    a_day(shop)
    await SqlStore(database).commit(*shop.take())
    return shop


async def test_facts_come_in_order_and_by_type(database: Database, shop: Shop) -> None:
    first = await database.read(
        lambda connection: journal.facts_after(connection, "main", 0, 10)
    )
    rest = await database.read(
        lambda connection: journal.facts_after(connection, "main", 10, 1_000)
    )
    moved = await database.read(
        lambda connection: journal.facts_after(
            connection, "main", 0, 1_000, types=["job_order_moved", "run_opened"]
        )
    )

    facts = [*first, *rest]
    assert [one.seq for one in facts] == list(range(1, shop.committed.seq + 1))
    assert moved == [
        one for one in facts if fact_name(one.fact) in {"job_order_moved", "run_opened"}
    ]


async def test_the_facts_of_one_message(database: Database, shop: Shop) -> None:
    found = await database.read(
        lambda connection: journal.facts_of_cause(connection, "main", "terminal:key-1")
    )

    assert [fact_name(one.fact) for one in found] == [
        "plant_applied",
        "command_handled",
    ]


async def test_messages_that_were_set_aside(database: Database, shop: Shop) -> None:
    shop.note(MessageSetAside(message="{}", error="KeyError: 'mill'"))
    await SqlStore(database).commit(*shop.take())

    (found,) = await database.read(
        lambda connection: journal.set_aside(connection, "main")
    )

    assert found.fact == MessageSetAside(message="{}", error="KeyError: 'mill'")


async def test_moves_and_positions_of_a_request(database: Database, shop: Shop) -> None:
    def work(connection: Connection) -> None:
        moves = journal.moves(connection, "main", request="WR-1")
        assert len(moves) > 5
        assert {one.request for one in moves} == {"WR-1"}
        lot = moves[0].lot
        own = [one for one in moves if one.lot == lot]
        assert journal.moves(connection, "main", lot=lot) == own
        assert journal.moves(connection, "main", lot=lot, limit=2) == own[:2]
        later = journal.moves(connection, "main", lot=lot, after=own[0].seq)
        assert later == own[1:]
        places = journal.positions(connection, "main", lot=lot)
        assert places == sorted(
            shop.committed.position.find("lot", lot), key=lambda one: one.place
        )

    await database.read(work)


async def test_postings_by_state(database: Database, shop: Shop) -> None:
    def work(connection: Connection) -> None:
        waiting = journal.postings(connection, "main", states=[PostingState.PENDING])
        assert [one.stream for one in waiting] == ["WR-1"]
        assert journal.postings(connection, "main", states=SETTLED) == []
        assert journal.postings(connection, "main", stream="WR-2") == []

    await database.read(work)


async def test_what_machines_counted_and_what_was_dispatched(
    database: Database, shop: Shop
) -> None:
    def work(connection: Connection) -> None:
        (unassigned,) = journal.unassigned_production(connection, "main")
        assert unassigned.work_unit == "mill-1"
        assert unassigned.quantity == 3
        newest, *_ = journal.dispatch_decisions(connection, "main")
        assert newest.chosen == "JO-000002"
        (sawn,) = journal.dispatch_decisions(connection, "main", work_unit="saw-1")
        assert sawn.chosen == "JO-000001"

    await database.read(work)


async def test_one_thing_by_its_key(database: Database, shop: Shop) -> None:
    def work(connection: Connection) -> None:
        job = journal.one(connection, "job_order", "main", "JO-000001")
        assert job == shop.committed.job_order.get("JO-000001")
        routing = journal.one(connection, "routing", "main", "bracket", "1")
        assert routing == shop.committed.routing.get(("bracket", "1"))
        assert journal.one(connection, "job_order", "main", "JO-9") is None

    await database.read(work)


async def test_genealogy_goes_both_ways_at_any_remove(database: Database) -> None:
    edges = [("A", "B"), ("B", "C"), ("C", "D"), ("X", "C"), ("Y", "Z")]
    await database.write(partial(_insert_edges, edges=edges))

    def work(connection: Connection) -> None:
        came = journal.origins(connection, "main", "C")
        assert [(one.source, one.target) for one in came] == [
            ("A", "B"),
            ("B", "C"),
            ("X", "C"),
        ]
        went = journal.uses(connection, "main", "A")
        assert [(one.source, one.target) for one in went] == [
            ("A", "B"),
            ("B", "C"),
            ("C", "D"),
        ]
        assert journal.origins(connection, "main", "A") == []

    await database.read(work)


def _insert_edges(connection: Connection, edges: list[tuple[str, str]]) -> None:
    connection.execute(
        text(
            "INSERT INTO genealogy_edge VALUES "
            "('main', :seq, :source, :target, 1, 'C62', 'JO-1', 0, 'consumed', NULL)"
        ),
        [
            {"seq": seq, "source": edge[0], "target": edge[1]}
            for seq, edge in enumerate(edges, 1)
        ],
    )


async def test_a_cursor_only_goes_forward(database: Database) -> None:
    assert await database.read(lambda c: cursor_of(c, "crm")) == 0

    await database.write(lambda c: advance_cursor(c, "crm", 7))
    await database.write(lambda c: advance_cursor(c, "crm", 5))
    await database.write(lambda c: advance_cursor(c, "scm", 3))

    assert await database.read(lambda c: cursor_of(c, "crm")) == 7
    assert await database.read(lambda c: cursor_of(c, "scm")) == 3
