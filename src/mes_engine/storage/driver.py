"""SQLite, opened so that it keeps what it is told.

The version without the WAL reset bug, BEGIN said by us, and pragmas that are read back:
one that a build does not know is ignored without a word.
"""

from importlib import import_module
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import QueuePool

from mes_engine.core.errors import SettingsError

OLDEST = (3, 51, 3)
WITHDRAWN = (3, 52, 0)  # has the WAL reset bug again; 3.53.0 has not

CHECKPOINT_PAGES = 20_000
CACHE_KIB = 65_536

Pragmas = dict[str, tuple[str | int, str | int]]

# What to set, and what is read back when it has worked.
PRAGMAS: Pragmas = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "recursive_triggers": ("ON", 1),  # or REPLACE deletes without asking the guards
    "trusted_schema": ("OFF", 0),
    "mmap_size": (0, 0),
    "temp_store": ("MEMORY", 2),
    "cache_size": (-CACHE_KIB, -CACHE_KIB),
}
# The checkpoint is the writer's work alone; a reader would stall in it.
WRITER: Pragmas = {"wal_autocheckpoint": (CHECKPOINT_PAGES, CHECKPOINT_PAGES)}
READER: Pragmas = {"wal_autocheckpoint": (0, 0), "query_only": ("ON", 1)}


def sqlite_driver() -> ModuleType:
    """Return the DB-API module to use: ``pysqlite3``, else Python's own.

    Raises:
        SettingsError: Both are too old to be trusted with a journal.
    """
    seen = []
    for name in ("pysqlite3.dbapi2", "sqlite3"):
        try:
            module = import_module(name)
        except ImportError:
            continue
        if is_sound(module.sqlite_version_info):
            return module
        seen.append(f"{name.split('.')[0]} brings {module.sqlite_version}")
    wanted = ".".join(str(part) for part in OLDEST)
    raise SettingsError(
        f"SQLite {wanted} or newer (not 3.52.0) is needed; {', '.join(seen)}. Older "
        "ones can corrupt a database in WAL mode.",
        hint="Install the wheel: pip install 'pysqlite3>=0.6.1'.",
    )


def is_sound(version: tuple[int, int, int]) -> bool:
    """Return whether this version of SQLite has not the WAL reset bug."""
    return version >= OLDEST and version[:2] != WITHDRAWN[:2]


def writer_engine(url: str, *, busy_timeout_s: float) -> Engine:
    """Return an engine whose every transaction begins with BEGIN IMMEDIATE."""
    engine = _engine(url, connections=1, busy_timeout_s=busy_timeout_s)
    _set_up(engine, PRAGMAS | WRITER, begin="BEGIN IMMEDIATE")
    return engine


def reader_engine(url: str, *, connections: int, busy_timeout_s: float) -> Engine:
    """Return an engine that cannot write."""
    engine = _engine(url, connections=connections, busy_timeout_s=busy_timeout_s)
    _set_up(engine, PRAGMAS | READER, begin="BEGIN")
    return engine


def connected(engine: Engine) -> Connection:
    """Connect, or say in one sentence why that cannot be.

    Raises:
        SettingsError: The file cannot be opened, or is no database.
    """
    try:
        return engine.connect()
    except DatabaseError as error:
        raise unusable(engine.url.database, error.orig) from error


def unusable(database: object, reason: object) -> SettingsError:
    """Return the error that says why the file cannot be used."""
    return SettingsError(
        f"The database {database} cannot be used: {reason}.",
        hint="Its folder has to exist, on a local disk with room, and be writable.",
    )


def _engine(url: str, *, connections: int, busy_timeout_s: float) -> Engine:
    return create_engine(
        file_url(url),
        module=sqlite_driver(),
        connect_args={
            "isolation_level": None,  # the driver says no BEGIN of its own
            "timeout": busy_timeout_s,
            "check_same_thread": False,  # one thread at a time: the executors see to it
        },
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy_timeout_s,
    )


def file_url(url: str) -> URL:
    """Return the URL of a SQLite file.

    Raises:
        SettingsError: It is one of something else.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise SettingsError(
            f"'{url}' is no database URL.", hint="Write sqlite:///path/to/mes.db."
        ) from error
    if parsed.drivername != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise SettingsError(
            f"The database {parsed.render_as_string()} is not a SQLite file.",
            hint="Write sqlite:///path/to/mes.db.",
        )
    return parsed


def _set_up(engine: Engine, pragmas: Pragmas, *, begin: str) -> None:
    def on_connect(connection: Any, _record: object) -> None:
        for name, (value, wanted) in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}")
            (is_now,) = connection.execute(f"PRAGMA {name}").fetchone()
            if is_now != wanted:
                raise SettingsError(
                    f"SQLite keeps {name} at {is_now!r}; {wanted!r} is needed for "
                    f"{engine.url.database}.",
                    hint="Put the file on a local disk that this user may write to.",
                )

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


SQLITE_ERROR = 1


class Sqlite:
    """A SQLite file: ``backend.Backend``."""

    name = "sqlite"

    def __init__(self, url: str, *, busy_timeout_s: float) -> None:
        self._url = file_url(url).render_as_string(hide_password=False)
        self._busy_timeout_s = busy_timeout_s

    def writer(self) -> Engine:
        """Return an engine whose transactions write, one after the other."""
        return writer_engine(self._url, busy_timeout_s=self._busy_timeout_s)

    def reader(self, connections: int) -> Engine:
        """Return an engine that cannot write."""
        return reader_engine(
            self._url, connections=connections, busy_timeout_s=self._busy_timeout_s
        )

    def connected(self, engine: Engine) -> Connection:
        """Connect for the first time, or say in one sentence why that cannot be."""
        return connected(engine)

    def is_outage(self, error: BaseException | None) -> bool:
        """Whether the file, not the statement, was the trouble."""
        is_operational = type(error).__name__ == "OperationalError"
        return is_operational and not self._is_mistake(error)

    def is_retried(self, error: BaseException | None) -> bool:
        """Whether the same may work at once: BEGIN IMMEDIATE leaves no such case."""
        return False

    def is_fenced(self, error: BaseException | None) -> bool:
        """Whether another engine has taken over: the lock on the file forbids it."""
        return False

    def _is_mistake(self, error: BaseException | None) -> bool:
        """Whether the statement was wrong, and would be at any other time."""
        return getattr(error, "sqlite_errorcode", None) == SQLITE_ERROR
