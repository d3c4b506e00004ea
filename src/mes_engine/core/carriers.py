"""Carriers: boxes, trays, FOUPs and pallets, what they take, and what went in and out.

An aggregation event (EPCIS: ADD, DELETE) says that a lot or another carrier was put
into a carrier or taken out; one that was shipped left the plant in it. Contents keep
their quantities and their genealogy: nothing is made of anything here.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.serials import checked_serial

MOST_NESTED = 5
"""How many carriers may be one in the other, the outermost among them."""

LOTS, SERIALS = "lots", "serials"
"""What a carrier type takes besides other carriers; ``lots`` are serials as well."""

_SSCC_DIGITS = 18
_SSCC_LABEL = "00"


class CarrierCount(StrEnum):
    """What the capacity of a carrier is counted in."""

    POSITIONS = "positions"
    PIECES = "pieces"


class CarrierType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of carrier.

    Attributes:
        capacity: How much it takes, in ``counted_in``; as much as fits, if None.
            Positions are lots and carriers directly in it; pieces are all within.
        takes: ``LOTS`` or ``SERIALS``, and the types of other carriers.
        is_mixed: Whether lots of several materials may be within.
    """

    id: str
    name: str
    capacity: Decimal | None = None
    counted_in: CarrierCount = CarrierCount.POSITIONS
    takes: tuple[str, ...] = (LOTS,)
    is_mixed: bool = True


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """A box, a tray, a FOUP, a pallet: by its SSCC or the plant's id.

    Attributes:
        carrier: The one that it is in itself.
        is_shipped: Whether it has left the plant, with what was in it.
        location: Where it was put down, or emptied: a place in stock, a work unit, a
            work center. Empty if nobody knows, and while a piece is in it, or it in
            another: it is where those are.
    """

    id: str
    type: str
    registered_at: int
    carrier: str | None = None
    is_shipped: bool = False
    location: str = ""


class AggregationAction(StrEnum):
    """What was done with a content."""

    ADD = "add"
    DELETE = "delete"
    SHIP = "ship"


class ContentKind(StrEnum):
    """What a carrier holds."""

    LOT = "lot"
    CARRIER = "carrier"


class AggregationEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A content went into a carrier, out of it, or out of the plant in it.

    Attributes:
        seq: The fact that it was written by.
        carrier: That the content is directly in; ``outermost`` has it in the end.
    """

    seq: int
    action: AggregationAction
    kind: ContentKind
    content: str
    carrier: str
    outermost: str
    at: int
    person: str
    reason: str = ""


def checked_carrier(text: str) -> str:
    """Return ``text``, if it can name a carrier: 18 digits are an SSCC.

    Raises:
        Malformed: It is no id, or the SSCC's last digit does not check.
    """
    checked_serial(text, where="The carrier's id")
    if len(text) == _SSCC_DIGITS and text.isdigit():
        digit = check_digit(text[:-1])
        if text[-1] != digit:
            raise Malformed(
                f"{text} is no SSCC: its check digit is {text[-1]}, and {digit} "
                "would be right.",
                hint="Scan it again.",
            )
    return text


def carrier_code(code: str) -> str:
    """Return the id of the carrier that a scanned code may be of.

    A GS1-128 label has the application identifier 00 before the SSCC.
    """
    is_label = len(code) == len(_SSCC_LABEL) + _SSCC_DIGITS and code.isdigit()
    return code.removeprefix(_SSCC_LABEL) if is_label else code


def check_digit(digits: str) -> str:
    """Return the check digit of GS1 for digits before it.

    Example:
        >>> check_digit("37610425002123456")
        '9'
    """
    total = sum(
        int(digit) * (3 if place % 2 == 0 else 1)
        for place, digit in enumerate(reversed(digits))
    )
    return str(-total % 10)
