"""The feed: what was committed, told to terminals and to whatever waits for it.

A subscriber that does not keep up is cut. It has missed nothing that the journal does
not have: it reads on from there, by the seq of the last fact that it saw.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from mes_engine.core.facts import Recorded

log = structlog.stdlib.get_logger()

BUFFERED_BATCHES = 256

Hear = Callable[[Sequence[Recorded]], None]
"""Take note of a commit; returns at once and never waits."""


class Subscription:
    """The batches committed since it began, in order.

    Attributes:
        is_cut: It ended because it was too slow: resume from the journal.
    """

    def __init__(self, maxsize: int) -> None:
        self.is_cut = False
        self._maxsize = maxsize
        self._batches: deque[Sequence[Recorded]] = deque()
        self._is_over = False
        self._changed = asyncio.Event()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Sequence[Recorded]:
        if not await self._has_come():
            raise StopAsyncIteration
        return self._batches.popleft()

    async def take(self) -> Sequence[Sequence[Recorded]]:
        """Wait for a batch, then take all there are; none once it is over."""
        if not await self._has_come():
            return ()
        taken = tuple(self._batches)
        self._batches.clear()
        return taken

    async def _has_come(self) -> bool:
        while not self._batches:
            if self._is_over:
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    def offer(self, records: Sequence[Recorded]) -> bool:
        """Add a batch; False if there was no room, which ends the subscription."""
        if len(self._batches) >= self._maxsize:
            self.is_cut = True
            self._batches.clear()
            self.end()
            return False
        self._batches.append(records)
        self._changed.set()
        return True

    def end(self) -> None:
        """Let the reader finish what it has; then its iteration is over."""
        self._is_over = True
        self._changed.set()


class Feed:
    """Tells every commit to its subscribers."""

    def __init__(self) -> None:
        self.cuts = 0
        self._subscriptions: set[Subscription] = set()
        self._taps: list[Hear] = []
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._subscriptions)

    def tap(self, hear: Hear) -> None:
        """Call ``hear`` at every commit, for as long as the engine runs."""
        self._taps.append(hear)

    @contextmanager
    def subscribe(self, maxsize: int = BUFFERED_BATCHES) -> Iterator[Subscription]:
        """Subscribe to what is committed from now on."""
        subscription = Subscription(maxsize)
        if self._is_closed:
            subscription.end()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def publish(self, records: Sequence[Recorded]) -> None:
        """Tell a commit to everyone, waiting for no one."""
        for hear in self._taps:
            try:
                hear(records)
            except Exception:
                # The commit stands, and the others are to hear of it all the same.
                log.exception("feed_tap_failed", seq=records[-1].seq)
        for subscription in list(self._subscriptions):
            if not subscription.offer(records):
                self.cuts += 1
                self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every subscription: the engine is stopping."""
        self._is_closed = True
        for subscription in self._subscriptions:
            subscription.end()
