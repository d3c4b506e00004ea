"""How a replay's report is printed for people."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mes_engine.replay import MachineReport, ReplayReport

SHOWN_REFUSALS = 20


def print_report(report: ReplayReport) -> None:
    """Print what became of a log: machine by machine, by reason, and in all."""
    console = Console()
    table = Table(
        title=f"{report.file}: in the file = accepted + refused + repeated",
        box=SIMPLE_HEAD,
    )
    table.add_column("machine")
    for heading in ("rows", "pieces", "hours"):
        table.add_column(heading, justify="right")
    for one in (*report.machines, report.total):
        table.add_row(
            one.machine,
            *(_sum(one, heading) for heading in ("rows", "pieces", "hours")),
            end_section=one.machine == report.machines[-1].machine,
        )
    console.print(table)
    for reason, rows in report.reasons.items():
        console.print(f"Refused for '{reason}': {rows} rows.")
    for refusal in report.refusals[:SHOWN_REFUSALS]:
        console.print(f"  line {refusal.line}: {refusal.why}", markup=False)
    rest = len(report.refusals) - SHOWN_REFUSALS
    if rest > 0:
        console.print(f"  and {rest} more; --json lists them all.")
    console.print(f"Accepted: {report.accepted_share:.1%} of the rows.")
    if report.presence:
        console.print(
            f"{report.presence} of them report neither pieces nor time: presence only."
        )
    console.print(
        f"Booked: {report.total.booked.rework} pieces as rework, "
        f"{report.total.booked.suspect} as suspect, for material review."
    )
    for difference in report.differences:
        console.print(f"[bold red]{difference}[/]")
    if report.is_reconciled:
        console.print("Accepted, refused and repeated are the file; it all adds up.")


def _sum(one: MachineReport, word: str) -> str:
    total, *parts = (
        getattr(amounts, word)
        for amounts in (one.in_file, one.accepted, one.refused, one.repeated)
    )
    return f"{total} = {' + '.join(str(part) for part in parts)}"
