"""The feed: everyone hears every commit, and nobody slows the engine."""

import asyncio
from collections.abc import Sequence

from mes_engine.core.facts import GapSeen, Recorded
from mes_engine.runtime.feed import Feed
from tests.runtime.builders import NOW


def a_batch(seq: int) -> tuple[Recorded, ...]:
    return (
        Recorded(
            partition="main",
            seq=seq,
            occurred_at=NOW,
            recorded_at=NOW,
            cause="test",
            person="",
            fact=GapSeen(tag="t", reason="", at=NOW),
        ),
    )


async def test_a_subscriber_hears_what_is_committed_from_then_on() -> None:
    feed = Feed()
    feed.publish(a_batch(1))
    with feed.subscribe() as changes:
        feed.publish(a_batch(2))
        feed.publish(a_batch(3))
        feed.close()

        assert [records[0].seq async for records in changes] == [2, 3]
        assert not changes.is_cut
    assert len(feed) == 0


async def test_a_reader_wakes_when_something_is_committed() -> None:
    feed = Feed()
    with feed.subscribe() as changes:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(anext(changes))
            feed.publish(a_batch(1))

    assert reading.result()[0].seq == 1


async def test_a_slow_subscriber_is_cut_and_the_others_are_not() -> None:
    feed = Feed()
    with feed.subscribe(maxsize=2) as slow, feed.subscribe() as quick:
        for seq in range(1, 5):
            feed.publish(a_batch(seq))
        feed.close()

        assert [records async for records in slow] == []
        assert slow.is_cut
        assert [records[0].seq async for records in quick] == [1, 2, 3, 4]
    assert feed.cuts == 1


async def test_a_tap_that_fails_keeps_nothing_from_the_others() -> None:
    feed = Feed()
    heard: list[int] = []

    def broken(records: Sequence[Recorded]) -> None:
        raise RuntimeError("a bug")

    feed.tap(broken)
    feed.tap(lambda records: heard.append(records[0].seq))
    with feed.subscribe() as changes:
        feed.publish(a_batch(1))
        feed.close()

        assert [records[0].seq async for records in changes] == [1]
    assert heard == [1]


async def test_a_closed_feed_ends_new_subscriptions_at_once() -> None:
    feed = Feed()
    feed.close()
    with feed.subscribe() as changes:
        assert [records async for records in changes] == []
