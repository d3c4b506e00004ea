"""How a person's time is shared among the runs that he or she was on at a time."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from mes_engine.core.quantity import ZERO
from mes_engine.core.sharing import shared_out


class Span(NamedTuple):
    """A stretch of a person's time on one run.

    Attributes:
        is_full: Whether all of it counts there, whatever else the person is on.
    """

    interval: str
    started_at: int
    ended_at: int
    is_full: bool


def fair_parts(spans: Iterable[Span]) -> dict[str, int]:
    """Return by interval what it has of the person's time, in microseconds.

    Example:
        >>> fair_parts([Span("a", 0, 60, False), Span("b", 40, 80, False)])
        {'a': 50, 'b': 30}
    """
    known = sorted(spans)
    parts = dict.fromkeys((one.interval for one in known), 0)
    moments = {at for one in known for at in (one.started_at, one.ended_at)}
    for began, ended in pairwise(sorted(moments)):
        there = [one for one in known if one.started_at <= began < one.ended_at]
        for one in there:
            if one.is_full:
                parts[one.interval] += ended - began
        sharing = [one.interval for one in there if not one.is_full]
        if sharing:
            shares = shared_out(ended - began, [ZERO] * len(sharing))
            for name, share in zip(sharing, shares, strict=True):
                parts[name] += share
    return parts
