"""Supervision: numbered, reconnected, logged once, and never a danger to others."""

import asyncio

from structlog.testing import LogCapture

from mes_engine.core.errors import SourceLost, SourceMisconfigured, SourceRefused
from mes_engine.core.messages import Sensed
from mes_engine.core.samples import LinkReport, LinkState, Sample
from mes_engine.ports import Emit
from mes_engine.runtime.numbering import Numbering
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.supervise import supervise
from tests.runtime.builders import NOW, a_sample, clock
from tests.runtime.stand_ins import Bench, running, until

CONNECTED = LinkReport(state=LinkState.CONNECTED, at=NOW)

Say = Sample | LinkReport | Exception | float


class ScriptedLink:
    """Lives as scripted: says things, lets seconds pass, breaks; then is silent."""

    def __init__(self, *lives: list[Say]) -> None:
        self.lives = list(lives)
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    async def run(self, emit: Emit) -> None:
        if not self.lives:
            await asyncio.Event().wait()
        for say in self.lives.pop(0):
            if isinstance(say, Exception):
                raise say
            if isinstance(say, float):
                self.now_s += say
            else:
                await emit(say)


class Watch:
    """Supervises a link, keeping what it passes on and how long it pauses."""

    def __init__(self, link: ScriptedLink, *, epoch: int = 1) -> None:
        self.link = link
        self.epoch = epoch
        self.heard: list[Sensed] = []
        self.pauses: list[float] = []

    async def run(self) -> None:
        """Supervise until the script is used up."""
        async with asyncio.TaskGroup() as tasks:
            supervising = tasks.create_task(self._supervise())
            await until(lambda: supervising.done() or not self.link.lives)
            for _ in range(5):
                await asyncio.sleep(0)
            supervising.cancel()

    async def _supervise(self) -> None:
        await supervise(
            "plc",
            self.link,
            Numbering("plc", self._sense, epoch=self.epoch).emit,
            clock=clock,
            back_off=BackOff(
                first_s=0.25, longest_s=10.0, sleep=self._sleep, chance=lambda: 1.0
            ),
            monotonic=self.link.monotonic,
        )

    async def _sense(self, sensed: Sensed) -> None:
        self.heard.append(sensed)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def said(self) -> list[str]:
        """Name what was heard, in order."""
        reports = (sensed.report for sensed in self.heard)
        return [
            one.tag
            if isinstance(one, Sample)
            else one.state
            if isinstance(one, LinkReport)
            else "gap"
            for one in reports
        ]


def names(logs: LogCapture) -> list[str]:
    return [str(entry["event"]) for entry in logs.entries]


async def test_what_a_link_says_is_numbered_over_all_its_lives() -> None:
    watch = Watch(
        ScriptedLink([CONNECTED, a_sample(), SourceLost("cut")], [CONNECTED]), epoch=7
    )
    await watch.run()

    assert [(one.source, one.epoch) for one in watch.heard] == [("plc", 7)] * 6
    assert [one.n for one in watch.heard] == [1, 2, 3, 4, 5, 6]
    assert watch.said() == [
        "disconnected",
        "connected",
        "m1.good",
        "disconnected",
        "connected",
        "disconnected",
    ]


async def test_an_outage_is_logged_once_and_backed_off(logs: LogCapture) -> None:
    broken: list[list[Say]] = [[SourceLost("no answer.")] for _ in range(8)]
    watch = Watch(ScriptedLink(*broken, [CONNECTED, a_sample()]))
    await watch.run()

    assert watch.pauses[:8] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert names(logs)[:2] == ["link_lost", "link_recovered"]
    assert logs.entries[0]["link"] == "plc"
    assert watch.said()[:3] == ["disconnected", "disconnected", "connected"]


async def test_jitter_takes_off_up_to_a_half() -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    chances = iter([0.0, 0.5, 1.0])
    back_off = BackOff(
        first_s=1.0, longest_s=2.0, sleep=sleep, chance=lambda: next(chances)
    )
    for _ in range(3):
        await back_off.wait()

    assert pauses == [0.5, 1.5, 2.0]


async def test_a_life_that_was_steady_makes_the_next_pause_short() -> None:
    lost = SourceLost("cut")
    watch = Watch(
        ScriptedLink(
            [lost], [lost], [CONNECTED, a_sample(), 6.0, lost], [CONNECTED, 6.0, lost]
        )
    )
    await watch.run()

    assert watch.pauses[:4] == [0.25, 0.5, 0.25, 0.5]


async def test_a_misconfigured_link_ends_alone(logs: LogCapture) -> None:
    watch = Watch(ScriptedLink([SourceMisconfigured("no such node.")], [CONNECTED]))
    await watch.run()

    assert names(logs) == ["link_misconfigured"]
    assert watch.pauses == []
    assert len(watch.link.lives) == 1
    last = watch.heard[-1].report
    assert isinstance(last, LinkReport)
    assert (last.state, last.reason) == (LinkState.DISCONNECTED, "no such node.")


async def test_a_device_that_refuses_us_is_asked_minutes_later() -> None:
    refused: list[Say] = [SourceRefused("wrong password.")]
    watch = Watch(ScriptedLink(refused, list(refused), [CONNECTED, a_sample()]))
    await watch.run()

    assert watch.pauses[:2] == [300.0, 300.0]
    assert watch.said()[-3:] == ["connected", "m1.good", "disconnected"]


async def test_a_bug_in_a_link_is_logged_with_its_type_and_survived(
    logs: LogCapture,
) -> None:
    bug: list[Say] = [ZeroDivisionError("oops")]
    watch = Watch(ScriptedLink(bug, list(bug), [CONNECTED, a_sample()]))
    await watch.run()

    assert names(logs)[:3] == ["link_failed", "link_lost", "link_recovered"]
    assert logs.entries[0]["error"] == "ZeroDivisionError"
    assert "m1.good" in watch.said()


async def test_what_a_link_says_reaches_the_engine() -> None:
    link = ScriptedLink([CONNECTED, *(a_sample(value=n) for n in range(20))])
    async with running(Bench()) as bench, asyncio.TaskGroup() as tasks:
        engine = bench.engine
        numbering = Numbering("plc", engine.sense, epoch=1)
        supervising = tasks.create_task(
            supervise("plc", link, numbering.emit, clock=clock)
        )
        await until(lambda: engine.counts.messages == 23)
        supervising.cancel()

    assert bench.store.noted().count("m1.good") == 20
    mark = bench.engine.committed.watermark.get("plc")
    assert mark is not None
    assert (mark.epoch, mark.n) == (1, 23)


async def test_a_link_ends_when_the_engine_takes_nothing_more() -> None:
    bench = Bench()
    bench.engine.stop()
    link = ScriptedLink([CONNECTED])

    emit = Numbering("plc", bench.engine.sense, epoch=1).emit
    await supervise("plc", link, emit, clock=clock)

    assert len(link.lives) == 1
