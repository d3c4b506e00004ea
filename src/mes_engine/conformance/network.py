"""A TCP relay between a link and its device, which can do what networks do."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

NO_LINGER = struct.pack("ii", 1, 0)


class Relay:
    """Passes bytes on; what else it can do is in its methods.

    Attributes:
        target: The port that is relayed to; another one after a device has moved.
        delay_s: How long each piece of an answer is kept back.
        most: How many bytes are passed on at a time.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.target = target
        self.delay_s = 0.0
        self.most = 65_536
        self.is_parted = False
        self.answers: Callable[[bytes], bytes] = bytes
        self.accepted = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self._holds = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Condition()

    def hold(self) -> None:
        """Keep back what comes, in both directions."""
        self._flows.clear()
        self._holds.clear()

    async def until_holding(self, *, within_s: float = 5) -> None:
        """Wait until something is being held back."""
        async with asyncio.timeout(within_s):
            await self._holds.wait()

    def release(self) -> None:
        """Pass on what was kept back."""
        self._flows.set()

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._open:
            writer.transport.abort()

    def reset(self) -> None:
        """End connections with a RST, as a firewall does."""
        for writer in self._open:
            made: socket.socket | None = writer.get_extra_info("socket")
            if made is not None:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            writer.transport.abort()

    def part(self) -> None:
        """Swallow all that comes, on connections there are and new ones."""
        self.is_parted = True

    def join_again(self) -> None:
        """Let new connections through; those of before stay dead."""
        self.is_parted = False
        self.cut()

    async def until_unused(self, *, within_s: float = 5) -> None:
        """Wait until no connection is open any more."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: not self._open)

    async def until_accepted(self, count: int, *, within_s: float = 30) -> None:
        """Wait until so many connections were made, since the beginning."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: self.accepted >= count)

    async def join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Take a connection, and make one to the target for it."""
        async with self._changed:
            self.accepted += 1
            self._changed.notify_all()
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there[1]}
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(reader, there[1]))
                tasks.create_task(self._pass(there[0], writer, is_answer=True))
        finally:
            for end in (writer, there[1]):
                self._open.discard(end)
                end.transport.abort()
            async with self._changed:
                self._changed.notify_all()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        is_answer: bool = False,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if self.is_parted:
                    continue
                if not self._flows.is_set():
                    self._holds.set()
                    await self._flows.wait()
                if self.delay_s and is_answer:
                    await asyncio.sleep(self.delay_s)
                passed = self.answers(data) if is_answer else data
                for start in range(0, len(passed), self.most):
                    sink.write(passed[start : start + self.most])
                    await sink.drain()
        sink.transport.abort()


@asynccontextmanager
async def relaying(target: int) -> AsyncIterator[Relay]:
    """Relay to a port of this machine."""
    relay = Relay(target)
    server = await asyncio.start_server(relay.join, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.release()
        relay.cut()
        await relay.until_unused()
