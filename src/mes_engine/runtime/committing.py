"""Commit, and go on only when it is certain whether that happened.

Between the two nothing may be decided: what is in memory may be older than the journal.
"""

import asyncio
from collections.abc import Callable

from mes_engine.ports import CommitInDoubt, Fenced, StoreUnavailable, WipStore
from mes_engine.runtime.batch import Batch
from mes_engine.runtime.pace import BackOff

ANSWER_S = 5.0
"""After so long without a word of the store, callers are told that nobody knows."""

Say = Callable[[str], None]


class JournalUnreadable(Exception):
    """Whether a batch was committed cannot be found out: the engine has to end."""


class Committing:
    """The engine's way to its store.

    Args:
        store: Where batches are committed.
        back_off: The pauses between two looks at what became of a commit.
        failed: Called when a commit has failed, before anything else is known.
        silent: Called when it is not soon known what became of one.
        answer_s: How soon.
    """

    def __init__(
        self,
        store: WipStore,
        back_off: BackOff,
        *,
        failed: Say,
        silent: Say,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._store = store
        self._back_off = back_off
        self._failed = failed
        self._silent = silent
        self._answer_s = answer_s

    async def commit(self, batch: Batch) -> None:
        """Write a batch, however long it takes to be certain of it.

        Raises:
            StoreUnavailable: Nothing was written.
            Fenced: Another engine has taken over: it knows what was written.
            JournalUnreadable: It will not be known.
        """
        loop = asyncio.get_running_loop()
        late = loop.call_later(self._answer_s, self._silent, "it does not answer")
        try:
            await self._store.commit(batch.records, batch.layer)
        except CommitInDoubt as doubt:
            self._failed(str(doubt))
            if not await self._has_reached(batch.records[-1].seq):
                raise StoreUnavailable(str(doubt)) from doubt
        finally:
            late.cancel()

    async def _has_reached(self, seq: int) -> bool:
        while True:
            try:
                return await self._store.reached() >= seq
            except Fenced:
                raise
            except StoreUnavailable as down:
                self._silent(str(down))
                await self._back_off.wait()
            except Exception as error:
                raise JournalUnreadable(reason_of(error)) from error


def reason_of(error: Exception) -> str:
    """Return an error as the log has it."""
    return f"{type(error).__name__}: {error}"
