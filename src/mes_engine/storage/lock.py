"""One engine a database: the lock that says so.

For SQLite it is held on a file beside the database, which stays when the lock is gone.
The system gives it back when the process ends, however that ends. For PostgreSQL it is
the lease on the database itself.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mes_engine.core.errors import SettingsError
from mes_engine.ports import StoreUnavailable
from mes_engine.storage.backend import is_postgresql
from mes_engine.storage.driver import file_url, unusable
from mes_engine.storage.leadership import Lease, lead_at_once


@contextmanager
def sole_engine(url: str) -> Iterator[None]:
    """Be the only engine on the database at ``url``.

    Raises:
        SettingsError: There is another one, or the folder cannot be written to.
    """
    if is_postgresql(url):
        with _sole_on_server(url):
            yield
        return
    database = Path(str(file_url(url).database)).resolve()
    path = database.with_name(f"{database.name}.lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise unusable(database, error.strerror) from error
    try:
        _take(lock, database)
        yield
    finally:
        os.close(lock)


@contextmanager
def _sole_on_server(url: str) -> Iterator[None]:
    lease = Lease(url)
    lead_at_once(lease)
    try:
        yield
    finally:
        with suppress(StoreUnavailable):  # then it ends by itself, and soon
            lease.release()


def _take(lock: int, database: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SettingsError(
            f"Another engine runs on {database}.",
            hint="End it first, or name another database.",
        ) from error
    except OSError as error:
        raise unusable(database, error.strerror) from error
