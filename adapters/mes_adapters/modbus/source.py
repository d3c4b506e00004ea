"""One connection to a Modbus TCP device, for one life of it: poll, and tell changes.

Modbus has no time and no quality of its own. A value's time is the middle between
request and answer; a value that the device refuses is bad. What does not change is
repeated now and then, so that a reader can tell *unchanged* from *unheard*.
"""

import asyncio
import time
from collections.abc import Mapping

import structlog

from mes_adapters.modbus.client import ILLEGAL, NO_PATH, ModbusClient
from mes_adapters.modbus.mapping import plan
from mes_adapters.modbus.poll import Poller, Reading
from mes_adapters.modbus.settings import ModbusSettings, ModbusTag
from mes_engine.core.errors import SourceLost, SourceMisconfigured
from mes_engine.core.samples import LinkReport, LinkState, Sample
from mes_engine.ports import Emit

log = structlog.stdlib.get_logger()


class ModbusLink:
    """A :class:`~mes_engine.ports.Link` to one Modbus TCP device or gateway."""

    def __init__(
        self, link_id: str, settings: ModbusSettings, tags: Mapping[str, ModbusTag]
    ) -> None:
        self._settings = settings
        self._name = f"{settings.host}:{settings.port}"
        self._log = log.bind(link=link_id)
        self._blocks = plan(
            tags,
            default_unit=settings.unit,
            max_registers=settings.max_registers,
            max_hole=settings.max_hole,
        )
        self._has_worked = False

    async def run(self, emit: Emit) -> None:
        """Connect, poll on a steady beat, and emit what has changed."""
        if not self._blocks:
            raise SourceMisconfigured(
                f"{self._name} has nothing to be asked for.",
                hint="Give a signal this link, or take the link out.",
            )
        async with ModbusClient(self._settings) as client:
            poller = Poller(client, self._settings, self._blocks, self._log)
            await self._poll_on(poller, emit)

    async def _poll_on(self, poller: Poller, emit: Emit) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        told: dict[str, Sample] = {}
        polls = 0
        while True:
            is_beat = polls % self._settings.heartbeat_polls == 0
            readings = await poller.poll(asks_refused=is_beat)
            if self._is_up(readings, since_s=loop.time() - began):
                if polls == 0:
                    self._has_worked = True
                    await emit(_connected(self._name))
                for sample in (reading.sample for reading in readings):
                    if is_beat or _differs(sample, told.get(sample.tag)):
                        told[sample.tag] = sample
                        await emit(sample)
                polls += 1
            period = self._settings.poll_s
            # On the beat, and without catching up on beats that were missed.
            await asyncio.sleep(period - (loop.time() - began) % period)

    def _is_up(self, readings: list[Reading], *, since_s: float) -> bool:
        exceptions = {reading.exception for reading in readings}
        if exceptions and exceptions <= NO_PATH:
            raise SourceLost(f"{self._name} is a gateway without a way to its units.")
        if not exceptions or not exceptions <= ILLEGAL:
            return True
        if since_s < self._settings.settle_s:
            return False
        problem = f"{self._name} refuses every address it is asked for."
        if self._has_worked:  # a device that is still starting, or is being loaded
            raise SourceLost(problem)
        raise SourceMisconfigured(
            problem, hint="Check unit, table, address of its tags."
        )


def _connected(name: str) -> LinkReport:
    now = time.time_ns() // 1000
    return LinkReport(state=LinkState.CONNECTED, at=now, reason=f"{name} answers")


def _differs(sample: Sample, told: Sample | None) -> bool:
    return told is None or (sample.value, sample.quality) != (told.value, told.quality)
