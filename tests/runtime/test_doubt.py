"""Commits of which nobody knows whether they happened: asked, never guessed.

Whatever comes of it, nothing is decided twice, who waits is told within a bounded time,
and the engine can be stopped.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer, Outcome
from mes_engine.ports import CommitInDoubt, StoreUnavailable
from mes_engine.runtime.committing import JournalUnreadable
from tests.runtime.builders import a_command, sensed
from tests.runtime.stand_ins import Bench, running, until

SOON_S = 0.05


class Dark:
    """A store that cannot be read until ``lift`` is called."""

    def __init__(self, bench: Bench) -> None:
        self.looks = 0
        self._is_over = False
        bench.store.before_reached = self._look

    def lift(self) -> None:
        self._is_over = True

    async def _look(self) -> None:
        self.looks += 1
        await asyncio.sleep(0)
        if not self._is_over:
            raise StoreUnavailable("unable to open database file")


def once_in_doubt(bench: Bench) -> None:
    """Have the next commit fail in COMMIT, and not be done."""

    def fails(_: Sequence[Recorded]) -> Exception:
        bench.store.fails = lambda _: None
        return CommitInDoubt("disk I/O error")

    bench.store.fails = fails


async def caught(bench: Bench, *, key: str) -> Answer | Exception:
    """Submit a command; return what came of it."""
    try:
        return await bench.engine.submit(a_command(key=key))
    except (OutcomeUnknown, Overloaded) as error:
        return error


async def test_a_commit_that_turns_out_done_is_answered() -> None:
    async with running(Bench()) as bench:
        bench.store.loses_answer = True

        answer = await bench.engine.submit(a_command(key="same"))
        again = await bench.engine.submit(a_command(key="same"))

        assert answer.outcome is Outcome.ACCEPTED
        assert again == answer
        assert bench.decide.decided == ["terminal:same"]
        assert bench.engine.committed.seq == len(bench.store.journal)
        assert bench.engine.is_accepting


async def test_a_commit_that_turns_out_undone_leaves_no_trace() -> None:
    async with running(Bench()) as bench:
        once_in_doubt(bench)

        assert isinstance(await caught(bench, key="same"), OutcomeUnknown)
        await until(lambda: bench.engine.is_accepting)
        assert bench.engine.committed.seq == 0
        answer = await bench.engine.submit(a_command(key="same"))

        assert answer.outcome is Outcome.ACCEPTED
        assert bench.store.noted() == ["one"]


@asynccontextmanager
async def in_the_dark(bench: Bench) -> AsyncIterator[Dark]:
    """Begin with a sample and a command in doubt, in a store that cannot be read."""
    dark = Dark(bench)
    async with running(bench):
        await bench.engine.sense(sensed(1))
        told = await caught(bench, key="same")
        assert isinstance(told, OutcomeUnknown)
        assert not bench.engine.is_accepting
        assert isinstance(await caught(bench, key="other"), Overloaded)
        await bench.engine.sense(sensed(2))
        looks = dark.looks
        await until(lambda: dark.looks > looks + 3)
        assert bench.decide.decided == ["plc/1/1", "terminal:same"]
        assert bench.engine.committed.seq == 0
        yield dark


async def test_in_the_dark_nothing_is_decided_and_what_was_done_is_found() -> None:
    bench = Bench()
    bench.store.loses_answer = True
    async with in_the_dark(bench) as dark:
        dark.lift()
        await until(lambda: bench.engine.is_accepting)
        answer = await bench.engine.submit(a_command(key="same"))
        assert answer.outcome is Outcome.ACCEPTED

    assert bench.decide.decided == ["plc/1/1", "terminal:same", "plc/1/2"]
    assert bench.store.noted() == ["m1.good", "one", "m1.good"]
    assert bench.engine.committed.seq == len(bench.store.journal)
    assert bench.engine.counts.outages == 1


async def test_in_the_dark_nothing_is_decided_and_what_was_not_done_is_undone() -> None:
    bench = Bench()
    once_in_doubt(bench)
    async with in_the_dark(bench) as dark:
        dark.lift()
        await until(lambda: bench.engine.is_accepting)
        answer = await bench.engine.submit(a_command(key="same"))
        assert answer.outcome is Outcome.ACCEPTED

    assert sorted(bench.store.noted()) == ["m1.good", "m1.good", "one"]
    assert bench.decide.decided.count("plc/1/1") == 2  # the first was thrown away
    assert bench.engine.committed.seq == len(bench.store.journal)


async def test_the_engine_can_be_stopped_in_the_dark() -> None:
    bench = Bench(stop_s=SOON_S)
    bench.store.loses_answer = True
    async with asyncio.timeout(10), in_the_dark(bench):
        pass  # never lifted

    state = await bench.store.load()
    known = state.handled.get(("terminal", "same"))
    assert known is not None, "the next life of the engine knows what was done"
    assert bench.engine.committed.seq == 0


async def test_who_waits_for_a_commit_that_hangs_is_told_so() -> None:
    """And when it ends after all, it stands."""
    bench = Bench(answer_s=SOON_S)
    gate = asyncio.Event()
    bench.store.before_commit = gate.wait
    async with running(bench), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(caught(bench, key="first"))
        await until(lambda: bench.decide.decided != [])
        second = tasks.create_task(caught(bench, key="second"))

        assert isinstance(await first, OutcomeUnknown)
        assert isinstance(await second, OutcomeUnknown)
        assert isinstance(await caught(bench, key="third"), Overloaded)
        gate.set()
        await until(lambda: bench.engine.is_accepting)

        assert not isinstance(await caught(bench, key="first"), Exception)
        assert bench.decide.decided == ["terminal:first"]


async def test_an_engine_whose_commit_hangs_can_be_stopped() -> None:
    bench = Bench(stop_s=SOON_S)
    bench.store.before_commit = asyncio.Event().wait
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.engine.run())
        told = tasks.create_task(caught(bench, key="one"))
        await until(lambda: bench.decide.decided != [])
        await bench.engine.sense(sensed(1))
        bench.engine.stop()

    assert isinstance(told.result(), OutcomeUnknown)


async def test_a_slow_store_that_goes_on_is_waited_for() -> None:
    """The time to stop is that of one commit, not of all that is left."""
    bench = Bench(stop_s=4 * SOON_S)
    bench.store.before_commit = lambda: asyncio.sleep(SOON_S)
    bench.store.fails = lambda records: (
        ValueError("not together") if len(records) > 3 else None
    )
    async with asyncio.TaskGroup() as tasks:
        callers = [tasks.create_task(caught(bench, key=f"k{n}")) for n in range(10)]
        await until(lambda: len(bench.inbox) == 10)
        tasks.create_task(bench.engine.run())
        bench.engine.stop()

    assert bench.store.commits == 10
    assert not any(isinstance(one.result(), Exception) for one in callers)


async def test_a_journal_that_makes_no_sense_ends_the_engine() -> None:
    """To decide anything on top of it could be to decide it twice."""
    bench = Bench()
    bench.store.loses_answer = True

    async def spoilt() -> None:
        raise LookupError("no such table: fact")

    bench.store.before_reached = spoilt
    async with asyncio.TaskGroup() as tasks:
        told = tasks.create_task(caught(bench, key="one"))
        await until(lambda: len(bench.inbox) == 1)
        with pytest.raises(JournalUnreadable, match="no such table"):
            await bench.engine.run()

    assert isinstance(told.result(), OutcomeUnknown)
    assert bench.decide.decided == ["terminal:one"]
