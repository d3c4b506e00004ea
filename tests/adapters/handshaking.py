"""Presses that ask by handshake, over two protocols; an engine that may be killed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from mes_adapters.modbus import ADAPTER
from mes_engine.core import messages as m
from mes_engine.core.machine_rules import HandshakeRule
from mes_engine.core.signals import HandshakePhase, HandshakeState
from mes_engine.ports import Devices, Link, TagGroup, WriteResult
from mes_engine.runtime.acknowledging import Acknowledging
from mes_engine.runtime.devices import LinkDevices, open_link
from mes_engine.runtime.engine import Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.numbering import Numbering
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.signal_clock import run_signal_clock
from mes_engine.runtime.supervise import supervise
from mes_engine.storage.database import Database
from mes_engine.storage.store import SqlStore
from tests.core.handshakes import ID, a_handshake, a_plant_with, tag
from tests.core.plants import LINK, a_routing
from tests.plant import now

REQUEST, KEY, BOOT, GOOD, SCRAP, ACK, RESULT = range(7)
SIZE = 16
ADDRESSES = {
    "request": REQUEST,
    "key": KEY,
    "boot": BOOT,
    "good_made": GOOD,
    "scrap_made": SCRAP,
    "ack": ACK,
    "result": RESULT,
}
RULE = a_handshake(ack_on=1, ack_off=0)


def quick() -> BackOff:
    """Pauses that a test can wait for."""
    return BackOff(first_s=0.02, longest_s=0.1)


class Press:
    """A PLC that keeps to the four phases. Its registers are its memory.

    Attributes:
        acks: How often it saw the ack rise, by (boot, key) of its request then.
    """

    rule = RULE

    def __init__(self) -> None:
        self.registers = [0] * SIZE
        self.registers[BOOT] = 1
        self.port = 0
        self.acks: dict[tuple[int, int], int] = {}
        self.results: list[int] = []
        self.deaf = False
        self.server: ModbusTcpServer | None = None

    async def start(self) -> None:
        words = SimData(0, values=[0] * SIZE, datatype=DataType.REGISTERS)
        device = SimDevice(id=1, simdata=[words], action=self._answer)
        self.server = ModbusTcpServer([device], address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)
        assert isinstance(self.server.transport, asyncio.Server)
        self.port = self.server.transport.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self.server is not None
        await self.server.shutdown()  # type: ignore[no-untyped-call]

    async def _answer(self, *request: Any) -> None:
        _, _, address, _, registers, written = request
        if written is not None:
            for at, word in enumerate(written):
                self._take(address + at, int(word))
        registers[:SIZE] = self.registers

    def _take(self, address: int, word: int) -> None:
        if address == ACK and word and not self.registers[ACK]:
            asked = (self.registers[BOOT], self.registers[KEY])
            self.acks[asked] = self.acks.get(asked, 0) + 1
            self.results.append(self.registers[RESULT])
        self.registers[address] = word

    def asks(self, key: int, good: int = 1, scrap: int = 0) -> None:
        """Put the payload there, and raise the request after it."""
        self.registers[KEY] = key
        self.registers[GOOD], self.registers[SCRAP] = good, scrap
        self.registers[REQUEST] = 1

    def gives_up(self) -> None:
        """Let the request fall."""
        self.registers[REQUEST] = 0

    @property
    def is_acked(self) -> bool:
        return self.registers[ACK] == 1

    def link(self, groups: Sequence[TagGroup]) -> Link:
        """Make a link to it: quick."""
        settings = ADAPTER.settings.model_validate(
            {"url": f"tcp://127.0.0.1:{self.port}", "poll_s": 0.02, "timeout_s": 0.3}
        )
        return open_link(ADAPTER, LINK, settings, tags(), groups)

    async def cycle(self, key: int, good: int = 1, scrap: int = 0) -> None:
        """Go through all four phases."""
        self.asks(key, good, scrap)
        await until(lambda: self.is_acked)
        self.gives_up()
        await until(lambda: not self.is_acked)


class Linked(Protocol):
    """A press, as far as the engine has to do with it."""

    @property
    def rule(self) -> HandshakeRule:
        """By which it asks."""
        ...

    def link(self, groups: Sequence[TagGroup]) -> Link:
        """Make a link to it that tells its groups as one."""
        ...


async def until(holds: Any, *, within_s: float = 10) -> None:
    """Wait for the thing itself."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 any condition
            await asyncio.sleep(0.005)


