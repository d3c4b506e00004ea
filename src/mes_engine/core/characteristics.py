"""Characteristics: what is measured at a step, in which unit, and within which limits.

ISA-95 asks for such data in a process segment's parameters, and gets it back in the job
response. A value is kept as text, as it was said: a number in digits, ``true`` or
``false``, or words.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.errors import Malformed
from mes_engine.core.quantity import UNITS

MEASURING_UNITS: dict[str, str] = {code: word for code, (_, word) in UNITS.items()} | {
    "4H": "micrometre",
    "C45": "nanometre",
    "CMT": "centimetre",
    "CMK": "square centimetre",
    "MGM": "milligram",
    "CEL": "degree Celsius",
    "KEL": "kelvin",
    "FAH": "degree Fahrenheit",
    "BAR": "bar",
    "MBR": "millibar",
    "PAL": "pascal",
    "KPA": "kilopascal",
    "MPA": "megapascal",
    "NEW": "newton",
    "NU": "newton metre",
    "JOU": "joule",
    "VLT": "volt",
    "AMP": "ampere",
    "4K": "milliampere",
    "OHM": "ohm",
    "HTZ": "hertz",
    "WTT": "watt",
    "KWT": "kilowatt",
    "RPM": "revolution per minute",
    "MTS": "metre per second",
    "DD": "degree of angle",
    "P1": "percent",
}
"""Rec 20 code -> the word it is known by: of quantities, and of what is only measured.

``C62`` stands for a plain number.
"""

MOST_TEXT = 200
MOST_DIGITS = 12
"""A measured number has at most so many digits before its point, and after it."""

RESERVED = frozenset({"and", "or", "not", "true", "false"})
"""Words of conditions: no characteristic is called so."""

_NUMBER = re.compile(rf"[+-]?\d{{1,{MOST_DIGITS}}}(\.\d{{1,{MOST_DIGITS}}})?", re.ASCII)


class ValueKind(StrEnum):
    """What a measured value is."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"


class Characteristic(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured at a step.

    Attributes:
        unit: A Rec 20 code, of a number.
        lower: The least that is within limits, itself included; None for no limit.
        upper: Likewise the most.
        is_required: Whether a job order that made good pieces ends only with it.
    """

    name: str
    kind: ValueKind = ValueKind.NUMBER
    unit: str = "C62"
    lower: Decimal | None = None
    upper: Decimal | None = None
    is_required: bool = False

    def is_within(self, value: str) -> bool:
        """Whether a value of its kind is within the limits."""
        if self.kind is not ValueKind.NUMBER:
            return True
        number = Decimal(value)
        is_low = self.lower is not None and number < self.lower
        return not (is_low or (self.upper is not None and number > self.upper))

    @property
    def told(self) -> str:
        """Say what is measured: its name, its unit and its limits."""
        if self.kind is not ValueKind.NUMBER:
            return f"{self.name} ({self.kind})"
        limits = {"from": self.lower, "to": self.upper}
        said = (
            f"{word} {limit:f}" for word, limit in limits.items() if limit is not None
        )
        return f"{self.name} ({' '.join((*said, self.unit))})"


def value_of(characteristic: Characteristic, given: str | bool) -> str:  # noqa: FBT001 a value
    """Return what was measured as text.

    Raises:
        Malformed: It is not of the characteristic's kind.
    """
    name, kind = characteristic.name, characteristic.kind
    match given, kind:
        case bool(), ValueKind.BOOLEAN:
            return "true" if given else "false"
        case "true" | "false", ValueKind.BOOLEAN:
            return str(given)
        case str(), ValueKind.NUMBER if _NUMBER.fullmatch(given):
            return number_told(Decimal(given))
        case str(), ValueKind.TEXT if 0 < len(given.strip()) <= MOST_TEXT:
            return given.strip()
    asked = {
        ValueKind.NUMBER: f"a number, with at most {MOST_DIGITS} digits on either side "
        "of the point",
        ValueKind.TEXT: f"a text of 1 to {MOST_TEXT} characters",
        ValueKind.BOOLEAN: "either true or false",
    }[kind]
    shown = str(given).lower() if isinstance(given, bool) else given
    raise Malformed(
        f"'{shown:.40}' is no value of {name}: it is {asked}.",
        hint=f"Measured here: {characteristic.told}.",
    )


def number_told(number: Decimal) -> str:
    """Return a number in digits, without idle zeros.

    Example:
        >>> number_told(Decimal("-2.50")), number_told(Decimal("-0.0"))
        ('-2.5', '0')
    """
    digits = f"{number:f}"
    short = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if short in {"-0", ""} else short


def characteristic_problems(
    characteristics: tuple[Characteristic, ...],
) -> Iterator[tuple[str, str]]:
    """Say what makes a step's characteristics unusable, as (path, problem)."""
    seen: set[str] = set()
    for number, one in enumerate(characteristics):
        path = f"characteristics.{number}"
        if one.name in RESERVED or not any(letter.isalpha() for letter in one.name):
            yield f"{path}.name", f"'{one.name}' cannot be told apart in a condition"
        if one.name in seen:
            yield f"{path}.name", f"'{one.name}' is measured here already"
        seen.add(one.name)
        yield from _limit_problems(path, one)


def _limit_problems(path: str, one: Characteristic) -> Iterator[tuple[str, str]]:
    if one.unit not in MEASURING_UNITS:
        yield f"{path}.unit", f"'{one.unit}' is no unit code known here"
    limits = {"lower": one.lower, "upper": one.upper}
    for name, limit in limits.items():
        if limit is None:
            continue
        if one.kind is not ValueKind.NUMBER:
            yield f"{path}.{name}", f"says nothing of a {one.kind}"
        elif not limit.is_finite():
            yield f"{path}.{name}", f"{limit} is no number"
    if one.kind is not ValueKind.NUMBER and one.unit != "C62":
        yield f"{path}.unit", f"says nothing of a {one.kind}"
    if one.lower is not None and one.upper is not None and one.lower > one.upper:
        yield f"{path}.lower", f"{one.lower} is above the upper limit of {one.upper}"
