"""How what came of a simulated fab is printed for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mes_engine.simulation.smt2020 import FabReport

LOG_WIDTH = 120
"""Of a file or a pipe, which has none of its own."""


def day_told(report: FabReport, cpu_seconds: float) -> str:
    """Return what has come of it by the end of a day, in a line."""
    out = sum(one.completed for one in report.products)
    there = sum(one.wip for one in report.products)
    return (
        f"day {report.days}: {out} lots out, {there} there, every law true; "
        f"{report.windows_violated} of "
        f"{report.windows_kept + report.windows_violated} time windows violated; "
        f"{report.operations} lot operations, {cpu_seconds:.0f} s of CPU"
    )


def print_report(report: FabReport, seconds: float, cpu_seconds: float) -> None:
    """Print throughput and cycle times by product, the balance, and the speed."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=LOG_WIDTH)
    table = Table(
        title=f"{report.days} days, seed {report.seed}: lots in = out + there",
        box=SIMPLE_HEAD,
    )
    table.add_column("product")
    for heading in (
        *("at start", "started", "out", "there", "out a day", "on time"),
        *("cycle (days)", "median", "95 %", "of lots"),
    ):
        table.add_column(heading, justify="right")
    for one in report.products:
        counts = (one.in_process, one.released, one.completed, one.wip)
        times = (one.cycle_mean, one.cycle_median, one.cycle_95)
        table.add_row(
            one.part,
            *(str(count) for count in counts),
            f"{one.lots_a_day:.1f}",
            f"{one.on_time:.1%}",
            *(f"{days:.1f}" if one.measured else "-" for days in times),
            str(one.measured),
        )
    console.print(table)
    console.print(
        f"Time windows: {report.windows_kept} kept, {report.windows_violated} violated."
        f" Lots sent to rework: {report.reworked}."
    )
    console.print(
        f"Tools: {report.setups} setups, {report.kept_setups} lots kept to a "
        f"setup's minimum run, {report.breakdowns} breakdowns, "
        f"{report.maintenance} maintenances."
    )
    console.print(
        f"Every law held at the end of each of {report.law_checks} days; no lot and no "
        "piece was lost or doubled."
    )
    console.print(
        f"{report.operations} lot operations, {report.commands} commands and "
        f"{report.facts} facts in {seconds:.0f} s, {cpu_seconds:.0f} s of them of CPU: "
        f"{report.operations / cpu_seconds:,.0f} lot operations a CPU second.",
        soft_wrap=True,
    )
