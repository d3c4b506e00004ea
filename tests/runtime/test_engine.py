"""The loop: answers after the commit, once each, whatever fails on the way."""

import asyncio
from collections.abc import Sequence

import pytest

from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.facts import MessageSetAside, Recorded
from mes_engine.core.messages import Outcome
from mes_engine.ports import StoreUnavailable
from mes_engine.runtime.batch import MessageFailed
from tests.runtime.builders import a_command, sensed
from tests.runtime.stand_ins import Bench, Broken, MemoryStore, running, until


def set_aside(bench: Bench) -> list[MessageSetAside]:
    facts = (recorded.fact for recorded in bench.store.journal)
    return [fact for fact in facts if isinstance(fact, MessageSetAside)]


async def test_an_answer_means_that_it_is_committed() -> None:
    async with running(Bench()) as bench:
        answer = await bench.engine.submit(a_command())

        assert answer.outcome is Outcome.ACCEPTED
        assert answer.seq == len(bench.store.journal) == bench.engine.committed.seq


async def unanswered(bench: Bench) -> None:
    """Submit a command of which nobody can say what became."""
    with pytest.raises(OutcomeUnknown):
        await bench.engine.submit(a_command())


async def test_the_same_command_many_times_at_once_is_done_once() -> None:
    """Fifty terminals, or one that is impatient: one decision, fifty equal answers."""
    async with running(Bench()) as bench:
        same = [a_command(key="same") for _ in range(50)]
        answers = await asyncio.gather(*map(bench.engine.submit, same))

    assert bench.decide.decided == ["terminal:same"]
    assert len({repr(answer) for answer in answers}) == 1
    assert bench.engine.counts.repeats == 49


async def test_a_repeat_after_a_restart_gets_the_same_answer() -> None:
    async with running(Bench()) as before:
        first = await before.engine.submit(a_command(key="same"))
    state = await before.store.load()

    async with running(Bench(store=before.store, state=state)) as after:
        second = await after.engine.submit(a_command(key="same"))

    assert second == first
    assert after.decide.decided == []


async def test_a_refusal_is_kept_and_a_mistake_is_not() -> None:
    async with running(Bench()) as bench:
        for name in ("refuse", "refuse", "mistake", "mistake"):
            await bench.engine.submit(a_command(name, key=name))

    assert bench.decide.decided == [
        "terminal:refuse",
        "terminal:mistake",
        "terminal:mistake",
    ]


async def test_a_key_used_for_another_body_is_refused() -> None:
    async with running(Bench()) as bench:
        await bench.engine.submit(a_command(key="same", digest="a"))
        answer = await bench.engine.submit(a_command(key="same", digest="b"))

    assert answer.outcome is Outcome.KEY_REUSED
    assert len(bench.decide.decided) == 1


async def test_a_command_forgotten_in_memory_is_found_in_the_database() -> None:
    store = MemoryStore()
    async with running(Bench(store=store)) as before:
        first = await before.engine.submit(a_command(key="old"))
        newest = await before.engine.submit(a_command())
    state = await store.load()
    state.handled.trim(1)

    async with running(Bench(store=store, state=state)) as after:
        again, other, reused = await asyncio.gather(
            after.engine.submit(a_command(key="old")),
            after.engine.submit(a_command("two")),
            after.engine.submit(a_command(key="old", digest="another")),
        )

    assert again == first
    assert other.seq > newest.seq
    assert reused.outcome is Outcome.KEY_REUSED
    assert store.noted() == ["one", "one", "two"]


async def test_a_repeated_sample_is_ignored() -> None:
    """By watermark: within a batch, and over batches."""
    async with running(Bench()) as bench:
        for n in (1, 2, 2, 1, 3):
            await bench.engine.sense(sensed(n))
        await until(lambda: bench.engine.counts.messages == 5)
        await bench.engine.sense(sensed(3))
        await bench.engine.sense(sensed(1, epoch=2))
        await bench.engine.sense(sensed(9))
        await until(lambda: bench.engine.counts.messages == 8)

    assert bench.decide.decided == ["plc/1/1", "plc/1/2", "plc/1/3", "plc/2/1"]
    mark = bench.engine.committed.watermark.get("plc")
    assert mark is not None
    assert (mark.epoch, mark.n) == (2, 1)


async def test_a_poisoned_message_fails_alone() -> None:
    async with running(Bench()) as bench:
        names = ("one", "poison", "two")
        results = await asyncio.gather(
            *(bench.engine.submit(a_command(name)) for name in names),
            return_exceptions=True,
        )

    assert isinstance(results[1], MessageFailed)
    assert bench.store.noted() == ["one", "two"]
    assert ["ZeroDivisionError" in one.error for one in set_aside(bench)] == [True]
    assert bench.engine.counts.set_aside == 1


async def test_a_poisoned_command_may_be_tried_again_once_mended() -> None:
    async with running(Bench()) as bench:
        for _ in range(2):
            with pytest.raises(MessageFailed):
                await bench.engine.submit(a_command("poison", key="same"))

    assert len(bench.decide.decided) == 2


