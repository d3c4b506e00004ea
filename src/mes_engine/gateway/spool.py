"""The spool: reports on a gateway's own disk, in order, until the engine has them.

One SQLite file in WAL mode with ``synchronous=FULL``, used by one thread. A tail that
was torn by a crash is cut by SQLite; what an append has returned for is there
afterwards. Its size is bounded: when it is full, of each measurement only the newest is
kept, and the rest are counted. Counters, states and all else are never dropped.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mes_engine.core.errors import SettingsError
from mes_engine.storage.driver import sqlite_driver

FULL_UNTIL = 0.8
"""Once full, measurements are thinned until it is down to so much of its limit."""
RESERVE_BYTES = 1024 * 1024
MAX_AT = 2**62
DAY_US = 86_400_000_000
ROW_BYTES = 64
"""What a row takes besides its body, about."""

_COUNTED = "SELECT count(*), coalesce(sum(length(body)), 0) FROM report WHERE "
_SUMMED = "SELECT source, tag, min(at), max(at), count(*) FROM report WHERE "
_DELETED = "DELETE FROM report WHERE "

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS report (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " source TEXT NOT NULL, tag TEXT, at INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS report_of_tag ON report (tag, seq)"
    " WHERE tag IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS life (epoch INTEGER PRIMARY KEY,"
    " began_at INTEGER NOT NULL, alive_at INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS last (source TEXT PRIMARY KEY, at INTEGER NOT NULL)"
    " STRICT",
    "CREATE TABLE IF NOT EXISTS told (tag TEXT PRIMARY KEY, source TEXT NOT NULL,"
    " body BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS thinned (tag TEXT PRIMARY KEY, source TEXT NOT NULL,"
    " since INTEGER NOT NULL, until INTEGER NOT NULL, count INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS set_aside (seq INTEGER PRIMARY KEY,"
    " source TEXT NOT NULL, tag TEXT, at INTEGER NOT NULL, body BLOB NOT NULL,"
    " reason TEXT NOT NULL, is_elsewhere INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS fate (seq INTEGER PRIMARY KEY, what TEXT NOT NULL,"
    " person TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS death (seq INTEGER PRIMARY KEY, source TEXT NOT NULL,"
    " at INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS total (name TEXT PRIMARY KEY, count INTEGER NOT NULL)"
    " STRICT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A report as it is kept.

    Attributes:
        tag: Of a measurement, which may be thinned; None for all else.
        at: When it was received, in microseconds of UTC.
        is_sample: It is a value, and no word about the link.
        told_of: The tag of a value that has a time of its device's; None for others.
        body: An encoded ``Sensed``.
        aside: The number that it had among those set aside; None if it had none.
    """

    source: str
    tag: str | None
    at: int
    is_sample: bool
    body: bytes
    told_of: str | None = None
    aside: int | None = None

    @property
    def size(self) -> int:
        """What it takes on the disk, about."""
        return len(self.body) + ROW_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One life of the gateway.

    Attributes:
        epoch: Greater than that of any life before.
        lost_at: When the life before was last known to work; None if it is the first.
        last_at: When the last value of each source was received, in the lives before.
        deaths: When each source ended a life, in order; of the last day.
        told: The last value of each tag that has a time of its device's, by source;
            each an encoded ``Sensed``.
    """

    epoch: int
    lost_at: int | None
    last_at: dict[str, int]
    deaths: dict[str, list[int]] = field(default_factory=dict)
    told: dict[str, list[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """Measurements that were left out: of which source and tag, when, and how many."""

    source: str
    tag: str
    since: int
    until: int
    count: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What waited at ``place`` will never be taken; another gateway may tell it."""

    place: int
    reason: str
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What ``person`` has decided of a report that was set aside."""

    seq: int
    what: str
    person: str
    source: str
    body: bytes
    is_elsewhere: bool


class SpoolFull(Exception):
    """There is no room for what must not be dropped."""


class Spool:
    """The file. Not for several threads at once.

    Args:
        path: Where; its folder is there.
        limit_bytes: What waits may take so much.
    """

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.waiting = 0
        self.is_full = False
        self._driver = sqlite_driver()
        self._db = self._opened(path)
        self._reserve = path.with_name(f"{path.name}-reserve")
        self._set_aside_reserve()
        self._held_until = 0
        self._forgotten = 0
        self._count()

    @property
    def unwritable(self) -> tuple[type[Exception], ...]:
        """What is raised where the disk takes nothing, or may not take more."""
        return (SpoolFull, self._driver.OperationalError)

    def begin_life(self, *, now: int, blamed: str | None = None) -> Life:
        """Begin a life of the gateway, with an epoch of its own.

        Args:
            now: Microseconds of UTC.
            blamed: The source that has ended the life before, if one did.
        """
        with self._transaction():
            epoch, lost_at = self._db.execute(
                "SELECT max(epoch), max(alive_at) FROM life"
            ).fetchone()
            # The clock's seconds: greater also than what another disk has used.
            epoch = max((epoch or 0) + 1, now // 1_000_000)
            self._db.execute("INSERT INTO life VALUES (?, ?, ?)", (epoch, now, now))
            self._db.execute("DELETE FROM life WHERE epoch < ?", (epoch,))
            last_at = dict(self._db.execute("SELECT source, at FROM last").fetchall())
            if blamed is not None:
                self._db.execute(
                    "INSERT INTO death (source, at) VALUES (?, ?)", (blamed, now)
                )
            self._db.execute("DELETE FROM death WHERE at < ?", (now - DAY_US,))
            deaths: dict[str, list[int]] = {}
            for source, at in self._db.execute(
                "SELECT source, at FROM death ORDER BY seq"
            ).fetchall():
                deaths.setdefault(source, []).append(at)
            told: dict[str, list[bytes]] = {}
            for source, body in self._db.execute(
                "SELECT source, body FROM told ORDER BY tag"
            ).fetchall():
                told.setdefault(source, []).append(body)
        return Life(
            epoch=epoch, lost_at=lost_at, last_at=last_at, deaths=deaths, told=told
        )

    def live(self, *, now: int) -> None:
        """Keep that the gateway works still, and a reserve for a full disk."""
        self._set_aside_reserve()
        with self._transaction():
            self._db.execute("UPDATE life SET alive_at = ?", (now,))

    def append(self, some: Sequence[Kept]) -> None:
        """Keep reports, in this order; they are on the disk when it returns.

        Raises:
            SpoolFull: There is no room; none of them is kept.
        """
        wanted = sum(one.size for one in some)
        with self._transaction():
            if not self.is_full and self.bytes + wanted > self.limit_bytes:
                self.is_full = True
                self._thin_all()
            if self.is_full:
                self._thin(some)
                if self.bytes + wanted > self.limit_bytes:
                    self._db.execute("COMMIT")
                    self._db.execute("BEGIN IMMEDIATE")
                    raise SpoolFull
            self._insert(some)
        self.bytes += wanted
        self.waiting += len(some)

    def head(self, at_most: int, most_bytes: int) -> list[tuple[int, bytes]]:
        """Return the first reports that wait, with their places, and hold them back.

        They are not thinned until they are forgotten, or asked for again.
        """
        found: list[tuple[int, bytes]] = []
        size = 0
        rows = self._db.execute(
            "SELECT seq, body FROM report WHERE seq > ? ORDER BY seq LIMIT ?",
            (self._forgotten, at_most),
        )
        for seq, body in rows:
            size += len(body) + ROW_BYTES
            if found and size > most_bytes:
                break
            found.append((seq, body))
        rows.close()
        self._held_until = found[-1][0] if found else 0
        return found

    def forget(self, until: int, *, refused: Sequence[Refusal] = ()) -> None:
        """Forget all up to a place; put aside those that are refused, with why."""
        # Even if the disk does not take it now, they are not delivered again.
        self._forgotten = max(self._forgotten, until)
        self._held_until = 0
        try:
            self._forget(until, refused)
        except self._driver.OperationalError:
            # On a full disk: forgetting takes room, and then gives it.
            self._reserve.unlink(missing_ok=True)
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._forget(until, refused)
        if self.bytes < FULL_UNTIL * self.limit_bytes:
            self.is_full = False

    def _forget(self, until: int, refused: Sequence[Refusal]) -> None:
        with self._transaction():
            for one in refused:
                self._db.execute(
                    "INSERT OR IGNORE INTO set_aside SELECT seq, source, tag, at, body,"
                    " ?, ? FROM report WHERE seq = ?",
                    (one.reason[:500], one.is_elsewhere, one.place),
                )
            self._delete("seq <= ?", until)

    def thin_older(self, than: int) -> None:
        """Of measurements received before ``than``, keep the newest of each."""
        with self._transaction():
            old = self._db.execute(
                "SELECT 1 FROM report WHERE tag IS NOT NULL AND at < ? LIMIT 1", (than,)
            ).fetchone()
            if old is not None:
                self._thin_all(before=than)

    def take_thinned(self) -> list[Thinned]:
        """Return what was left out since it was last asked for."""
        with self._transaction():
            rows = self._db.execute(
                "SELECT source, tag, since, until, count FROM thinned ORDER BY tag"
            ).fetchall()
            self._db.execute("DELETE FROM thinned")
        return [
            Thinned(source=source, tag=tag, since=since, until=until, count=count)
            for source, tag, since, until, count in rows
        ]

    def oldest_at(self) -> int | None:
        """Return when the oldest that waits was received."""
        row = self._db.execute(
            "SELECT at FROM report WHERE seq > ? ORDER BY seq LIMIT 1",
            (self._forgotten,),
        ).fetchone()
        return None if row is None else int(row[0])

    def thinned_total(self) -> int:
        """Return how many measurements were ever left out."""
        row = self._db.execute(
            "SELECT count FROM total WHERE name = 'thinned'"
        ).fetchone()
        return 0 if row is None else int(row[0])

    def set_aside(self) -> tuple[int, str]:
        """Return how many reports were put aside, and why the last one was."""
        row = self._db.execute(
            "SELECT (SELECT count(*) FROM set_aside),"
            " (SELECT reason FROM set_aside ORDER BY seq DESC LIMIT 1)"
        ).fetchone()
        return int(row[0]), row[1] or ""

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _opened(self, path: Path) -> Any:
        db = self._driver.connect(
            os.fspath(path), isolation_level=None, check_same_thread=False
        )
        try:
            for pragma, wanted in (
                ("journal_mode=WAL", "wal"),
                ("synchronous=FULL", None),
                ("journal_size_limit=4194304", 4194304),
                ("wal_autocheckpoint=200", 200),
            ):
                row = db.execute(f"PRAGMA {pragma}").fetchone()
                if wanted is not None and row[0] != wanted:
                    raise SettingsError(
                        f"The spool {path} cannot be kept safe: {pragma} is {row[0]}.",
                        hint="Put it on a local disk.",
                    )
            for table in _SCHEMA:
                db.execute(table)
        except self._driver.DatabaseError as error:
            raise SettingsError(
                f"The spool {path} cannot be used: {error}.",
                hint="Its folder has to be writable. A file that is no spool may be "
                "moved away; what it has was not delivered.",
            ) from error
        return db

    def _set_aside_reserve(self) -> None:
        if self._reserve.exists():
            return
        with suppress(OSError):
            file = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.posix_fallocate(file, 0, RESERVE_BYTES)
            except OSError:
                self._reserve.unlink()
            finally:
                os.close(file)

    def _count(self) -> None:
        self.waiting, size = self._db.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM report"
        ).fetchone()
        self.bytes = size + ROW_BYTES * self.waiting

    def _transaction(self) -> "_Transaction":
        return _Transaction(self)

    def _insert(self, some: Sequence[Kept]) -> None:
        self._db.executemany(
            "INSERT INTO report (source, tag, at, body) VALUES (?, ?, ?, ?)",
            [(one.source, one.tag, one.at, one.body) for one in some],
        )
        values = {one.source: one.at for one in some if one.is_sample}
        self._db.executemany(
            "INSERT INTO last VALUES (?, ?)"
            " ON CONFLICT (source) DO UPDATE SET at = excluded.at",
            list(values.items()),
        )
        told = {one.told_of: one for one in some if one.told_of is not None}
        self._db.executemany(
            "INSERT INTO told (tag, source, body) VALUES (?, ?, ?) ON CONFLICT (tag)"
            " DO UPDATE SET source = excluded.source, body = excluded.body",
            [(tag, one.source, one.body) for tag, one in told.items()],
        )

        self._db.executemany(
            "DELETE FROM set_aside WHERE seq = ?",
            [(one.aside,) for one in some if one.aside is not None],
        )

    def decided(self) -> list[Decided]:
        """Return what persons have decided of reports that were set aside.

        What is not set aside any more is forgotten.
        """
        if self._db.execute("SELECT 1 FROM fate LIMIT 1").fetchone() is None:
            return []
        with self._transaction():
            self._db.execute(
                "DELETE FROM fate WHERE seq NOT IN (SELECT seq FROM set_aside)"
            )
            rows = self._db.execute(
                "SELECT seq, what, person, source, body, is_elsewhere"
                " FROM fate JOIN set_aside USING (seq) ORDER BY seq"
            ).fetchall()
        return [
            Decided(seq, what, person, source, body, bool(is_elsewhere))
            for seq, what, person, source, body, is_elsewhere in rows
        ]

    def drop(self, seq: int) -> None:
        """Forget a report that was set aside."""
        with self._transaction():
            self._db.execute("DELETE FROM set_aside WHERE seq = ?", (seq,))

    def _thin_all(self, before: int | None = None) -> None:
        """Of every measurement that waits, keep the newest."""
        self._leave_out(
            "tag IS NOT NULL AND seq > ? AND at < ? AND seq <"
            " (SELECT max(seq) FROM report AS newer WHERE newer.tag = report.tag)",
            self._held_until,
            MAX_AT if before is None else before,
        )

    def _thin(self, some: Sequence[Kept]) -> None:
        """Make way for newer measurements of the same tags."""
        for tag in {one.tag for one in some if one.tag is not None}:
            self._leave_out("tag = ? AND seq > ?", tag, self._held_until)

    def _leave_out(self, which: str, *values: object) -> None:
        groups = " GROUP BY source, tag"
        rows = self._db.execute(_SUMMED + which + groups, values).fetchall()
        if not rows:
            return
        self._db.executemany(
            "INSERT INTO thinned (source, tag, since, until, count)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (tag) DO UPDATE SET"
            " until = excluded.until, count = count + excluded.count",
            rows,
        )
        self._db.execute(
            "INSERT INTO total VALUES ('thinned', ?)"
            " ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
            (sum(row[4] for row in rows),),
        )
        self._delete(which, *values)

    def _delete(self, which: str, *values: object) -> None:
        count, size = self._db.execute(_COUNTED + which, values).fetchone()
        self._db.execute(_DELETED + which, values)
        self.waiting -= count
        self.bytes -= size + ROW_BYTES * count


class _Transaction:
    """BEGIN IMMEDIATE to COMMIT, or back with what is counted."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def __enter__(self) -> None:
        self._db = self._spool._db  # noqa: SLF001 - a part of it
        self._before = (self._spool.waiting, self._spool.bytes)
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
            except BaseException:
                self._back()
                raise
        else:
            self._back(is_kept=kind is SpoolFull)

    def _back(self, *, is_kept: bool = False) -> None:
        if not is_kept:
            self._spool.waiting, self._spool.bytes = self._before
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
