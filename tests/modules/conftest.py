"""A database with all tables, and the engine's rules beside it."""

from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from mes_engine.core.messages import ReleaseRouting
from mes_engine.modules.crm import CONSUMER, CrmService, crm_router, handle
from mes_engine.modules.ledger import LedgerService
from mes_engine.storage.database import Database
from mes_engine.storage.metadata import metadata
from tests.builders import a_routing
from tests.databases import url_in
from tests.modules.floor import MARIA, Floor, client_of, clock
from tests.modules.orders import CRM


@pytest.fixture
async def database(tmp_path: Path, either_database: str) -> AsyncIterator[Database]:
    for module in ("crm", "ledger", "plm", "scm"):
        import_module(f"mes_engine.modules.{module}")  # declares its tables
    opened = Database.open(url_in(tmp_path))
    try:
        await opened.write(metadata.create_all)
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def floor(database: Database) -> Floor:
    return await Floor.opened(database)


@pytest.fixture
def ledger(database: Database) -> LedgerService:
    return LedgerService(database, clock)


@pytest.fixture
async def crm(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(crm_router(CrmService(database, clock))) as client:
        client.headers.update(MARIA)
        await client.put(f"{CRM}/customers/ACME", json={"name": "Acme"})
        yield client


@pytest.fixture
async def makeable(floor: Floor) -> Floor:
    """The floor, with brackets that can be made, which crm has heard of."""
    await floor.do(ReleaseRouting(routing=a_routing()))
    await floor.tell(CONSUMER, handle)
    return floor
