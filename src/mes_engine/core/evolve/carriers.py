"""Carriers, and what is in them."""

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.carriers import AggregationAction, ContentKind
from mes_engine.core.evolve.handler import Handlers, known
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _carrier_set(state: State, fact: f.CarrierRegistered | f.CarrierShipped) -> None:
    state.carrier.put(fact.carrier)


def _carrier_placed(state: State, fact: f.CarrierPlaced) -> None:
    carrier = known(state.carrier.get(fact.carrier))
    state.carrier.put(replace(carrier, location=fact.location))


def _aggregated(state: State, fact: f.ContentAggregated) -> None:
    event = fact.event
    state.aggregation_event.put(event)
    inside = event.carrier if event.action is AggregationAction.ADD else None
    if event.kind is ContentKind.LOT:
        lot = known(state.lot.get(event.content))
        state.lot.put(replace(lot, carrier=inside))
    else:
        carrier = known(state.carrier.get(event.content))
        state.carrier.put(replace(carrier, carrier=inside))


HANDLERS: Handlers = {
    f.CarrierRegistered: _carrier_set,
    f.CarrierPlaced: _carrier_placed,
    f.CarrierShipped: _carrier_set,
    f.ContentAggregated: _aggregated,
}
