"""Quantities: exact decimals with a UN/CEFACT Rec 20 unit code.

A quantity has at most six decimals, so that it is a 64-bit integer of millionths in the
database, and a stated maximum, so that sums over a plant's life still fit.
"""

from decimal import ROUND_FLOOR, Decimal

from mes_engine.core.errors import Malformed

ZERO = Decimal(0)
MAX_QUANTITY = Decimal(1_000_000_000)
MILLION = 1_000_000

# Rec 20 code -> decimals that people count it in, and the word they know it by.
UNITS: dict[str, tuple[int, str]] = {
    "C62": (0, "piece"),
    "EA": (0, "each"),
    "PR": (0, "pair"),
    "SET": (0, "set"),
    "GRM": (6, "gram"),
    "KGM": (6, "kilogram"),
    "TNE": (6, "tonne"),
    "MMT": (6, "millimetre"),
    "MTR": (6, "metre"),
    "MTK": (6, "square metre"),
    "MTQ": (6, "cubic metre"),
    "LTR": (6, "litre"),
    "MLT": (6, "millilitre"),
    "HUR": (6, "hour"),
    "MIN": (6, "minute"),
    "SEC": (6, "second"),
}


def checked_quantity(value: Decimal, *, unit: str, of: str = "quantity") -> Decimal:
    """Return ``value`` if it is a usable amount of ``unit``.

    Args:
        value: The amount, in ``unit``.
        unit: A Rec 20 code of :data:`UNITS`.
        of: What the amount is of, for the error's sentence.

    Raises:
        Malformed: It is not a finite number, negative, above :data:`MAX_QUANTITY`, or
            finer than the unit allows.
    """
    digits, word = UNITS[checked_unit(unit)]
    if not value.is_finite():
        raise Malformed(f"The {of} {value} is not a number.")
    if value < ZERO:
        raise Malformed(
            f"The {of} {value} is negative.",
            hint="Report what happened; what was booked wrongly is reversed.",
        )
    if value > MAX_QUANTITY:
        raise Malformed(f"The {of} {value} is above the maximum of {MAX_QUANTITY:,}.")
    if value != value.quantize(Decimal(1).scaleb(-digits)):
        raise Malformed(
            f"The {of} {value} is finer than the unit {unit} ({word}) allows: "
            f"at most {digits} decimals."
        )
    return value


def checked_unit(unit: str) -> str:
    """Return ``unit`` if it is a code of :data:`UNITS`.

    Raises:
        Malformed: It is not.
    """
    if unit not in UNITS:
        raise Malformed(
            f"'{unit}' is no unit code known here.",
            hint=f"Use a UN/CEFACT Rec 20 code: {', '.join(sorted(UNITS))}.",
        )
    return unit


def floored(value: Decimal, *, unit: str) -> Decimal:
    """Round ``value`` down to what can be counted in ``unit``."""
    digits, _ = UNITS[unit]
    return shortest(value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR))


def shortest(value: Decimal) -> Decimal:
    """Return ``value`` without the decimals that say nothing, as the database has it.

    Example:
        >>> shortest(Decimal("2.50")), shortest(Decimal("30.0"))
        (Decimal('2.5'), Decimal('30'))
    """
    whole = value.to_integral_value()
    return whole if whole == value else value.normalize()


def to_millionths(value: Decimal) -> int:
    """Return ``value`` as the integer that the database keeps.

    Example:
        >>> to_millionths(Decimal("12.5"))
        12500000
    """
    return int(value * MILLION)


def from_millionths(value: int) -> Decimal:
    """Return the decimal that :func:`to_millionths` made ``value`` of.

    Example:
        >>> from_millionths(12_500_000)
        Decimal('12.5')
    """
    whole, rest = divmod(value, MILLION)
    return Decimal(whole) if rest == 0 else (Decimal(value) / MILLION).normalize()
