"""The engine on its database: what every command that runs one begins with.

Here, and in the adapters, a clock is read; everything else is handed the time.
"""

import asyncio
import gc
import sys
import time
from asyncio import TaskGroup, wait
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from mes_engine.bootstrap.leading import Leading, kept, one_error
from mes_engine.core.decide import decide
from mes_engine.migrations import upgrade
from mes_engine.ports import Submit
from mes_engine.runtime.engine import Engine, Note, unnoted
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.pace import Clock
from mes_engine.storage.backend import is_postgresql
from mes_engine.storage.chain import UNKEYED, ChainKey, read_or_make_keys
from mes_engine.storage.database import Database
from mes_engine.storage.fence import Fence
from mes_engine.storage.leadership import Lease, lead_at_once
from mes_engine.storage.lock import sole_engine
from mes_engine.storage.store import SqlStore

log = structlog.stdlib.get_logger()

SWITCH_INTERVAL_S = 0.0005
"""Lets the writer's thread get the interpreter back soon (the GIL convoy)."""
COLLECT_AT = (100_000, 20, 100)
"""How seldom cycles are looked for: what the engine makes is freed by counting."""


def tune_interpreter() -> None:
    """Set the interpreter up for one busy loop beside one writer thread."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*COLLECT_AT)


def collect_from_now_on() -> None:
    """Look for cycles in what is made from now on only: what there is is to stay.

    A process that is to serve soon begins with the collector switched off. It would
    walk all that was loaded at once when it is switched on: half a second for 100,000
    job orders.
    """
    gc.freeze()
    gc.enable()


def wall_clock() -> int:
    """Tell the time in microseconds of UTC."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """An engine that runs on its database, where its store has the journal."""

    database: Database
    store: SqlStore
    engine: Engine
    feed: Feed
    clock: Clock

    @property
    def submit(self) -> Submit:
        """How everything that changes work in progress goes in."""
        return self.engine.submit


@asynccontextmanager
async def running_engine(
    database_url: str,
    *,
    clock: Clock = wall_clock,
    busy_timeout_s: float = 5.0,
    note: Note = unnoted,
    leading: Leading | None = None,
    key_file: Path | None = None,
) -> AsyncIterator[Core]:
    """Run an engine on the database, brought up to its schema first.

    On leaving, what was taken is finished, then the database is closed.

    Args:
        database_url: Where it is.
        clock: Tells the time.
        busy_timeout_s: How long to wait for a lock that another program holds.
        note: Told how long each commit took.
        leading: On PostgreSQL, the lead that was taken already; None takes it.
        key_file: The keys of the journal's chain, made where there are none; None for
            a chain without.

    Raises:
        SettingsError: The database or the keys cannot be used, or another engine runs
            on it.
        Fenced: Another engine has taken over.
    """
    tune_interpreter()
    async with _led(database_url, leading) as fence:
        await asyncio.to_thread(upgrade, database_url)
        database = Database.open(
            database_url, busy_timeout_s=busy_timeout_s, fence=fence
        )
        try:
            store = SqlStore(database, key=_key_of(key_file))
            feed = Feed()
            engine = Engine(
                store,
                await store.load(),
                clock=clock,
                feed=feed,
                decide=decide,
                note=note,
            )
            async with _running(engine, feed):
                yield Core(
                    database=database,
                    store=store,
                    engine=engine,
                    feed=feed,
                    clock=clock,
                )
        finally:
            await database.close()


def _key_of(path: Path | None) -> ChainKey:
    """Return what the journal's chain is made with from now on."""
    if path is None:
        return UNKEYED
    keys, is_new = read_or_make_keys(path)
    if is_new:
        log.warning("journal_key_made", file=str(path), key=keys[-1].id)
    return keys[-1]


@asynccontextmanager
async def _led(url: str, leading: Leading | None) -> AsyncIterator[Fence | None]:
    """Be the only engine that writes to the database."""
    if not is_postgresql(url):
        with sole_engine(url):
            yield None
        return
    if leading is None:
        lease = Lease(url)
        await asyncio.to_thread(lead_at_once, lease)
        leading = Leading(lease)
    async with kept(leading) as fence:
        yield fence


@asynccontextmanager
async def _running(engine: Engine, feed: Feed) -> AsyncIterator[None]:
    """Run the engine beside what is done meanwhile; let one error be itself."""
    with one_error():
        async with TaskGroup() as tasks:
            running = tasks.create_task(engine.run())
            try:
                yield
            finally:
                engine.stop()
                await wait([running])  # its error is the group's
                feed.close()
