"""Databases for tests: real ones, migrated, closed when the test is over.

A folder has its database in a file, unless ``on_postgresql`` has given it one there.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mes_engine import migrations
from mes_engine.ports import StoreUnavailable
from mes_engine.storage.database import Database
from tests import postgres

_elsewhere: dict[Path, str] = {}


def on_postgresql(folder: Path) -> str:
    """Have the database of ``folder`` on PostgreSQL; return its URL."""
    postgres.skip_without()
    _elsewhere[folder] = postgres.shared().migrated()
    return _elsewhere[folder]


def url_in(folder: Path) -> str:
    """Return where the database of ``folder`` is.

    With MES_TESTS_ON=postgresql in the environment, all are there.
    """
    if folder not in _elsewhere and os.environ.get("MES_TESTS_ON") == "postgresql":
        on_postgresql(folder)
    return _elsewhere.get(folder) or f"sqlite:///{folder / 'mes.db'}"


@asynccontextmanager
async def open_database(folder: Path) -> AsyncIterator[Database]:
    """Open the database in ``folder``, bringing its schema up to date."""
    migrations.upgrade(url_in(folder))
    database = Database.open(url_in(folder))
    try:
        yield database
    finally:
        await database.close()


class BrokenCommits:
    """Has every COMMIT of the store fail: done all the same, or not at all.

    Attributes:
        is_dark: Set it to have nothing read either.
    """

    def __init__(
        self, database: Database, patch: pytest.MonkeyPatch, *, is_done: bool
    ) -> None:
        self.is_dark = False
        raw, read, write = database.raw, database.read, database.write

        async def broken(work: Callable[[Any], object]) -> object:
            return await raw(lambda driven: work(_Driver(driven, is_done=is_done)))

        async def dark(work: Callable[[Any], object]) -> object:
            if self.is_dark:
                raise StoreUnavailable("disk I/O error")
            return await read(work)

        async def dark_too(work: Callable[[Any], object]) -> object:
            if self.is_dark:
                raise StoreUnavailable("disk I/O error")
            return await write(work)

        patch.setattr(database, "raw", broken)
        patch.setattr(database, "read", dark)
        patch.setattr(database, "write", dark_too)


class _Driver:
    """The driver's connection, but for COMMIT."""

    def __init__(self, driven: Any, *, is_done: bool) -> None:
        self._driven = driven
        self._is_done = is_done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driven, name)

    def execute(self, statement: str, *values: Any, **how: Any) -> Any:
        found = None
        if statement != "COMMIT" or self._is_done:
            found = self._driven.execute(statement, *values, **how)
        if statement == "COMMIT":
            raise self._driven.OperationalError("disk I/O error")
        return found

    def commit(self) -> None:
        """End a transaction of PostgreSQL."""
        if self._is_done:
            self._driven.commit()
        raise self._driven.OperationalError("disk I/O error")
