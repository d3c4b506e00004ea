"""What ``config/`` says of a Modbus link; see ``sample.yaml``."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import Field, field_validator

from mes_adapters.modbus.address import Address, parse_url
from mes_adapters.modbus.tags import LAST, Pace, Place, Section, Table, Unit

Seconds = Annotated[float, Field(gt=0, le=3600)]
Wait = Annotated[float, Field(ge=0, le=3600)]
Word = Annotated[int, Field(ge=0, le=65_535)]


class BreakerSettings(Section):
    """When a unit is left alone, so that it does not slow the others."""

    after: int = Field(default=3, ge=1, le=100, description="failures in a row")
    probe_s: Seconds = Field(default=30.0, description="asked so often from then on")


class UnitSettings(Section):
    """What is particular to one unit."""

    pause_s: Wait = Field(default=0, description="rest after each answer")
    timeout_s: Seconds | None = Field(default=None, description="the link's, if none")
    breaker: BreakerSettings = BreakerSettings()


class SentinelSettings(Section):
    """A register that never changes, by which a block is known."""

    address: Place
    value: Word


class BlockSettings(Section):
    """A block that tags name: they are read in one request."""

    sentinel: SentinelSettings | None = None
    sequence: Place | None = Field(
        default=None, description="a register that is odd while the device writes"
    )


_FORBIDDEN = re.compile(
    r"(?:(?P<unit>\d+)/)?(?:(?P<table>\w+)/)?(?P<first>\d+)(?:-(?P<last>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Addresses that are never read, not even on the way to others."""

    first: int
    last: int
    unit: int | None = None
    table: Table | None = None

    def covers(self, unit: int, table: Table, start: int, end: int) -> bool:
        """Whether one of them is in ``start`` to ``end`` (which is not included)."""
        return (
            self.unit in (None, unit)
            and self.table in (None, table)
            and self.first < end
            and start <= self.last
        )


def parse_forbidden(text: str) -> Forbidden:
    """Read ``200-209``, ``7/200`` or ``7/holding/200-209``.

    Example:
        >>> parse_forbidden("7/200-209")
        Forbidden(first=200, last=209, unit=7, table=None)
    """
    match = _FORBIDDEN.fullmatch(text)
    tables = {one.value for one in Table}
    if match is None or (match["table"] and match["table"] not in tables):
        raise ValueError(f"'{text:.40}' should be like 200-209 or 7/holding/200-209")
    first = int(match["first"])
    last = int(match["last"] or first)
    if not first <= last <= LAST:
        raise ValueError(f"'{text:.40}' should go up, and end at {LAST} at most")
    return Forbidden(
        first,
        last,
        int(match["unit"]) if match["unit"] else None,
        Table(match["table"]) if match["table"] else None,
    )


class ModbusSettings(Section):
    """One Modbus device, or a gateway or a serial line with several units."""

    url: str = Field(description="tcp://host:502, rtutcp://host:port, rtu:///dev/ttyX")
    unit: Unit = Field(default=1, description="of tags that name none")
    timeout_s: Seconds = Field(default=1.0, description="longer than the device takes")
    quiet_s: Seconds = Field(
        default=1.0,
        description="how long after it an answer may still come on a serial line",
    )
    connect_s: Seconds = 5.0
    warmup_s: Wait = Field(default=0, description="rest after connecting")
    poll_s: Seconds = 1.0
    fast_s: Seconds = 0.2
    slow_s: Seconds = 10.0
    heartbeat_s: Seconds = Field(
        default=10.0, description="unchanged values are repeated so often"
    )
    gap_s: Seconds | None = Field(
        default=None,
        description="polls missed for longer are a gap; 3 periods if not given",
    )
    torn_s: Seconds = Field(
        default=0.05, description="how long a device writes the words of one value"
    )
    max_registers: int = Field(default=125, ge=4, le=125, description="in one request")
    max_hole: int = Field(
        default=16, ge=0, le=121, description="unused registers read along, at most"
    )
    apart: bool = Field(
        default=False,
        description="tell blocks by their length over TCP too, as on a serial line",
    )
    forbid: tuple[str, ...] = Field(default=(), description="never read: 200-209")
    pause_s: Wait = Field(default=0, description="between two requests")
    busy_retries: int = Field(default=3, ge=0, le=20)
    busy_wait_s: Seconds = 0.1
    refused_s: Seconds = Field(default=60.0, description="refused tags, asked again")
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=30.0, description="how long a device may start, refusing every address"
    )
    units: dict[Unit, UnitSettings] = Field(default_factory=dict)
    blocks: dict[str, BlockSettings] = Field(default_factory=dict)

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        parse_url(url)
        return url

    @field_validator("forbid")
    @classmethod
    def _are_ranges(cls, forbid: tuple[str, ...]) -> tuple[str, ...]:
        for text in forbid:
            parse_forbidden(text)
        return forbid

    @cached_property
    def address(self) -> Address:
        """The parsed ``url``."""
        return parse_url(self.url)

    def of_unit(self, unit: int) -> UnitSettings:
        """What is said of ``unit``, or of any other."""
        return self.units.get(unit, UnitSettings())

    def period_s(self, pace: Pace) -> float:
        """How often tags of this pace are read."""
        return {
            Pace.FAST: self.fast_s,
            Pace.NORMAL: self.poll_s,
            Pace.SLOW: self.slow_s,
        }[pace]
