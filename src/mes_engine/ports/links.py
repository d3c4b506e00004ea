"""Devices: a link for one life of it, and what else it may be able to do."""

from collections.abc import (
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mes_engine.core.job_control import JobOrderData
from mes_engine.core.machine_calls import Given
from mes_engine.core.machine_jobs import JobVerb
from mes_engine.core.samples import Report, Sample

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A level that counts, however short it is, down to ``shortest_s``.

    Attributes:
        tag: Whose.
        rule: By which rule of the plant it counts; empty if the tag itself says so.
    """

    tag: str
    shortest_s: float
    rule: str = ""

    @property
    def look_every_s(self) -> float:
        """How often its tag has to be looked at: twice while it lasts."""
        return self.shortest_s / 2


@runtime_checkable
class SeesPulses(Protocol):
    """What a link can do besides: find out on the device what it cannot see."""

    def look_for(self, pulses: Sequence[Pulse]) -> None:
        """Have the device look often enough for these, before ``run``.

        A tag at which it then looks too seldom is told as missing, with the reason.
        """
        ...


@runtime_checkable
class Calls(Protocol):
    """What a link can do besides: call methods of the device."""

    async def call(
        self, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        """Call a method once, never again by itself, and return what it answers.

        Args:
            method: One that its settings declare.
            arguments: By the names that the device gives them, in their types: whole
                numbers, truths and texts; other numbers and times as text.

        Raises:
            Refused: There is no such method, or the device says no.
            Malformed: The arguments do not fit; which one is named.
            SourceLost: There is no connection; nothing was called.
            OutcomeUnknown: It may have been called or not.
        """
        ...


class MachineMethods(Protocol):
    """The methods of all devices, by the id of their link."""

    async def call_method(
        self, link: str, method: str, arguments: Mapping[str, Given]
    ) -> dict[str, Given | None]:
        """Call a method of a device; see :meth:`Calls.call`.

        Raises:
            NotFound: There is no such link, or nothing can be called over it.
        """
        ...


@runtime_checkable
class Resumes(Protocol):
    """What a link can do besides: fetch what a device has kept, after our own restart.

    For messages; for values see :class:`Recalls`.
    """

    def resume_from(self, at: int) -> None:
        """Before ``run``: it was heard last at ``at``, by us, in an earlier life."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """What a link can do besides: fetch the values that came while we were not there.

    It tells itself what of them is missing for good.
    """

    def recall(self, told: Sequence[Sample]) -> None:
        """Before ``run``: these were told last, by us, in an earlier life."""
        ...


@runtime_checkable
class ReadsTogether(Protocol):
    """What a link can do besides: tell the values of a group as one."""

    def keep_together(self, groups: Sequence[TagGroup]) -> None:
        """Tell these in ``SampleGroup``, changed or not, and not by themselves.

        Before ``run``. A group is told when one of its values has changed, once more
        after ``steady_s``, and now and then.
        """
        ...
