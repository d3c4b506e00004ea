"""Bytes to and from a device: over a TCP connection, or a serial line of this computer.

What is behind them is the business of ``line``.
"""

import asyncio
import fcntl
import os
import termios
from collections.abc import Callable

from mes_adapters.modbus.address import Address, Framing, SerialLine
from mes_engine.core.errors import SourceLost, SourceMisconfigured

_CHUNK = 4096
_CC = 6
_CLOSE_S = 2.0


class Channel:
    """An open way to a device. ``received`` is what came and nobody took yet."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.is_lost = False
        self._news = asyncio.Event()
        self._closed = asyncio.Event()
        self.send: Callable[[bytes], None] = self.feed
        self.abort: Callable[[], None] = self.lose

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self.received += data
        self._news.set()

    def lose(self) -> None:
        """Hear that nothing will come any more."""
        self.is_lost = True
        self._news.set()
        self._closed.set()

    async def more(self, until: float) -> bool:
        """Wait until something comes, or nothing will any more.

        Args:
            until: By the loop's clock.

        Returns:
            Whether there was news in time.
        """
        if self.is_lost:
            return True
        self._news.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Close, and wait until it is: some devices take one connection only."""
        self.abort()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._closed.wait()
        except TimeoutError:
            return


async def open_channel(address: Address, *, connect_s: float) -> Channel:
    """Open a way to ``address``.

    Raises:
        SourceLost: It cannot be reached now.
        SourceMisconfigured: It never will.
    """
    if address.framing is Framing.RTU:
        return _open_serial(address.device, address.line)
    loop = asyncio.get_running_loop()
    channel = Channel()
    try:
        async with asyncio.timeout(connect_s):
            await loop.create_connection(
                lambda: _Connection(channel), address.host, address.port
            )
    except TimeoutError as error:
        text = f"{address} does not take a connection within {connect_s:g} s."
        raise SourceLost(text) from error
    except OSError as error:
        raise SourceLost(f"{address} cannot be reached: {error}.") from error
    return channel


class _Connection(asyncio.Protocol):
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP connection has a transport that reads and writes")
        self._channel.send = transport.write
        self._channel.abort = transport.abort

    def data_received(self, data: bytes) -> None:
        self._channel.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._channel.lose()


def _open_serial(device: str, line: SerialLine) -> Channel:
    try:
        there = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise SourceLost(f"{device} cannot be opened: {error.strerror}.") from error
    try:
        _set_line(there, device, line)
    except BaseException:
        os.close(there)
        raise
    channel = Channel()
    port = _Port(there, channel)
    channel.send, channel.abort = port.send, port.close
    return channel


class _Port:
    """A serial device on the event loop."""

    def __init__(self, there: int, channel: Channel) -> None:
        self._there = there
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(there, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._there, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # unplugged
            data = b""
        if data:
            self._channel.feed(data)
        else:
            self.close()

    def send(self, data: bytes) -> None:
        try:
            sent = os.write(self._there, data)
        except OSError:
            sent = 0
        if sent < len(data):
            self.close()

    def close(self) -> None:
        if not self._channel.is_lost:
            self._loop.remove_reader(self._there)
            os.close(self._there)
            self._channel.lose()


def _set_line(there: int, device: str, line: SerialLine) -> None:
    """Set raw bytes of 8 bits, as ``line`` says, and keep other programs away."""
    speed = getattr(termios, f"B{line.baud}", None)
    if speed is None:
        raise SourceMisconfigured(f"{device} has no speed of {line.baud} baud.")
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL
    if line.parity != "N":
        flags |= termios.PARENB
    if line.parity == "O":
        flags |= termios.PARODD
    if line.stop == 2:  # noqa: PLR2004
        flags |= termios.CSTOPB
    try:
        fcntl.ioctl(there, termios.TIOCEXCL)
        control = termios.tcgetattr(there)[_CC]
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        wanted = [0, 0, flags, 0, speed, speed, control]
        termios.tcsetattr(there, termios.TCSANOW, wanted)
        termios.tcflush(there, termios.TCIOFLUSH)
    except termios.error as error:
        text = f"{device} is no serial line: {error.args[-1]}."
        raise SourceMisconfigured(text) from error
    except OSError as error:
        raise SourceLost(f"{device} cannot be used: {error.strerror}.") from error
