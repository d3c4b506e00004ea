"""What ``config/`` says of a Modbus TCP link and of its tags; see ``sample.yaml``."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0, le=3600)]
Unit = Annotated[int, Field(ge=0, le=255)]


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


class ValueType(StrEnum):
    """How the registers of a value are read."""

    BOOL = "bool"
    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    F32 = "f32"

    @property
    def width(self) -> int:
        """How many addresses a value takes."""
        match self:
            case ValueType.U32 | ValueType.I32 | ValueType.F32:
                return 2
            case ValueType.U64:
                return 4
            case _:
                return 1


class WordOrder(StrEnum):
    """Which register of several comes first. Vendors differ, so nothing is assumed."""

    BIG = "big"
    LITTLE = "little"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModbusTag(_Section):
    """Where a value is. Addresses count from 0, as on the wire."""

    unit: Unit | None = Field(default=None, description="the link's, if not given")
    table: Table
    address: int = Field(ge=0, le=65_535)
    type: ValueType
    word_order: WordOrder | None = None

    @property
    def bits(self) -> int | None:
        """Where a counter here starts again at 0: 2 to this power. None if signed."""
        match self.type:
            case ValueType.U16 | ValueType.U32 | ValueType.U64:
                return 16 * self.type.width
            case _:
                return None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.table.has_bits and self.type is not ValueType.BOOL:
            raise ValueError(f"a {self.table} is a bool, not {self.type}")
        if self.type.width > 1 and self.word_order is None:
            raise ValueError(f"{self.type} needs word_order: big or little")
        if self.address + self.type.width > 65_536:  # noqa: PLR2004
            raise ValueError(f"{self.type} at {self.address} ends behind the last one")
        return self


class ModbusSettings(_Section):
    """One Modbus TCP device, or a gateway with several units behind it."""

    host: str = Field(min_length=1)
    port: int = Field(default=502, ge=1, le=65_535)
    unit: Unit = Field(default=1, description="of tags that name none")
    timeout_s: Seconds = Field(default=1.0, description="longer than the device takes")
    poll_s: Seconds = 1.0
    heartbeat_polls: int = Field(
        default=10,
        ge=1,
        description="unchanged values are repeated every so many polls",
    )
    max_registers: int = Field(default=125, ge=4, le=125, description="in one request")
    max_hole: int = Field(
        default=16, ge=0, le=121, description="unused registers read along, at most"
    )
    pause_s: float = Field(default=0, ge=0, le=60, description="between two requests")
    busy_retries: int = Field(default=3, ge=0, le=20)
    busy_wait_s: Seconds = 0.1
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=30.0, description="how long a device may start, refusing every address"
    )
