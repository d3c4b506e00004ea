"""A small decide and a store in memory, so that the loop can be tried by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mes_engine.core.decide import Decision
from mes_engine.core.evolve import evolve
from mes_engine.core.facts import (
    CommandHandled,
    Fact,
    GapSeen,
    JobOrderStored,
    PostingMoved,
    PostingRaised,
    Recorded,
    WorkRequestCreated,
)
from mes_engine.core.messages import (
    KEPT,
    Answer,
    CloseWorkRequest,
    Command,
    Commanded,
    Outcome,
    RecordPosting,
    RetryPosting,
    Sensed,
    WithdrawRouting,
)
from mes_engine.core.postings import PostingState
from mes_engine.core.samples import Sample
from mes_engine.core.state import State
from mes_engine.ports import CommitInDoubt, DuplicateKey
from mes_engine.runtime.committing import ANSWER_S
from mes_engine.runtime.engine import STOP_S, Engine
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.inbox import Inbox
from mes_engine.runtime.pace import BackOff
from tests.runtime.builders import NOW, a_job_order, a_posting, a_request, clock


async def until(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for the thing itself, and not for a time in which it may have happened."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - any condition, not one event
            await asyncio.sleep(0)


async def until_so(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what has to be asked for, such as a row of the database."""
    async with asyncio.timeout(10.0):
        while not await holds():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0)


@dataclass
class SmallDecide:
    """Notes each message as a fact, and does what the name of a routing says.

    ``poison`` raises, ``refuse`` refuses, ``mistake`` is malformed.
    """

    decided: list[str] = field(default_factory=list)

    def __call__(
        self, layer: State, message: Commanded | Sensed, /, *, now: int
    ) -> Decision:
        if isinstance(message, Sensed):
            return self._sensed(layer, message, now)
        command = message.command
        name = command.routing if isinstance(command, WithdrawRouting) else "other"
        self.decided.append(f"{message.origin}:{message.key}")
        cause = f"{message.origin}:{message.key}"
        facts = [
            _put(layer, fact, cause) for fact in facts_of(layer, command, name, now)
        ]
        if name == "poison":
            raise ZeroDivisionError("no such thing")
        outcome = {"refuse": Outcome.REFUSED, "mistake": Outcome.MALFORMED}.get(
            name, Outcome.ACCEPTED
        )
        answer = Answer(outcome=outcome, result={"name": name}, seq=layer.seq + 1)
        if outcome in KEPT:
            handled = CommandHandled(
                origin=message.origin,
                key=message.key,
                digest=message.digest,
                answer=answer,
                at=now,
            )
            facts.append(_put(layer, handled, cause))
            return Decision(facts=tuple(facts), answer=answer)
        return Decision(facts=(), answer=answer)

    def _sensed(self, layer: State, message: Sensed, now: int) -> Decision:
        name = f"{message.source}/{message.epoch}/{message.n}"
        self.decided.append(name)
        report = message.report
        tag = report.tag if isinstance(report, Sample) else type(report).__name__
        if tag == "poison":
            raise ZeroDivisionError("no such thing")
        fact = GapSeen(tag=tag, reason="", at=now)
        return Decision(facts=(_put(layer, fact, name),), answer=None)


def facts_of(layer: State, command: Command, name: str, now: int) -> Iterator[Fact]:
    """Yield what a command does; a request that is closed raises a posting."""
    if isinstance(command, CloseWorkRequest):
        yield from raised(layer, command.work_request)
    elif isinstance(command, RecordPosting):
        yield PostingMoved(
            posting=command.posting,
            state=command.state,
            reference=command.reference,
            reason=command.reason,
            at=now,
        )
    elif isinstance(command, RetryPosting):
        yield PostingMoved(
            posting=command.posting,
            state=PostingState.PENDING,
            reference="",
            reason="",
            at=now,
        )
    else:
        yield GapSeen(tag=name, reason="", at=now)


def raised(layer: State, stream: str) -> Iterator[Fact]:
    """Yield one more posting of a stream, and what it speaks of if that is missing."""
    if layer.work_request.get(stream) is None:
        yield WorkRequestCreated(work_request=a_request(stream))
        yield JobOrderStored(job_order=a_job_order(stream))
    request = layer.work_request.get(stream)
    assert request is not None
    n = request.posted + 1
    yield PostingRaised(posting=a_posting(stream, n))


def _put(layer: State, fact: Fact, cause: str) -> Recorded:
    recorded = Recorded(
        partition=layer.partition,
        seq=layer.seq + 1,
        occurred_at=NOW,
        recorded_at=NOW,
        cause=cause,
        person="",
        fact=fact,
    )
    evolve(layer, recorded)
    return recorded


class Broken(Exception):
    """A constraint of the database that does not hold."""


class MemoryStore:
    """Keeps a journal; refuses what ``fails`` says, and duplicate keys.

    Attributes:
        before_reached: Awaited by whoever asks how far the journal has come.
        loses_answer: The next commit is done, and then fails all the same.
    """

    def __init__(self) -> None:
        self.journal: list[Recorded] = []
        self.commits = 0
        self.kept: dict[tuple[str, str], tuple[str, Answer]] = {}
        self.fails: Callable[[Sequence[Recorded]], Exception | None] = lambda _: None
        self.before_commit: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)
        self.before_reached: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)
        self.loses_answer = False

    async def load(self) -> State:
        state = State()
        for recorded in self.journal:
            evolve(state, recorded)
        return state

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        await self.before_commit()
        failure = self.fails(records)
        if failure is not None:
            raise failure
        handled = [r.fact for r in records if isinstance(r.fact, CommandHandled)]
        if any((fact.origin, fact.key) in self.kept for fact in handled):
            raise DuplicateKey
        for recorded in records:
            if recorded.seq != len(self.journal) + 1:
                raise Broken(f"seq {recorded.seq} after {len(self.journal)}")
            self.journal.append(recorded)
        for fact in handled:
            self.kept[fact.origin, fact.key] = (fact.digest, fact.answer)
        self.commits += 1
        if self.loses_answer:
            self.loses_answer = False
            raise CommitInDoubt("disk I/O error")

    async def reached(self) -> int:
        await self.before_reached()
        return len(self.journal)

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        return self.kept.get((origin, key))

    def noted(self) -> list[str]:
        """Name what was noted by :class:`SmallDecide`, in order."""
        facts = (recorded.fact for recorded in self.journal)
        return [fact.tag for fact in facts if isinstance(fact, GapSeen)]


async def no_pause(_: float) -> None:
    """Let everyone else have a turn instead of waiting."""
    await asyncio.sleep(0)


@dataclass
class Bench:
    """An engine with its stand-ins."""

    store: MemoryStore = field(default_factory=MemoryStore)
    decide: SmallDecide = field(default_factory=SmallDecide)
    feed: Feed = field(default_factory=Feed)
    inbox: Inbox = field(default_factory=Inbox)
    state: State = field(default_factory=State)
    answer_s: float = ANSWER_S
    stop_s: float = STOP_S

    def __post_init__(self) -> None:
        self.engine = Engine(
            self.store,
            self.state,
            clock=clock,
            feed=self.feed,
            decide=self.decide,
            inbox=self.inbox,
            back_off=BackOff(first_s=1, longest_s=1, sleep=no_pause),
            answer_s=self.answer_s,
            stop_s=self.stop_s,
        )


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    """Run the engine beside the test, and let it finish what it took."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bench.engine.run())
        yield bench
        bench.engine.stop()
