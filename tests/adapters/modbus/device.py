"""A Modbus TCP device that a test can make busy, slow, or wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mes_adapters.modbus import ADAPTER
from mes_engine.ports import Link

SIZE = 64


class Device:
    """Units 1 and 2, each with 64 registers, which are also its bits."""

    def __init__(self) -> None:
        self.registers = {1: [0] * SIZE, 2: [0] * SIZE}
        self.requests: list[tuple[int, int, int]] = []
        """Function code, address and count of what was asked, in order."""
        self.refuse: Callable[[int, int, int], int] = lambda unit, address, count: 0
        """The Modbus exception for a request; 0 answers it."""
        self.port = 0
        self.server: ModbusTcpServer | None = None

    async def start(self) -> None:
        """Listen; again on the same port after :meth:`stop`."""
        self.server = ModbusTcpServer(
            [self._unit(unit) for unit in self.registers],
            address=("127.0.0.1", self.port),
        )
        await self.server.serve_forever(background=True)
        assert isinstance(self.server.transport, asyncio.Server)
        self.port = self.server.transport.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        assert self.server is not None
        await self.server.shutdown()  # type: ignore[no-untyped-call]

    def _unit(self, unit: int) -> SimDevice:
        async def answer(*request: Any) -> ExcCodes | None:
            function, _, address, count, registers, _ = request
            self.requests.append((function, address, count))
            registers[:SIZE] = self.registers[unit]
            exception = self.refuse(unit, address, count)
            return ExcCodes(exception) if exception else None

        words = SimData(0, values=[0] * SIZE, datatype=DataType.REGISTERS)
        return SimDevice(id=unit, simdata=[words], action=answer)

    def link(self, tags: dict[str, dict[str, Any]], **settings: Any) -> Link:
        """Return a quick link to this device; tags are holding u16 unless they say."""
        given = {"poll_s": 0.02, "timeout_s": 0.5, "busy_wait_s": 0.01, **settings}
        return ADAPTER.open(
            "press",
            ADAPTER.settings.model_validate(
                {"url": f"tcp://127.0.0.1:{self.port}", **given}
            ),
            {
                tag: ADAPTER.tag.model_validate(
                    {"table": "holding", "type": "u16", **at}
                )
                for tag, at in tags.items()
            },
        )


@asynccontextmanager
async def running_device() -> AsyncIterator[Device]:
    """Run a device on a free port."""
    device = Device()
    await device.start()
    try:
        yield device
    finally:
        await device.stop()
