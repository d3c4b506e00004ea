"""The fence of a PostgreSQL database: only the engine that leads can write to it.

One row for each partition says who leads, since which epoch, and when it was last
heard of. Every transaction that writes first takes the writers' lock and then asks for
its own epoch; so nothing that an engine sends after another has taken over is kept,
however late it arrives. Every new connection of the one that leads begins an epoch as
well: what was sent over the connection before it, and is still on its way, is refused.
"""

import threading
from typing import Any

LEASE_S = 2.5
"""An engine that was not heard of for so long may be followed by another."""
GONE_S = 1.0
"""Likewise, where its session with the server has ended as well."""

FENCED = "ME001"
"""The SQLSTATE with which the database refuses an engine that does not lead."""

WRITERS_LOCK = 0x4D45535752495445
"""The key of the advisory lock that puts writers in a queue: "MESWRITE"."""

LOCK = f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})"

MAKE = (
    """
CREATE TABLE IF NOT EXISTS leadership (
    partition text COLLATE "C" PRIMARY KEY,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    address text NOT NULL,
    session integer NOT NULL,
    renewed_at timestamptz NOT NULL
)""",
    f"""
CREATE OR REPLACE FUNCTION mes_fence(wanted_partition text, wanted_epoch bigint)
RETURNS void LANGUAGE plpgsql AS $$ BEGIN
IF NOT EXISTS (
    SELECT 1 FROM leadership
    WHERE partition = wanted_partition AND epoch = wanted_epoch
) THEN
    RAISE EXCEPTION 'another engine leads' USING ERRCODE = '{FENCED}';
END IF; END $$""",  # noqa: S608 - ours
)
"""Beside the tables of the migrations: who leads says who may migrate."""

_NEXT = """
UPDATE leadership SET epoch = epoch + 1
WHERE partition = %s AND holder = %s RETURNING epoch"""


class Fence:
    """What an engine that leads shows with each of its transactions.

    Attributes:
        partition: What it leads.
        holder: Its name, that no other process has.
    """

    def __init__(self, partition: str, holder: str) -> None:
        self.partition = partition
        self.holder = holder
        self._epoch = -1
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        """The epoch of its newest connection."""
        with self._lock:
            return self._epoch

    def begin_epoch(self, driven: Any) -> None:
        """Begin an epoch on a new connection, after all that others have begun.

        If another leads, it is none that would let anything pass.
        """
        with driven.transaction():
            driven.execute(LOCK)
            row = driven.execute(_NEXT, (self.partition, self.holder)).fetchone()
        with self._lock:
            self._epoch = -1 if row is None else row[0]

    def statement(self) -> tuple[str, tuple[str, int]]:
        """Return what to run in each transaction, with its values."""
        return "SELECT mes_fence(%s, %s)", (self.partition, self.epoch)
