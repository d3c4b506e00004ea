"""Run an oracle on whatever engine is on the path, until it finds something.

``python -m tests.seeded.hunt driven|simulated SECONDS`` ends with 1 and what it found,
or with 0 if nothing was found in so much time of its own, however busy the machine is.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from mes_engine import migrations
from tests.core.whole_engine import WholeEngine
from tests.databases import url_in
from tests.simulated.world import World

FEW = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    print_blob=False,
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)


def driven(seed: int) -> None:
    """Drive the whole shop at random."""
    WholeEngine._hypothesis_internal_use_seed = seed  # noqa: SLF001  as its ``seed``
    run_state_machine_as_test(WholeEngine, settings=FEW)


def simulated(seed: int) -> None:
    """Live a day of a plant."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        empty.mkdir()
        migrations.upgrade(url_in(empty))
        shutil.copytree(empty, Path(folder) / "day")
        World(Path(folder) / "day", seed, seconds=3.0).run()


ORACLES: dict[str, Callable[[int], None]] = {"driven": driven, "simulated": simulated}


def main() -> None:
    """Try one seed after the other."""
    oracle, until = ORACLES[sys.argv[1]], time.process_time() + float(sys.argv[2])
    for seed in count(1):
        if time.process_time() > until:
            return
        try:
            oracle(seed)
        except BaseException as error:  # noqa: BLE001  whatever it is, it is found
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            sys.exit(f"seed {seed}: {told[:200]}")


if __name__ == "__main__":
    main()
