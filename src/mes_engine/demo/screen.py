"""What the demo shows while it runs, and the reckoning at its end."""

from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mes_engine.demo.reckoning import MachineReckoning

STYLES = {
    "executing": "green",
    "not_executing": "yellow",
    "out_of_service": "red",
    "unknown": "dim",
    "manual": "cyan",
}


def plant_table(
    units: list[dict[str, Any]], orders: list[dict[str, Any]], postings: dict[str, int]
) -> RenderableType:
    """Show the plant as it is now: work units, orders, postings."""
    machines = Table(title="Work units", title_justify="left", expand=False)
    for heading in ("work unit", "state", "job order", "step", "good", "scrap"):
        machines.add_column(heading)
    for unit in units:
        shown = unit["equipment"]["shown"]
        job = unit["job_orders"][0] if unit["job_orders"] else None
        machines.add_row(
            unit["id"],
            Text(shown, STYLES.get(shown, "")),
            "" if job is None else f"{job['id']} {job['state']}",
            "" if job is None else f"{job['work_request']} {job['step']}",
            *("" if job is None else job[word] for word in ("good", "scrap")),
        )
    lines = [line for order in orders for line in order["lines"]]
    done = sum(line["state"] == "completed" for line in lines)
    made = sum((Decimal(line["finished"]) for line in lines), Decimal(0))
    told = ", ".join(f"{count} {state}" for state, count in sorted(postings.items()))
    return Group(
        machines,
        Text(f"Orders: {done} of {len(lines)} completed, {made} pieces finished."),
        Text(f"Postings: {told or 'none yet'}."),
    )


def print_reckoning(
    console: Console, machines: list[MachineReckoning], verified: dict[str, Any]
) -> None:
    """Print machine by machine what was made and what came of it, and the laws."""
    table = Table(
        title="The plant's own file against the engine and the ledger",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("machine")
    for heading in (
        *("made", "counted", "explained", "difference"),
        *("scrapped", "unassigned", "posted"),
    ):
        table.add_column(heading, justify="right")
    for one in machines:
        table.add_row(
            one.machine,
            str(one.made),
            str(one.counted),
            str(one.explained),
            Text(str(one.difference), "bold red" if one.difference else "green"),
            str(one.scrapped),
            str(one.unassigned),
            str(one.posted),
        )
    console.print(table)
    for one in machines:
        for told in one.facts:
            console.print(f"  {one.machine}: {told}")
        for problem in one.problems:
            console.print(f"  [bold red]{one.machine}: {problem}[/]")
    problems = verified["problems"]
    counts = ", ".join(f"{value} {key}" for key, value in verified["counts"].items())
    word = "hold" if not problems else "are BROKEN"
    console.print(f"Laws L0 to L5 {word}: {counts}.")
    for problem in problems:
        console.print(f"  [bold red]{problem}[/]")
