"""A way between a link and its device that once does what lines do to an answer.

Over TCP, over a pair of pseudo-terminals, or from a TCP connection to one of those.
"""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

Pieces = Iterable[tuple[float, bytes]]
"""Bytes to pass on, each after so many seconds."""
Fault = Callable[[bytes], Pieces]
GAP_S = 0.008
"""An answer has ended when nothing comes for so long."""


def untouched(answer: bytes) -> Pieces:
    return [(0, answer)]


def corrupts(at: int) -> Fault:
    return lambda b: [(0, b[:at] + bytes([b[at] ^ 0x55]) + b[at + 1 :])]


def doubles(at: int) -> Fault:
    return lambda b: [(0, b[:at] + b[at : at + 1] + b[at:])]


def repeats(after_s: float) -> Fault:
    """The whole answer comes once more."""
    return lambda b: [(0, b), (after_s, b)]


def truncates(at: int) -> Fault:
    return lambda b: [(0, b[:at])]


def litters(at: int) -> Fault:
    return lambda b: [(0, b[:at] + b"\xa5\x00\xff" + b[at:])]


def loses(at: int) -> Fault:
    return lambda b: [(0, b[:at] + b[at + 1 :])]


def swallows(at: int) -> Fault:
    return lambda b: []


def delays(at: int, s: float) -> Fault:
    return lambda b: [(0, b[:at]), (s, b[at:])]


def trickles(s: float) -> Fault:
    return lambda b: [(s, b[n : n + 1]) for n in range(len(b))]


class Way:
    """Passes questions and answers on; ``faults`` are done to the next answers."""

    def __init__(self) -> None:
        self.url = ""
        self.theirs = ""
        self.faults: list[Fault] = []
        self.always: Fault = untouched
        self.answers = 0
        self.units: set[int] = set()
        """Who is on the line: others hear no question. Empty for all."""
        self.is_open = True
        self._back: asyncio.Queue[bytes] = asyncio.Queue()

    def answered(self, data: bytes) -> None:
        self._back.put_nowait(data)

    async def pass_back(self, send: Callable[[bytes], None]) -> None:
        """Pass answers on, whole ones, one after the other."""
        while True:
            answer = await self._back.get()
            with suppress(TimeoutError):
                while True:
                    async with asyncio.timeout(GAP_S):
                        answer += await self._back.get()
            self.answers += 1
            fault = self.faults.pop(0) if self.faults else self.always
            for wait_s, piece in fault(answer):
                if wait_s:
                    await asyncio.sleep(wait_s)
                if self.is_open:
                    send(piece)


@asynccontextmanager
async def serial_pair() -> AsyncIterator[Way]:
    """Two serial lines in one: ``url`` is the link's, ``theirs`` the device's."""
    loop = asyncio.get_running_loop()
    way = Way()
    ends = [os.openpty(), os.openpty()]
    for _, end in ends:
        tty.setraw(end)
    (ours, _), (theirs, _) = ends
    way.url = f"rtu://{os.ttyname(ends[0][1])}?baud=115200&parity=N"  # it has none
    way.theirs = os.ttyname(ends[1][1])

    def ask() -> None:
        data = os.read(ours, 4096)
        if way.is_open and (not way.units or data[0] in way.units):
            os.write(theirs, data)

    loop.add_reader(ours, ask)
    loop.add_reader(theirs, lambda: way.answered(os.read(theirs, 4096)))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(way.pass_back(lambda data: _write(ours, data)))
        try:
            yield way
        finally:
            task.cancel()
            loop.remove_reader(ours)
            loop.remove_reader(theirs)
            for pair in ends:
                for end in pair:
                    os.close(end)


def _write(end: int, data: bytes) -> None:
    os.write(end, data)


@asynccontextmanager
async def serial_server() -> AsyncIterator[Way]:
    """A device server: TCP connections to ``url``, a serial line to ``theirs``."""
    loop = asyncio.get_running_loop()
    way = Way()
    master, slave = os.openpty()
    tty.setraw(slave)
    way.theirs = os.ttyname(slave)
    writers: set[asyncio.StreamWriter] = set()

    def back(data: bytes) -> None:
        for writer in writers:
            writer.write(data)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(OSError):
            while data := await reader.read(4096):
                os.write(master, data)
        writers.discard(writer)
        writer.transport.abort()

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    way.url = f"rtutcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.add_reader(master, lambda: way.answered(os.read(master, 4096)))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(way.pass_back(back))
        try:
            yield way
        finally:
            task.cancel()
            loop.remove_reader(master)
            server.close()
            for writer in set(writers):
                writer.transport.abort()
            os.close(master)
            os.close(slave)


@asynccontextmanager
async def tcp_way(target: int) -> AsyncIterator[Way]:
    """A relay to a TCP port of this machine; each connection has its own to there."""
    way = Way()
    writers: set[asyncio.StreamWriter] = set()
    here: list[asyncio.StreamWriter] = []

    def back_to_last(data: bytes) -> None:
        here[-1].write(data)

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, there = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.transport.abort()
            return
        here.append(writer)
        writers.update((writer, there))

        async def back() -> None:
            with suppress(OSError):
                while data := await answers.read(4096):
                    way.answered(data)
            writer.transport.abort()

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(back())
            with suppress(OSError):
                while data := await reader.read(4096):
                    there.write(data)
            task.cancel()
        for end in (writer, there):
            writers.discard(end)
            end.transport.abort()

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    way.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(way.pass_back(back_to_last))
        try:
            yield way
        finally:
            task.cancel()
            server.close()
            for writer in set(writers):
                writer.transport.abort()
