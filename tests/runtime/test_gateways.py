"""Who may deliver, and when an answer is given: only once it is committed."""

import asyncio

import pytest
from msgspec import Raw
from msgspec.structs import replace

from mes_engine.core.errors import Malformed, OutcomeUnknown, Overloaded, Refused
from mes_engine.ports import StoreUnavailable
from mes_engine.runtime.gateways import LEASE_S
from mes_engine.runtime.inbox import Inbox
from tests.gateway.builders import Hand, a_delivery, gateways_of, sensed
from tests.runtime.stand_ins import Bench, running, until


async def test_an_answer_means_committed() -> None:
    async with running(Bench()) as bench:
        let = asyncio.Event()
        bench.store.before_commit = let.wait
        gateways = gateways_of(bench)
        async with asyncio.TaskGroup() as tasks:
            some = [sensed(n) for n in (1, 2, 3)]
            taking = tasks.create_task(gateways.take("north", a_delivery(*some)))
            await until(lambda: len(bench.decide.decided) == 3)
            assert not taking.done()
            let.set()
        assert taking.result().committed["plc"].n == 3


async def test_a_repeat_is_answered_as_the_first_was() -> None:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        delivery = a_delivery(sensed(1), sensed(2))
        first = await gateways.take("north", delivery)
        assert await gateways.take("north", delivery) == first
        assert bench.engine.counts.repeats == 2


async def test_a_link_is_fed_by_one_gateway() -> None:
    async with running(Bench()) as bench:
        hand = Hand()
        gateways = gateways_of(bench, monotonic=hand)
        await gateways.take("north", a_delivery(sensed(1)))
        with pytest.raises(Refused, match="'plc' is fed by gateway 'north'"):
            await gateways.take("south", a_delivery(sensed(1, epoch=2)))
        await gateways.take("south", a_delivery(links=("press",)))
        assert gateways.owner_of("plc") == "north"
        hand.seconds += LEASE_S
        await gateways.take("south", a_delivery(sensed(1, epoch=2)))
        assert gateways.owner_of("plc") == "south"
        with pytest.raises(Refused, match="fed by gateway 'south'"):
            await gateways.take("north", a_delivery(sensed(2)))
        mark = bench.engine.committed.watermark.get("plc")
        assert mark is not None
        assert (mark.epoch, mark.n) == (2, 1)


async def test_an_older_start_of_a_gateway_is_fenced_off() -> None:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        await gateways.take("north", a_delivery(instance=5))
        await gateways.take("north", a_delivery(instance=6))
        with pytest.raises(Refused, match="started again elsewhere"):
            await gateways.take("north", a_delivery(instance=5))
        with pytest.raises(Refused, match="not known here"):
            gateways.hear("north", 5)


async def test_a_link_of_another_plant_is_refused_by_name() -> None:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        with pytest.raises(Malformed, match="'lathe' is not of this plant"):
            await gateways.take("north", a_delivery(links=("plc", "lathe")))
        assert gateways.owner_of("plc") is None


async def test_what_cannot_be_read_is_refused_and_the_rest_is_taken() -> None:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        good = a_delivery(sensed(1), sensed(1, source="lathe"), sensed(2))
        reports = (Raw(b"\xc1"), *good.reports)
        answer = await gateways.take("north", replace(good, reports=reports))
        assert [one.index for one in answer.refused] == [0, 2]
        assert answer.committed["plc"].n == 2
        assert gateways.views()[0].refused == 2


async def test_a_full_inbox_takes_nothing_of_a_delivery() -> None:
    bench = Bench(inbox=Inbox(capacity=4, kept_for_commands=1))
    gateways = gateways_of(bench)
    with pytest.raises(Overloaded):
        await gateways.take("north", a_delivery(*(sensed(n) for n in range(1, 5))))
    assert len(bench.inbox) == 0
    async with running(bench):
        await gateways.take("north", a_delivery(*(sensed(n) for n in range(1, 4))))


async def test_a_database_that_is_away_takes_nothing_more() -> None:
    async with running(Bench()) as bench:
        gateways = gateways_of(bench)
        bench.store.fails = lambda _: StoreUnavailable("gone")
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(gateways.take("north", a_delivery(sensed(1))))
            await until(lambda: not bench.engine.is_accepting)
            with pytest.raises(Overloaded):
                await gateways.take("north", a_delivery(sensed(1)))
            bench.store.fails = lambda _: None
        assert waiting.result().committed["plc"].n == 1


async def test_who_waits_is_told_when_the_engine_ends() -> None:
    bench = Bench(stop_s=0.05)
    gateways = gateways_of(bench)
    bench.store.fails = lambda _: StoreUnavailable("gone")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.engine.run())

        async def take() -> None:
            with pytest.raises(OutcomeUnknown):
                await gateways.take("north", a_delivery(sensed(1)))

        tasks.create_task(take())
        await until(lambda: not bench.engine.is_accepting)
        bench.engine.stop()
