"""Demand by chance, seeded: requests that load the plant's bottleneck as asked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random

from mes_engine.core.errors import Refused
from mes_engine.core.plant import Plant
from mes_engine.core.quantity import MILLION, ZERO
from mes_engine.core.routing import Routing
from mes_engine.core.steps import ConnectionKind
from mes_engine.simulation.demand import Demand

BEGINS_AT = 1_767_589_200 * MILLION
"""2026-01-05 05:00 UTC: the same start each time, for the same answer each time."""

QUANTITIES = tuple(Decimal(one) for one in range(10, 101, 10))
ALLOWANCE = (2.0, 8.0)
"""A due date is the release and the work content times as much (total work content)."""


def made_demand(
    plant: Plant, routings: Sequence[Routing], *, number: int, seed: int, load: float
) -> list[Demand]:
    """Return ``number`` requests at random; the same for the same arguments.

    Routings are drawn evenly, quantities too, and releases follow each other at
    exponential intervals, so that the busiest work center has ``load`` of what it can
    do.

    Args:
        plant: Says how many work units there are.
        routings: At least one.
        number: How many.
        seed: Of the generator.
        load: Above 0; 1 is all that the bottleneck can do.

    Raises:
        Refused: No step of any routing takes any time.
    """
    chance = Random(seed)
    interval_us = _interval_us(plant, routings, load)
    at = BEGINS_AT
    demand = []
    for index in range(1, number + 1):
        routing = chance.choice(routings)
        quantity = chance.choice(QUANTITIES)
        allowed = _work_content_us(routing, quantity) * chance.uniform(*ALLOWANCE)
        demand.append(
            Demand(
                work_request=f"WR-{index:06}",
                routing=routing.id,
                quantity=quantity,
                release_at=at,
                due_at=at + int(allowed),
                priority=chance.choice((0, 0, 0, 1, 2)),
            )
        )
        at += int(chance.expovariate(1 / interval_us))
    return demand


def _interval_us(plant: Plant, routings: Sequence[Routing], load: float) -> float:
    lanes: dict[str, int] = defaultdict(int)
    for unit in plant.work_units:
        lanes[unit.work_center] += unit.active
    mean = sum(QUANTITIES, ZERO) / len(QUANTITIES)
    work: dict[str, float] = defaultdict(float)
    for routing in routings:
        parts = _parts(routing)
        for step in routing.steps:
            part = parts[step.id] / len(routings)
            work[step.work_center] += step.standard_us(mean) * part
    busiest = max(work[center] / max(lanes[center], 1) for center in work)
    if busiest <= 0:
        raise Refused(
            "No step of these routings takes any time: there is nothing to compare.",
            hint="Give the steps their setup_s and run_s.",
        )
    return busiest / load


def _parts(routing: Routing) -> Mapping[str, float]:
    """Return what part of the pieces comes to each step; alternatives share evenly."""
    parts: dict[str, float] = defaultdict(float)
    parts.update(dict.fromkeys(routing.entry_ids, 1.0))
    for step in routing.in_order:
        leaving = routing.leaving(step)
        for one in leaving:
            match one.kind:
                case ConnectionKind.QUANTITY:
                    parts[one.target] += parts[step] * float(one.share)
                case ConnectionKind.ALTERNATIVE:
                    parts[one.target] += parts[step] / len(leaving)
                case ConnectionKind.PRECEDENCE:
                    parts[one.target] = max(parts[one.target], parts[step])
    return parts


def _work_content_us(routing: Routing, quantity: Decimal) -> int:
    return max(
        one.standard_us(quantity) + routing.rest_us(one.id, quantity)
        for one in routing.entries
    )
