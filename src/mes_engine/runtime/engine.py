"""The engine: takes what waits, decides it, commits it, and only then answers.

One engine a partition, and it is the only writer there. A batch is everything that came
in while the last commit ran. If a commit fails, the batch leaves no trace in memory and
its messages are tried one by one, so that one that is poisoned fails alone.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from mes_engine.core.decide import decide
from mes_engine.core.errors import OutcomeUnknown, Overloaded
from mes_engine.core.messages import Answer, Commanded, Sensed
from mes_engine.core.state import State
from mes_engine.ports import DuplicateKey, Fenced, StoreUnavailable, WipStore
from mes_engine.runtime.batch import (
    Batch,
    Decide,
    MessageFailed,
    answer_again,
    cause_of,
)
from mes_engine.runtime.committing import (
    ANSWER_S,
    Committing,
    JournalUnreadable,
    reason_of,
)
from mes_engine.runtime.feed import Feed
from mes_engine.runtime.inbox import BATCH_MAX, Inbox, Waiting
from mes_engine.runtime.memory import Memory
from mes_engine.runtime.pace import BackOff, Clock, Monotonic

log = structlog.stdlib.get_logger()

LOOP_SHARE_S = 0.005
"""After so long the engine lets others on the event loop go on."""
STOP_S = 4.0
"""When stopping, how long the store may take for the next commit."""


@dataclass(slots=True)
class EngineCounts:
    """What the engine has done since it began.

    Attributes:
        outcomes: Commands answered, by what became of them.
    """

    commits: int = 0
    messages: int = 0
    facts: int = 0
    repeats: int = 0
    set_aside: int = 0
    failed_commits: int = 0
    outages: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


class Note(Protocol):
    """Take note of a commit that was made."""

    def __call__(self, *, messages: int, seconds: float) -> None:
        """Do so, at once."""
        ...


def unnoted(*, messages: int, seconds: float) -> None:
    """Do nothing."""


class Engine:
    """Work in progress of one partition, and the one way to change it.

    Attributes:
        committed: State as it is in the database; for reading, never for changing.
        is_accepting: False while the database takes no commits, and when stopping.
        outage: Why the last commit did not work; empty if it did.
    """

    def __init__(
        self,
        store: WipStore,
        state: State,
        *,
        clock: Clock,
        feed: Feed,
        decide: Decide = decide,
        inbox: Inbox | None = None,
        batch_max: int = BATCH_MAX,
        back_off: BackOff | None = None,
        monotonic: Monotonic | None = None,
        memory: Memory | None = None,
        answer_s: float = ANSWER_S,
        stop_s: float = STOP_S,
        note: Note = unnoted,
    ) -> None:
        self.committed = state
        self.counts = EngineCounts()
        self.is_accepting = True
        self.outage = ""
        self.inbox = Inbox() if inbox is None else inbox
        self._store = store
        self._memory = memory or Memory(state)
        self._clock = clock
        self._feed = feed
        self._decide = decide
        self._back_off = back_off or BackOff(first_s=0.1, longest_s=5.0)
        self._monotonic = monotonic
        self._batch_max = batch_max
        self._committing = Committing(
            store,
            self._back_off,
            failed=self._lose,
            silent=self._give_up_on_store,
            answer_s=answer_s,
        )
        self._stop_s = stop_s
        self._note = note
        self._deadline: asyncio.Timeout | None = None
        self._in_hand: list[Waiting] = []
        self._is_stopping = False

    async def submit(self, commanded: Commanded) -> Answer:
        """Hand in a command; its answer means that what it did is committed.

        Giving up waiting does not take the command back.

        Raises:
            Overloaded: Nothing was taken: the inbox is full, or nothing is accepted.
            OutcomeUnknown: It may have been done or not; ask again with the same key.
            MessageFailed: A bug: it did nothing and was set aside.
        """
        if not self.is_accepting and not self._is_stopping:
            raise Overloaded(
                f"The database takes no changes at the moment{self._why}.",
                hint="Send it again, with the same key, in a few seconds.",
            )
        answer = asyncio.get_running_loop().create_future()
        self.inbox.put_command(Waiting(message=commanded, answer=answer))
        result: Answer = await answer
        return result

    async def sense(self, sensed: Sensed) -> None:
        """Hand in what a link heard; a full inbox makes it wait."""
        await self.inbox.put_sensed(Waiting(message=sensed))

    async def deliver(self, some: Sequence[Sensed]) -> None:
        """Hand in what links heard elsewhere, in order; return once it is committed.

        What cannot be handled is set aside, and counts as taken.

        Raises:
            Overloaded: Nothing was taken: the inbox is full, or nothing is accepted.
            OutcomeUnknown: It may be committed or not; the same may be sent again.
        """
        if not some:
            return
        if not self.is_accepting:
            raise Overloaded(
                f"The database takes no changes at the moment{self._why}.",
                hint="Deliver it again in a few seconds.",
            )
        heard = asyncio.get_running_loop().create_future()
        *before, last = some
        waiting = [Waiting(message=one) for one in before]
        waiting.append(Waiting(message=last, answer=heard))
        await self.inbox.put_delivered(waiting)
        with suppress(MessageFailed):
            await heard

    async def run(self) -> None:
        """Handle what comes in, until ``stop``.

        Raises:
            Fenced: Another engine has taken over.
            JournalUnreadable: Whether a batch was committed cannot be found out.
        """
        try:
            async with asyncio.timeout(None) as self._deadline:
                self._put_off_end()
                while taken := await self.inbox.take(self._batch_max):
                    self._in_hand = taken
                    await self._settle(taken)
                    self._in_hand = []
        except TimeoutError:
            if self._deadline is None or not self._deadline.expired():
                raise
            left = len(self._in_hand) + len(self.inbox)
            log.error("store_given_up", seconds=self._stop_s, messages=left)
        finally:
            self._deadline = None
            self.stop()
            self._give_up(self._in_hand)
            self._give_up(self.inbox.take_all())

    def stop(self) -> None:
        """Take nothing more; ``run`` ends when what was taken has been handled.

        It also ends if the store does not answer: what is left then was not answered
        either, and comes again.
        """
        self.is_accepting = False
        if not self._is_stopping:
            self._is_stopping = True
            self.inbox.close()
            self._put_off_end()

    def _put_off_end(self) -> None:
        """When stopping, let the store have its time from now on."""
        deadline = self._deadline
        if self._is_stopping and deadline is not None and not deadline.expired():
            now = asyncio.get_running_loop().time()
            deadline.reschedule(now + self._stop_s)

    async def _settle(self, taken: list[Waiting]) -> None:
        """Commit every message that was taken: together, or else one by one."""
        groups = deque([taken])
        while groups:
            group = groups.popleft()
            try:
                batch = await self._decided(group)
                if batch.records:
                    await self._commit(batch)
            except (JournalUnreadable, Fenced):
                raise  # What is in memory may be older than the journal.
            except StoreUnavailable as down:
                rest = [*group, *(one for later in groups for one in later)]
                kept = await self._outlast(down, rest)
                groups = deque([kept] if kept else [])
            except Exception as error:
                self.counts.failed_commits += 1
                if len(group) > 1:
                    log.warning(
                        "batch_failed", messages=len(group), reason=reason_of(error)
                    )
                    groups.extendleft([one] for one in reversed(group))
                elif not await self._is_answered_from_store(group[0], error):
                    if group[0].failure is not None:
                        raise  # Not even a note of it can be kept.
                    log.exception("message_failed", cause=cause_of(group[0].message))
                    group[0].failure = error
                    groups.appendleft(group)
            else:
                self._conclude(batch)
        # Nothing is left to try again: the next command finds out about the store.
        self.is_accepting = not self._is_stopping

    async def _commit(self, batch: Batch) -> None:
        monotonic = self._monotonic or asyncio.get_running_loop().time
        began = monotonic()
        await self._committing.commit(batch)
        self._note(messages=batch.messages, seconds=monotonic() - began)

    async def _decided(self, group: list[Waiting]) -> Batch:
        batch = Batch(self.committed, decide=self._decide, clock=self._clock)
        monotonic = self._monotonic or asyncio.get_running_loop().time
        began = monotonic()
        for one in group:
            batch.add(one)
            if monotonic() - began > LOOP_SHARE_S:
                await asyncio.sleep(0)
                began = monotonic()
        batch.finish()
        return batch

    def _conclude(self, batch: Batch) -> None:
        """Let everyone know of a batch that is committed."""
        if batch.records:
            batch.layer.merge()
            self._memory.hear(batch.records)
            self.counts.commits += 1
            self.counts.facts += len(batch.records)
            self._recovered()
        self.counts.messages += batch.messages
        self.counts.repeats += batch.repeats
        self.counts.set_aside += batch.set_aside
        self.counts.outcomes.update(batch.told())
        for waiting, outcome in batch.outcomes:
            waiting.tell(outcome)
        if batch.records:
            self._feed.publish(tuple(batch.records))

    async def _outlast(
        self, down: StoreUnavailable, rest: Iterable[Waiting]
    ) -> list[Waiting]:
        """Answer who waits, pause, and return what is to be tried again."""
        self._lose(str(down))
        kept = [one for one in rest if isinstance(one.message, Sensed)]
        self._give_up(one for one in rest if isinstance(one.message, Commanded))
        self._give_up(self.inbox.take_commands())
        if self._is_stopping:
            log.error("sensed_given_up", messages=len(kept) + len(self.inbox))
            self._give_up(kept)
            return []
        await self._back_off.wait()
        return kept

    def _give_up_on_store(self, reason: str) -> None:
        """Tell whoever waits that nobody knows."""
        self._lose(reason)
        self._give_up_callers()

    def _lose(self, reason: str) -> None:
        """Take no commands until a commit has worked; in the log once an outage."""
        if not self.outage:
            log.warning("store_lost", reason=reason)
            self.counts.outages += 1
        self.outage = reason
        self.is_accepting = False

    @property
    def _why(self) -> str:
        return f" ({self.outage})" if self.outage else ""

    def _recovered(self) -> None:
        if self.outage:
            log.info("store_recovered")
            self.outage = ""
        self.is_accepting = not self._is_stopping
        self._back_off.reset()
        self._put_off_end()

    async def _is_answered_from_store(self, one: Waiting, error: Exception) -> bool:
        """Answer a command that was handled too long ago to be remembered."""
        message = one.message
        if not isinstance(error, DuplicateKey) or not isinstance(message, Commanded):
            return False
        try:
            known = await self._store.handled(message.origin, message.key)
        except StoreUnavailable:
            self._give_up([one])
            return True
        if known is None:
            return False
        self.counts.repeats += 1
        one.tell(answer_again(message, *known))
        return True

    def _give_up_callers(self) -> None:
        self._give_up(self._in_hand)
        self._give_up(self.inbox.take_commands())

    def _give_up(self, some: Iterable[Waiting]) -> None:
        for one in some:
            one.tell(
                OutcomeUnknown(
                    f"It is not known whether this was done{self._why}.",
                    hint="Send it again, with the same key, to find out.",
                )
            )
