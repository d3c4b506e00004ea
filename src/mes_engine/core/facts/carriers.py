"""Carriers, and what went in and out of them."""

from mes_engine.core.carriers import AggregationEvent, Carrier
from mes_engine.core.facts.fact import BaseFact


class CarrierRegistered(BaseFact, frozen=True, kw_only=True, tag="carrier_registered"):
    """There is this carrier, and nothing is in it."""

    carrier: Carrier


class CarrierShipped(BaseFact, frozen=True, kw_only=True, tag="carrier_shipped"):
    """A carrier has left the plant."""

    carrier: Carrier


class CarrierPlaced(BaseFact, frozen=True, kw_only=True, tag="carrier_placed"):
    """A carrier without a piece in it stands somewhere: put there, or emptied there.

    Nowhere of its own, if ``location`` is empty: it is where its pieces are, or where
    that is which it is in.
    """

    carrier: str
    location: str


class ContentAggregated(BaseFact, frozen=True, kw_only=True, tag="content_aggregated"):
    """A lot or a carrier is in a carrier from now on, or is no more."""

    event: AggregationEvent


CarriersFact = CarrierRegistered | CarrierPlaced | CarrierShipped | ContentAggregated
