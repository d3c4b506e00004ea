"""Lots on their way through the fab, and how they come into it.

A lot is a work request of its own. One that is in process at the start is entered with
a routing that begins where it is: what it has behind it is not this engine's history.
"""

from collections.abc import Iterator

from mes_engine.core.routing import Routing
from mes_engine.simulation.smt2020.fab import routing_from
from mes_engine.simulation.smt2020.model import Fab, InProcess, Operation


class Lot:
    """A lot: a work request, and where it is on its route.

    Attributes:
        id: The work request's.
        at: The number of the operation that it waits for or is at.
        began_at: Microseconds of UTC.
        is_initial: Whether it was in process at the start.
        job_orders: What is stored of it, by step; what is behind it is taken out.
        bound: The tool that a step to come has to be done on.
        places: What it has left behind at the step that it was at last.
    """

    __slots__ = (
        "at",
        "began_at",
        "bound",
        "due",
        "first",
        "id",
        "is_initial",
        "job_orders",
        "part",
        "pieces",
        "priority",
        "route",
    )

    def __init__(
        self,
        name: str,
        part: str,
        route: tuple[Operation, ...],
        *,
        pieces: int,
        priority: int,
        due: int,
        began_at: int,
        at: int = 0,
        is_initial: bool = False,
    ) -> None:
        self.id = name
        self.part = part
        self.route = route
        self.pieces = pieces
        self.priority = priority
        self.due = due
        self.began_at = began_at
        self.at = at
        self.first = at
        self.is_initial = is_initial
        self.job_orders: dict[str, str] = {}
        self.bound: dict[str, str] = {}

    @property
    def operation(self) -> Operation:
        """The operation that it waits for or is at."""
        return self.route[self.at]

    @property
    def job_order(self) -> str:
        """The job order of that operation."""
        return self.job_orders[self.operation.id]

    def bind(self, step: str, tool: str) -> None:
        """Keep that the step for which a tool is kept has to be done on ``tool``."""
        for one in self.route:
            if one.id == step and one.keeps_tool_for:
                self.bound[one.keeps_tool_for] = tool

    def may_use(self, tool: str) -> bool:
        """Whether its operation can be done on ``tool``, as far as it is bound."""
        return self.bound.get(self.operation.id, tool) == tool


def lot_in_process(fab: Fab, one: InProcess) -> Lot:
    """Return a lot that is there at the start."""
    route = fab.routes[fab.part_routes[one.part]]
    at = next(index for index, step in enumerate(route) if step.id == one.step)
    return Lot(
        one.id,
        one.part,
        route,
        pieces=one.pieces,
        priority=one.priority,
        due=one.due,
        began_at=fab.start,
        at=at,
        is_initial=True,
    )


def routings_for(fab: Fab, lots: list[Lot]) -> Iterator[Routing]:
    """Yield the routings of lots that are in process: one for each place to begin."""
    begins = dict.fromkeys((lot.part, lot.at) for lot in lots if lot.at)
    for part, at in begins:
        yield routing_from(fab, part, at)
