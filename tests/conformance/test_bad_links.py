"""The rules for links find what they are for: a link with a fault fails them."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from mes_engine.conformance import Bench, LinkConformance, Machine
from mes_engine.core.errors import SourceLost
from mes_engine.core.samples import LinkReport, LinkState, Origin, Quality, Sample
from mes_engine.ports import Emit, Link

DEVICE = """
import json, socket, sys, threading, time
values = {"good": 0, "speed": 3}
every = [0.0]
def counts():
    while True:
        time.sleep(every[0] or 0.01)
        if every[0]:
            values["good"] += 1
def serve(there):
    try:
        for line in there.makefile():
            there.sendall((json.dumps(values) + "\\\\n").encode())
    except OSError:
        pass
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
threading.Thread(target=counts, daemon=True).start()
def accept():
    while True:
        threading.Thread(target=serve, args=[door.accept()[0]], daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
for line in sys.stdin:
    every[0] = float(line)
    time.sleep(0.02)
    print(values["good"], flush=True)
""".replace("\\\\", "\\")


class Device:
    """It answers each line with all its values, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def count(self, every_s: float) -> None:
        await self._tell(every_s)

    async def halt(self) -> int:
        return await self._tell(0)

    def freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    async def _tell(self, every_s: float) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{every_s}\n".encode())
        return int(await self._process.stdout.readline())


class GoodLink:
    """Asks every few milliseconds; what a fault changes is in the subclasses."""

    timeout_s = 0.5

    def __init__(self, port: int, tags: Iterable[str]) -> None:
        self.port = port
        self.tags = tuple(tags)
        self.last: dict[str, int] = {}

    async def run(self, emit: Emit) -> None:
        try:
            async with asyncio.timeout(self.timeout_s):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except (OSError, TimeoutError) as error:
            raise SourceLost("nobody is there") from error
        try:
            await self.talk(reader, writer, emit)
        except (OSError, TimeoutError, ValueError) as error:
            raise SourceLost("it does not answer") from error
        finally:
            await self.close(writer)

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, emit: Emit
    ) -> None:
        is_first = True
        while True:
            writer.write(b"?\n")
            async with asyncio.timeout(self.timeout_s):
                values = json.loads(await self.answer(reader))
            if is_first:
                missing = tuple(tag for tag in self.tags if tag not in values)
                await emit(
                    LinkReport(
                        state=LinkState.CONNECTED,
                        at=_now(),
                        missing=self.named(missing),
                    )
                )
                is_first = False
            for tag in self.tags:
                if tag in values and self.last.get(tag) != values[tag]:
                    self.last[tag] = values[tag]
                    await emit(self.sample(tag, values[tag]))
            await asyncio.sleep(0.01)

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.readuntil(b"\n")

    async def close(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    def named(self, missing: tuple[str, ...]) -> tuple[str, ...]:
        return missing

    def sample(self, tag: str, value: int) -> Sample:
        return Sample(
            tag=tag,
            value=value,
            quality=Quality.GOOD,
            source_at=None,
            received_at=_now(),
            origin=Origin.POLL,
        )


class ConnectedTooEarly(GoodLink):
    """A socket is no device that answers."""

    async def run(self, emit: Emit) -> None:
        await emit(self.sample("good", 0))
        await super().run(emit)


class TellsIncreases(GoodLink):
    """What a counter has grown, and not where it is."""

    def sample(self, tag: str, value: int) -> Sample:
        return super().sample(tag, value % 5 if tag == "good" else value)


class TakesPiecesForMessages(GoodLink):
    """What has arrived at once need not be all."""

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.read(65_536)


class LeavesOpen(GoodLink):
    """Connections are left for the garbage collector, which is in no hurry."""

    kept: list[asyncio.StreamWriter] = []  # noqa: RUF012  kept on purpose

    async def close(self, writer: asyncio.StreamWriter) -> None:
        self.kept.append(writer)


class WaitsForEver(GoodLink):
    """A network that swallows everything is never noticed."""

    timeout_s = 3_600.0


class HidesMissing(GoodLink):
    """A tag that is not there is passed over."""

    def named(self, missing: tuple[str, ...]) -> tuple[str, ...]:
        return ()


class Drops(GoodLink):
    """What the engine is too slow for is thrown away, and nobody told."""

    async def run(self, emit: Emit) -> None:
        async def drop(report: object) -> None:
            if isinstance(report, LinkReport) or not self.last.get("good", 0) > 4:
                await emit(report)  # type: ignore[arg-type]

        await super().run(drop)


class BenchOf(Bench):
    maker = "this test"
    is_ours = True
    tags = ("good", "speed")
    counter = "good"
    absent = "none"
    notices_s = 1

    def __init__(self, link: type[GoodLink]) -> None:
        self._link = link

    @asynccontextmanager
    async def machine(self) -> AsyncIterator[Machine]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            DEVICE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            yield Device(process, int(await process.stdout.readline()))
        finally:
            process.kill()
            await process.wait()

    def link(self, port: int, tags: Iterable[str]) -> Link:
        return self._link(port, tags)


def _now() -> int:
    return time.time_ns() // 1000


def rules_for(link: type[GoodLink]) -> LinkConformance:
    rules = LinkConformance()
    rules.bench = BenchOf(link)  # type: ignore[misc]
    return rules


Rule = Callable[[LinkConformance], Awaitable[None]]
FAULTS: dict[type[GoodLink], Rule] = {
    ConnectedTooEarly: (
        LinkConformance.test_tells_the_truth_connected_first_then_every_tag
    ),
    TellsIncreases: LinkConformance.test_tells_the_truth_absolute_and_in_order,
    TakesPiecesForMessages: (
        LinkConformance.test_tells_the_truth_when_bytes_come_one_by_one
    ),
    LeavesOpen: LinkConformance.test_ends_what_it_began_when_it_is_cancelled,
    WaitsForEver: LinkConformance.test_notices_loss_of_a_device_that_is_frozen,
    HidesMissing: LinkConformance.test_names_missing_tags_and_tells_the_others,
    Drops: LinkConformance.test_waits_for_the_engine_and_loses_nothing_unseen,
}


@pytest.fixture(autouse=True)
def _is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mes_engine.conformance.links.WITHIN_S", 2.0)


@pytest.mark.parametrize("link", FAULTS, ids=lambda link: link.__name__)
async def test_a_link_with_a_fault_fails_the_rule_against_it(
    link: type[GoodLink],
) -> None:
    with pytest.raises((AssertionError, TimeoutError, ExceptionGroup)):
        await FAULTS[link](rules_for(link))
    for writer in LeavesOpen.kept:
        writer.transport.abort()


@pytest.mark.parametrize("rule", FAULTS.values(), ids=lambda rule: rule.__name__)
async def test_a_good_link_keeps_the_same_rules(rule: Rule) -> None:
    await rule(rules_for(GoodLink))
