"""What the engine needs from the world, as the engine would say it.

Implementations live in ``storage`` (the database), in ``modules`` (the embedded ledger)
and in ``mes_adapters`` (devices and other ERPs). An adapter package advertises one
:class:`AdapterSpec` under the entry-point group ``mes_engine.adapters``; nothing here
imports an implementation.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from mes_engine.core.facts import Recorded
from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.core.messages import Answer, Commanded
from mes_engine.core.postings import Posting
from mes_engine.core.samples import Quality, Report
from mes_engine.core.state import State
from mes_engine.wire import Delivered, Delivery, Settled, SpoolStatus, Wanted

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
class WriteResult:
    """What a device has after it was written to.

    Attributes:
        tag: Which tag was written.
        value: What it holds, read back from the device.
        at: When that was, in microseconds of UTC.
        is_verified: It is what was written. If not, the device took it and has changed
            it since, or keeps less of it.
    """

    tag: str
    value: bool | int | float | str | None
    at: int
    is_verified: bool


@runtime_checkable
class Writes(Protocol):
    """What a link can do besides, if its protocol can: write to the device."""

    async def write(
        self,
        tag: str,
        value: bool | float | str,  # noqa: FBT001
        *,
        expect: bool | float | str | None = None,
    ) -> WriteResult:
        """Write ``value`` once, never again by itself, and read it back.

        Args:
            tag: A tag that its settings declare as writable.
            value: In the tag's own type.
            expect: What the tag has to hold before; None for anything.

        Raises:
            Refused: The tag is not writable, holds something else, or the device says
                no. Nothing was written.
            Malformed: The tag cannot hold this value.
            SourceLost: There is no connection; nothing was written.
            OutcomeUnknown: It may have been written or not.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnswer:
    """What a machine has answered: OPC 10031-4's bits (0: nothing), and why not."""

    status: int
    problem: str = ""


