"""How what came of a simulated fab is printed for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mes_engine.simulation.smt2020 import FabReport


def print_report(report: FabReport, seconds: float) -> None:
    """Print throughput and cycle times by product, the balance, and the speed."""
    console = Console()
    table = Table(
        title=f"{report.days} days, seed {report.seed}: lots in = out + there",
        box=SIMPLE_HEAD,
    )
    table.add_column("product")
    for heading in (
        *("at start", "started", "out", "there", "out a day", "on time"),
        *("cycle time (days) mean", "median", "95 %", "of lots"),
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
        f"Tools: {report.setups} setups, {report.breakdowns} breakdowns, "
        f"{report.maintenance} maintenances."
    )
    console.print(
        f"Every law held at the end of each of {report.law_checks} days; no lot and no "
        "piece was lost or doubled."
    )
    console.print(
        f"{report.operations} lot operations, {report.commands} commands and "
        f"{report.facts} facts in {seconds:.0f} s: "
        f"{report.operations / seconds:,.0f} lot operations a second.",
        soft_wrap=True,
    )
