"""Run every benchmark and print its ratios; absolute figures belong to this machine."""

import argparse
import asyncio
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from benchmarks.chain import cost, followed
from benchmarks.goals import Goal
from benchmarks.pages import acknowledged, against_peers, durable, told
from benchmarks.places import KINDS, databases
from benchmarks.start import measure
from mes_engine.bootstrap.core import tune_interpreter


async def measured(kind: str, asked: Namespace) -> list[Goal]:
    """Measure everything on one kind of database."""
    with databases(kind) as fresh, tempfile.TemporaryDirectory() as folder:
        goals = await durable(
            kind,
            fresh,
            Path(folder),
            rounds=asked.rounds,
            commands=asked.commands,
            callers=asked.callers,
        )
        goals += await acknowledged(
            kind,
            fresh,
            rounds=asked.rounds,
            commands=asked.commands,
            callers=asked.callers,
        )
        if asked.peer_rounds:
            goals += await against_peers(
                kind, fresh, rounds=asked.peer_rounds, commands=asked.commands
            )
    return goals


def main() -> int:
    """Run what the command line asks for; 1 where a goal is missed."""
    tune_interpreter()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--on", choices=KINDS, action="append", help="default: both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--commands", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=500)
    parser.add_argument(
        "--peer-rounds", type=int, default=2, help="0 leaves the peers out"
    )
    parser.add_argument(
        "--chain-rows", type=int, default=100_000, help="0 leaves the chain out"
    )
    parser.add_argument(
        "--live-jobs", type=int, default=10_000, help="at a start; 0 leaves it out"
    )
    asked = parser.parse_args()
    goals: list[Goal] = []
    for kind in asked.on or KINDS:
        goals += asyncio.run(measured(kind, asked))
    is_reached = True
    if asked.chain_rows:
        is_reached &= asyncio.run(
            cost(rounds=asked.rounds, commands=asked.commands, callers=asked.callers)
        )
        is_reached &= asyncio.run(followed(rows=asked.chain_rows))
    if asked.live_jobs:
        goals += asyncio.run(
            measure(
                jobs=asked.live_jobs,
                few=asked.live_jobs // 10,
                facts=asked.live_jobs * 10,
                commands=asked.commands,
            )
        )
    return 0 if told(goals) and is_reached else 1


if __name__ == "__main__":
    sys.exit(main())
