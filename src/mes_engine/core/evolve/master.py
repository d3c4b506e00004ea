"""The plant and routings."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import EffectiveRouting, State


def _plant_applied(state: State, fact: f.PlantApplied) -> None:
    state.plant.put(fact.plant)


def _routing_released(state: State, fact: f.RoutingReleased) -> None:
    state.routing.put(fact.routing)
    state.effective_routing.put(
        EffectiveRouting(id=fact.routing.id, revision=fact.routing.revision)
    )


def _routing_withdrawn(state: State, fact: f.RoutingWithdrawn) -> None:
    effective = state.effective_routing.get(fact.routing)
    if effective is not None and effective.revision == fact.revision:
        state.effective_routing.put(EffectiveRouting(id=fact.routing, revision=None))


HANDLERS: Handlers = {
    f.PlantApplied: _plant_applied,
    f.RoutingReleased: _routing_released,
    f.RoutingWithdrawn: _routing_withdrawn,
}
