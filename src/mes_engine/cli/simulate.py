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
    from time import perf_counter, process_time

    from rich.console import Console
    from rich.progress import Progress

    from mes_engine.cli.simulated import day_told, print_report
    from mes_engine.simulation.smt2020 import FabReport, read_fab, simulate_fab

    fab = read_fab(folder, warm_start=warm_start)
    gc.disable()  # What is dropped is no cycle, and what stays need not be looked at.
    began, cpu_began = perf_counter(), process_time()
    console = Console(stderr=True)
    is_terminal = sys.stderr.isatty()
    with Progress(console=console, disable=not is_terminal) as shown:
        task = shown.add_task("days", total=days)

        def told(so_far: FabReport) -> None:
            shown.update(task, completed=so_far.days)
            if not is_terminal:  # A log of a long run: a line a day.
                console.print(
                    day_told(so_far, process_time() - cpu_began), soft_wrap=True
                )

        report = simulate_fab(fab, days=days, seed=seed, rule=rule, progress=told)
    seconds, cpu_seconds = perf_counter() - began, process_time() - cpu_began
    if as_json:
        measured = {"seconds": seconds, "cpu_seconds": cpu_seconds}
        show({**report.plain(), **measured}, as_json=True, told="")
    else:
        print_report(report, seconds, cpu_seconds)
