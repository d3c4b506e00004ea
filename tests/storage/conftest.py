"""A site whose rows can be tampered with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mes_engine.storage.store import SqlStore
from tests.builders import Shop, a_day, settle_postings
from tests.databases import open_database, url_in
from tests.storage.tampering import Site


@pytest.fixture
async def site(tmp_path: Path, either_database: str) -> AsyncIterator[Site]:
    async with open_database(tmp_path) as database:
        store = SqlStore(database)
        shop = Shop()
        a_day(shop)
        await store.commit(*shop.take())
        settle_postings(shop)
        await store.commit(*shop.take())
        yield Site(database, url_in(tmp_path))