@dataclass
class Faulty:
    """Devices that do not always answer; what is wrong with acks is set by the test."""

    devices: Devices
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    wrong: list[Exception] = field(default_factory=list)
    writes: list[tuple[str, object]] = field(default_factory=list)

    async def write(
        self,
        link: str,
        tag: str,
        value: bool | float | str,  # noqa: FBT001
        *,
        expect: bool | float | str | None = None,
    ) -> WriteResult:
        """Write, once it may; and then raise what is wrong, if anything is."""
        await self.may_write.wait()
        result = await self.devices.write(link, tag, value, expect=expect)
        self.writes.append((tag.partition(".")[2], value))
        if self.wrong and tag == RULE.ack:
            raise self.wrong.pop(0)
        return result


@dataclass
class Shop:
    """An engine at work on its database, linked to the press."""

    engine: Engine
    devices: Faulty
    acknowledging: Acknowledging
    rule: HandshakeRule
    sent: int = 0

    async def do(self, command: m.Command) -> m.Answer:
        self.sent += 1
        return await self.engine.submit(
            m.Commanded(
                origin="test",
                key=f"{self.engine.committed.seq}-{self.sent}",
                digest="",
                person="Maria",
                at=now(),
                command=command,
            )
        )

    async def ok(self, command: m.Command) -> dict[str, str]:
        answer = await self.do(command)
        assert answer.outcome is m.Outcome.ACCEPTED, answer
        return answer.result

    async def prepare(self, *, begins: bool = True) -> None:
        """Have 100 pieces on the press."""
        await self.ok(m.ApplyPlant(plant=a_plant_with(self.rule)))
        await self.ok(m.ReleaseRouting(routing=a_routing("cut")))
        await self.ok(
            m.CreateWorkRequest(
                work_request="WR-1", routing="R", quantity=Decimal(100), due_at=now()
            )
        )
        await self.ok(m.ReleaseWorkRequest(work_request="WR-1"))
        await self.ok(m.DispatchWorkUnit(work_unit="cut-1", begins=begins))

    @property
    def good(self) -> int:
        """How many good pieces are booked."""
        (job,) = self.engine.committed.job_order.find("request", "WR-1")
        return int(job.good)

    @property
    def known(self) -> HandshakeState:
        found = self.engine.committed.handshake.get(ID)
        return found or HandshakeState(id=ID)

    def phase(self) -> HandshakePhase:
        return self.known.phase

    def alarms(self) -> list[str]:
        found = self.engine.committed.alarm.find("work_unit", "cut-1")
        return [one.code for one in found]


def tags() -> dict[str, Any]:
    """Where the press has what."""
    return {
        tag(name): ADAPTER.tag.model_validate(
            {
                "table": "holding",
                "type": "u16",
                "address": address,
                "block": "hs",
                "writable": name in {"ack", "result"},
            }
        )
        for name, address in ADDRESSES.items()
    }


@asynccontextmanager
async def at_work(
    database: Database, press: Linked, *, writes: bool = True
) -> AsyncIterator[Shop]:
    """Run the engine with all that handshakes need; leaving kills it."""
    store, feed = SqlStore(database), Feed()
    state = await store.load()
    engine = Engine(store, state, clock=now, feed=feed)
    group = TagGroup(
        gate=press.rule.request,
        tags=press.rule.read_together,
        steady_s=press.rule.debounce_us / 1_000_000,
        also=(press.rule.ack,),
    )
    link = press.link((group,))
    devices = Faulty(LinkDevices({LINK: link}))
    if writes:
        devices.may_write.set()
    acknowledging = Acknowledging(
        devices, committed=state, submit=engine.submit, clock=now, back_off=quick
    )
    feed.tap(acknowledging.hear)
    mark = state.watermark.get(LINK)
    epoch = 1 if mark is None else mark.epoch + 1
    numbering = Numbering(LINK, engine.sense, epoch=epoch)
    parts = (
        engine.run(),
        acknowledging.run(),
        supervise(
            LINK,
            link,
            numbering.emit,
            clock=now,
            back_off=quick(),
        ),
        run_signal_clock(
            state, engine.submit, clock=now, patience=quick, look_every_s=0.01
        ),
    )
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield Shop(engine, devices, acknowledging, press.rule)
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
