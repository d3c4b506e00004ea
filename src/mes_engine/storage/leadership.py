"""Who leads a PostgreSQL database: a lease with a fence.

The engine that leads renews its lease; another one waits, and takes over when the lease
was not renewed for ``LEASE_S``, or sooner if its session has ended as well. Time is the
server's. The lease only says when to try: that two never write is seen to by the fence,
whatever the clocks and pauses.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from typing import Any

from mes_engine.core.errors import SettingsError
from mes_engine.ports import Fenced, StoreUnavailable
from mes_engine.storage.fence import (
    GONE_S,
    LEASE_S,
    LOCK,
    MAKE,
    WRITERS_LOCK,
    Fence,
)
from mes_engine.storage.postgresql import (
    driver_error,
    server_url,
    session,
    unusable,
)

_LOCK_NOT_AVAILABLE = "55P03"

_BEGIN = """
INSERT INTO leadership VALUES (%s, 0, '', '', 0, '-infinity')
ON CONFLICT (partition) DO NOTHING"""

_IS_LED = f"""renewed_at > clock_timestamp() - make_interval(secs => CASE WHEN EXISTS (
SELECT 1 FROM pg_stat_activity WHERE pid = session)
THEN {LEASE_S} ELSE {GONE_S} END)"""  # noqa: S608 - ours

_LOOK = f"""
SELECT address, {_IS_LED} FROM leadership WHERE partition = %s"""  # noqa: S608 - ours

_TAKE = f"""
UPDATE leadership SET epoch = epoch + 1, holder = %s, address = %s,
session = pg_backend_pid(), renewed_at = clock_timestamp()
WHERE partition = %s AND NOT ({_IS_LED}) RETURNING epoch"""  # noqa: S608 - ours

_END_WRITERS = f"""
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (classid::bigint << 32) | objid::bigint = {WRITERS_LOCK}"""  # noqa: S608 - ours

_RENEW = """
UPDATE leadership SET renewed_at = clock_timestamp(), session = pg_backend_pid()
WHERE partition = %s AND holder = %s RETURNING epoch"""

_RELEASE = """
UPDATE leadership SET renewed_at = '-infinity'
WHERE partition = %s AND holder = %s"""


@dataclass(frozen=True, slots=True)
class Leader:
    """The engine that leads.

    Attributes:
        address: Where its web is, or where it runs.
    """

    address: str


class Lease:
    """One engine's way to lead a partition; for one thread at a time.

    Attributes:
        fence: What its transactions show, once it leads.
    """

    def __init__(self, url: str, *, address: str = "", partition: str = "main") -> None:
        here = f"{socket.gethostname()}:{os.getpid()}"
        self.fence = Fence(partition, f"{here}:{secrets.token_hex(8)}")
        self._url = url
        self._address = address or here
        self._session: Any = None

    def prepare(self) -> None:
        """Make what is needed to lead, if nobody has so far.

        Raises:
            SettingsError: The database cannot be used.
        """
        try:
            connection = self._connected()
            with connection.transaction():
                connection.execute(LOCK)
                for statement in MAKE:
                    connection.execute(statement)
                connection.execute(_BEGIN, (self.fence.partition,))
        except StoreUnavailable as down:
            raise unusable(server_url(self._url), down) from down
        except driver_error() as error:
            self.close()
            raise unusable(server_url(self._url), error) from error

    def take(self) -> Leader | None:
        """Lead from now on, and return None; or return who does.

        Raises:
            StoreUnavailable: It cannot be told now.
        """
        partition = self.fence.partition
        try:
            connection = self._connected()
            address, is_led = connection.execute(_LOOK, (partition,)).fetchone()
            if is_led:
                return Leader(address=address)
            return None if self._follow(connection) else self.take()
        except driver_error() as error:
            self.close()
            raise StoreUnavailable(str(error)) from error

    def _follow(self, connection: Any) -> bool:
        asked = (self.fence.holder, self._address, self.fence.partition)
        try:
            # Behind whatever the one before is committing at this moment.
            with connection.transaction():
                connection.execute(LOCK)
                return connection.execute(_TAKE, asked).fetchone() is not None
        except driver_error() as error:
            if getattr(error, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
        # It stopped within a commit, and the server waits for more of it, for ever.
        connection.execute(_END_WRITERS)
        return False

    def renew(self) -> None:
        """Say that this engine is still there.

        Raises:
            Fenced: Another has taken over.
            StoreUnavailable: It cannot be said now.
        """
        asked = (self.fence.partition, self.fence.holder)
        try:
            is_ours = self._connected().execute(_RENEW, asked).fetchone() is not None
        except driver_error() as error:
            self.close()
            raise StoreUnavailable(str(error)) from error
        if not is_ours:
            raise Fenced("another engine has taken over")

    def release(self) -> None:
        """Let another lead at once, and close.

        Raises:
            StoreUnavailable: It cannot be said now; the lease ends by itself.
        """
        try:
            asked = (self.fence.partition, self.fence.holder)
            self._connected().execute(_RELEASE, asked)
        except driver_error() as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connected(self) -> Any:
        if self._session is None:
            try:
                self._session = session(self._url)
            except driver_error() as error:
                raise StoreUnavailable(str(error)) from error
        return self._session


def lead_at_once(lease: Lease) -> None:
    """Lead, where nobody does.

    Raises:
        SettingsError: Another engine does, or the database cannot be used.
    """
    lease.prepare()
    try:
        leader = lease.take()
    except StoreUnavailable as down:
        raise SettingsError(
            f"It cannot be told whether another engine runs on the database: {down}.",
            hint="Try again in a moment.",
        ) from down
    if leader is not None:
        lease.close()
        raise SettingsError(
            f"Another engine runs on the database: {leader.address}.",
            hint="End it first, or name another database.",
        )
