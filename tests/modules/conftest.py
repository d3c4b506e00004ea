"""A database with all tables, and the engine's rules beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mes_engine.modules import crm, ledger, plm, scm
from mes_engine.storage.database import Database
from mes_engine.storage.metadata import metadata
from tests.modules.floor import Floor

MODULES = (crm, ledger, plm, scm)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'mes.db'}")
    try:
        await opened.write(metadata.create_all)
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def floor(database: Database) -> Floor:
    return await Floor.opened(database)
