"""Which link was at work when a gateway died, and how long it is left alone for it.

What a device sends can end the process that reads it, and with it every other link. So
each step of a link's tasks leaves a mark in a small file that outlives the process, and
the next life reads it. A link that has killed several lives is left out for a while.
"""

import faulthandler
import mmap
import os
from collections.abc import Coroutine, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

SIZE = 512
HOW, BUSY, SLOW, LENGTH, NAME = 0, 1, 2, 3, 4
MOST_NAME = 250

MINUTE_US = 60_000_000
DEATHS, WITHIN_US = 3, 10 * MINUTE_US
"""So many deaths within so long, and a link is left alone."""
FIRST_US, LONGEST_US = MINUTE_US, 60 * MINUTE_US
FORGOTTEN_US = 120 * MINUTE_US
"""So long without a death after it was let in again, and it begins anew."""

AT_WORK: ContextVar[str] = ContextVar("link_at_work")
"""The link in whose context a task was made."""


class How(IntEnum):
    """How a life of a gateway ended, as far as it could say."""

    UNKNOWN = 0
    IN_ORDER = 1
    BY_ITSELF = 2
    """Its watchdog ended it: memory, or a loop that stood still."""


class Marks:
    """The file, and what the life before has left in it.

    Attributes:
        blamed: The link whose step ended the life before; None if none did.
        steps: How many steps links have begun, so that a long one can be told.
    """

    def __init__(self, folder: Path) -> None:
        self.steps = 0
        self.crash = folder / "crash.txt"
        file = os.open(folder / "marks", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(file, SIZE)
            self._map = mmap.mmap(file, SIZE)
        finally:
            os.close(file)
        self.blamed = self._read()
        self._map[:SIZE] = bytes(SIZE)
        self._name = ""

    @property
    def is_busy(self) -> bool:
        """Whether a link is at work at this moment."""
        return bool(self._map[BUSY])

    def enter(self, link: str) -> None:
        """A step of ``link`` begins."""
        if link is not self._name:
            told = link.encode()[:MOST_NAME]
            self._map[LENGTH] = len(told)
            self._map[NAME : NAME + len(told)] = told
            self._name = link
        self.steps += 1
        self._map[BUSY] = 1

    def leave(self) -> None:
        """It has ended, and nothing happened."""
        if not self._map[HOW]:
            self._map[BUSY] = self._map[SLOW] = 0

    def slow(self) -> None:
        """It lasts: whoever ends the process now, ends it for that."""
        self._map[SLOW] = 1

    def ends(self, how: How, *, link: str | None = None) -> None:
        """The process is about to end; ``link`` is to blame if it is given."""
        if link is not None:
            self.enter(link)
        self._map[HOW] = how

    def close(self) -> None:
        """Leave the file to the next life."""
        self._map.close()

    def _read(self) -> str | None:
        how, is_busy = self._map[HOW], self._map[BUSY]
        try:
            has_crashed = self.crash.stat().st_size > 0
        except FileNotFoundError:
            has_crashed = False
        is_its_fault = how == How.BY_ITSELF or has_crashed or self._map[SLOW]
        if how == How.IN_ORDER or not is_busy or not is_its_fault:
            return None
        told = self._map[NAME : NAME + self._map[LENGTH]]
        return told.decode(errors="replace")


class _Marked(Coroutine[Any, Any, T]):
    """A coroutine of a link, each of whose steps is marked."""

    def __init__(self, inner: Coroutine[Any, Any, T], link: str, marks: Marks) -> None:
        self._inner = inner
        self._link = link
        self._marks = marks

    def send(self, value: Any) -> Any:
        """Go on to the next thing that is awaited."""
        self._marks.enter(self._link)
        try:
            return self._inner.send(value)
        finally:
            self._marks.leave()

    def throw(self, *error: Any) -> Any:
        """Go on with an error."""
        self._marks.enter(self._link)
        try:
            return self._inner.throw(*error)
        finally:
            self._marks.leave()

    def close(self) -> None:
        """End it."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, T]:
        raise TypeError("it is run by a task")


def marking(marks: Marks) -> Any:
    """Return a factory of tasks that marks the steps of links, for an event loop."""
    from asyncio import AbstractEventLoop, Task  # noqa: PLC0415 - its own loop's

    def make(
        loop: AbstractEventLoop, inner: Coroutine[Any, Any, T], **more: Any
    ) -> "Task[T]":
        context = more.get("context")
        link = AT_WORK.get("") if context is None else context.get(AT_WORK, "")
        marked = _Marked(inner, link, marks) if link else inner
        return Task(marked, loop=loop, **more)

    return make


@contextmanager
def living(folder: Path) -> Iterator[Marks]:
    """Live a life of a gateway: what ends it otherwise than by an error is marked."""
    marks = Marks(folder)
    with marks.crash.open("wb") as crash:
        faulthandler.enable(crash)
        try:
            yield marks
        except MemoryError:
            raise
        except BaseException:
            marks.ends(How.IN_ORDER)
            raise
        else:
            marks.ends(How.IN_ORDER)
        finally:
            faulthandler.disable()


@contextmanager
def blaming(marks: Marks, link: str) -> Iterator[None]:
    """Take it for the link's doing if it runs out of memory inside."""
    try:
        yield
    except MemoryError:
        marks.ends(How.BY_ITSELF, link=link)
        raise


def left_alone_until(deaths: Sequence[int]) -> int | None:
    """Return until when a link is to be left alone, after all its ``deaths``.

    The pause doubles with each death after it was let in again.

    Args:
        deaths: When it ended a life of the gateway, in microseconds of UTC, in order.

    Returns:
        None if it never had to be.
    """
    until: int | None = None
    pause = 0
    recent: list[int] = []
    for at in deaths:
        if until is not None and at - until > FORGOTTEN_US:
            until, pause, recent = None, 0, []
        recent = [one for one in recent if at - one <= WITHIN_US]
        recent.append(at)
        if until is not None or len(recent) >= DEATHS:
            pause = min(2 * pause, LONGEST_US) if pause else FIRST_US
            until = at + pause
    return until
