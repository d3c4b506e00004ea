"""Serial numbers of a plant's own: what one may be, and the patterns that make them.

A serial is a lot of one. It keeps the engine's number, and has its serial besides: as
it was printed, engraved or asked for; unique within its material, for ever.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import count

import msgspec

from mes_engine.core.errors import Malformed

LONGEST = 64
_FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ALLOWED = frozenset(f"{_FIRST}._:-")
_ENGINES_OWN = re.compile(r"L-\d+")
_FIELD = re.compile(r"\{([^{}]*)\}")
_NUMBER = re.compile(r"n(?::0?([1-9]))?")
_OF_DATE = ("yyyy", "yy", "ww", "mm", "dd")


class KnownSerial(msgspec.Struct, frozen=True, kw_only=True):
    """A serial of a material that a lot has, or had."""

    serial: str
    lot: str


def checked_serial(text: str, *, where: str = "The serial") -> str:
    """Return ``text``, if it can be a serial.

    Raises:
        Malformed: Something in it cannot; says at which position.
    """
    hint = f"1 to {LONGEST} letters, digits and . _ : - after a letter or a digit."
    if not text:
        raise Malformed(f"{where} is empty.", hint=hint)
    for position, one in enumerate(text, 1):
        if one not in (_FIRST if position == 1 else _ALLOWED):
            told = f"position {position} is {one!a}"
            raise Malformed(f"{where} {text!a:.80} is none: {told}.", hint=hint)
    if len(text) > LONGEST:
        told = f"position {LONGEST + 1} is one too many"
        raise Malformed(f"{where} {text!a:.80} is none: {told}.", hint=hint)
    if _ENGINES_OWN.fullmatch(text):
        raise Malformed(
            f"{where} {text!a} is none: it reads as a lot's own number.",
            hint="Let it begin otherwise.",
        )
    return text


def checked_serials(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return serials that were given together, if each can be one and none is twice.

    Raises:
        Malformed: Says which, and where in it.
    """
    seen: dict[str, int] = {}
    for number, text in enumerate(given, 1):
        checked_serial(text, where=f"Serial {number}")
        if text in seen:
            raise Malformed(
                f"Serial {number} '{text}' is the same as serial {seen[text]}.",
                hint="Name each once.",
            )
        seen[text] = number
    return given


def pattern_problem(pattern: str) -> str:
    """Say what makes a pattern unusable; empty if nothing does.

    Example:
        >>> pattern_problem("P{yy}{ww}-{n:06}"), pattern_problem("P{yy}")
        ('', "needs '{n}', the number that counts")
    """
    fields = [one[1] for one in _FIELD.finditer(pattern)]
    for one in fields:
        if one not in _OF_DATE and not _NUMBER.fullmatch(one):
            known = "{n}, {n:06}, {yyyy}, {yy}, {ww}, {mm} and {dd}"
            return f"there is no '{{{one}}}' in a serial, but {known}"
    numbers = [one for one in fields if _NUMBER.fullmatch(one)]
    if len(numbers) != 1:
        told = "needs" if not numbers else "says more than once"
        return f"{told} '{{n}}', the number that counts"
    try:
        checked_serial(serial_of(pattern, 1, "2026-01-05"), where="what it makes,")
    except Malformed as error:
        return error.message.rstrip(".")
    return ""


def serial_of(pattern: str, number: int, day: str) -> str:
    """Return the serial that a pattern makes of a number, on a day (ISO).

    A pattern with a week has the year that the week belongs to.

    Example:
        >>> serial_of("P{yy}{ww}-{n:06}", 42, "2026-11-23")
        'P2648-000042'
    """
    on = date.fromisoformat(day)
    week_year, week, _ = on.isocalendar()
    year = week_year if "{ww}" in pattern else on.year
    words = {
        "yyyy": f"{year:04}",
        "yy": f"{year % 100:02}",
        "ww": f"{week:02}",
        "mm": f"{on.month:02}",
        "dd": f"{on.day:02}",
    }

    def filled(field: re.Match[str]) -> str:
        name = field[1]
        if name in words:
            return words[name]
        width = _NUMBER.fullmatch(name)
        digits = 0 if width is None or width[1] is None else int(width[1])
        return f"{number:0{digits}}"

    return _FIELD.sub(filled, pattern)


def upcoming(pattern: str, after: int, day: str) -> Iterator[str]:
    """Yield the serials that a pattern makes of the numbers after one, without end."""
    return (serial_of(pattern, number, day) for number in count(after + 1))


def counter_of(material: str) -> str:
    """Return the name of the counter of a material's serials."""
    return f"serial:{material}"