@runtime_checkable
class RunsJobs(Protocol):
    """What a link can do besides: have its machine run job orders (OPC 10031-4).

    Such a link emits ``MachineJobList``, whole, at each connection and change.
    """

    async def ask_job(self, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask the machine once, never again by itself.

        What is to be stored and is there already counts as stored: nothing is doubled.

        Raises:
            SourceLost: There is no connection; nothing was asked.
            OutcomeUnknown: It may have been asked or not; the machine's list tells.
        """
        ...


class JobMachines(Protocol):
    """All machines that run job orders, by the id of their link."""

    async def ask_job(self, link: str, verb: JobVerb, order: JobOrderData) -> JobAnswer:
        """Ask a machine; see :meth:`RunsJobs.ask_job`.

        Raises:
            NotFound: There is no such link, or no job orders run over it.
        """
        ...


class Devices(Protocol):
    """All devices, by the id of their link: how the engine's side reaches them."""

    async def write(
        self,
        link: str,
        tag: str,
        value: bool | float | str,  # noqa: FBT001
        *,
        expect: bool | float | str | None = None,
    ) -> WriteResult:
        """Write ``value`` over ``link`` once, never again by itself, and read it back.

        Args:
            link: The id of a link, as in ``config/plant.yaml``.
            tag: See :meth:`Writes.write`, as for the others and what it raises.
            value: In the tag's own type.
            expect: What the tag has to hold before; None for anything.

        Raises:
            NotFound: There is no such link, or nothing can be written over it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TagGroup:
    """Tags whose values have to be of one moment, as those of a handshake.

    Attributes:
        gate: The tag that says what the others are, one of ``tags``.
        tags: All of them.
        steady_s: After the last change of one of them, how long until they are read
            and told once more: what is the same still is no glitch, and not torn.
        also: Tags that are told along if they are read with the others anyway.
    """

    gate: str
    tags: tuple[str, ...]
    steady_s: float
    also: tuple[str, ...] = ()


@runtime_checkable
class ReadsTogether(Protocol):
    """What a link can do besides: tell the values of a group as one."""

    def keep_together(self, groups: Sequence[TagGroup]) -> None:
        """Tell these in ``SampleGroup``, changed or not, and not by themselves.

        Before ``run``. A group is told when one of its values has changed, once more
        after ``steady_s``, and now and then.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayView:
    """How a gateway stands, as the engine has heard of it.

    Attributes:
        is_heard: It was heard of within its lease.
        heard_at: When it was last heard of, in microseconds of UTC.
        links: What it runs.
        has_this_plant: It has read the same ``plant.yaml`` as the engine.
        delivered: Reports that it has delivered since it was started.
        refused: Reports that were not taken, for good.
    """

    id: str
    is_heard: bool
    heard_at: int
    links: tuple[str, ...]
    has_this_plant: bool
    delivered: int
    refused: int
    spool: SpoolStatus


class Intake(Protocol):
    """Where gateways deliver to, over HTTP or, later, by a message bus."""

    @property
    def links(self) -> frozenset[str]:
        """Every link of the plant."""
        ...

    async def take(self, gateway: str, delivery: Delivery) -> Delivered:
        """Return once everything of ``delivery`` is committed, or refused for good.

        Raises:
            Refused: Another gateway feeds one of the links, or a newer start of this
                one was heard of. Nothing was taken.
            Malformed: One of the links is not of this plant. Nothing was taken.
            Overloaded: Nothing was taken; the same may be delivered again.
            OutcomeUnknown: The same may be delivered again.
        """
        ...

    def views(self) -> Sequence[GatewayView]:
        """Return how each gateway stands that was heard of."""
        ...

    def owner_of(self, link: str) -> str | None:
        """Return the gateway that feeds ``link`` now, if one is heard of."""
        ...


class Downlink(Protocol):
    """Where gateways learn what is to be done to their devices."""

    async def wanted(
        self, gateway: str, instance: int, wait_s: float
    ) -> tuple[Wanted, ...]:
        """Wait for something that is wanted; each is handed over once.

        Raises:
            Refused: This start of the gateway has not delivered yet, or is fenced off.
        """
        ...

    def settle(self, gateway: str, wish: str, settled: Settled) -> None:
        """Take what became of a wish; one that nobody waits for is passed over.

        Raises:
            Refused: As for :meth:`wanted`.
        """
        ...


class Uplink(Protocol):
    """How a gateway reaches the engine: the other end of both."""

    async def deliver(self, delivery: Delivery) -> Delivered:
        """Deliver, and wait for the answer; raises as :meth:`Intake.take` does.

        Raises:
            SourceLost: The engine does not answer.
        """
        ...

    async def wanted(self, instance: int) -> tuple[Wanted, ...]:
        """Wait for something that is wanted; raises as :meth:`deliver` does."""
        ...

    async def settle(self, wish: str, settled: Settled) -> None:
        """Tell what became of it; raises as :meth:`deliver` does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One request or subscription that a link's settings come down to.

    Attributes:
        what: What is asked for, in the protocol's own words.
        tags: Which tags it brings.
        period_s: How often.
    """

    what: Mapping[str, str | int]
    tags: tuple[str, ...]
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """What a live device has told of itself, or of one tag.

    Attributes:
        tag: Which tag; None for the device.
        told: In the protocol's own words: what it grants, how long it takes.
        value: What the tag holds now.
        quality: How far that can be trusted.
        problem: Why it is of no use as it is; empty if it is fit.
    """

    tag: str | None
    told: Mapping[str, str | int | float]
    value: bool | int | float | str | None = None
    quality: Quality | None = None
    problem: str = ""


Probe = Callable[[str, Any, Mapping[str, Any]], Awaitable[Sequence[ProbeLine]]]
"""Look at a live device as a link with this id, settings and tags would.

Raises as ``Link.run`` does.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A tag, or a link, that is right by itself and does not go with the others.

    Attributes:
        tag: Which tag; None for the link's own settings.
        key: Which key of its ``at``, or of the link.
        text: What is wrong, as the end of a sentence.
    """

    tag: str | None
    key: str
    text: str


Submit = Callable[[Commanded], Awaitable[Answer]]
"""Hand a command to the engine; its answer means that what it did is committed.

Raises ``Overloaded`` (nothing was taken) or ``OutcomeUnknown`` (ask again, same key).
"""

Changes = AbstractContextManager[AsyncIterator[Sequence[Recorded]]]
"""What is committed from now on, in order; it ends early for who does not keep up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The engine, as far as an adapter needs it that serves others.

    Attributes:
        committed: The engine's state; for reading.
        submit: How everything goes in that changes work in progress.
        changes: Subscribe to what is committed.
        clock: Microseconds of UTC.
    """

    committed: State
    submit: Submit
    changes: Callable[[], Changes]
    clock: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """How an adapter serves others, besides opening links of its own.

    Attributes:
        settings: Checks ``servers.<id>`` of ``site.yaml`` (without its ``adapter``).
        serve: Serve, by id and settings, until cancelled. Raises ``SourceLost`` for
            what may pass, ``SourceMisconfigured`` for what a person has to mend.
    """

    settings: type[BaseModel]
    serve: Callable[[str, Any, Floor], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowsedNode:
    """Something that a device has, ``level`` levels down; ``at`` as a tag has it."""

    level: int
    name: str
    what: str
    at: Mapping[str, str]
    data_type: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSpec:
    """How ``bootstrap`` makes links of an adapter out of ``config/``.

    Attributes:
        name: The word after ``adapter:`` in a link's settings.
        settings: Checks ``links.<id>`` (without its ``adapter`` key).
        tag: Checks ``at`` of each tag that the link brings.
        open: Make the link from its id, its settings and its tags, by tag id. No I/O.
        check: Tell what does not go together, of settings and tags that are each good.
        plan: Tell what the device will be asked for, of settings and tags. No I/O.
        check_groups: Tell which groups cannot be read at one moment. None if the links
            are no ``ReadsTogether``.
        server: What it serves to others, if it does.
        probe: Look at a live device, for whoever puts it into service.
        browse: Look around in a device, from a path on (or the top), levels deep.
    """

    name: str
    settings: type[BaseModel]
    tag: type[BaseModel]
    open: Callable[[str, Any, Mapping[str, Any]], Link]
    check: Callable[[Any, Mapping[str, Any]], Iterable[Unfit]] | None = None
    plan: Callable[[Any, Mapping[str, Any]], Sequence[PlanLine]] | None = None
    check_groups: (
        Callable[[Any, Mapping[str, Any], Sequence[TagGroup]], Iterable[Unfit]] | None
    ) = None
    server: ServerSpec | None = None
    probe: Probe | None = None
    browse: Callable[[Any, str, int], Awaitable[Sequence[BrowsedNode]]] | None = None


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


class PeriodClosed(LedgerRefused):
    """The ledger books nothing on the posting's business day any more."""


class WorkCenterLedger(Protocol):
    """The ERP's account of what each work center has done."""

    async def post(self, posting: Posting) -> str:
        """Book ``posting`` and return the ledger's reference; once for each key.

        Raises:
            SourceLost: The ledger could not be asked; it may have booked it or not.
            LedgerRefused: It will not, and a repeat would be refused again;
                ``PeriodClosed`` if it would on another business day.
        """
        ...
