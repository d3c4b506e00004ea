"""The journal's chain: what a commit pays for it, and how fast it is followed.

The same engine does the same work with the chain and without, in turns; and a journal
of many rows, with the facts of that work, is followed from end to end.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from sqlalchemy import Connection

from benchmarks.durable import bulk_round, engine_round
from mes_engine.core.facts import Recorded
from mes_engine.core.state import State
from mes_engine.migrations import upgrade
from mes_engine.storage import bulk
from mes_engine.storage.batches import Batch, fact_row
from mes_engine.storage.chain import (
    GENESIS,
    ChainKey,
    Head,
    encoded_fact,
    fact_digest,
    keyring,
    linked,
)
from mes_engine.storage.database import Database
from mes_engine.storage.driver import sqlite_driver
from mes_engine.storage.store import SqlStore
from mes_engine.storage.verify import verify_chain

KEY = ChainKey.of(b"k" * 32)
MOST_COST = 0.05
GOAL_ROWS_PER_S = 1_000_000 / 60
PER_LINK = 500
SOME_FACTS = 6_000

_ENCODER = msgspec.json.Encoder()


class _Unchained(Batch):
    """What a commit was before there was a chain."""

    def append_sqlite(self, driven: Any) -> Head:
        """Write the facts, and nothing of a chain."""
        rows = [fact_row(one) for one in self.records]
        text = _ENCODER.encode(rows).decode()
        driven.execute(bulk.WRITE_FACTS, (text, self.partition))
        return GENESIS


class UnchainedStore(SqlStore):
    """The real store, but for the chain."""

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Write facts and rows."""
        batch = _Unchained.of(
            self.partition, records, layer, key=self.key, head=None, anchors=0
        )
        await self._database.raw(batch.writer(self._database))


def chained_store(database: Database) -> SqlStore:
    """Return the real store, with a key."""
    return SqlStore(database, key=KEY)


async def cost(*, rounds: int, commands: int, callers: int) -> bool:
    """Print what the chain costs; whether that is little enough.

    In seconds of the processors, which other programs on this machine do not change.
    """
    print(f"The chain: {rounds} rounds of {commands} commands, in turns, CPU us each")
    print("round  with  without  ratio  the same rows, no logic")
    engine, rows = [], []
    for number in range(1, rounds + 1):
        found = {}
        turns = (chained_store, UnchainedStore)
        for make in turns if number % 2 else turns[::-1]:
            with tempfile.TemporaryDirectory() as folder:
                at = f"sqlite:///{folder}"
                ours, store = await engine_round(
                    f"{at}/engine.db",
                    commands=commands,
                    callers=callers,
                    make_store=make,
                )
                again = await bulk_round(f"{at}/bulk.db", store, ours, make_store=make)
            found[make] = ours.cpu_s, again.cpu_s
        with_it, without = found[chained_store], found[UnchainedStore]
        engine.append(with_it[0] / without[0])
        rows.append(with_it[1] / without[1])
        each = [1_000_000 * one / commands for one in (with_it[0], without[0])]
        print(
            f"{number:5}  {each[0]:4.0f}  {each[1]:7.0f}  {engine[-1]:5.3f}  "
            f"{rows[-1]:5.3f}"
        )
    paid = statistics.median(engine) - 1
    is_reached = paid <= MOST_COST
    word = "reached" if is_reached else "NOT reached"
    print(
        f"what the engine pays for the chain: {paid:.1%} (median; goal "
        f"{MOST_COST:.0%}: {word}); the commits alone {statistics.median(rows) - 1:.1%}"
    )
    return is_reached


async def followed(*, rows: int) -> bool:
    """Print how fast a chain is followed; whether that is fast enough."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/long.db"
        await asyncio.to_thread(_write_long, Path(folder), url, rows)
        database = Database.open(url)
        began = perf_counter()
        report = await database.read(_follow)
        seconds = perf_counter() - began
        await database.close()
    if not report.is_sound or report.facts != rows:
        raise RuntimeError(f"not what was written: {report.problems[:1]}")
    is_reached = rows / seconds >= GOAL_ROWS_PER_S
    word = "reached" if is_reached else "NOT reached"
    print(
        f"{rows} rows in {report.links} links followed in {seconds:.1f} s: "
        f"{rows / seconds:.0f} rows/s (goal {GOAL_ROWS_PER_S:.0f}: {word})"
    )
    return is_reached


def _follow(connection: Connection) -> Any:
    return verify_chain(connection, keys=keyring([KEY]))


def _write_long(folder: Path, url: str, rows: int) -> None:
    """Write the facts of some work over and over, under new numbers."""
    upgrade(url)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place) / "engine.db"
        asyncio.run(engine_round(f"sqlite:///{file}", commands=2_000, callers=500))
        facts = _facts(file)
    raw = sqlite_driver().connect(f"{folder}/long.db")
    head = GENESIS
    columns = ", ".join(bulk.FACT_COLUMNS)
    for first in range(1, rows + 1, PER_LINK):
        last = min(first + PER_LINK - 1, rows)
        some = [(seq, *facts[seq % len(facts)]) for seq in range(first, last + 1)]
        digests = [
            fact_digest(KEY, encoded_fact((*row, msgspec.Raw(body))))
            for *row, body in some
        ]
        link = linked(KEY, "main", head, last, digests, anchors=0)
        raw.executemany(
            f"INSERT INTO fact (partition, {columns}) "
            "VALUES ('main', ?, ?, ?, ?, ?, ?, ?, ?)",
            some,
        )
        raw.execute("INSERT INTO chain_link VALUES ('main', ?, ?, ?, ?, ?)", link)
        head = link.head
    raw.commit()
    raw.close()


def _facts(file: Path) -> list[tuple[Any, ...]]:
    raw = sqlite_driver().connect(file)
    columns = ", ".join(bulk.FACT_COLUMNS[1:])
    query = f"SELECT {columns} FROM fact ORDER BY seq DESC LIMIT {SOME_FACTS}"
    found: list[tuple[Any, ...]] = raw.execute(query).fetchall()
    raw.close()
    return found
