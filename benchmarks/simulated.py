"""How fast a fab on a virtual clock is decided: lot-operations a second, in memory.

A lot-operation is one step of one lot: dispatched, begun, reported, completed and moved
on, by the engine's own core. ``python -m benchmarks.simulated``
"""

import argparse
import time
from decimal import Decimal
from itertools import pairwise
from random import Random

from mes_engine.bootstrap.core import tune_interpreter
from mes_engine.core.plant import (
    DispatchRule,
    EquipmentClass,
    Plant,
    WorkCenter,
    WorkUnit,
)
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Connection, ConnectionKind, Step
from mes_engine.simulation import Calendar, Demand, Floor, StandardTimes, VirtualShop

CENTERS, UNITS_EACH = 40, 4
BEGINS_AT = 1_767_589_200_000_000
BETWEEN_US = 450_000_000
"""A lot each seven and a half minutes."""


def a_fab(rule: DispatchRule) -> Plant:
    """Return a plant of many work centers that all go by ``rule``."""
    names = [f"W{number:02}" for number in range(CENTERS)]
    return Plant(
        site="FAB",
        name="Fab",
        zone="UTC",
        finished_location="FINISHED",
        receiving_location="RECEIVING",
        areas=("fab",),
        classes=tuple(EquipmentClass(id=one, name=one) for one in names),
        work_centers=tuple(
            WorkCenter(id=one, area="fab", name=one, rule=rule) for one in names
        ),
        work_units=tuple(
            WorkUnit(id=f"{one}-{number}", work_center=one, name=one, classes=(one,))
            for one in names
            for number in range(UNITS_EACH)
        ),
    )


def a_route(steps: int) -> Routing:
    """Return a line of ``steps``, each at a work center at random."""
    chance = Random(1)
    made = []
    for number in range(steps):
        center = f"W{chance.randrange(CENTERS):02}"
        made.append(
            Step(
                id=f"s{number}",
                name=f"s{number}",
                work_center=center,
                equipment_class=center,
                run_s=Decimal(chance.randrange(20, 60)),
            )
        )
    return Routing(
        id="route",
        revision="A",
        material="wafer",
        unit="C62",
        steps=tuple(made),
        connections=tuple(
            Connection(kind=ConnectionKind.QUANTITY, source=one.id, target=after.id)
            for one, after in pairwise(made)
        ),
    )


def measured(rule: DispatchRule, *, steps: int, lots: int) -> str:
    """Work ``lots`` off, and say how fast that was, in time of the processor."""
    shop = VirtualShop(a_fab(rule), [a_route(steps)], at=BEGINS_AT)
    floor = Floor(shop, Calendar(BEGINS_AT), StandardTimes())
    for number in range(lots):
        floor.expect(
            Demand(
                work_request=f"WR-{number}",
                routing="route",
                quantity=Decimal(25),
                release_at=BEGINS_AT + number * BETWEEN_US,
                due_at=BEGINS_AT + number * BETWEEN_US + steps * 10**9,
            )
        )
    began = time.process_time()
    floor.run()
    took = time.process_time() - began
    return (
        f"{rule.value:>15} {steps:6} {lots:5} {floor.lot_operations / took:13,.0f} "
        f"{shop.commands / took:11,.0f} {shop.facts / took:8,.0f}"
    )


def main() -> None:
    """Print a line for each rule and length of route."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated")
    parser.add_argument("--operations", type=int, default=3_000)
    asked = parser.parse_args()
    tune_interpreter()
    print("           rule  steps  lots  operations/s  commands/s  facts/s")
    for rule, steps in (
        (DispatchRule.FIFO, 30),
        (DispatchRule.FIFO, 583),
        (DispatchRule.ATC, 30),
        (DispatchRule.ATC, 583),
    ):
        lots = max(asked.operations // steps, 1)
        print(measured(rule, steps=steps, lots=lots))


if __name__ == "__main__":
    main()
