"""``mes simulate``: a fab of thousands of lots on a virtual clock."""

from pathlib import Path
from typing import Annotated

import typer

from mes_engine.cli.output import AsJson, show
from mes_engine.core.plant import DispatchRule


def simulate(
    folder: Annotated[Path, typer.Argument(help="The tables of an SMT2020 fab.")],
    *,
    days: Annotated[int, typer.Option(min=1, help="How many to simulate.")] = 60,
    seed: Annotated[int, typer.Option(help="Of chance: the same gives the same.")] = 1,
    warm_start: Annotated[
        str | None,
        typer.Option(help="The table of the lots in process, such as WIP.txt."),
    ] = None,
    rule: Annotated[
        DispatchRule | None,
        typer.Option(help="By which all tools are dispatched; else the fab's own."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a whole wafer fab by the engine's own core, in memory, and measure it.

    Nothing is kept: no database is read or written.
    """
    import gc
    import sys
    from time import perf_counter

    from rich.console import Console
    from rich.progress import Progress

    from mes_engine.simulation.smt2020 import read_fab, simulate_fab

    fab = read_fab(folder, warm_start=warm_start)
    gc.disable()  # What is dropped is no cycle, and what stays need not be looked at.
    began = perf_counter()
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("days", total=days)
        report = simulate_fab(
            fab,
            days=days,
            seed=seed,
            rule=rule,
            progress=lambda done: shown.update(task, completed=done),
        )
    seconds = perf_counter() - began
    if as_json:
        show({**report.plain(), "seconds": seconds}, as_json=True, told="")
    else:
        from mes_engine.cli.simulated import print_report

        print_report(report, seconds)
