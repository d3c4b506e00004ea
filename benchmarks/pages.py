"""The page of one kind of database: durable commands against everything else."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from types import ModuleType

from benchmarks.durable import RecordingStore, bulk_round, engine_round, paced_round
from benchmarks.goals import Goal, median_of_ratios
from benchmarks.obvious import obvious_round
from benchmarks.places import Fresh
from mes_engine.storage.batches import fact_row
from mes_engine.storage.chain import encoded_fact

AGAINST_BULK, AGAINST_APPEND = 0.5, 0.2
AGAINST_SINGLE = 10.0
AGAINST_OBVIOUS = {"sqlite": 75.0, "postgresql": 30.0}
AGAINST_DBOS = {1: 5.0, 8: 10.0, 500: 50.0}
AGAINST_EVENTSOURCING = {1: 1.5, 500: 20.0}
ACKNOWLEDGED_P50, ACKNOWLEDGED_P99 = 5.0, 30.0
PACED_S = 3.0
PEER_COMMANDS = 150


async def durable(
    kind: str, fresh: Fresh, folder: Path, *, rounds: int, commands: int, callers: int
) -> list[Goal]:
    """Measure what a commit shared by many is worth, and what it costs."""
    print(f"{kind}: durable commands, {callers} callers waiting, {rounds} rounds")
    print("engine/s  a commit  same rows/s  appended/s  batch of one/s  async ORM/s")
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        ours, store = await engine_round(fresh(), commands=commands, callers=callers)
        bulk = await bulk_round(fresh(), store, ours)
        single, _ = await engine_round(
            fresh(), commands=max(commands // 20, 100), callers=callers, batch_max=1
        )
        found = {
            "engine": ours.per_second,
            "bulk": bulk.per_second,
            "appended": appended(folder, store, ours.commits) * ours.commands,
            "single": single.per_second,
            "obvious": await obvious_round(fresh(), commands=max(commands // 40, 50)),
        }
        for name, rate in found.items():
            rates.setdefault(name, []).append(rate)
        print(
            f"{found['engine']:8.0f}  {ours.commands / ours.commits:8.0f}  "
            f"{found['bulk']:11.0f}  {found['appended']:10.0f}  "
            f"{found['single']:14.0f}  {found['obvious']:11.0f}",
            flush=True,
        )
    against = {
        "bulk": ("the same rows without logic", AGAINST_BULK),
        "appended": ("append and fdatasync of the same facts", AGAINST_APPEND),
        "single": ("the same with a batch of one", AGAINST_SINGLE),
        "obvious": ("async ORM, a transaction each", AGAINST_OBVIOUS[kind]),
    }
    return [
        Goal(
            name=f"{kind}: engine / {name}",
            found=median_of_ratios(rates["engine"], rates[key]),
            wanted=wanted,
        )
        for key, (name, wanted) in against.items()
    ]


def appended(folder: Path, store: RecordingStore, commits: int) -> float:
    """Append the facts of the last commits to a file, each synced; all of it, a s."""
    batches = [
        b"".join(encoded_fact(fact_row(one)) for one in records)
        for records, _ in store.commits[-commits:]
    ]
    file = os.open(folder / "appended", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    try:
        began = perf_counter()
        for batch in batches:
            os.write(file, batch)
            os.fdatasync(file)
        return 1 / (perf_counter() - began)
    finally:
        os.close(file)


async def acknowledged(
    kind: str, fresh: Fresh, *, rounds: int, commands: int, callers: int
) -> list[Goal]:
    """Measure how long an answer takes, at half of what can be done."""
    p50, p99 = [], []
    for _ in range(rounds):
        most, _ = await engine_round(
            fresh(), commands=max(commands // 4, 100), callers=callers
        )
        alone, _ = await engine_round(fresh(), commands=100, callers=1)
        waits = await paced_round(fresh(), rate=most.per_second / 2, seconds=PACED_S)
        cuts = quantiles(waits, n=100)
        p50.append(median(waits) * alone.per_second)
        p99.append(cuts[98] * alone.per_second)
        print(
            f"at {most.per_second / 2:.0f}/s: p50 {1000 * median(waits):.1f} ms, "
            f"p99 {1000 * cuts[98]:.1f} ms; one alone {1000 / alone.per_second:.1f} ms",
            flush=True,
        )
    return [
        Goal(
            name=f"{kind}: {name} at half of saturation / one command alone",
            found=median(found),
            wanted=wanted,
            is_bound=True,
        )
        for name, found, wanted in (
            ("p50", p50, ACKNOWLEDGED_P50),
            ("p99", p99, ACKNOWLEDGED_P99),
        )
    ]


async def against_peers(
    kind: str, fresh: Fresh, *, rounds: int, commands: int
) -> list[Goal]:
    """Measure what others do on the same work, in the same rounds."""
    peers = _peers()
    if peers is None:
        print("no peers: pip install 'mes-engine[bench]', to compare with them")
        return []
    ratios: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        saved = await asyncio.to_thread(
            peers.eventsourcing_round, fresh(), commands=2 * PEER_COMMANDS
        )
        for callers in sorted({*AGAINST_DBOS, *AGAINST_EVENTSOURCING}):
            done = min(commands, max(100, callers * 10))
            ours, _ = await engine_round(fresh(), commands=done, callers=callers)
            flows = await asyncio.to_thread(
                peers.dbos_round,
                fresh(),
                commands=PEER_COMMANDS,
                callers=min(callers, PEER_COMMANDS),
            )
            ratios.setdefault(("DBOS", callers), []).append(ours.per_second / flows)
            ratios.setdefault(("eventsourcing", callers), []).append(
                ours.per_second / saved
            )
            print(
                f"{callers:3} in flight: engine {ours.per_second:.0f}/s, "
                f"DBOS {flows:.0f}/s, eventsourcing {saved:.0f}/s",
                flush=True,
            )
    return list(_against(kind, "DBOS", AGAINST_DBOS, ratios)) + list(
        _against(kind, "eventsourcing", AGAINST_EVENTSOURCING, ratios)
    )


def _against(
    kind: str,
    name: str,
    wanted: dict[int, float],
    ratios: dict[tuple[str, int], list[float]],
) -> Iterator[Goal]:
    for callers, figure in wanted.items():
        yield Goal(
            name=f"{kind}: engine / {name}, {callers} in flight",
            found=median(ratios[name, callers]),
            wanted=figure,
        )


def _peers() -> ModuleType | None:
    try:
        return import_module("benchmarks.peers")
    except ImportError:
        return None


def told(goals: Sequence[Goal]) -> bool:
    """Print every goal; whether all were reached."""
    for goal in goals:
        print(goal)
    return all(goal.is_reached for goal in goals)
