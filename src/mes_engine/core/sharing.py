"""Share out whole numbers, such as microseconds, so that the shares add up to all."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext
from itertools import accumulate, pairwise

from mes_engine.core.quantity import ZERO

PRECISION = 60
"""Digits enough for any time in microseconds by any quantity, without rounding."""


def shared_out(whole: int, weights: Sequence[Decimal]) -> tuple[int, ...]:
    """Return ``whole`` in shares as ``weights`` are to each other.

    Each is within one of its exact share, and they add up to ``whole``. Where no weight
    is above 0, all are equal.

    Example:
        >>> shared_out(100, [Decimal(1), Decimal(1), Decimal(1)])
        (33, 33, 34)
    """
    if len(weights) == 1:
        return (whole,)
    total = sum(weights, ZERO)
    if total <= ZERO:
        weights, total = [Decimal(1)] * len(weights), Decimal(len(weights))
    with localcontext(prec=PRECISION, rounding=ROUND_FLOOR):
        marks = [int(whole * mark // total) for mark in accumulate(weights)]
    return tuple(after - before for before, after in pairwise([0, *marks]))
