"""What the engine needs from the world, as the engine would say it.

Implementations live in ``storage`` (the database), in ``modules`` (the embedded ledger)
and in ``mes_adapters`` (devices and other ERPs). An adapter package advertises one
:class:`AdapterSpec` under the entry-point group ``mes_engine.adapters``; nothing here
imports an implementation.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer, Commanded
from mes_engine.core.postings import Posting
from mes_engine.core.samples import Report
from mes_engine.core.state import State

ENTRY_POINT_GROUP = "mes_engine.adapters"

Emit = Callable[[Report], Awaitable[None]]
"""Take what a link heard. Awaiting it is the back-pressure: a full inbox slows it."""


class Link(Protocol):
    """One connection to a device, for one life of it."""

    async def run(self, emit: Emit) -> None:
        """Connect, then emit what the device says, in the order in which it says it.

        One ``LinkReport`` with ``LinkState.CONNECTED`` comes first, once the device
        really answers. The supervisor owns back-off and repeats: an implementation
        opens one connection, never reconnects by itself, and closes what it opened.

        Raises:
            SourceLost: The connection broke; running again reconnects.
            SourceRefused: It does not want us as we are, and must not be asked often.
            SourceMisconfigured: Running again would fail the same way.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """How ``bootstrap`` makes links of an adapter out of ``config/``.

    Attributes:
        name: The word after ``adapter:`` in a link's settings.
        settings: Checks ``links.<id>`` (without its ``adapter`` key).
        tag: Checks ``at`` of each tag that the link brings.
        open: Make the link from its id, its settings and its tags, by tag id. No I/O.
    """

    name: str
    settings: type[BaseModel]
    tag: type[BaseModel]
    open: Callable[[str, Any, Mapping[str, Any]], Link]


Submit = Callable[[Commanded], Awaitable[Answer]]
"""Hand a command to the engine; its answer means that what it did is committed.

Raises ``Overloaded`` (nothing was taken) or ``OutcomeUnknown`` (ask again, same key).
"""


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
            CommitInDoubt: It may have been written or not: ``reached`` tells.
        """
        ...

    async def reached(self) -> int:
        """Return the seq of the last fact that is committed; 0 if there is none.

        Raises:
            StoreUnavailable: It cannot be told now.
        """
        ...

    async def handled(self, origin: str, key: str) -> tuple[str, Answer] | None:
        """Return digest and answer of the command with this key, if there is one."""
        ...


class DuplicateKey(Exception):
    """The batch has a command that an earlier commit has handled already."""


class StoreUnavailable(Exception):
    """The database did not take a commit, and is as it was before."""


class CommitInDoubt(Exception):
    """The database failed in the commit itself, and has not said what became of it."""


class LedgerRefused(Exception):
    """The ledger understood a posting and will not book it as it is."""


class WorkCenterLedger(Protocol):
    """The ERP's account of what each work center has done."""

    async def post(self, posting: Posting) -> str:
        """Book ``posting`` and return the ledger's reference; once for each key.

        Raises:
            SourceLost: The ledger could not be asked; it may have booked it or not.
            LedgerRefused: It will not, and a repeat would be refused again.
        """
        ...
