"""The types of members in bodies and answers: exact amounts, instants, ids, texts."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from mes_engine.core.quantity import MAX_QUANTITY, ZERO
from mes_engine.http.bodies import MAX_DIGITS, is_clean

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
MAX_TEXT = 500
MAX_DECIMALS = 6
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_NUMBER = re.compile(
    r"[+-]?(\d{1,20}(\.\d{0,20})?([eE][+-]?\d{1,2})?|NaN|Infinity)", re.ASCII
)


class Body(BaseModel):
    """A request's body: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class View(BaseModel):
    """An answer's body, made from the attributes of what it shows."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def to_microseconds(moment: datetime) -> int:
    """Return ``moment`` as microseconds of UTC.

    Example:
        >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
        1000000
    """
    return (moment - EPOCH) // MICROSECOND


def to_iso(at: int) -> str:
    """Return microseconds of UTC as ISO 8601.

    Example:
        >>> to_iso(1_000_000)
        '1970-01-01T00:00:01Z'
    """
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def to_plain(amount: Decimal) -> str:
    """Return ``amount`` in digits, without an exponent or idle zeros.

    Example:
        >>> to_plain(Decimal("1E+3")), to_plain(Decimal("2.50"))
        ('1000', '2.5')
    """
    digits = f"{amount:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _instant(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("a time is text, as 2026-11-22T14:00:00Z")  # noqa: TRY004
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"'{value[:40]}' is no ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ValueError(f"'{value}' has no zone: end it with Z or an offset")
    try:
        at = to_microseconds(moment)
    except OverflowError:
        at = -1
    if at < 0:
        raise ValueError(f"'{value}' is before 1970")
    return at


def _exact(value: Any) -> Decimal:
    match value:
        case bool():
            raise ValueError("a quantity is a number")
        case int() | Decimal():
            amount = Decimal(value)
        case float():  # read by a route that is not exact: the shortest text is meant
            amount = Decimal(repr(value))
        case str() if _NUMBER.fullmatch(value):
            amount = Decimal(value)
        case str():
            raise ValueError(f"'{value[:MAX_DIGITS]}' is no decimal number")
        case _:
            raise ValueError("a quantity is a number, or a decimal as text")
    if not amount.is_finite():
        raise ValueError(f"the quantity {amount} is not a number")
    if abs(amount) > MAX_QUANTITY:
        raise ValueError(f"the quantity is above the maximum of {MAX_QUANTITY:,}")
    return _in_millionths(amount)


def _amount(value: Any) -> Decimal:
    amount = _exact(value)
    if amount < ZERO:
        raise ValueError(f"the quantity {amount} is negative")
    return amount


def _measured(value: Any) -> str | bool:
    match value:
        case bool() | str():
            return value if isinstance(value, bool) else _text(value)
        case int() | Decimal() if abs(Decimal(value).adjusted()) < MAX_DIGITS:
            return f"{Decimal(value):f}"
        case float():  # read by a route that is not exact: the shortest text is meant
            return _measured(Decimal(repr(value)))
        case _:
            raise ValueError("a measured value is a number, a text, or true or false")


def _in_millionths(amount: Decimal) -> Decimal:
    if not amount:
        return ZERO
    if amount.adjusted() >= -MAX_DECIMALS:
        whole, _, part = f"{amount:f}".partition(".")
        part = part.rstrip("0")
        if len(part) <= MAX_DECIMALS:
            return Decimal(f"{whole}.{part}" if part else whole)
    raise ValueError(f"the quantity has more than {MAX_DECIMALS} decimals")


def _text(value: str) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    if not is_clean(text):
        raise ValueError("has a control character or half a surrogate pair")
    return text


def _said(value: str) -> str:
    if not value:
        raise ValueError("say why: the text is empty")
    return value


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in a body: ISO 8601 with a zone outside, microseconds of UTC inside."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\d{1,10}(\.\d{1,6})?$"},
                {"type": "number", "minimum": 0, "maximum": int(MAX_QUANTITY)},
            ],
            "description": "A quantity, exact: text or number, at most six decimals.",
        }
    ),
]
"""A quantity in a body: finite, not negative, at most six decimals."""

SignedAmount = Annotated[
    Decimal,
    BeforeValidator(_exact),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^-?\d{1,10}(\.\d{1,6})?$"},
                {
                    "type": "number",
                    "minimum": -int(MAX_QUANTITY),
                    "maximum": int(MAX_QUANTITY),
                },
            ],
            "description": "A number, exact: at most six decimals; may be negative.",
        }
    ),
]
"""A limit of what is measured, in a body."""

MeasuredText = Annotated[
    str | bool,
    BeforeValidator(_measured),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "boolean"}, {"type": "number"}],
            "description": "As declared: a number (or its digits), a text, a boolean.",
        }
    ),
]
"""A measured value in a body: a number becomes its digits."""

At = Annotated[
    int,
    PlainSerializer(to_iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in an answer: microseconds of UTC inside, ISO 8601 outside."""

Decimals = Annotated[
    Decimal,
    PlainSerializer(to_plain, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["12.5"]}),
]
"""A quantity in an answer: digits as text."""

Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""What names a thing: letters, digits and ``. _ : -``."""

Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_text)]
"""What a person wrote; may be empty."""

Reason = Annotated[
    str, Field(max_length=MAX_TEXT), AfterValidator(_text), AfterValidator(_said)
]
"""Why, in a person's words; not empty."""
