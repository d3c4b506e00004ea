"""Run every benchmark and print its ratios; absolute figures belong to this machine."""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chain import cost, followed
from benchmarks.durable import Measured, bulk_round, engine_round
from mes_engine.bootstrap.core import tune_interpreter

GOAL_TIMES_SINGLE = 10.0


async def durable(*, rounds: int, commands: int, callers: int) -> bool:
    """Print the first page; whether its one goal is reached."""
    against_bulk: list[float] = []
    against_single: list[float] = []
    print(f"Durable commands, {callers} callers waiting, {rounds} interleaved rounds")
    print("round  engine/s  facts/s  a commit  same rows, no logic/s  batch of one/s")
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            ours, store = await engine_round(place, commands=commands, callers=callers)
            bulk = await bulk_round(place, store, ours)
        with tempfile.TemporaryDirectory() as folder:
            single, _ = await engine_round(
                Path(folder),
                commands=max(commands // 20, 100),
                callers=callers,
                batch_max=1,
            )
        against_bulk.append(ours.per_second / bulk.per_second)
        against_single.append(ours.per_second / single.per_second)
        print(_line(number, ours, bulk, single))
    print(
        f"engine / same rows without logic: {_median(against_bulk):.2f} "
        "(median of the rounds' ratios)"
    )
    times = _median(against_single)
    is_reached = times >= GOAL_TIMES_SINGLE
    word = "reached" if is_reached else "NOT reached"
    print(
        f"engine / the same with a batch of one: {times:.1f} times "
        f"(goal {GOAL_TIMES_SINGLE:.0f}: {word})"
    )
    return is_reached


def _line(number: int, ours: Measured, bulk: Measured, single: Measured) -> str:
    facts = ours.facts / ours.seconds
    group = ours.commands / ours.commits
    return (
        f"{number:5}  {ours.per_second:8.0f}  {facts:7.0f}  {group:8.0f}  "
        f"{bulk.per_second:21.0f}  {single.per_second:14.0f}"
    )


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def main() -> int:
    """Run what the command line asks for; 1 where a goal is missed."""
    tune_interpreter()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=500)
    parser.add_argument(
        "--chain-rows", type=int, default=100_000, help="0 leaves the chain out"
    )
    asked = parser.parse_args()
    is_reached = asyncio.run(
        durable(rounds=asked.rounds, commands=asked.commands, callers=asked.callers)
    )
    if asked.chain_rows:
        is_reached &= asyncio.run(
            cost(rounds=asked.rounds, commands=asked.commands, callers=asked.callers)
        )
        is_reached &= asyncio.run(followed(rows=asked.chain_rows))
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
