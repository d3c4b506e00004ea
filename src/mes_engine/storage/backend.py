"""Which database it is: a file of SQLite, or a PostgreSQL server, by its URL."""

from typing import Protocol

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from mes_engine.core.errors import SettingsError
from mes_engine.storage import driver, postgresql
from mes_engine.storage.driver import Sqlite
from mes_engine.storage.fence import Fence
from mes_engine.storage.postgresql import Postgresql

POSTGRESQL = "postgresql"


class Backend(Protocol):
    """What ``Database`` has to know of the database behind it."""

    @property
    def name(self) -> str:
        """Its dialect's name."""
        ...

    def writer(self) -> Engine:
        """Return an engine whose transactions write, one after the other."""
        ...

    def reader(self, connections: int) -> Engine:
        """Return an engine that cannot write; a transaction of it sees one moment."""
        ...

    def connected(self, engine: Engine) -> Connection:
        """Connect for the first time, or say in one sentence why that cannot be.

        Raises:
            SettingsError: It cannot be used.
        """
        ...

    def is_outage(self, error: BaseException | None) -> bool:
        """Whether the database, not the statement, was the trouble."""
        ...

    def is_retried(self, error: BaseException | None) -> bool:
        """Whether nothing was done, and the same may work at once."""
        ...

    def is_fenced(self, error: BaseException | None) -> bool:
        """Whether nothing was done as another engine has taken over."""
        ...


def is_postgresql(url: str) -> bool:
    """Return whether this is the URL of a PostgreSQL database.

    Raises:
        SettingsError: It is none of any database.
    """
    try:
        return make_url(url).get_backend_name() == POSTGRESQL
    except (ArgumentError, ValueError) as error:
        raise SettingsError(
            f"'{url}' is no database URL.",
            hint="Write sqlite:///path/to/mes.db or postgresql://user@host/mes.",
        ) from error


def backend_of(
    url: str, *, busy_timeout_s: float, fence: Fence | None = None
) -> Backend:
    """Return the backend for a database.

    Args:
        url: ``sqlite:///path``, or ``postgresql://user@host/name``.
        busy_timeout_s: How long to wait for a lock that another holds.
        fence: On PostgreSQL, what lets only the engine that leads write.

    Raises:
        SettingsError: There is none, or what it needs is not installed.
    """
    if is_postgresql(url):
        return Postgresql(url, busy_timeout_s=busy_timeout_s, fence=fence)
    return Sqlite(url, busy_timeout_s=busy_timeout_s)


def unusable(url: URL, reason: object) -> SettingsError:
    """Return the error that says why a database cannot be used."""
    if url.get_backend_name() == POSTGRESQL:
        return postgresql.unusable(url, reason)
    return driver.unusable(url.database, reason)


def opened(url: str, *, busy_timeout_s: float) -> tuple[Engine, Connection]:
    """Connect to write outside of any ``Database``; both are the caller's to close.

    Raises:
        SettingsError: It cannot be used.
    """
    backend = backend_of(url, busy_timeout_s=busy_timeout_s)
    engine = backend.writer()
    try:
        return engine, backend.connected(engine)
    except BaseException:
        engine.dispose()
        raise
