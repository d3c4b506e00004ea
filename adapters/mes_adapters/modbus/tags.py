"""What ``config/`` says of a tag: where its value is, and how it is read."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Unit = Annotated[int, Field(ge=0, le=255)]
Place = Annotated[int, Field(ge=0, le=65_535)]

LAST = 65_535
REGISTER_BITS = 16


class Table(StrEnum):
    """The four address spaces of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def has_bits(self) -> bool:
        """Whether an address holds one bit, and not a register of 16."""
        return self in (Table.COIL, Table.DISCRETE)

    @property
    def is_writable(self) -> bool:
        """Whether the protocol has a request that writes to it."""
        return self in (Table.COIL, Table.HOLDING)


class ValueType(StrEnum):
    """How the registers of a value are read."""

    BOOL = "bool"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    BCD64 = "bcd64"
    STRING = "string"

    @property
    def width(self) -> int:
        """How many addresses a value takes; of a string it is the tag's ``count``."""
        return _WIDTHS[self]


def _width(kind: ValueType) -> int:
    number = re.search(r"\d+$", kind.value)
    return int(number[0]) // REGISTER_BITS if number else 1


_WIDTHS = {kind: _width(kind) for kind in ValueType}


class ByteOrder(StrEnum):
    """Where the bytes of a value are on the wire, A being the most significant one.

    Of 64 bits: CDAB has the registers last to first, BADC the bytes of each swapped.
    Vendors differ, so nothing is assumed.
    """

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"

    @property
    def has_words_reversed(self) -> bool:
        """Whether the least significant register comes first."""
        return self in (ByteOrder.CDAB, ByteOrder.DCBA)

    @property
    def has_bytes_swapped(self) -> bool:
        """Whether the two bytes of each register change places."""
        return self in (ByteOrder.BADC, ByteOrder.DCBA)


class Pace(StrEnum):
    """How often a tag is read: the link says what each one is in seconds."""

    FAST = "fast"
    NORMAL = "normal"
    SLOW = "slow"


class Section(BaseModel):
    """A part of a file: unknown keys are problems, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModbusTag(Section):
    """Where a value is. Addresses count from 0, as on the wire."""

    unit: Unit | None = Field(default=None, description="the link's, if not given")
    table: Table
    address: Place
    type: ValueType
    order: ByteOrder | None = None
    count: int | None = Field(default=None, ge=1, le=125, description="of a string")
    encoding: Literal["ascii", "utf-8", "latin-1"] = "ascii"
    bit: int | None = Field(default=None, ge=0, le=63, description="0 is the lowest")
    bit_count: int = Field(default=1, ge=1, le=64)
    poll: Pace = Pace.NORMAL
    block: str | None = Field(default=None, min_length=1, description="read together")
    read: Literal["once", "twice"] = "once"
    writable: bool = False

    @property
    def width(self) -> int:
        """How many addresses the value takes."""
        return self.count or self.type.width

    @property
    def end(self) -> int:
        """The first address behind the value."""
        return self.address + self.width

    @property
    def bits(self) -> int | None:
        """Where a counter here starts again at 0: 2 to this power. None if signed."""
        if self.bit is not None:
            return self.bit_count if self.type is not ValueType.BOOL else None
        match self.type:
            case ValueType.U16 | ValueType.U32 | ValueType.U64:
                return REGISTER_BITS * self.type.width
            case _:
                return None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.table.has_bits and self.type is not ValueType.BOOL:
            raise ValueError(f"a {self.table} is a bool, not {self.type}")
        if self.writable and not self.table.is_writable:
            raise ValueError(f"nothing can be written to {self.table}")
        if self.end > LAST + 1:
            raise ValueError(f"{self.type} at {self.address} ends behind the last one")
        return self

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        is_text = self.type is ValueType.STRING
        if is_text and self.count is None:
            raise ValueError("string needs count, the registers that it takes")
        if is_text and self.order not in (None, ByteOrder.ABCD, ByteOrder.BADC):
            raise ValueError("the order of a string is ABCD, or BADC for swapped bytes")
        if not is_text and {"count", "encoding"} & self.model_fields_set:
            raise ValueError(f"count and encoding are of a string, not of {self.type}")
        if not is_text and self.width > 1 and self.order is None:
            raise ValueError(f"{self.type} needs order: ABCD, CDAB, BADC or DCBA")
        if self.table.has_bits and self.order is not None:
            raise ValueError(f"a {self.table} has no order of bytes")
        return self

    @model_validator(mode="after")
    def _has_its_bits(self) -> Self:
        if self.bit is None:
            if "bit_count" in self.model_fields_set:
                raise ValueError("bit_count needs bit, the lowest of them")
            return self
        whole = (ValueType.U16, ValueType.U32, ValueType.U64)
        if self.table.has_bits or self.type not in (ValueType.BOOL, *whole):
            raise ValueError("bits are taken from a register read as bool, u16, ...")
        if self.type is ValueType.BOOL and self.bit_count > 1:
            raise ValueError("a bool has one bit; several are a u16")
        if self.bit + self.bit_count > REGISTER_BITS * self.type.width:
            raise ValueError(f"{self.type} has no such bits")
        return self
