"""Databases for tests: real files, migrated, closed when the test is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mes_engine import migrations
from mes_engine.storage.database import Database


def url_in(folder: Path) -> str:
    """Return where in ``folder`` the database is."""
    return f"sqlite:///{folder / 'mes.db'}"


@asynccontextmanager
async def open_database(folder: Path) -> AsyncIterator[Database]:
    """Open the database in ``folder``, bringing its schema up to date."""
    migrations.upgrade(url_in(folder))
    database = Database.open(url_in(folder))
    try:
        yield database
    finally:
        await database.close()
