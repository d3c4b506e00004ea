"""PostgreSQL, opened so that it keeps what it is told.

Settings that would lose an acknowledged commit are refused, writers stand in a queue of
their own, and a connection that is silent for long counts as lost. The driver is
psycopg 3, in the extra ``postgresql``; nothing else here imports it.
"""

from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from mes_engine.core.errors import SettingsError
from mes_engine.storage.fence import FENCED, LOCK, Fence

OLDEST = 140_000
"""As the server counts: 14.0."""

SAFE: dict[str, tuple[str, ...]] = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "server_encoding": ("UTF8",),
}
"""What each setting may be: with others, a commit that was answered can be lost."""

CONNECT_S = 5
SILENT_MS = 5_000
"""After so long without a word of the server, a connection is lost."""
IDLE_MS = 2_000
"""So long an engine that was stopped within a transaction holds up its follower."""

_SERIALIZATION_FAILURE = "40001"
_DEADLOCK = "40P01"
_OUTAGES = ("08", "53", "55", "57", "58", "XX")
"""Classes of SQLSTATE that speak of the server and not of the statement."""


class Postgresql:
    """A PostgreSQL database: ``backend.Backend``."""

    name = "postgresql"

    def __init__(
        self, url: str, *, busy_timeout_s: float, fence: Fence | None = None
    ) -> None:
        self._url = server_url(url)
        self._busy_ms = round(busy_timeout_s * 1_000)
        self._fence = fence

    def writer(self) -> Engine:
        """Return an engine whose transactions write, one after the other."""
        fence = self._fence
        engine = self._engine(
            1,
            isolation="READ COMMITTED",
            settings={
                "lock_timeout": self._busy_ms,
                "idle_in_transaction_session_timeout": IDLE_MS if fence else 0,
            },
        )

        def on_connect(driven: Any, _record: object) -> None:
            if fence is not None:
                fence.begin_epoch(driven)

        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql(LOCK)
            if fence is not None:
                connection.exec_driver_sql(*fence.statement())

        event.listen(engine, "connect", on_connect)
        event.listen(engine, "begin", on_begin)
        return engine

    def reader(self, connections: int) -> Engine:
        """Return an engine that cannot write; a transaction of it sees one moment."""
        return self._engine(
            connections,
            isolation="REPEATABLE READ",
            settings={"default_transaction_read_only": "on"},
        )

    def connected(self, engine: Engine) -> Connection:
        """Connect for the first time, and look whether the server is to be trusted.

        Raises:
            SettingsError: It cannot be reached, is too old or keeps commits unsafely.
        """
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise unusable(engine.url, error.orig) from error
        try:
            _check(connection)
        except BaseException:
            connection.close()
            engine.dispose()
            raise
        return connection

    def is_outage(self, error: BaseException | None) -> bool:
        """Whether the server, not the statement, was the trouble."""
        state = getattr(error, "sqlstate", None)
        if state is None:
            return type(error).__name__ in {"OperationalError", "InterfaceError"} or (
                type(error).__name__ == "ConnectionTimeout"
            )
        return state.startswith(_OUTAGES) or self.is_retried(error)

    def is_retried(self, error: BaseException | None) -> bool:
        """Whether nothing was done, and the same may work at once."""
        state = getattr(error, "sqlstate", None)
        return state in {_SERIALIZATION_FAILURE, _DEADLOCK}

    def is_fenced(self, error: BaseException | None) -> bool:
        """Whether nothing was done as another engine has taken over."""
        return getattr(error, "sqlstate", None) == FENCED

    def _engine(
        self, connections: int, *, isolation: str, settings: dict[str, str | int]
    ) -> Engine:
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        return create_engine(
            self._url,
            isolation_level=isolation,
            connect_args=_PATIENCE | {"options": options},
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=self._busy_ms / 1_000,
            pool_pre_ping=True,
        )


_PATIENCE: dict[str, Any] = {
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": SILENT_MS,
    "application_name": "mes",
}


def server_url(url: str) -> URL:
    """Return the URL of a PostgreSQL database, with the driver that is used.

    Raises:
        SettingsError: The driver is not installed, or another one is named.
    """
    parsed = make_url(url)
    if parsed.drivername not in {"postgresql", "postgresql+psycopg"}:
        raise SettingsError(
            f"The database {parsed.render_as_string()} names a driver that is not used "
            "here.",
            hint="Write postgresql://user@host/name.",
        )
    if not parsed.database:
        raise SettingsError(
            f"The URL {parsed.render_as_string()} names no database.",
            hint="Write postgresql://user@host/name.",
        )
    try:
        import_module("psycopg")
    except ImportError as error:
        raise SettingsError(
            "A PostgreSQL database needs a driver that is not installed.",
            hint="Install the extra: pip install 'mes-engine[postgresql]'.",
        ) from error
    return parsed.set(drivername="postgresql+psycopg")


def session(url: str) -> Any:
    """Return a connection of the driver's own, that commits each statement by itself.

    Raises:
        SettingsError: The driver is not installed.
    """
    parsed = server_url(url).set(drivername="postgresql")
    psycopg = import_module("psycopg")
    return psycopg.connect(
        parsed.render_as_string(hide_password=False),
        autocommit=True,
        options=f"-c lock_timeout={IDLE_MS} -c statement_timeout={SILENT_MS}",
        **_PATIENCE,
    )


def driver_error() -> type[Exception]:
    """Return what the driver's own errors are kinds of."""
    error: type[Exception] = import_module("psycopg").Error
    return error


def unusable(url: URL, reason: object) -> SettingsError:
    """Return the error that says why the database cannot be used."""
    why = " ".join(str(reason).split())
    return SettingsError(
        f"The database {url.render_as_string()} cannot be used: {why}.",
        hint="The server has to run, and know the user and the database.",
    )


def _check(connection: Connection) -> None:
    with connection.begin():
        version = int(_setting(connection, "server_version_num"))
        if version < OLDEST:
            raise SettingsError(
                f"The server is PostgreSQL {version // 10_000}; {OLDEST // 10_000} or "
                "newer is needed.",
                hint="Upgrade the server.",
            )
        for name, safe in SAFE.items():
            found = _setting(connection, name)
            if found not in safe:
                raise SettingsError(
                    f"PostgreSQL keeps {name} at '{found}'; '{safe[0]}' is needed, or "
                    "what was acknowledged can be lost.",
                    hint=f"Set it in postgresql.conf: {name} = {safe[0]}."
                    if name != "server_encoding"
                    else "Make the database with: createdb --encoding=UTF8.",
                )


def _setting(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())
