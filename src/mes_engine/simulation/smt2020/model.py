"""What SMT2020 says of a fab, in its own terms; times in microseconds.

Source: Kopp, Hassoun, Kalir, Moench, "SMT2020 - A Semiconductor Manufacturing Testbed",
IEEE Transactions on Semiconductor Manufacturing 33(4), 2020.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Shape(StrEnum):
    """How a time spreads."""

    CONSTANT = "constant"
    UNIFORM = "uniform"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class Spread:
    """A time that chance decides.

    Attributes:
        width: Of a uniform one, from its least to its most.
    """

    shape: Shape
    mean: int
    width: int = 0

    def sample(self, chance: Random) -> int:
        """Return one such time."""
        match self.shape:
            case Shape.CONSTANT:
                return self.mean
            case Shape.UNIFORM:
                return round(self.mean + self.width * (chance.random() - 0.5))
            case Shape.EXPONENTIAL:
                return round(chance.expovariate(1 / self.mean))


class Per(StrEnum):
    """What a processing time is the time of."""

    PIECE = "per_piece"
    LOT = "per_lot"
    BATCH = "per_batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A step of a route.

    Attributes:
        processing: Of one piece, lot or batch, as ``per`` says.
        interval: After how long the tool takes the next piece or lot; 0 where it takes
            none before it is done.
        batch_least: Pieces that a batch needs to begin, and at most holds; 0: none.
        setup: The setup that the tool must have; empty if any will do.
        setup_time: To change to it from any other; None where the fab's table of
            changeovers says.
        keeps_tool_for: The step that has to be done on the same tool; empty if none.
        sampled: Share of the lots that are worked on here at all.
        rework: Share of the lots that go back to ``rework_from``.
        window_to: The step that must begin within ``window``; empty if none.
    """

    id: str
    name: str
    tool_group: str
    processing: Spread
    per: Per
    interval: int = 0
    batch_least: int = 0
    batch_most: int = 0
    setup: str = ""
    setup_time: int | None = None
    keeps_tool_for: str = ""
    sampled: float = 1.0
    rework: float = 0.0
    rework_from: str = ""
    window_to: str = ""
    window: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolGroup:
    """Tools of one kind.

    Attributes:
        tools: How many there are.
        at_once: How many lots a tool has in it at a time, one behind the other.
        setup_group: Whose rule of minimum runs holds here; empty if none.
        is_delay: Whether it is no tool at all, only a time to wait.
    """

    id: str
    area: str
    tools: int
    at_once: int
    load: int
    unload: int
    setup_group: str = ""
    is_delay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Preventive maintenance of every tool of a group.

    Attributes:
        first: When it is first due, from the start; of pieces, 0.
        every: Time between two; 0 where pieces count.
        every_pieces: Pieces between two; 0 where the calendar counts.
    """

    id: str
    tool_group: str
    first: int
    every: int
    every_pieces: int
    repair: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Breakdowns of every tool of an area, each tool by itself."""

    id: str
    area: str
    first: Spread
    between: Spread
    repair: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Lots of one product that are started again and again.

    Attributes:
        first: When the first is started, microseconds of UTC; ``due`` is its due date.
        most: How many are started in all.
    """

    id: str
    part: str
    priority: int
    pieces: int
    first: int
    due: int
    every: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InProcess:
    """A lot that is on its way when the simulation starts, waiting at ``step``."""

    id: str
    part: str
    priority: int
    pieces: int
    due: int
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fab:
    """The whole fab.

    Attributes:
        start: Microseconds of UTC.
        part_routes: The route of each part.
        changeovers: From, to: how long; from the empty setup stands for any other.
        minimum_runs: By setup: lots to be run before the tool is changed again.
    """

    start: int
    part_routes: dict[str, str]
    routes: dict[str, tuple[Operation, ...]]
    tool_groups: dict[str, ToolGroup]
    changeovers: dict[tuple[str, str], int]
    minimum_runs: dict[str, int]
    maintenance: tuple[Maintenance, ...]
    breakdowns: tuple[Breakdown, ...]
    releases: tuple[Release, ...]
    in_process: tuple[InProcess, ...]
    transport: Spread

    @property
    def tools(self) -> int:
        """How many tools there are in all."""
        return sum(one.tools for one in self.tool_groups.values())
