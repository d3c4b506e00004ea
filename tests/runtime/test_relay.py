"""The relay: once each, in order, whatever the ledger does."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mes_engine.core.errors import OutcomeUnknown, SourceLost, SourceMisconfigured
from mes_engine.core.messages import (
    Answer,
    CloseWorkRequest,
    Commanded,
    RecordPosting,
    RetryPosting,
)
from mes_engine.core.postings import Posting, PostingState
from mes_engine.ports import LedgerRefused, PeriodClosed
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.relay import Relay
from tests.runtime.builders import a_command, clock
from tests.runtime.stand_ins import Bench, no_pause, running, until


class MemoryLedger:
    """Books each key once; ``before`` and ``after`` say what goes wrong."""

    def __init__(self) -> None:
        self.booked: dict[str, Posting] = {}
        self.asked: list[str] = []
        self.now_busy = 0
        self.most_busy = 0
        self.before: Callable[[str], Exception | None] = lambda _: None
        self.after: Callable[[str], Exception | None] = lambda _: None

    async def post(self, posting: Posting) -> str:
        self.asked.append(posting.key)
        self.now_busy += 1
        self.most_busy = max(self.most_busy, self.now_busy)
        await asyncio.sleep(0)
        self.now_busy -= 1
        if failure := self.before(posting.key):
            raise failure
        self.booked.setdefault(posting.key, posting)
        if failure := self.after(posting.key):
            raise failure
        return f"ref {posting.key}"


def once_each(error: Exception) -> Callable[[str], Exception | None]:
    """Fail the first time that each key is asked for."""
    seen: set[str] = set()

    def fails(key: str) -> Exception | None:
        if key in seen:
            return None
        seen.add(key)
        return error

    return fails


class Office:
    """An engine, a ledger and the relay between them."""

    def __init__(self, bench: Bench | None = None, *, tick_s: float = 0.01) -> None:
        self.bench = bench or Bench()
        self.ledger = MemoryLedger()
        self.pauses: list[float] = []
        self.submitted: list[Commanded] = []
        self.lost_answers = 0
        self.relay = Relay(
            self.ledger,
            committed=self.bench.engine.committed,
            submit=self.submit,
            clock=clock,
            tick_s=tick_s,
            back_off=self.back_off,
            patience=lambda: BackOff(first_s=1, longest_s=1, sleep=no_pause),
        )
        self.bench.feed.tap(self.relay.hear)

    def back_off(self) -> BackOff:
        return BackOff(
            first_s=1.0, longest_s=60.0, sleep=self._sleep, chance=lambda: 1.0
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def submit(self, commanded: Commanded) -> Answer:
        self.submitted.append(commanded)
        answer = await self.bench.engine.submit(commanded)
        if self.lost_answers:
            self.lost_answers -= 1
            raise OutcomeUnknown("lost on the way back.")
        return answer

    async def raise_postings(self, *streams: str) -> None:
        for stream in streams:
            command = CloseWorkRequest(work_request=stream)
            await self.bench.engine.submit(a_command(command))

    def states(self) -> dict[str, PostingState]:
        postings = self.bench.engine.committed.posting.values()
        return {posting.key: posting.state for posting in postings}

    def are_all(self, state: PostingState, count: int) -> bool:
        states = list(self.states().values())
        return len(states) == count and set(states) == {state}

    def recorded(self) -> list[tuple[str, PostingState]]:
        commands = (one.command for one in self.submitted)
        return [
            (one.posting, one.state)
            for one in commands
            if isinstance(one, RecordPosting)
        ]


@asynccontextmanager
async def open_office(office: Office) -> AsyncIterator[Office]:
    async with running(office.bench), asyncio.TaskGroup() as tasks:
        relaying = tasks.create_task(office.relay.run())
        yield office
        relaying.cancel()


ACKNOWLEDGED = PostingState.ACKNOWLEDGED


async def test_postings_are_booked_in_the_order_of_their_stream() -> None:
    async with open_office(Office()) as office:
        await office.raise_postings("A", "B", "A", "A", "B")
        await until(lambda: office.are_all(ACKNOWLEDGED, 5))

    by_stream = defaultdict(list)
    for key in office.ledger.booked:
        by_stream[key[0]].append(key)
    assert by_stream == {"A": ["A-1", "A-2", "A-3"], "B": ["B-1", "B-2"]}
    posting = office.bench.engine.committed.posting.get("A-2")
    assert posting is not None
    assert posting.reference == "ref A-2"


async def test_a_lost_answer_of_the_ledger_books_once() -> None:
    office = Office()
    office.ledger.after = once_each(SourceLost("cut"))
    async with open_office(office):
        await office.raise_postings("A", "A")
        await until(lambda: office.are_all(ACKNOWLEDGED, 2))

    assert list(office.ledger.booked) == ["A-1", "A-2"]
    assert office.ledger.asked == ["A-1", "A-1", "A-2", "A-2"]
    assert office.recorded() == [
        ("A-1", PostingState.IN_DOUBT),
        ("A-1", ACKNOWLEDGED),
        ("A-2", PostingState.IN_DOUBT),
        ("A-2", ACKNOWLEDGED),
    ]


async def test_a_lost_answer_of_the_engine_is_asked_for_again() -> None:
    office = Office()
    office.lost_answers = 2
    async with open_office(office):
        await office.raise_postings("A")
        await until(lambda: office.are_all(ACKNOWLEDGED, 1) and not office.lost_answers)

    assert office.ledger.asked == ["A-1"]
    assert len(office.submitted) == 3
    assert len({one.key for one in office.submitted}) == 1


async def test_a_ledger_that_is_down_for_a_while_gets_everything_in_order() -> None:
    office = Office()
    tries = 0

    def down(key: str) -> Exception | None:
        nonlocal tries
        tries += 1
        return SourceLost("down") if tries <= 8 else None

    office.ledger.before = down
    async with open_office(office):
        await office.raise_postings("A", "A", "A")
        await until(lambda: office.are_all(ACKNOWLEDGED, 3))

    assert list(office.ledger.booked) == ["A-1", "A-2", "A-3"]
    assert office.pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert [state for _, state in office.recorded()] == [
        PostingState.IN_DOUBT,
        *[ACKNOWLEDGED] * 3,
    ]
    assert not office.relay.is_ledger_lost


async def test_a_password_that_is_wrong_parks_nothing() -> None:
    office = Office()
    tries = iter(range(5))
    office.ledger.before = lambda _: (
        None if next(tries, None) is None else SourceMisconfigured("401")
    )
    async with open_office(office):
        await office.raise_postings("A")
        await until(lambda: office.are_all(ACKNOWLEDGED, 1))

    assert PostingState.PARKED not in dict(office.recorded()).values()


async def test_a_refused_posting_is_looked_at_twice_and_blocks_its_own_stream() -> None:
    office = Office()
    office.ledger.before = lambda key: (
        LedgerRefused("no such operation") if key == "A-1" else None
    )
    async with open_office(office):
        await office.raise_postings("A", "A", "B", "B")
        await until(lambda: office.states().get("B-2") is ACKNOWLEDGED)
        await until(lambda: office.states()["A-1"] is PostingState.PARKED)

        assert office.ledger.asked.count("A-1") == 2
        assert office.states()["A-2"] is PostingState.PENDING

        office.ledger.before = lambda _: None
        await office.bench.engine.submit(a_command(RetryPosting(posting="A-1")))
        await until(lambda: office.are_all(ACKNOWLEDGED, 4))

    assert [key for key in office.ledger.booked if key[0] == "A"] == ["A-1", "A-2"]


async def test_what_is_of_a_closed_period_is_held_and_posted_once_released() -> None:
    office = Office()
    office.ledger.before = lambda key: (
        PeriodClosed("October is closed") if key == "A-1" else None
    )
    async with open_office(office):
        await office.raise_postings("A", "A")
        await until(lambda: office.states()["A-1"] is PostingState.HELD)
        assert office.ledger.asked.count("A-1") == 2
        assert office.states()["A-2"] is PostingState.PENDING

        office.ledger.before = lambda _: None
        released = RecordPosting(posting="A-1", state=PostingState.PENDING)
        await office.bench.engine.submit(a_command(released))
        await until(lambda: office.are_all(ACKNOWLEDGED, 2))

    assert list(office.ledger.booked) == ["A-1", "A-2"]


async def test_a_posting_that_is_refused_again_is_parked_again() -> None:
    office = Office()
    office.ledger.before = lambda _: LedgerRefused("no")
    async with open_office(office):
        await office.raise_postings("A")
        for times in (1, 2):
            await until(lambda: office.states()["A-1"] is PostingState.PARKED)
            assert office.recorded() == [("A-1", PostingState.PARKED)] * times
            if times == 1:
                await office.bench.engine.submit(a_command(RetryPosting(posting="A-1")))


async def test_a_bug_of_ours_parks_after_three_tries() -> None:
    office = Office()
    office.ledger.before = lambda key: (
        ZeroDivisionError("oops") if key == "A-1" else None
    )
    async with open_office(office):
        await office.raise_postings("A", "B")
        await until(lambda: office.states().get("A-1") is PostingState.PARKED)
        await until(lambda: office.states()["B-1"] is ACKNOWLEDGED)

    assert office.ledger.asked.count("A-1") == 3
    assert office.pauses == [1.0, 2.0]


async def test_streams_go_in_parallel_up_to_a_limit() -> None:
    streams = [f"S{n}" for n in range(30)]
    async with open_office(Office()) as office:
        await office.raise_postings(*streams)
        await until(lambda: office.are_all(ACKNOWLEDGED, 30))
        first_most = office.ledger.most_busy
    assert 1 <= first_most <= 8

    waiting = Office()
    async with running(waiting.bench):
        await waiting.raise_postings(*streams)
    state = await waiting.bench.store.load()
    office = Office(Bench(store=waiting.bench.store, state=state))
    async with open_office(office):
        await until(lambda: office.are_all(ACKNOWLEDGED, 30))
    assert office.ledger.most_busy == 8


async def test_after_a_restart_what_is_unsettled_goes_on() -> None:
    before = Office()
    before.ledger.after = lambda key: SourceLost("cut") if key == "A-2" else None
    async with open_office(before):
        await before.raise_postings("A", "A", "A")
        await until(lambda: before.states().get("A-2") is PostingState.IN_DOUBT)
    state = await before.bench.store.load()

    after = Office(Bench(store=before.bench.store, state=state))
    after.ledger.booked = before.ledger.booked
    async with open_office(after):
        await until(lambda: after.are_all(ACKNOWLEDGED, 3))

    assert after.ledger.asked == ["A-2", "A-3"]
    assert list(after.ledger.booked) == ["A-1", "A-2", "A-3"]


async def test_it_is_woken_by_a_commit_and_need_not_wait_for_its_timer() -> None:
    async with open_office(Office(tick_s=3600)) as office:
        await office.raise_postings("A")
        await until(lambda: office.are_all(ACKNOWLEDGED, 1))
        await until(lambda: office.relay.waiting == 0)