async def test_a_poisoned_sample_is_passed_over() -> None:
    async with running(Bench()) as bench:
        for n, tag in enumerate(("m1.good", "poison", "m1.good"), start=1):
            await bench.engine.sense(sensed(n, tag))
        await until(lambda: bench.engine.counts.messages == 3)

    assert bench.store.noted() == ["m1.good", "m1.good"]
    mark = bench.engine.committed.watermark.get("plc")
    assert mark is not None
    assert mark.n == 3


async def test_a_failed_commit_is_undone_and_tried_one_by_one() -> None:
    """What the database will not have fails alone; its neighbours are committed."""
    bench = Bench()

    def refuse_bad(records: Sequence[Recorded]) -> Exception | None:
        names = [getattr(recorded.fact, "tag", "") for recorded in records]
        return Broken("CHECK failed") if "bad" in names else None

    bench.store.fails = refuse_bad
    async with running(bench):
        results = await asyncio.gather(
            *(bench.engine.submit(a_command(name)) for name in ("a", "bad", "b")),
            return_exceptions=True,
        )

    assert [isinstance(one, MessageFailed) for one in results] == [False, True, False]
    assert bench.store.noted() == ["a", "b"]
    assert [one.error for one in set_aside(bench)] == ["Broken: CHECK failed"]
    assert (await bench.store.load()).seq == bench.engine.committed.seq


async def test_a_store_that_takes_nothing_at_all_ends_the_engine() -> None:
    """Not even a note that a message failed: better to stop than to pretend."""
    bench = Bench()
    bench.store.fails = lambda _: Broken("another writer")
    async with asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(unanswered(bench))
        await until(lambda: len(bench.inbox) == 1)
        with pytest.raises(Broken):
            await bench.engine.run()
        await caller


async def test_samples_outlast_a_lost_store_in_order() -> None:
    bench = Bench()
    failures = 0

    def down(records: Sequence[Recorded]) -> Exception | None:
        nonlocal failures
        failures += 1
        return StoreUnavailable("disk full") if failures < 6 else None

    bench.store.fails = down
    async with running(bench):
        for n in range(1, 4):
            await bench.engine.sense(sensed(n))
        with pytest.raises(OutcomeUnknown):
            await bench.engine.submit(a_command())
        assert not bench.engine.is_accepting
        with pytest.raises(Overloaded):
            await bench.engine.submit(a_command())
        for n in range(4, 7):
            await bench.engine.sense(sensed(n))
        await until(lambda: bench.engine.is_accepting)
        await until(lambda: bench.engine.counts.messages == 6)

    assert bench.decide.decided[-6:] == [f"plc/1/{n}" for n in range(1, 7)]
    assert len(bench.store.noted()) == 6
    assert bench.engine.counts.outages == 1


async def test_after_an_outage_without_samples_a_command_finds_the_store_back() -> None:
    bench = Bench()
    bench.store.fails = lambda _: StoreUnavailable("disk full")
    async with running(bench):
        with pytest.raises(OutcomeUnknown):
            await bench.engine.submit(a_command())
        bench.store.fails = lambda _: None
        await until(lambda: bench.engine.is_accepting)

        assert (await bench.engine.submit(a_command())).outcome is Outcome.ACCEPTED


async def test_commands_that_wait_when_the_store_is_lost_are_told_so() -> None:
    """They do not wait for as long as the outage lasts."""
    bench = Bench()
    gate, is_back = asyncio.Event(), asyncio.Event()
    bench.store.before_commit = gate.wait
    bench.store.fails = lambda _: (
        None if is_back.is_set() else StoreUnavailable("disk full")
    )
    async with running(bench), asyncio.TaskGroup() as tasks:
        await bench.engine.sense(sensed(1))
        await until(lambda: bench.decide.decided != [])
        told = [tasks.create_task(unanswered(bench)) for _ in range(3)]
        await until(lambda: len(bench.inbox) == 3)
        gate.set()
        await asyncio.gather(*told)
        is_back.set()

    assert bench.store.noted() == ["m1.good"]


async def test_a_caller_who_gives_up_does_not_take_the_command_back() -> None:
    bench = Bench()
    gate = asyncio.Event()
    bench.store.before_commit = gate.wait
    async with running(bench):
        async with asyncio.TaskGroup() as tasks:
            caller = tasks.create_task(bench.engine.submit(a_command(key="same")))
            await until(lambda: bench.decide.decided != [])
            caller.cancel()
        gate.set()
        answer = await bench.engine.submit(a_command(key="same"))

    assert answer.outcome is Outcome.ACCEPTED
    assert len(bench.decide.decided) == 1


async def test_what_came_in_during_a_commit_is_the_next_batch() -> None:
    bench = Bench()
    gate = asyncio.Event()
    bench.store.before_commit = gate.wait
    async with running(bench), asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.engine.submit(a_command()))
        await until(lambda: len(bench.decide.decided) == 1)
        for _ in range(100):
            tasks.create_task(bench.engine.submit(a_command()))
        await until(lambda: len(bench.inbox) == 100)
        gate.set()

    assert bench.store.commits == 2


async def test_an_engine_that_is_cancelled_says_that_it_does_not_know() -> None:
    bench = Bench()
    bench.store.before_commit = asyncio.Event().wait
    async with asyncio.TaskGroup() as tasks:
        engine = tasks.create_task(bench.engine.run())
        tasks.create_task(unanswered(bench))
        await until(lambda: bench.decide.decided != [])
        engine.cancel()
