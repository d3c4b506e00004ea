"""Verify names every row that is not what the journal made it."""

from functools import partial

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from mes_engine.storage import journal
from mes_engine.storage.codec import CODECS
from mes_engine.storage.tables import PROJECTIONS, WRITTEN_ONCE
from mes_engine.storage.verify import verify
from tests.storage.tampering import Site


async def test_a_whole_database_is_sound(site: Site) -> None:
    report = await site.database.read(verify)

    assert report.problems == ()
    assert report.is_sound
    assert report.facts == await site.database.read(journal.head)
    assert (report.links, report.unchecked) == (2, 0)
    assert report.moves > 10
    assert report.rows > 60
    assert report.laws > 20


@pytest.mark.parametrize("table", PROJECTIONS)
async def test_a_row_that_is_deleted_is_missed(site: Site, table: str) -> None:
    keys = ", ".join(CODECS[table].keys)
    first = f"FROM {table} ORDER BY {keys} LIMIT 1"
    key = await site.scalar(f"SELECT concat_ws(', ', {keys}) {first}")

    site.corrupt(f"DELETE FROM {table} WHERE ({keys}) = (SELECT {keys} {first})")

    assert (table, key) in await site.found()


async def test_a_job_order_set_to_another_state(site: Site) -> None:
    site.corrupt("UPDATE job_order SET state = 'cancelled' WHERE id = 'JO-000002'")

    assert await site.found() == [("job_order.state", "JO-000002")]


async def test_a_move_of_another_quantity(site: Site) -> None:
    seq = await site.scalar("SELECT min(seq) FROM move")

    site.corrupt(f"UPDATE move SET quantity = quantity + 1 WHERE seq = {seq}")

    assert await site.found() == [("move.quantity", seq)]


async def test_a_fact_with_another_body(site: Site) -> None:
    """The rows that were made of it say what it was."""
    seq = await site.scalar("SELECT max(seq) FROM fact WHERE type = 'quantity_moved'")

    site.corrupt(
        f"UPDATE fact SET body = {site.replaced('body', 'move.reason', 'other')} "
        f"WHERE seq = {seq}"
    )

    assert await site.found() == [("chain", seq), ("move.reason", seq)]


async def test_a_fact_whose_body_breaks_a_law(site: Site) -> None:
    seq = await site.scalar(
        f"SELECT seq FROM fact WHERE {site.within('body', 'move.bucket')} = 'produced'"
    )

    site.corrupt(
        f"UPDATE fact SET body = {site.replaced('body', 'move.quantity', '1')} "
        f"WHERE seq = {seq}"
    )

    found = await site.found()
    assert ("move.quantity", seq) in found
    assert any(what == "fact" for what, _ in found), "later moves cannot follow"


async def test_a_fact_whose_body_cannot_be_read(site: Site) -> None:
    site.corrupt("UPDATE fact SET body = '{}' WHERE seq = 7")

    assert ("fact", "7") in await site.found()


async def test_a_fact_of_a_later_version(site: Site) -> None:
    site.corrupt("UPDATE fact SET version = 99 WHERE seq = 7")

    assert ("fact", "7") in await site.found()


async def test_a_fact_that_is_called_something_else(site: Site) -> None:
    site.corrupt("UPDATE fact SET type = 'gap_seen' WHERE seq = 7")

    assert await site.found() == [("chain", "7"), ("fact.type", "7")]


async def test_a_fact_that_is_deleted(site: Site) -> None:
    seq = await site.scalar("SELECT max(seq) FROM fact WHERE type = 'quantity_moved'")

    site.corrupt(f"DELETE FROM fact WHERE seq = {seq}")

    found = await site.found()
    assert ("fact", seq) in found
    assert ("move", seq) in found


async def test_the_last_fact_deleted(site: Site) -> None:
    """Its link tells of it, and its row: here the answer that was given."""
    seq = await site.database.read(journal.head)

    site.corrupt(f"DELETE FROM fact WHERE seq = {seq}")

    found = await site.found()
    assert found
    assert {what for what, _ in found} == {"chain", "handled"}


async def test_a_transition_that_the_chart_has_not(site: Site) -> None:
    seq = await site.scalar(
        f"SELECT max(seq) FROM fact WHERE {site.within('body', 'trigger')} = 'begin'"
    )

    site.corrupt(
        f"UPDATE fact SET body = {site.replaced('body', 'trigger', 'close')} "
        f"WHERE seq = {seq}"
    )

    assert await site.found() == [("chain", seq), ("fact", seq)]


