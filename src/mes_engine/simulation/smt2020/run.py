"""``mes simulate``: from the fab's tables to what came of so many days."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from mes_engine.core.plant import DispatchRule
from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.shop import VirtualShop
from mes_engine.simulation.smt2020.fab import plant_of, routings_of
from mes_engine.simulation.smt2020.floor import FabFloor
from mes_engine.simulation.smt2020.lots import lot_in_process, routings_for
from mes_engine.simulation.smt2020.measures import DAY_US, ProductReport
from mes_engine.simulation.smt2020.model import Fab


class FabReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        days: Simulated.
        operations: Lot operations: one step of one lot each, completed.
        commands: Decided by the core; ``facts`` that came of them.
        law_checks: How often every law was checked, and held.
    """

    days: int
    seed: int
    products: tuple[ProductReport, ...]
    operations: int
    commands: int
    facts: int
    law_checks: int
    setups: int
    kept_setups: int
    reworked: int
    windows_kept: int
    windows_violated: int
    breakdowns: int
    maintenance: int

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


Progress = Callable[[FabReport], None]
"""Take note of what has come of it by the end of a day."""


def _no_progress(_: FabReport) -> None:
    """Tell nobody."""


def simulate_fab(
    fab: Fab,
    *,
    days: int,
    seed: int,
    rule: DispatchRule | None = None,
    progress: Progress = _no_progress,
) -> FabReport:
    """Run the fab for so many days on a virtual clock, by the core's own decisions.

    Args:
        fab: The fab.
        days: How many.
        seed: Of chance: the same gives the same, to the last lot.
        rule: By which all tools are dispatched; the fab's own if None.
        progress: Told of each day.

    Raises:
        SimulationStuck: Something was refused that should not be, or a law is broken.
    """
    lots = [lot_in_process(fab, one) for one in fab.in_process]
    routings = (*routings_of(fab), *routings_for(fab, lots))
    shop = VirtualShop(plant_of(fab, rule=rule), routings, at=fab.start)
    calendar = Calendar(fab.start)
    floor = FabFloor(fab, shop, calendar, Random(seed))
    floor.begin()
    for day in range(1, days + 1):
        floor.run(until=fab.start + day * DAY_US)
        progress(_reported(floor, shop, days=day, seed=seed))
    return _reported(floor, shop, days=days, seed=seed)


def _reported(floor: FabFloor, shop: VirtualShop, *, days: int, seed: int) -> FabReport:
    return FabReport(
        days=days,
        seed=seed,
        products=floor.measures.products(days * DAY_US),
        operations=floor.measures.operations,
        commands=shop.commands,
        facts=shop.facts,
        law_checks=days,
        setups=floor.measures.setups,
        kept_setups=floor.measures.kept_setups,
        reworked=floor.measures.reworked,
        windows_kept=floor.measures.windows_kept,
        windows_violated=floor.measures.windows_violated,
        breakdowns=floor.tools.breakdowns,
        maintenance=floor.tools.maintenance,
    )
