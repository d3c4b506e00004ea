"""PostgreSQL's drivers on the hot path: the engine's own batches, written by each.

    python -m benchmarks.drivers

psycopg is what the store uses: all statements of a batch in one pipeline. asyncpg gets
the same statements, and once more as one statement with binary arrays. asyncpg comes
with none of our extras; without it, only the first is measured.
"""

import argparse
import asyncio
import re
import statistics
import tempfile
from collections.abc import Sequence
from importlib import import_module
from time import perf_counter
from typing import Any

import msgspec

from benchmarks.durable import RecordingStore, engine_round
from mes_engine.bootstrap.core import tune_interpreter
from mes_engine.migrations import upgrade
from mes_engine.storage.batches import Batch
from mes_engine.storage.chain import GENESIS, UNKEYED
from mes_engine.storage.database import Database
from mes_engine.storage.fence import LOCK
from tests.postgres import Server, a_server

Calls = list[tuple[str, list[Any]]]


class _Listening:
    """Takes a batch apart into the statements that it would run."""

    class Error(Exception):
        pass

    def __init__(self) -> None:
        self.calls: Calls = []

    def execute(self, statement: str, values: Sequence[Any] = (), **_: Any) -> None:
        if statement != LOCK:
            self.calls.append((statement, list(values)))

    def pipeline(self) -> "_Listening":
        return self

    def commit(self) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def calls_of(database: Database, store: RecordingStore) -> list[Calls]:
    """Return what each recorded batch sends."""
    found = []
    for records, layer in store.commits:
        listening = _Listening()
        head = GENESIS._replace(seq=records[0].seq - 1)
        batch = Batch.of("main", records, layer, key=UNKEYED, head=head, anchors=0)
        batch.writer(database)(listening)
        found.append(listening.calls)
    return found


def numbered(statement: str, first: int = 1) -> str:
    """Return a statement with numbered parameters."""
    numbers = iter(range(first, first + statement.count("%s")))
    return re.sub("%s", lambda _: f"${next(numbers)}", statement)


def with_arrays(statement: str) -> str:
    """Return a statement that takes its columns as arrays."""
    casts = re.findall(r"c\d+((?:::\w+)*)", statement.partition(" FROM ")[0])
    kinds = ["bigint" if "int" in one else "text" for one in casts]
    arrays = iter(kinds)
    said = re.sub(
        r"json_array_elements_text\(%s\)",
        lambda _: f"unnest(%s::{next(arrays)}[])",
        statement,
    )
    return said.replace("::boolean::int", "::int")


def plain(statement: str, values: list[Any]) -> list[Any]:
    """Return the columns of a call as lists for arrays."""
    casts = re.findall(r"c\d+((?:::\w+)*)", statement.partition(" FROM ")[0])
    found: list[Any] = [values[0]]
    for cast, column in zip(casts, values[1:], strict=True):
        listed = msgspec.json.decode(column)
        if "int" in cast:
            found.append([None if one is None else int(one) for one in listed])
        else:
            found.append(
                [
                    one
                    if one is None or isinstance(one, str)
                    else msgspec.json.encode(one).decode()
                    for one in listed
                ]
            )
    return found


async def measured(server: Server, calls: list[Calls], write: Any) -> float:
    """Return how many batches a second are written to an empty database."""
    url = server.fresh()
    upgrade(url)
    connected = await write.connect(url)
    calls = [write.prepared(batch) for batch in calls]
    warm = len(calls) // 5
    for batch in calls[:warm]:
        await write.write(connected, batch)
    began = perf_counter()
    for batch in calls[warm:]:
        await write.write(connected, batch)
    took = perf_counter() - began
    await write.close(connected)
    return (len(calls) - warm) / took


class Psycopg:
    """As the store does it, in a thread of its own."""

    name = "psycopg, one pipeline"

    def prepared(self, batch: Calls) -> Calls:
        """Return a batch as this way has it, made before the time is taken."""
        return batch

    async def connect(self, url: str) -> Any:
        """Return a connection of the driver."""
        return await asyncio.to_thread(import_module("psycopg").connect, url)

    async def write(self, driven: Any, batch: Calls) -> None:
        """Write a batch in one transaction."""
        await asyncio.get_running_loop().run_in_executor(
            None, self._write, driven, batch
        )

    def _write(self, driven: Any, batch: Calls) -> None:
        with driven.pipeline():
            driven.execute(LOCK)
            for statement, values in batch:
                driven.execute(statement, values, prepare=True)
            driven.commit()

    async def close(self, driven: Any) -> None:
        """Close the connection."""
        driven.close()


class Asyncpg:
    """The same statements, one after the other."""

    name = "asyncpg, the same statements"

    def prepared(self, batch: Calls) -> Calls:
        """Return it with parameters by number."""
        return [(numbered(statement), values) for statement, values in batch]

    async def connect(self, url: str) -> Any:
        """Return a connection of the driver."""
        name, host = re.findall(r"/(\w+)\?host=(.*)", url)[0]
        connect = import_module("asyncpg").connect
        return await connect(user="postgres", database=name, host=host)

    async def write(self, driven: Any, batch: Calls) -> None:
        """Write a batch in one transaction."""
        async with driven.transaction():
            await driven.execute(LOCK)
            for statement, values in batch:
                await driven.execute(statement, *values)

    async def close(self, driven: Any) -> None:
        """Close the connection."""
        await driven.close()


class AsyncpgOnce(Asyncpg):
    """One statement with binary arrays for the whole batch."""

    name = "asyncpg, one statement of arrays"

    def prepared(self, batch: Calls) -> Calls:
        """Return it as one statement."""
        parts, given = [], list[Any]()
        for index, (statement, values) in enumerate(batch):
            said = numbered(with_arrays(statement), len(given) + 1)
            parts.append(f"t{index} AS ({said})")
            given += plain(statement, values)
        return [(f"WITH {', '.join(parts)} SELECT 1", given)]


async def compare(rounds: int, commands: int) -> None:
    """Print how many batches a second each writes, and the ratios."""
    ways: list[Any] = [Psycopg()]
    try:
        import_module("asyncpg")
    except ImportError:
        print("asyncpg is not installed: pip install asyncpg, to compare")
    else:
        ways += [Asyncpg(), AsyncpgOnce()]
    with a_server() as server:
        database = Database.open(server.migrated())
        for callers in (1, 10, 100, 500):
            with tempfile.TemporaryDirectory() as folder:
                _, store = await engine_round(
                    f"sqlite:///{folder}/engine.db",
                    commands=max(40, min(commands, callers * 40)),
                    callers=callers,
                )
            calls = calls_of(database, store)
            found: dict[str, list[float]] = {way.name: [] for way in ways}
            for _ in range(rounds):
                for way in ways:
                    found[way.name].append(await measured(server, calls, way))
            first = found[ways[0].name]
            for name, batches in found.items():
                ratios = [ours / one for ours, one in zip(first, batches, strict=True)]
                each = f"{statistics.median(batches):7.0f} batches/s"
                ratio = f"psycopg is {statistics.median(ratios):.2f} of it"
                print(f"{callers:4} a batch: {each}, {ratio}: {name}", flush=True)
        await database.close()


def main() -> None:
    """Run what the command line asks for."""
    tune_interpreter()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commands", type=int, default=10_000)
    asked = parser.parse_args()
    asyncio.run(compare(asked.rounds, asked.commands))


if __name__ == "__main__":
    main()
