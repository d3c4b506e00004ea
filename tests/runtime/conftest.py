"""A real database, and a look at the log."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

import mes_engine.runtime.tables
import mes_engine.storage.cursors
import mes_engine.storage.intents
import mes_engine.storage.tables  # noqa: F401 - declared on import
from mes_engine.storage.database import Database
from mes_engine.storage.metadata import metadata
from tests.databases import url_in


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(url_in(tmp_path))
    await opened.write(metadata.create_all)
    yield opened
    await opened.close()


@pytest.fixture
def logs() -> Iterator[LogCapture]:
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture
    structlog.reset_defaults()
