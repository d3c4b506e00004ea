"""A shop on a virtual clock: the core's own decisions, in memory, without waiting.

``VirtualShop`` lets commands be decided; ``Calendar`` says what happens when; ``Floor``
lets the work units take what dispatch gives them and work as long as ``Times`` say;
``Outcome`` measures what came of it. Nothing here changes work in progress but through
commands.
"""

from mes_engine.simulation.calendar import Calendar
from mes_engine.simulation.demand import Demand, components_short
from mes_engine.simulation.demand_file import read_demand
from mes_engine.simulation.demand_made import made_demand
from mes_engine.simulation.floor import Floor
from mes_engine.simulation.measures import Measures, Observer
from mes_engine.simulation.policies import (
    Policy,
    PolicyOutcome,
    compare,
    parse_policy,
)
from mes_engine.simulation.recorded import recorded_demand
from mes_engine.simulation.shop import SimulationStuck, VirtualShop
from mes_engine.simulation.times import StandardTimes, Times

__all__ = [
    "Calendar",
    "Demand",
    "Floor",
    "Measures",
    "Observer",
    "Policy",
    "PolicyOutcome",
    "SimulationStuck",
    "StandardTimes",
    "Times",
    "VirtualShop",
    "compare",
    "components_short",
    "made_demand",
    "parse_policy",
    "read_demand",
    "recorded_demand",
]
