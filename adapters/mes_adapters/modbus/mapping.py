"""What registers mean, and which registers stand for a value. Pure."""

import math
import struct
from collections.abc import Sequence
from decimal import Decimal

from mes_adapters.modbus.tags import ByteOrder, ModbusTag, ValueType
from mes_engine.core.samples import Quality

Value = bool | int | float | str

FORMATS = {
    ValueType.U16: ">H",
    ValueType.I16: ">h",
    ValueType.U32: ">I",
    ValueType.I32: ">i",
    ValueType.U64: ">Q",
    ValueType.I64: ">q",
    ValueType.F32: ">f",
    ValueType.F64: ">d",
}
BCD = frozenset({ValueType.BCD16, ValueType.BCD32, ValueType.BCD64})
_FLOATS = frozenset({ValueType.F32, ValueType.F64})


def decode(tag: ModbusTag, words: Sequence[int | bool]) -> tuple[Value | None, Quality]:
    r"""Return what ``words`` stand for, and how far it can be trusted.

    No number (NaN, infinity, a digit above 9) is no value, and bad. A text with bytes
    that its encoding does not have is uncertain, and shows them as ``\xNN``.

    Example:
        >>> tag = ModbusTag(table="holding", address=0, type="u32", order="CDAB")
        >>> decode(tag, [2, 1])
        (65538, <Quality.GOOD: 'good'>)
    """
    if tag.table.has_bits:
        return bool(words[0]), Quality.GOOD
    raw = _bytes_of(words, tag.order)
    if tag.type is ValueType.STRING:
        return _text(raw, tag.encoding)
    whole = int.from_bytes(raw, "big")
    if tag.type is ValueType.BOOL:
        return bool(whole if tag.bit is None else whole >> tag.bit & 1), Quality.GOOD
    if tag.bit is not None:
        return whole >> tag.bit & (1 << tag.bit_count) - 1, Quality.GOOD
    if tag.type in BCD:
        digits = raw.hex()
        return (int(digits), Quality.GOOD) if digits.isdecimal() else _NOTHING
    value: int | float
    (value,) = struct.unpack(FORMATS[tag.type], raw)
    return (value, Quality.GOOD) if math.isfinite(value) else _NOTHING


_NOTHING = (None, Quality.BAD)


def encode(
    tag: ModbusTag, value: Value | Decimal, *, before: Sequence[int] = ()
) -> Sequence[int]:
    """Return the registers that stand for ``value``.

    Args:
        tag: How it is kept.
        value: What to write.
        before: What the registers hold now; needed for a tag that is some of the bits.

    Raises:
        ValueError: The tag cannot hold this value.

    Example:
        >>> tag = ModbusTag(table="holding", address=0, type="bcd32", order="ABCD")
        >>> [hex(word) for word in encode(tag, 12345678)]
        ['0x1234', '0x5678']
    """
    if tag.table.has_bits:
        return [int(_flag(value))]
    if tag.type is ValueType.STRING:
        return _words_of(_padded(tag, value), tag.order)
    size = 2 * tag.width
    if tag.bit is not None:
        whole = int.from_bytes(_bytes_of(before, tag.order), "big")
        raw = _with_bits(tag, whole, value).to_bytes(size, "big")
    elif tag.type is ValueType.BOOL:
        raw = int(_flag(value)).to_bytes(size, "big")
    elif tag.type in BCD:
        digits = str(_whole(value)).zfill(2 * size)
        if not digits.isdecimal() or len(digits) > 2 * size:
            raise ValueError(f"{value} is not one of {2 * size} digits")
        raw = bytes.fromhex(digits)
    else:
        number = float(value) if tag.type in _FLOATS else _whole(value)
        try:
            raw = struct.pack(FORMATS[tag.type], number)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{value} is no {tag.type}") from error
    return _words_of(raw, tag.order)


def _flag(value: Value | Decimal) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{value} is neither true nor false")
    return bool(value)


def _whole(value: Value | Decimal) -> int:
    if isinstance(value, str) or value != int(value):
        raise ValueError(f"{value} is no whole number")
    return int(value)


def _with_bits(tag: ModbusTag, whole: int, value: Value | Decimal) -> int:
    number = _whole(value)
    if not 0 <= number < 1 << tag.bit_count:
        raise ValueError(f"{value} does not fit {tag.bit_count} bits")
    shift = tag.bit or 0
    mask = (1 << tag.bit_count) - 1 << shift
    return whole & ~mask | number << shift


def _text(raw: bytes, encoding: str) -> tuple[str, Quality]:
    """Cut at the first NUL; the blanks that fill up the rest go as well."""
    kept = raw.split(b"\0", 1)[0]
    try:
        return kept.decode(encoding).rstrip(), Quality.GOOD
    except UnicodeDecodeError:
        shown = kept.decode(encoding, errors="backslashreplace")
        return shown.rstrip(), Quality.UNCERTAIN


def _padded(tag: ModbusTag, value: Value | Decimal) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"{value} is no text")  # noqa: TRY004
    try:
        raw = value.encode(tag.encoding)
    except UnicodeEncodeError as error:
        raise ValueError(f"'{value}' has what {tag.encoding} has not") from error
    if len(raw) > 2 * tag.width or "\0" in value:
        raise ValueError(f"'{value}' does not fit {2 * tag.width} bytes")
    return raw.ljust(2 * tag.width, b"\0")


def _bytes_of(words: Sequence[int | bool], order: ByteOrder | None) -> bytes:
    ordered = words[::-1] if order is not None and order.has_words_reversed else words
    ends = "<" if order is not None and order.has_bytes_swapped else ">"
    return struct.pack(f"{ends}{len(ordered)}H", *ordered)


def _words_of(raw: bytes, order: ByteOrder | None) -> Sequence[int]:
    ends = "<" if order is not None and order.has_bytes_swapped else ">"
    words = struct.unpack(f"{ends}{len(raw) // 2}H", raw)
    return words[::-1] if order is not None and order.has_words_reversed else words
