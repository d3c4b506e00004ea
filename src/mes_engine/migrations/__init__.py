"""The schema's history, and the way up it: all or nothing, and never back down."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mes_engine.core.errors import SettingsError
from mes_engine.storage.backend import opened, unusable

BUSY_TIMEOUT_S = 30.0


def upgrade(url: str) -> None:
    """Bring the database at ``url`` to :func:`head`, in one transaction.

    Raises:
        SettingsError: It cannot be opened or written to, or a newer version of this
            software has upgraded it already.
    """
    engine, connection = opened(url, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with connection, connection.begin():
            if _current(connection) != head():
                command.upgrade(_config(connection), "head")
    except CommandError as error:
        raise SettingsError(
            f"The schema of {url} is not one of this version's: {error}.",
            hint="Run the version that upgraded it, or a later one.",
        ) from error
    except DBAPIError as error:
        raise unusable(engine.url, error.orig) from error
    finally:
        engine.dispose()


def current(url: str) -> str | None:
    """Return the revision that the database at ``url`` is at; None if it is empty.

    Raises:
        SettingsError: It cannot be opened.
    """
    engine, connection = opened(url, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with connection:
            return _current(connection)
    finally:
        engine.dispose()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str:
    """Return the newest revision."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise LookupError("there are no migrations")
    return newest


def is_known(revision: str) -> bool:
    """Whether a revision is one of this version's, or of an older one's."""
    script = ScriptDirectory.from_config(_config())
    return revision in {one.revision for one in script.walk_revisions()}


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    here = str(Path(__file__).parent)
    config.set_main_option("script_location", here.replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
