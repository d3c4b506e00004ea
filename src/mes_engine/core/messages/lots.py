"""What lots are asked."""

from decimal import Decimal

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.wip_ledger import Bucket


class SplitLot(BaseCommand, frozen=True, kw_only=True, tag="split_lot"):
    """Make lots of their own of some of a lot's pieces, where they are.

    Attributes:
        quantities: One for each new lot; what is left stays in the old one.
        place: A visit or a location, if the lot is in several.
        bucket: If it has pieces in several there.
    """

    lot: str
    quantities: tuple[Decimal, ...]
    reason: str
    place: str | None = None
    bucket: Bucket | None = None


class MergeLots(BaseCommand, frozen=True, kw_only=True, tag="merge_lots"):
    """Make one new lot of several that are in the same place and alike."""

    lots: tuple[str, ...]
    reason: str


LotsCommand = SplitLot | MergeLots
