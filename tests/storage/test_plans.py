"""What is read at start and on the way is found by an index, however much is over."""

import re
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Connection, event

from mes_engine.storage import bookings, journal
from mes_engine.storage.genealogy import Direction, genealogy, recall, recall_by_tool
from mes_engine.storage.load import load_state
from mes_engine.storage.measurements import measurements_of_lots
from mes_engine.storage.tool_uses import tools_of_lots
from tests.storage.tampering import Site

READ = (
    "lot|genealogy_edge|move|position|job_order|run|run_member|tool_use"
    "|aggregation_event"
)
"""The tables that genealogies and recalls are read from."""


@pytest.fixture
def either_database() -> str:
    """Only on SQLite: its plans follow from the indexes, not from how full it is."""
    return "sqlite"


LIVE = (
    *("visit", "job_order", "lot", "position", "run", "posting", "reversal", "hold"),
    *("tool_use", "carrier"),
)


def explained(connection: Connection, read: Callable[[Connection], object]) -> str:
    """Return SQLite's plans for every statement of ``read``."""
    said: list[tuple[str, tuple[object, ...]]] = []

    def hear(
        _: object, __: object, statement: str, values: object, *___: object
    ) -> None:
        assert isinstance(values, tuple)
        said.append((statement, values))

    event.listen(connection, "before_cursor_execute", hear)
    read(connection)
    event.remove(connection, "before_cursor_execute", hear)
    plans = (
        connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        for statement, values in said
    )
    return "\n".join(row.detail for plan in plans for row in plan)


@pytest.mark.parametrize("table", LIVE)
async def test_what_is_live_is_found_by_an_index(site: Site, table: str) -> None:
    plan = await site.database.read(
        lambda connection: explained(connection, lambda c: load_state(c, "main"))
    )

    searches = re.findall(rf"^S\w+ {table}\b.*$", plan, re.MULTILINE)
    assert searches
    is_any = re.compile(r"^SEARCH \w+ USING COVERING INDEX \w+ \(partition=\?\)$")
    for one in searches:
        if not is_any.search(one):
            assert re.search(r" INDEX ix_|\(partition=\? AND (id|lot)=\?\)", one), one


@pytest.mark.parametrize("ways", [journal.uses, journal.origins])
async def test_genealogy_is_found_by_an_index(
    site: Site, ways: Callable[[Connection, str, str], object]
) -> None:
    def asked(connection: Connection) -> str:
        return explained(connection, lambda one: ways(one, "main", "L-000001"))

    plan = await site.database.read(asked)

    searches = re.findall(r"^S\w+ genealogy_edge\b.*$", plan, re.MULTILINE)
    assert len(searches) > 1
    assert all(" INDEX ix_" in one for one in searches), plan


@pytest.mark.parametrize(
    "read",
    [
        partial(genealogy, lot="L-000001", direction=Direction.FORWARD),
        partial(genealogy, lot="L-000002", direction=Direction.BACKWARD),
        partial(recall, supplier_lot="S-1"),
        partial(recall_by_tool, tool="T-1", since=1, until=2),
        partial(tools_of_lots, lots=["L-000002"], job_orders=["JO-000002"]),
    ],
)
async def test_work_on_the_way_and_a_recall_are_found_by_indexes(
    site: Site, read: Callable[..., object]
) -> None:
    def asked(connection: Connection) -> str:
        return explained(connection, partial(read, partition="main"))

    plan = await site.database.read(asked)

    searches = re.findall(rf"^S\w+ (?:{READ})\b.*$", plan, re.MULTILINE)
    assert searches
    for one in searches:
        assert re.search(r"\(partition=\? AND \w+=\?", one), one


async def test_measured_data_is_found_by_indexes(site: Site) -> None:
    def asked(connection: Connection) -> str:
        return explained(
            connection,
            lambda one: measurements_of_lots(one, "main", ["L-000002"], ["JO-000002"]),
        )

    plan = await site.database.read(asked)

    assert "ix_measurement_partition_lot_seq" in plan
    assert "ix_measurement_partition_job_order_seq" in plan
    assert "ix_measurement_void_partition_measurement" in plan


async def test_what_was_booked_is_found_without_reading_the_journal(site: Site) -> None:
    def booked(connection: Connection) -> object:
        seq = max(one.seq for one in journal.facts_after(connection, "main", 0, 1_000))
        return [
            bookings.reports_of_job(connection, "main", seq),
            journal.facts_of_causes(connection, "main", ["terminal:1", "terminal:2"]),
        ]

    plan = await site.database.read(lambda connection: explained(connection, booked))

    searches = re.findall(r"^S\w+ fact\b.*$", plan, re.MULTILINE)
    of_bookings = [one for one in searches if "seq>?" not in one]
    assert len(of_bookings) == len(searches) - 1, plan
    wanted = re.compile(r"\(partition=\? AND (seq|cause)=\?\)")
    assert all(wanted.search(one) for one in of_bookings), plan
