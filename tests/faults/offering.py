"""A load that does not wait for answers: so many requests a second, come what may.

A process of its own, so that it is not slowed by what it measures:

    python -m tests.faults.offering URL JOB [JOB ...] --pid 4711 --ledger answers.txt

First so many callers ask as fast as they are answered: that is the saturation. A
stated share of it is the rated load, which is then offered once, ten times, and once,
while terminals follow the facts, some of which have stopped reading. How long an
answer took counts from when its request was due.
"""

import argparse
import asyncio
import json
import os
import re
import sys
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import TextIO
from urllib.parse import urlsplit

RATED = 0.25
"""Of saturation: ten times the rated load is two and a half times what can be done."""
TIMES = 10
CALLERS = 32
LINES = 700
"""So many connections at most; what is due and finds none free waits for one."""
TICK_S = 0.004
READ_EACH = 10
"""One request in so many only reads."""
LOOK_S = 0.1
LAST_ANSWERS_S = 10.0
NORMAL_S = 0.25
"""A second in which one answer in a hundred takes longer is not yet normal."""
REPORT = b'{"good":"1"}'
CENTERS = ("INSPECTION", "PRESSING", "MILLING", "ASSEMBLY")

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)

Told = Callable[[int, bytes], None]


@dataclass
class Phase:
    """What was offered, and what came of it; times in seconds.

    Attributes:
        rate: Requests a second.
        refused: 503 with a ``Retry-After``.
        others: Anything else, by status; 0 is a connection that was lost.
        normal_after_s: When the last second was over in which one was refused, or one
            in a hundred was slow.
        own_lag_s: How late this process was itself.
        rss: The most memory that the engine had, in bytes.
    """

    name: str
    rate: float
    seconds: float
    offered: int = 0
    accepted: int = 0
    refused: int = 0
    others: dict[str, int] = field(default_factory=dict)
    p50_s: float = 0.0
    p99_s: float = 0.0
    longest_s: float = 0.0
    refused_p99_s: float = 0.0
    normal_after_s: float = 0.0
    own_lag_s: float = 0.0
    rss: int = 0


@dataclass
class Answers:
    """When the requests of a phase were due, and how long their answers took."""

    phase: Phase
    began: float = field(default_factory=monotonic)
    open: int = 0
    taken: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)

    def told(self, due: float, status: int, head: bytes) -> bool:
        """Note an answer; whether the request was done."""
        self.open -= 1
        phase, took = self.phase, (due - self.began, monotonic() - due)
        if status == 200:
            phase.accepted += 1
            self.taken.append(took)
        elif status == 503 and b"retry-after" in head.lower():
            phase.refused += 1
            self.refused.append(took)
        else:
            phase.others[str(status)] = phase.others.get(str(status), 0) + 1
        return status == 200

    def summed(self) -> Phase:
        """Return the phase with what the answers come to."""
        phase = self.phase
        took = sorted(seconds for _, seconds in self.taken)
        if took:
            phase.p50_s = took[len(took) // 2]
            phase.p99_s = took[int(len(took) * 0.99)]
            phase.longest_s = took[-1]
        late = sorted(seconds for _, seconds in self.refused)
        if late:
            phase.refused_p99_s = late[int(len(late) * 0.99)]
        answers = Counter(int(due) for due, _ in self.taken)
        slow = Counter(int(due) for due, seconds in self.taken if seconds > NORMAL_S)
        bad = {int(due) for due, _ in self.refused}
        bad |= {one for one, number in slow.items() if number * 100 > answers[one]}
        phase.normal_after_s = max(bad, default=-1) + 1.0
        return phase


class Line(asyncio.Protocol):
    """A connection for one request after the other."""

    def __init__(self, free: deque["Line"], gone: Callable[[], None]) -> None:
        self._free = free
        self._gone = gone
        self._buffer = b""
        self._told: Told | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: bytes, told: Told) -> None:
        assert self._transport is not None
        self._told = told
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if not end or found is None or len(body) < int(found[1]):
            return
        self._buffer = b""
        told, self._told = self._told, None
        assert told is not None, data
        told(int(head[9:12]), head)
        if self._transport is not None and not self._transport.is_closing():
            self._free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._gone()
        with suppress(ValueError):
            self._free.remove(self)
        if self._told is not None:
            told, self._told = self._told, None
            told(0, b"")


class Stream(asyncio.Protocol):
    """A terminal that follows the facts of its work center, or has stopped reading."""

    def __init__(self, request: bytes, *, is_reading: bool) -> None:
        self._request = request
        self._is_reading = is_reading
        self.bytes = 0
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)
        if not self._is_reading:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True


