"""Demand: what is asked of the shop, and when it is released to it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from mes_engine.core.messages import ReceiveMaterial
from mes_engine.core.quantity import ZERO, floored
from mes_engine.core.routing import Routing


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """A work request to come; times in microseconds of UTC."""

    work_request: str
    routing: str
    quantity: Decimal
    release_at: int
    due_at: int
    priority: int = 0


def components_short(
    demand: Iterable[Demand], routings: Mapping[str, Routing]
) -> list[ReceiveMaterial]:
    """Return the receipts that the demand needs and does not make itself.

    Policies are compared for their order of work, not for their buying: what is bought
    is there from the start.
    """
    needed: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    made: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for one in demand:
        routing = routings[one.routing]
        made[routing.material, routing.unit] += one.quantity
        for step in routing.steps:
            for part in step.consumes:
                needed[part.material, part.unit] += part.per_piece * one.quantity
    short = {
        key: floored(need - made[key], unit=key[1]) for key, need in needed.items()
    }
    return [
        ReceiveMaterial(
            material=material, unit=unit, quantity=quantity, supplier="simulation"
        )
        for (material, unit), quantity in short.items()
        if quantity > ZERO
    ]
