"""Carriers, and what went in and out of them."""

from mes_engine.core.carriers import AggregationEvent, Carrier
from mes_engine.core.facts.fact import BaseFact


class CarrierRegistered(BaseFact, frozen=True, kw_only=True, tag="carrier_registered"):
    """There is this carrier, and nothing is in it."""

    carrier: Carrier


class CarrierShipped(BaseFact, frozen=True, kw_only=True, tag="carrier_shipped"):
    """A carrier has left the plant."""

    carrier: Carrier


class ContentAggregated(BaseFact, frozen=True, kw_only=True, tag="content_aggregated"):
    """A lot or a carrier is in a carrier from now on, or is no more."""

    event: AggregationEvent


CarriersFact = CarrierRegistered | CarrierShipped | ContentAggregated
