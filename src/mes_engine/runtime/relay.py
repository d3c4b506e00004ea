"""The relay: takes postings to the work-centre ledger, each booked once, in order.

A stream is one work request. Within it a posting waits for the one before it; streams
do not wait for each other. What became of a posting goes back into the engine as a
command, so that a posting is settled only when that is committed.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

import structlog

from mes_engine.core.errors import SourceLost, SourceMisconfigured
from mes_engine.core.facts import PostingMoved, PostingRaised, Recorded
from mes_engine.core.messages import Outcome, RecordPosting
from mes_engine.core.postings import (
    SETTLED,
    WAITING_FOR_A_PERSON,
    Posting,
    PostingState,
)
from mes_engine.core.state import State
from mes_engine.ports import LedgerRefused, PeriodClosed, Submit, WorkCenterLedger
from mes_engine.runtime.delivery import told
from mes_engine.runtime.pace import BackOff, Clock, engine_back_off

log = structlog.stdlib.get_logger()

ORIGIN = "relay"
AT_ONCE = 8
TICK_S = 5.0
POST_TIMEOUT_S = 60.0
REFUSALS_MAX = 2
FAILURES_MAX = 3


def ledger_back_off() -> BackOff:
    """Return the pauses of a stream whose ledger does not answer."""
    return BackOff(first_s=1.0, longest_s=60.0)


class _Stream:
    """Postings of one work request that are not settled, oldest first."""

    def __init__(self, back_off: BackOff) -> None:
        self.keys: OrderedDict[str, None] = OrderedDict()
        self.back_off = back_off
        self.is_busy = False
        self.refusals = 0
        self.failures = 0
        self.is_in_trouble = False

    def begin_afresh(self) -> None:
        """Forget what went wrong with the posting that was first until now."""
        self.refusals = 0
        self.failures = 0
        self.is_in_trouble = False
        self.back_off.reset()


class Relay:
    """Posts what is committed and not settled.

    Attributes:
        posted: How many postings the ledger has acknowledged to this relay.
        is_ledger_lost: Whether the ledger could not be asked the last time.
    """

    def __init__(
        self,
        ledger: WorkCenterLedger,
        *,
        committed: State,
        submit: Submit,
        clock: Clock,
        at_once: int = AT_ONCE,
        tick_s: float = TICK_S,
        back_off: Callable[[], BackOff] = ledger_back_off,
        patience: Callable[[], BackOff] = engine_back_off,
    ) -> None:
        self.posted = 0
        self.is_ledger_lost = False
        self._ledger = ledger
        self._committed = committed
        self._submit = submit
        self._clock = clock
        self._tick_s = tick_s
        self._back_off = back_off
        self._patience = patience
        self._room = asyncio.Semaphore(at_once)
        self._streams: dict[str, _Stream] = {}
        self._due: dict[str, None] = {}
        self._woken = asyncio.Event()
        waiting = (
            one for one in committed.posting.values() if one.state not in SETTLED
        )
        for posting in sorted(waiting, key=lambda one: one.stream_seq):
            self._add(posting)

    @property
    def waiting(self) -> int:
        """How many postings are not settled."""
        return sum(len(stream.keys) for stream in self._streams.values())

    def hear(self, records: Sequence[Recorded]) -> None:
        """Take note of a commit (a tap of the feed)."""
        for recorded in records:
            fact = recorded.fact
            if isinstance(fact, PostingRaised):
                self._add(fact.posting)
            elif isinstance(fact, PostingMoved):
                posting = self._committed.posting.get(fact.posting)
                if posting is not None and posting.stream in self._streams:
                    self._wake(posting.stream)

    def poke(self) -> None:
        """Look at every stream again."""
        self._due.update(dict.fromkeys(self._streams))
        self._woken.set()

    async def run(self) -> None:
        """Post for as long as the task lives."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for name in self._due:
                    stream = self._streams.get(name)
                    if stream is not None and not stream.is_busy:
                        stream.is_busy = True
                        tasks.create_task(self._drain(name, stream))
                self._due.clear()
                self._woken.clear()
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._tick_s):
                await self._woken.wait()
        except TimeoutError:
            self._due.update(dict.fromkeys(self._streams))

    def _add(self, posting: Posting) -> None:
        stream = self._streams.get(posting.stream)
        if stream is None:
            stream = self._streams[posting.stream] = _Stream(self._back_off())
        stream.keys[posting.key] = None
        self._wake(posting.stream)

    def _wake(self, stream: str) -> None:
        self._due[stream] = None
        self._woken.set()

    def _head(self, stream: _Stream) -> Posting | None:
        """Return the first posting that is not settled."""
        while stream.keys:
            first = next(iter(stream.keys))
            posting = self._committed.posting.get(first)
            if posting is not None and posting.state not in SETTLED:
                return posting
            del stream.keys[first]
            stream.begin_afresh()
        return None

    async def _drain(self, name: str, stream: _Stream) -> None:
        """Post until the stream is empty, or one waits for a person."""
        try:
            with structlog.contextvars.bound_contextvars(stream=name):
                while (posting := self._head(stream)) is not None:
                    if posting.state in WAITING_FOR_A_PERSON:
                        stream.begin_afresh()
                        return
                    await self._post(posting, stream)
            del self._streams[name]
        finally:
            stream.is_busy = False

    async def _post(self, posting: Posting, stream: _Stream) -> None:
        """Try once to have it booked."""
        try:
            async with self._room, asyncio.timeout(POST_TIMEOUT_S):
                reference = await self._ledger.post(posting)
        except (SourceLost, SourceMisconfigured, TimeoutError) as lost:
            await self._lost(posting, stream, str(lost) or "It took too long.")
        except LedgerRefused as refused:
            # The second look tells a refusal from a moment's lock or a race.
            self._answers()
            stream.refusals += 1
            if stream.refusals >= REFUSALS_MAX:
                await self._set_aside(posting, stream, refused)
        except Exception as error:
            log.exception("posting_failed", posting=posting.key)
            stream.failures += 1
            if stream.failures >= FAILURES_MAX:
                reason = f"{type(error).__name__}: {error}"
                await self._park(posting, stream, reason)
            else:
                await stream.back_off.wait()
        else:
            self._answers()
            self.posted += 1
            await self._record(
                posting, stream, PostingState.ACKNOWLEDGED, reference=reference
            )

    def _answers(self) -> None:
        if self.is_ledger_lost:
            self.is_ledger_lost = False
            log.info("ledger_recovered")

    async def _lost(self, posting: Posting, stream: _Stream, reason: str) -> None:
        """Say once that nobody knows whether it is booked; then wait."""
        if not self.is_ledger_lost:
            self.is_ledger_lost = True
            log.warning("ledger_lost", reason=reason)
        if not stream.is_in_trouble:
            stream.is_in_trouble = True
            if posting.state is PostingState.PENDING:
                await self._record(
                    posting, stream, PostingState.IN_DOUBT, reason=reason
                )
            elif posting.state is PostingState.IN_DOUBT:
                await self._record(
                    posting, stream, PostingState.RETRYING, reason=reason
                )
        await stream.back_off.wait()

    async def _set_aside(
        self, posting: Posting, stream: _Stream, refused: LedgerRefused
    ) -> None:
        """Leave to a person what the ledger will not book as it is."""
        if isinstance(refused, PeriodClosed):
            log.warning("posting_held", posting=posting.key, reason=str(refused))
            reason = str(refused)
            await self._record(posting, stream, PostingState.HELD, reason=reason)
        else:
            await self._park(posting, stream, str(refused))

    async def _park(self, posting: Posting, stream: _Stream, reason: str) -> None:
        log.error("posting_parked", posting=posting.key, reason=reason)
        await self._record(posting, stream, PostingState.PARKED, reason=reason)

    async def _record(
        self,
        posting: Posting,
        stream: _Stream,
        state: PostingState,
        *,
        reference: str = "",
        reason: str = "",
    ) -> None:
        """Tell the engine how far the posting has come."""
        command = RecordPosting(
            posting=posting.key, state=state, reference=reference, reason=reason
        )
        # By what was committed when it happened: the same posting may be parked twice.
        answer = await told(
            command,
            origin=ORIGIN,
            key=f"{posting.key}/{state}/{self._committed.seq}",
            at=self._clock(),
            submit=self._submit,
            back_off=self._patience(),
        )
        if answer is None or answer.outcome is not Outcome.ACCEPTED:
            # Without this the same posting would be tried again at once, for ever.
            log.error("posting_not_recorded", posting=posting.key, state=state)
            await stream.back_off.wait()
