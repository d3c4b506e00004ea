"""What may be made and where: the plant, and its routings."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.plant import Plant
from mes_engine.core.routing import Routing


class PlantApplied(BaseFact, frozen=True, kw_only=True, tag="plant_applied"):
    """From now on the plant is this one."""

    plant: Plant


class RoutingReleased(BaseFact, frozen=True, kw_only=True, tag="routing_released"):
    """Work may be stored by this revision."""

    routing: Routing


class RoutingWithdrawn(BaseFact, frozen=True, kw_only=True, tag="routing_withdrawn"):
    """No more work is stored by this revision."""

    routing: str
    revision: str


MasterFact = PlantApplied | RoutingReleased | RoutingWithdrawn
