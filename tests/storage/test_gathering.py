"""Rows that are gathered into columns are those that are read one by one."""

from collections.abc import Iterator
from threading import enumerate as threads

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from mes_engine.storage import gathering
from mes_engine.storage.codec import CODECS
from mes_engine.storage.gathering import Query, gathered
from tests.storage.tampering import Site

NAME = "database-gathering"


def every_table() -> Iterator[tuple[str, Query]]:
    for name, codec in CODECS.items():
        yield name, codec.query("main")


@pytest.mark.parametrize("at_once", [1, 3, 5_000])
async def test_what_is_gathered_is_what_is_there(
    site: Site, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "AT_ONCE", at_once)

    def both(connection: Connection) -> None:
        found: dict[str, list[tuple[object, ...]]] = {name: [] for name in CODECS}
        for name, columns in gathered(connection, every_table()):
            assert len(columns[0]) <= at_once
            found[name] += zip(*columns, strict=True)
        for name, query in every_table():
            rows = [tuple(row) for row in connection.execute(query)]
            assert sorted(found[name], key=str) == sorted(rows, key=str), name
        assert len(found["job_order"]) > 1

    await site.database.read(both)


async def test_what_fails_is_told_to_who_waits(site: Site) -> None:
    def work(connection: Connection) -> None:
        bad = CODECS["lot"].query("main").where(text("nothing = 1"))
        list(gathered(connection, [*every_table(), ("lot", bad)]))

    with pytest.raises(DBAPIError, match="nothing"):
        await site.database.read(work)
    assert NAME not in {one.name for one in threads()}


async def test_who_gives_up_leaves_nothing_running(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "AT_ONCE", 1)

    def work(connection: Connection) -> int:
        found = gathered(connection, every_table())
        next(found)
        found.close()
        return len(list(gathered(connection, every_table())))

    assert await site.database.read(work) > 0
    assert NAME not in {one.name for one in threads()}
