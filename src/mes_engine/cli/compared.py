"""How policies are shown side by side."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mes_engine.simulation import Measures, PolicyOutcome

_HOUR_S = 3_600

Told = Callable[[Measures], str]


def print_comparison(outcomes: Sequence[PolicyOutcome]) -> None:
    """Print a column for each policy, a row for each measure."""
    console = Console()
    first = outcomes[0]
    table = Table(
        title=f"{first.measures.requests} work requests, times in hours",
        box=SIMPLE_HEAD,
    )
    table.add_column("")
    for one in outcomes:
        table.add_column(one.policy, justify="right")
    for name, told in _ROWS:
        table.add_row(name, *(told(one.measures) for one in outcomes))
    centers = sorted({name for one in outcomes for name in one.measures.utilisation})
    for index, center in enumerate(centers):
        if index == 0:
            table.add_section()
        shares = (one.measures.utilisation.get(center) for one in outcomes)
        table.add_row(f"utilisation of {center}", *map(_share, shares))
    console.print(table)
    steps = ", ".join(f"{one.lot_operations}" for one in outcomes)
    console.print(f"Steps worked: {steps}. Machines run round the clock.")


def _hours(seconds: Decimal) -> str:
    return f"{seconds / _HOUR_S:.2f}"


def _share(share: Decimal | None) -> str:
    return "" if share is None else f"{share:.1%}"


_ROWS: tuple[tuple[str, Told], ...] = (
    ("completed", lambda one: f"{one.completed}"),
    ("cycle time, mean", lambda one: _hours(one.cycle_mean_s)),
    ("cycle time, median", lambda one: _hours(one.cycle_median_s)),
    ("cycle time, 95 %", lambda one: _hours(one.cycle_95_s)),
    ("on time", lambda one: _share(one.on_time)),
    ("tardiness, mean", lambda one: _hours(one.tardiness_mean_s)),
    ("tardiness, worst", lambda one: _hours(one.tardiness_max_s)),
    ("WIP, requests", lambda one: f"{one.wip_mean:.1f}"),
    ("WIP, pieces", lambda one: f"{one.wip_pieces_mean:.0f}"),
    ("makespan", lambda one: _hours(one.span_s)),
    ("setup time", lambda one: _hours(one.setup_s)),
    ("setups", lambda one: f"{one.setups}"),
)
