"""One canonical stretch of work on a database file; what is answered is told at once.

Each thing has a key of its own and is asked again until it is answered, so that the
stretch can be begun anew wherever it was broken off, and always ends the same.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from mes_engine.bootstrap.core import Core, running_engine
from mes_engine.core import messages as m
from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.job_order import JobOrder, JobOrderTrigger
from mes_engine.core.postings import SETTLED
from mes_engine.core.samples import Quality, Sample
from mes_engine.modules.ledger import LedgerService
from mes_engine.runtime.relay import Relay
from tests.core.plants import LINK, a_plant, a_routing, a_step, steel
from tests.databases import url_in

ORIGIN = "crash"
AT = 1_767_589_200_000_000
PAUSE_S = 0.01
TRIES = 200
"""How often a thing is asked for in one life."""

Tell = Callable[[str], None]
"""Take what was answered: ``key digest``, or ``link number``."""


class GivenUp(Exception):
    """The engine did not answer for so long that this life is over."""


class Stretch:
    """What is asked of an engine, in order, and what it has answered."""

    def __init__(self, core: Core, tell: Tell) -> None:
        self._core = core
        self._tell = tell

    async def run(self) -> None:
        """Ask for everything."""
        await self._do("plant", m.ApplyPlant(plant=a_plant()))
        for name, steps in (
            ("LINE", (a_step("cut", consumes=(steel("0.5"),)), "drill")),
            ("MILL", ("mill",)),
        ):
            routing = a_routing(*steps, id=name, material=f"of-{name}")
            await self._do(f"routing-{name}", m.ReleaseRouting(routing=routing))
        steel_came = m.ReceiveMaterial(
            material="steel", unit="KGM", quantity=Decimal(100), supplier="S"
        )
        await self._do("steel", steel_came)
        await asyncio.gather(self._line(), self._mill())

    async def _line(self) -> None:
        """Cut with a machine that counts, then drill; a report is taken back."""
        await self._make("LINE", 12)
        cut = self._job("LINE", "cut")
        await self._do("cut-load", m.LoadJobOrder(job_order=cut, work_unit="cut-1"))
        await self._do("cut-begin", m.BeginJobOrder(job_order=cut))
        for number, count in enumerate(range(100, 109), start=1):
            await self._hear(number, "cut-1.good", count)
        await self._do("cut-4", _good(cut, 4))
        await self._do("cut-done", _trigger(cut, JobOrderTrigger.COMPLETE))
        drill = self._job("LINE", "drill")
        load = m.LoadJobOrder(job_order=drill, work_unit="drill-1")
        await self._do("drill-load", load)
        await self._do("drill-begin", m.BeginJobOrder(job_order=drill))
        scrap = m.Scrapped(quantity=Decimal(2), reason="burr")
        for number in range(10):
            await self._do(f"drill-{number}", _good(drill, 1))
        await self._do("drill-scrap", m.ReportQuantity(job_order=drill, scrap=(scrap,)))
        await self._do("drill-done", _trigger(drill, JobOrderTrigger.COMPLETE))

    async def _mill(self) -> None:
        """Mill under holds and pauses, and split what came of it."""
        await self._make("MILL", 13)
        mill = self._job("MILL", "mill")
        await self._do("mill-load", m.LoadJobOrder(job_order=mill, work_unit="mill-2"))
        await self._do("mill-begin", m.BeginJobOrder(job_order=mill))
        for number in range(10):
            await self._do(f"mill-{number}", _good(mill, 1))
            pause = m.PauseJobOrder(job_order=mill, reason="tool")
            await self._do(f"mill-pause-{number}", pause)
            resume = m.ResumeJobOrder(job_order=mill)
            await self._do(f"mill-resume-{number}", resume)
        await self._do("mill-rest", _good(mill, 3))
        await self._do("mill-done", _trigger(mill, JobOrderTrigger.COMPLETE))

    async def _make(self, name: str, quantity: int) -> None:
        create = m.CreateWorkRequest(
            work_request=name, routing=name, quantity=Decimal(quantity), due_at=AT
        )
        await self._do(f"create-{name}", create)
        release = m.ReleaseWorkRequest(work_request=name)
        await self._do(f"release-{name}", release)

    def _job(self, request: str, step: str) -> str:
        jobs = self._core.engine.committed.job_order.find("request", request)
        return next(one.id for one in jobs if one.step == step)

    async def _do(self, key: str, command: m.Command) -> None:
        message = m.Commanded(
            origin=ORIGIN, key=key, digest=key, person="Maria", at=AT, command=command
        )
        answer = await _asked(lambda: self._core.submit(message))
        assert answer.outcome is m.Outcome.ACCEPTED, (key, answer)
        self._tell(f"{key} {digest_of(answer)}")

    async def _hear(self, number: int, tag: str, value: int) -> None:
        sample = Sample(
            tag=tag,
            value=value,
            quality=Quality.GOOD,
            source_at=AT + number,
            received_at=AT + number,
        )
        sensed = m.Sensed(source=LINK, epoch=1, n=number, report=sample)
        await _asked(lambda: self._core.engine.deliver([sensed]))
        self._tell(f"{LINK} {number}")


def _good(job_order: str, pieces: int) -> m.ReportQuantity:
    return m.ReportQuantity(job_order=job_order, good=Decimal(pieces))


def _trigger(job_order: str, trigger: JobOrderTrigger) -> m.AssertTrigger:
    return m.AssertTrigger(job_order=job_order, trigger=trigger)


async def _asked(ask: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(TRIES):
        try:
            return await ask()
        except (OutcomeUnknown, Overloaded):
            await asyncio.sleep(PAUSE_S)
    raise GivenUp


def digest_of(answer: m.Answer) -> str:
    """Return what tells an answer from another."""
    return sha256(msgspec.json.encode(answer)).hexdigest()[:16]


@asynccontextmanager
async def _at_work(folder: Path) -> AsyncIterator[Core]:
    """Run an engine, and the relay to its embedded ledger."""
    async with running_engine(url_in(folder)) as core:
        books = LedgerService(core.database, core.clock)
        relay = Relay(
            books, committed=core.engine.committed, submit=core.submit, clock=core.clock
        )
        core.feed.tap(relay.hear)
        posting = asyncio.create_task(relay.run())
        try:
            yield core
        finally:
            posting.cancel()
            with suppress(asyncio.CancelledError):
                await posting


async def live(folder: Path, tell: Tell) -> list[str]:
    """Live through the stretch, until the ledger has it all; return what came of it."""
    async with _at_work(folder) as core:
        await Stretch(core, tell).run()
        state = core.engine.committed
        for _ in range(TRIES):
            if all(one.state in SETTLED for one in state.posting.values()):
                break
            await asyncio.sleep(PAUSE_S)
        else:
            raise GivenUp
        return sorted(_told(one) for one in state.job_order.values()) + sorted(
            " ".join(
                (one.lot, one.place, *map(_plain, (one.on_floor, one.out, one.stock)))
            )
            for one in state.position.values()
        )


def _told(job: JobOrder) -> str:
    return (
        f"{job.request} {job.step} {job.state} {_plain(job.good)} {_plain(job.scrap)} "
        f"{_plain(job.posted_good)} {_plain(job.posted_scrap)}"
    )


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
