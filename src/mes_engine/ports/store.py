"""Where a partition is kept."""

from collections.abc import (
    Sequence,
)
from typing import Protocol

from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer
from mes_engine.core.state import State


class WipStore(Protocol):
    """Where one partition's journal and its projections are kept."""

    async def load(self) -> State:
        """Return what is live, as it was last committed."""
        ...

    async def commit(self, records: Sequence[Recorded], layer: State) -> None:
        """Write facts and the rows that ``layer`` changed: all of it, or nothing.

        Raises:
            DuplicateKey: A command of the batch was handled before.
            StoreUnavailable: Nothing was written; the same commit may be tried again.
            Fenced: Nothing was written, nor will be: another engine has taken over.
            CommitInDoubt: It may have been written or not: ``reached`` tells.
        """
        ...

    async def reached(self) -> int:
        """Return the seq of the last fact that is committed; 0 if there is none.

        After it, nothing that is still on its way is committed.

        Raises:
            StoreUnavailable: It cannot be told now.
            Fenced: Another engine has taken over.
        """
        ...

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        """Return digest and answer of the command with this key, if there is one."""
        ...


class DuplicateKey(Exception):
    """The batch has a command that an earlier commit has handled already."""


class StoreUnavailable(Exception):
    """The database did not take a commit, and is as it was before."""


class Fenced(StoreUnavailable):
    """Another engine has taken over the partition: this one has to end."""


class CommitInDoubt(Exception):
    """The database failed in the commit itself, and has not said what became of it."""
