"""What is taken down: customers, sales orders, and what can be made."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.quantity import ZERO, checked_quantity


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Who orders."""

    id: str
    name: str


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a material, promised for a time.

    Attributes:
        line: Names it within its order, from 1.
        quantity: In the unit in which the material is made.
        promised_at: Microseconds of UTC.
        priority: The higher, the earlier it is dispatched.
    """

    line: int
    material: str
    quantity: Decimal
    promised_at: int
    priority: int = 0


class SalesOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wants, as it was taken down."""

    id: str
    customer: str
    lines: tuple[OrderLine, ...]


class Makeable(msgspec.Struct, frozen=True, kw_only=True):
    """A material that a released routing makes, in ``unit``."""

    material: str
    routing: str
    revision: str
    unit: str


def order_problems(order: SalesOrder) -> list[str]:
    """Say what makes an order unusable, whatever can be made."""
    numbers = [line.line for line in order.lines]
    problems = [
        f"line {number} is there twice"
        for number in sorted(set(numbers))
        if numbers.count(number) > 1
    ]
    problems += [
        f"line {line.line}: the quantity is {line.quantity}, and must be above 0"
        for line in order.lines
        if line.quantity <= ZERO
    ]
    return problems


def unmakeable_lines(
    lines: Sequence[OrderLine], makeable: Mapping[str, Makeable]
) -> list[str]:
    """Say which lines cannot become a work request, and why."""
    problems = []
    for line in lines:
        known = makeable.get(line.material)
        if known is None:
            problems.append(
                f"line {line.line}: no released routing makes {line.material}"
            )
            continue
        try:
            checked_quantity(line.quantity, unit=known.unit)
        except Malformed as error:
            problems.append(f"line {line.line}: {error.message}")
    return problems
