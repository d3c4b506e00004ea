"""Modbus as it is on the wire: questions, answers, and the frames around them. Pure.

Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02, Modbus Messaging on
TCP/IP V1.0b. Our own, because what keeps a late answer from being taken for another
question's is here, and no library has it.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from mes_adapters.modbus.tags import Table

READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS = 5, 6, 15, 16
EXCEPTION = 0x80

_READS = {
    Table.COIL: READ_COILS,
    Table.DISCRETE: READ_DISCRETE,
    Table.HOLDING: READ_HOLDING,
    Table.INPUT: READ_INPUT,
}
_BITS_PER_BYTE = 8
_COUNTED = frozenset(_READS.values())
_ECHOED = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS})
_ECHO = 5
_COIL_ON = 0xFF00

MBAP = 7
CRC = 2
_SHORTEST_PDU, _LONGEST_PDU = 2, 253


@dataclass(frozen=True, slots=True)
class Question:
    """A request to a unit.

    Attributes:
        unit: Who is asked.
        pdu: What is asked: function code and its data.
        shape: How an answer looks: its function code and its length. All that tells
            one serial answer from another.
    """

    unit: int
    pdu: bytes
    shape: tuple[int, int]

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole frame at the front of what was received, ``size`` bytes of it."""

    unit: int
    pdu: bytes
    size: int
    transaction: int = 0


class Partial(Enum):
    """There is no whole frame at the front of what was received."""

    MORE = auto()
    """It may become one."""
    NOISE = auto()
    """It never will."""


def asking(unit: int, table: Table, start: int, count: int) -> Question:
    """Ask for ``count`` registers or bits of ``table`` from ``start``.

    Example:
        >>> asking(1, Table.HOLDING, 20, 2).pdu.hex(" ")
        '03 00 14 00 02'
    """
    function = _READS[table]
    size = -(-count // _BITS_PER_BYTE) if table.has_bits else 2 * count
    return Question(
        unit, struct.pack(">BHH", function, start, count), (function, 2 + size)
    )


def setting_coil(unit: int, address: int, *, is_on: bool) -> Question:
    """Set one coil."""
    pdu = struct.pack(">BHH", WRITE_COIL, address, _COIL_ON if is_on else 0)
    return Question(unit, pdu, (WRITE_COIL, _ECHO))


def setting_registers(unit: int, start: int, words: Sequence[int]) -> Question:
    """Set one holding register, or several with one request.

    Example:
        >>> setting_registers(1, 20, [7, 8]).pdu.hex(" ")
        '10 00 14 00 02 04 00 07 00 08'
    """
    if len(words) == 1:
        pdu = struct.pack(">BHH", WRITE_REGISTER, start, words[0])
        return Question(unit, pdu, (WRITE_REGISTER, _ECHO))
    head = struct.pack(">BHHB", WRITE_REGISTERS, start, len(words), 2 * len(words))
    pdu = head + struct.pack(f">{len(words)}H", *words)
    return Question(unit, pdu, (WRITE_REGISTERS, _ECHO))


def fits(question: Question, unit: int, pdu: bytes) -> bool:
    """Whether ``pdu`` of ``unit`` can be the answer to ``question``.

    An exception fits each question with its function code.
    """
    function, length = question.shape
    if unit != question.unit or not pdu:
        return False
    if pdu[0] == function | EXCEPTION:
        return len(pdu) == 2  # noqa: PLR2004
    if pdu[0] != function or len(pdu) != length:
        return False
    if function in _ECHOED:
        return pdu == question.pdu[:_ECHO]
    return pdu[1] == length - 2


def is_write(question: Question) -> bool:
    """Whether the unit does something, which it must not do twice."""
    return question.function in _ECHOED


def exception_of(pdu: bytes) -> int:
    """Return the exception code that ``pdu`` has, or 0."""
    return pdu[1] if pdu[0] & EXCEPTION else 0


def words_of(pdu: bytes, *, count: int, has_bits: bool) -> Sequence[int | bool]:
    """Return the registers or bits of the answer to a read.

    Example:
        >>> words_of(bytes([1, 1, 0b101]), count=3, has_bits=True)
        (True, False, True)
    """
    data = pdu[2:]
    if has_bits:
        return tuple(bool(data[n // 8] >> n % 8 & 1) for n in range(count))
    return struct.unpack(f">{count}H", data)


def to_tcp(question: Question, transaction: int) -> bytes:
    """Frame a question for Modbus TCP."""
    head = struct.pack(">HHHB", transaction, 0, 1 + len(question.pdu), question.unit)
    return head + question.pdu


def from_tcp(received: bytes) -> Frame | Partial:
    """Take the Modbus TCP frame at the front of ``received``."""
    if len(received) < MBAP:
        return Partial.MORE if _may_be_head(received) else Partial.NOISE
    transaction, protocol, length, unit = struct.unpack(">HHHB", received[:MBAP])
    if protocol or not _SHORTEST_PDU < length <= _LONGEST_PDU + 1:
        return Partial.NOISE
    size = MBAP - 1 + length
    if len(received) < size:
        return Partial.MORE
    return Frame(unit, received[MBAP:size], size, transaction)


def _may_be_head(received: bytes) -> bool:
    return not any(received[2:5])


def to_rtu(question: Question) -> bytes:
    """Frame a question for a serial line.

    Example:
        >>> to_rtu(asking(1, Table.HOLDING, 0, 10)).hex(" ")
        '01 03 00 00 00 0a c5 cd'
    """
    body = bytes([question.unit]) + question.pdu
    return body + crc(body)


def from_rtu(received: bytes) -> Frame | Partial:
    """Take the serial frame at the front of ``received``; its end is told by its start.

    A frame with a wrong checksum is noise, and nothing behind it is searched: among
    enough places to look, a checksum of 16 bits comes out right by chance.
    """
    if len(received) < 2:  # noqa: PLR2004
        return Partial.MORE
    function = received[1]
    if function & EXCEPTION and function & ~EXCEPTION in _COUNTED | _ECHOED:
        size = 3 + CRC
    elif function in _ECHOED:
        size = 1 + _ECHO + CRC
    elif function not in _COUNTED:
        return Partial.NOISE
    elif len(received) < 3:  # noqa: PLR2004
        return Partial.MORE
    else:
        size = 3 + received[2] + CRC
    if len(received) < size:
        return Partial.MORE
    body = received[: size - CRC]
    if crc(body) != received[size - CRC : size]:
        return Partial.NOISE
    return Frame(body[0], bytes(body[1:]), size)


def _crc_table() -> Iterable[int]:
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        yield value


_CRC_TABLE = tuple(_crc_table())


def crc(data: bytes) -> bytes:
    """Return the checksum of a serial frame, as it is sent: low byte first.

    Example:
        >>> crc(bytes.fromhex("01 03 00 00 00 0a")).hex()
        'c5cd'
    """
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")
