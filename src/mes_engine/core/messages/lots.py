"""What lots are asked."""

from decimal import Decimal

from mes_engine.core.lots import GenealogyEdge
from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.wip_ledger import Bucket, Move


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


class ConsumeMaterial(BaseCommand, frozen=True, kw_only=True, tag="consume_material"):
    """Take a component out of stock for a job order, by hand.

    Attributes:
        reason: Why, for what was damaged.
        is_damaged: It is used up, and in no piece: the end takes as much again.
        into: The lot that it went into; else all that are worked on have a share.
        place: The location, if the lot is in several.
    """

    job_order: str
    lot: str
    quantity: Decimal
    reason: str = ""
    is_damaged: bool = False
    into: str | None = None
    place: str | None = None


class MoveStock(BaseCommand, frozen=True, kw_only=True, tag="move_stock"):
    """Put a quantity of a lot, or all that is there, elsewhere in stock."""

    lot: str
    to_location: str
    quantity: Decimal | None = None
    place: str | None = None
    reason: str = ""


class ShipLot(BaseCommand, frozen=True, kw_only=True, tag="ship_lot"):
    """Send a quantity of a lot, or all that is there, out of the plant.

    Attributes:
        reason: What says so: a delivery note, a return order.
        is_return: It goes back to where it came from.
    """

    lot: str
    reason: str
    quantity: Decimal | None = None
    place: str | None = None
    is_return: bool = False


class ReverseRegrouping(
    BaseCommand, frozen=True, kw_only=True, tag="reverse_regrouping"
):
    """Put a lot back into those that it was split off or merged from.

    The door reads how it came to be from the journal; what is so now, the engine looks
    at itself.

    Attributes:
        moves: By which its pieces came to it.
        edges: Every edge that leads to it; ``uses``, every edge from it.
    """

    lot: str
    reason: str
    moves: tuple[Move, ...] = ()
    edges: tuple[GenealogyEdge, ...] = ()
    uses: tuple[GenealogyEdge, ...] = ()


LotsCommand = (
    SplitLot | MergeLots | ReverseRegrouping | ConsumeMaterial | MoveStock | ShipLot
)
