"""A copy of a SQLite file that is in use, as it was at one moment.

SQLite's backup API begins anew whenever another process commits, so that a copy in
parts would never end beside an engine. Within one read transaction it does not: what is
committed meanwhile waits in the log, and the copy can go as slowly as it likes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mes_engine.core.errors import Refused, SettingsError
from mes_engine.storage.backup.moment import Moment, moment_of
from mes_engine.storage.driver import connected, reader_engine, sqlite_driver

PAGES = 1_000
PAUSE_S = 0.02
"""About 4 MB at a time, each brought to the disk before the next: so a commit of the
engine never waits behind more than that."""

BUSY_TIMEOUT_S = 30.0


def copy_moment(
    url: str,
    to: Path,
    *,
    pages: int = PAGES,
    pause_s: float = PAUSE_S,
    is_ending: Callable[[], bool] = lambda: False,
) -> Moment:
    """Copy the database at ``url`` to a new file; return what it is.

    Args:
        url: A SQLite file, which may be in use.
        to: A file that is not there yet.
        pages: How many are copied at a time.
        pause_s: How long to let others go first after each time.
        is_ending: Asked each time: whether to give up.

    Raises:
        Refused: It is no database of ours, or it was given up.
        SettingsError: It cannot be read, or the copy not be written.
    """
    driver = sqlite_driver()
    engine = reader_engine(url, connections=1, busy_timeout_s=BUSY_TIMEOUT_S)
    try:
        with connected(engine) as connection, connection.begin():
            moment = moment_of(connection)  # the first read: from here it stands still
            source: Any = connection.connection.driver_connection
            with _target(driver, to) as target, _synced(to) as sync:

                def go_on(*_: int) -> None:
                    sync()
                    if is_ending():
                        raise Refused("The backup was given up.", hint="Take another.")

                source.backup(target, pages=pages, sleep=pause_s, progress=go_on)
    except driver.Error as error:
        raise SettingsError(
            f"The database could not be copied to {to.parent}: {error}.",
            hint="Make room there, or name another folder.",
        ) from error
    finally:
        engine.dispose()
    return moment


@contextmanager
def _target(driver: Any, to: Path) -> Iterator[Any]:
    """Make the copy: in WAL mode as its source is, so that a look changes no bit."""
    target = driver.connect(to, isolation_level=None)
    try:
        target.execute("PRAGMA synchronous=OFF")  # it is synced here, each time
        yield target
    finally:
        target.close()


@contextmanager
def _synced(to: Path) -> Iterator[Callable[[], None]]:
    """Give what brings to the disk all that was written to a file so far."""
    handle = os.open(to, os.O_RDWR)
    try:
        yield lambda: os.fdatasync(handle)
    finally:
        os.close(handle)
