"""What an adapter's author brings: a device that tells the truth, and a link to it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from mes_engine.ports import Link

Value = bool | int | float | str


class Machine(Protocol):
    """A device that runs, in a process of its own. What is asked of it, it has done."""

    @property
    def port(self) -> int:
        """Where it listens, on the loopback address."""
        ...

    async def count(self, every_s: float) -> None:
        """Begin to count the tag ``counter`` up by 1, from where it is."""
        ...

    async def halt(self) -> int:
        """Stop counting; return the count, which is the truth."""
        ...

    def freeze(self) -> None:
        """Stop the process: connections stay, and nobody answers."""
        ...

    def thaw(self) -> None:
        """Let it go on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Writable:
    """A tag that may be written, and values that it takes; ``wrong`` it cannot hold."""

    tag: str
    first: Value
    second: Value
    wrong: Value | None = None


class Bench(ABC):
    """One adapter at one device.

    Attributes:
        maker: Whose the device is: its name, for ``certified`` in ``quality.yaml``.
        is_ours: It is made of the same library as the adapter, or by us.
        tags: The tags of the link. ``counter`` is one of them.
        absent: A tag that ``link`` knows, and the device has not.
        writable: A tag to write to; None if the adapter cannot write.
        notices_s: A device that says nothing more counts as lost after so long.
    """

    maker: str
    is_ours: bool = False
    tags: tuple[str, ...]
    counter: str
    absent: str
    writable: Writable | None = None
    notices_s: float = 5.0

    @abstractmethod
    def machine(self) -> AbstractAsyncContextManager[Machine]:
        """Start a device; end it with the context."""

    @abstractmethod
    def link(self, port: int, tags: Iterable[str]) -> Link:
        """Make a link to a port of the loopback address, with settings for tests."""
