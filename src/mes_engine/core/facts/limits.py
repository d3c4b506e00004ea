"""Limits of work in progress: which work requests are inside an area."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.wip_limits import AreaEntry


class AreaEntered(BaseFact, frozen=True, kw_only=True, tag="area_entered"):
    """Work of a request has begun in an area that has a limit."""

    entry: AreaEntry


class AreaLeft(BaseFact, frozen=True, kw_only=True, tag="area_left"):
    """Nothing of a request is left in the area, or its limit was taken away."""

    area: str
    request: str
    at: int


LimitsFact = AreaEntered | AreaLeft
