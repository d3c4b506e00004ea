"""One connection to a Modbus device, for one life of it."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from structlog.stdlib import BoundLogger

from mes_adapters.modbus.channel import Channel, open_channel
from mes_adapters.modbus.line import Line, RtuLine, TcpLine
from mes_adapters.modbus.mapping import Value
from mes_adapters.modbus.poll import Known, Poller
from mes_adapters.modbus.reading import Exchange
from mes_adapters.modbus.settings import ModbusSettings
from mes_adapters.modbus.tags import ModbusTag
from mes_adapters.modbus.telling import Teller
from mes_adapters.modbus.writing import Writer
from mes_engine.core.errors import SourceMisconfigured
from mes_engine.ports import Emit, TagGroup, WriteResult

log = structlog.stdlib.get_logger()


class ModbusLink:
    """A :class:`~mes_engine.ports.Link` to one Modbus device, gateway or line.

    What was learnt outlives a connection: which units are silent, what is refused, and
    on a serial line which answers may still come.
    """

    def __init__(
        self, link_id: str, settings: ModbusSettings, tags: Mapping[str, ModbusTag]
    ) -> None:
        self._settings = settings
        self._name = str(settings.address)
        self._log = log.bind(link=link_id)
        self._known = Known(tags, settings)
        self._groups: Sequence[TagGroup] = ()
        self._line = make_line(settings, self._log)
        self._exchange = Exchange(self._line, settings)
        self._writer = Writer(self._line, self._exchange, settings, tags)

    async def run(self, emit: Emit) -> None:
        """Connect, poll on a steady beat, and emit what has changed."""
        if not self._known.tags:
            raise SourceMisconfigured(
                f"{self._name} has nothing to be asked for.",
                hint="Give a signal this link, or take the link out.",
            )
        await self._line.open()
        try:
            await asyncio.sleep(self._settings.warmup_s)
            teller = Teller(
                self._name, self._settings, emit, self._known.good_at, self._groups
            )
            poller = Poller(
                self._exchange,
                self._settings,
                self._known,
                teller,
                self._log,
                name=self._name,
            )
            await poller.run()
        finally:
            await self._line.close()

    def keep_together(self, groups: Sequence[TagGroup]) -> None:
        """Tell these as one; see `ports.ReadsTogether`."""
        self._groups = tuple(groups)

    async def write(
        self, tag: str, value: Value, *, expect: Value | None = None
    ) -> WriteResult:
        """Write ``value`` once, and read it back; see `ports.Writes`."""
        return await self._writer.write(tag, value, expect)


def make_line(settings: ModbusSettings, log: BoundLogger) -> Line:
    """Return a line to the device, not open yet."""

    async def opens() -> Channel:
        return await open_channel(settings.address, connect_s=settings.connect_s)

    name = str(settings.address)
    if settings.address.framing.is_serial:
        return RtuLine(name, opens, log, quiet_s=settings.quiet_s)
    return TcpLine(name, opens, log)
