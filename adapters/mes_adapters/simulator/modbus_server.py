"""The plant's Modbus TCP server: one, a unit id for each machine. Loopback only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simdevice import SimAction

from mes_adapters.simulator.machine import Change
from mes_adapters.simulator.weigher import FIRST, LAST, Weigher

HOST = "127.0.0.1"
REGISTERS = 5
STATE_AT = 4


def to_registers(shown: Change, *, counter_bits: int) -> list[int]:
    """Return holding registers 0 to 4 of a machine: good, scrap, state.

    32-bit counters are two registers each, high word first; 16-bit counters are
    registers 0 and 1, and registers 2 and 3 are 0.

    Example:
        >>> from mes_adapters.simulator.machine import PackmlState
        >>> shown = Change(
        ...     machine="m", at=0, state=PackmlState.IDLE, good=65_537, scrap=2
        ... )
        >>> to_registers(shown, counter_bits=32)
        [1, 1, 0, 2, 4]
    """
    if counter_bits == 16:  # noqa: PLR2004
        return [shown.good, shown.scrap, 0, 0, int(shown.state)]
    return [*divmod(shown.good, 65_536), *divmod(shown.scrap, 65_536), int(shown.state)]


@asynccontextmanager
async def serve_modbus(
    units: Mapping[int, Callable[[], list[int]]],
    *,
    port: int,
    weighers: Mapping[int, Weigher] | None = None,
) -> AsyncIterator[int]:
    """Serve each unit's registers, and yield the port; port 0 takes a free one.

    Args:
        units: What registers 0 to 4 of each unit hold, asked at each read: no reader
            can see half of a change.
        port: Where to listen.
        weighers: What is behind some of the units: registers 10 to 21, of which two
            can be written.
    """
    server = ModbusTcpServer(
        list(_devices(units, weighers or {})), address=(HOST, port)
    )
    await server.serve_forever(background=True)
    listener = server.transport
    if not isinstance(listener, asyncio.Server):
        raise TypeError("pymodbus listens in another way than the pinned version did")
    try:
        yield int(listener.sockets[0].getsockname()[1])
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def _devices(
    units: Mapping[int, Callable[[], list[int]]], weighers: Mapping[int, Weigher]
) -> Iterable[SimDevice]:
    for unit, read in units.items():
        weigher = weighers.get(unit)
        yield SimDevice(
            id=unit,
            simdata=[
                SimData(
                    0,
                    values=[0] * (REGISTERS if weigher is None else LAST + 1),
                    datatype=DataType.REGISTERS,
                    readonly=weigher is None,
                )
            ],
            action=_answering(read, weigher),
        )


def _answering(read: Callable[[], list[int]], weigher: Weigher | None) -> SimAction:
    async def answer(*request: Any) -> ExcCodes | None:
        _function, _start, address, _count, registers, written = request
        if weigher is not None:
            if written is not None:
                for at, word in enumerate(written):
                    weigher.write(address + at, int(word))
            registers[FIRST : LAST + 1] = weigher.words()
        registers[:REGISTERS] = read()
        return None

    return answer
