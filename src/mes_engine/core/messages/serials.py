"""Serial numbers of the plant's own."""

from decimal import Decimal

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.serials import KnownSerial
from mes_engine.core.wip_ledger import Bucket


class SerialiseLot(BaseCommand, frozen=True, kw_only=True, tag="serialise_lot"):
    """Make lots of one of a lot's pieces, each with a serial; or name a lot of one.

    The door reads which serials lots have or had, so that the engine need not remember
    every one there ever was.

    Attributes:
        serials: One for each piece, as they were printed; by the material's pattern if
            there is none.
        quantity: How many pieces, if no serials say it; all that are there if not said.
        place: A visit or a location, if the lot is in several.
        bucket: If it has pieces in several there.
        taken: Of the serials that are asked for, or that the pattern comes to next,
            those that lots of the material have already.
    """

    lot: str
    reason: str
    serials: tuple[str, ...] = ()
    quantity: Decimal | None = None
    place: str | None = None
    bucket: Bucket | None = None
    taken: tuple[KnownSerial, ...] = ()


SerialsCommand = SerialiseLot