async def test_a_total_that_is_not_the_sum(site: Site) -> None:
    seq = await site.scalar("SELECT min(seq) FROM fact WHERE type='quantity_reported'")

    site.corrupt(
        f"UPDATE fact SET body = {site.replaced('body', 'good', '1')} WHERE seq = {seq}"
    )

    assert await site.found() == [("chain", seq), ("fact", seq)]


async def test_a_handled_command_with_another_answer(site: Site) -> None:
    key = await site.scalar("SELECT min(key) FROM handled")

    site.corrupt(
        f"UPDATE handled SET answer = {site.replaced('answer', 'outcome', 'refused')} "
        f"WHERE key = '{key}'"
    )

    assert await site.found() == [("handled.answer", f"terminal, {key}")]


async def test_a_handled_command_that_is_forgotten(site: Site) -> None:
    key = await site.scalar("SELECT min(key) FROM handled")

    site.corrupt(f"DELETE FROM handled WHERE key = '{key}'")

    assert await site.found() == [("handled", f"terminal, {key}")]


async def test_a_watermark_set_forward(site: Site) -> None:
    site.corrupt("UPDATE watermark SET n = n + 1")

    assert await site.found() == [("watermark.n", "cell")]


async def test_a_posting_that_is_deleted(site: Site) -> None:
    key = await site.scalar("SELECT key FROM posting")

    site.corrupt("DELETE FROM posting")

    found = await site.found()
    assert ("posting", key) in found
    assert ("law", "L5") in found


async def test_a_posting_set_back_to_pending(site: Site) -> None:
    key = await site.scalar("SELECT key FROM posting")

    site.corrupt("UPDATE posting SET state = 'pending'")

    assert await site.found() == [("posting.state", key)]


async def test_a_bucket_that_is_changed(site: Site) -> None:
    """By the row itself, and by the laws that it breaks."""
    there = "place = 'WR-1/20/1'"
    lot = await site.scalar(f"SELECT max(lot) FROM position WHERE {there}")
    site.corrupt(
        f"UPDATE position SET queued = queued + 1000000 WHERE {there} AND lot = '{lot}'"
    )

    found = await site.found()
    assert ("position.queued", f"{lot}, WR-1/20/1") in found
    assert {("law", "L1"), ("law", "L4")} < set(found)


async def test_a_counter_set_back(site: Site) -> None:
    site.corrupt("UPDATE counter SET last = 1 WHERE name = 'job_order'")

    assert await site.found() == [("counter.last", "job_order")]


async def test_equipment_that_is_said_to_stand(site: Site) -> None:
    site.corrupt("UPDATE equipment SET item_state = 'not_executing'")

    assert await site.found() == [("equipment.item_state", "mill-1")]


async def test_a_row_that_no_fact_has_made(site: Site) -> None:
    site.corrupt("INSERT INTO counter VALUES ('main', 'bribe', 1)")

    assert await site.found() == [("counter", "bribe")]


async def test_a_move_that_no_fact_has_made(site: Site) -> None:
    site.corrupt(
        "INSERT INTO move SELECT partition, seq + 1000, lot, material, unit, quantity, "
        "place, bucket, to_place, to_bucket, request, job_order, run, at, person, "
        "reason, connection, caused_by, to_lot, reverses FROM move ORDER BY seq LIMIT 1"
    )

    ((what, _),) = await site.found()
    assert what == "move"


async def test_json_that_is_not_what_it_was(site: Site) -> None:
    site.corrupt("UPDATE job_order SET conditions = '[' WHERE id = 'JO-000002'")

    assert await site.found() == [("job_order.conditions", "JO-000002")]


async def test_a_plant_that_was_edited(site: Site) -> None:
    site.corrupt("""UPDATE plant SET body = replace(body, '"name":"', '"name":"o')""")

    assert await site.found() == [("plant.body", "TEST")]


async def test_guards_that_were_taken_away(site: Site) -> None:
    site.take_a_guard_away()

    assert await site.found() == [("fact", "triggers")]


@pytest.mark.parametrize("table", WRITTEN_ONCE)
async def test_what_is_written_once_cannot_be_changed(site: Site, table: str) -> None:
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET partition = ''"):
        with pytest.raises(IntegrityError, match=f"{table} is written once"):
            await site.database.write(partial(_execute, statement=statement))


def _execute(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