class Offering:
    """Whoever asks, and the file of what was acknowledged."""

    def __init__(
        self, url: str, jobs: list[str], *, pid: int, ledger: TextIO, seed: str
    ) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "", where.port or 0
        self._jobs = jobs
        self._ledger = ledger
        self._numbers = count(1)
        self._seed = seed
        self._statm = Path(f"/proc/{pid}/statm")
        self._free: deque[Line] = deque()
        self._lines = 0

    async def connect(self, lines: int) -> None:
        """Open so many connections."""
        loop = asyncio.get_running_loop()
        while self._lines < lines:
            self._lines += 1
            _, line = await loop.create_connection(
                lambda: Line(self._free, self._lost), self._host, self._port
            )
            self._free.append(line)

    def _lost(self) -> None:
        self._lines -= 1

    async def follow(self, *, reading: int, silent: int) -> list[Stream]:
        """Open streams as terminals do."""
        loop = asyncio.get_running_loop()
        streams = []
        for number in range(reading + silent):
            center = CENTERS[number % len(CENTERS)]
            request = self._head("GET", f"/facts/stream?work_center={center}")
            is_reading = number < reading
            opened = partial(Stream, request, is_reading=is_reading)
            _, stream = await loop.create_connection(opened, self._host, self._port)
            streams.append(stream)
        return streams

    async def saturation(self, seconds: float) -> Phase:
        """Ask as fast as answers come, from a few callers."""
        answers = Answers(Phase("saturation", 0.0, seconds))
        ends = monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CALLERS):
                tasks.create_task(self._call(answers, ends))
        phase = answers.summed()
        phase.rate = phase.accepted / seconds
        return phase

    async def _call(self, answers: Answers, ends: float) -> None:
        while monotonic() < ends:
            answered = asyncio.Event()
            self._ask(answers, monotonic(), answered.set)
            await answered.wait()

    async def offered(self, name: str, rate: float, seconds: float) -> Phase:
        """Offer ``rate`` requests a second, and wait for the last answers."""
        phase = Phase(name, rate, seconds, rss=self.rss())
        answers = Answers(phase)
        began = last = looked = answers.began
        waiting: deque[float] = deque()
        while waiting or last < began + seconds:
            now = monotonic()
            phase.own_lag_s = max(phase.own_lag_s, now - last - TICK_S)
            last = now
            until = min(now - began, seconds) * rate
            while phase.offered < until:
                waiting.append(began + phase.offered / rate)
                phase.offered += 1
            if len(waiting) > len(self._free):
                await self.connect(min(self._lines + len(waiting), LINES))
            while waiting and self._free:
                self._ask(answers, waiting.popleft())
            if now - looked > LOOK_S:
                looked = now
                phase.rss = max(phase.rss, self.rss())
            await asyncio.sleep(TICK_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWERS_S):
                while answers.open:  # noqa: ASYNC110 - answers come by themselves
                    await asyncio.sleep(TICK_S)
        if answers.open:
            phase.others["unanswered"] = answers.open
        return answers.summed()

    def rss(self) -> int:
        """Return how much memory the engine has, in bytes."""
        return int(self._statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def _ask(
        self, answers: Answers, due: float, done: Callable[[], None] = lambda: None
    ) -> None:
        number = next(self._numbers)
        key, job = f"{self._seed}-{number:08}", self._jobs[number % len(self._jobs)]
        is_read = number % READ_EACH == 0
        request = self._head("GET", f"/job-orders/{job}")
        if not is_read:
            request = self._head("POST", f"/job-orders/{job}/report", _sent_as(key))
            request += REPORT

        def told(status: int, head: bytes) -> None:
            if answers.told(due, status, head) and not is_read:
                self._ledger.write(f"{key} {job}\n")
            done()

        answers.open += 1
        self._free.pop().ask(request, told)

    def _head(self, method: str, path: str, more: str = "") -> bytes:
        return (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: {self._host}\r\n{more}\r\n"
        ).encode()


def _sent_as(key: str) -> str:
    return (
        f"Idempotency-Key: {key}\r\nX-Person: Clara\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(REPORT)}\r\n"
    )


async def main(given: argparse.Namespace) -> None:
    """Offer everything, a line of JSON a phase."""
    with given.ledger.open("w") as ledger:
        offering = Offering(
            given.url, given.job, pid=given.pid, ledger=ledger, seed=given.seed
        )
        await offering.connect(CALLERS)

        def tell(phase: Phase) -> None:
            ledger.flush()
            json.dump(asdict(phase), sys.stdout)
            print(flush=True)  # noqa: T201

        await offering.saturation(given.measure_s / 2)  # the first are slow
        found = await offering.saturation(given.measure_s)
        tell(found)
        streams = await offering.follow(reading=given.reading, silent=given.silent)
        rated = found.rate * RATED
        for name, times, seconds in (
            ("rated", 1, given.measure_s),
            ("overload", TIMES, given.seconds),
            ("after", 1, given.after_s),
        ):
            tell(await offering.offered(name, rated * times, seconds))
        told = {
            "name": "streams",
            "bytes": sum(one.bytes for one in streams),
            "over": sum(one.is_over for one in streams),
        }
        print(json.dumps(told), flush=True)  # noqa: T201


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("job", nargs="+")
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--seed", default="offered")
    parser.add_argument("--measure-s", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--after-s", type=float, default=8.0)
    parser.add_argument("--reading", type=int, default=180)
    parser.add_argument("--silent", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(_given()))
