"""Which machines the simulated plant has, and where its servers listen."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Port = Annotated[int, Field(ge=0, le=65535)]

NAMESPACE_URI = "urn:mes:simulator"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Protocol(StrEnum):
    """What a machine speaks."""

    OPCUA = "opcua"
    MODBUS = "modbus"


class MachineSettings(_Section):
    """One machine of the plant."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    protocol: Protocol
    cycle_s: float = Field(default=1.0, gt=0)
    scrap_rate: Share = 0.02
    jam_rate: Share = 0.0
    jam_s: float = Field(default=5.0, ge=0)
    unit: int | None = Field(default=None, ge=1, le=247, description="Modbus only")
    counter_bits: int = Field(default=32, description="16 or 32")
    weighs: bool = Field(default=False, description="hands weights over, by handshake")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.protocol is Protocol.MODBUS) != (self.unit is not None):
            raise ValueError(f"{self.id}: 'unit' belongs to Modbus machines, each one")
        if self.weighs and self.protocol is not Protocol.MODBUS:
            raise ValueError(f"{self.id}: 'weighs' is of Modbus machines")
        if self.counter_bits not in (16, 32):
            raise ValueError(f"{self.id}: counter_bits is 16 or 32")
        return self


class PlantSettings(_Section):
    """The machines of a plant."""

    machines: tuple[MachineSettings, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_no_twins(self) -> Self:
        units = [machine.unit for machine in self.machines if machine.unit is not None]
        ids = [machine.id for machine in self.machines]
        if len(set(ids)) < len(ids) or len(set(units)) < len(units):
            raise ValueError("two machines with the same id or the same unit")
        return self


def _opcua(id_: str, cycle_s: float) -> MachineSettings:
    return MachineSettings(id=id_, protocol=Protocol.OPCUA, cycle_s=cycle_s)


def _modbus(
    id_: str,
    cycle_s: float,
    unit: int,
    *,
    counter_bits: int = 32,
    weighs: bool = False,
) -> MachineSettings:
    return MachineSettings(
        id=id_,
        protocol=Protocol.MODBUS,
        cycle_s=cycle_s,
        unit=unit,
        counter_bits=counter_bits,
        weighs=weighs,
    )


DEFAULT_PLANT = PlantSettings(
    machines=(
        _opcua("mill-1", 2.0),
        _opcua("mill-2", 2.5),
        _opcua("lathe-1", 1.5),
        _modbus("press-1", 0.8, 1),
        _modbus("press-2", 0.6, 2, counter_bits=16),
        _modbus("wash-1", 1.0, 3),
        _modbus("pack-1", 1.2, 4, weighs=True),
    )
)


def load_plant(path: Path) -> PlantSettings:
    """Return the plant in the JSON file ``path``.

    Raises:
        OSError: The file cannot be read.
        ValidationError: It says something unusable.
    """
    return PlantSettings.model_validate_json(path.read_bytes())
