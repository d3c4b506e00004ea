"""A link at work in a test, and what it has told so far."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from mes_engine.core.errors import MesError
from mes_engine.core.samples import DataGap, LinkReport, Report, Sample
from mes_engine.ports import Link
from mes_engine.runtime.pace import BackOff
from mes_engine.runtime.supervise import supervise

ENOUGH = 2
H = TypeVar("H", bound="Heard")


class Heard:
    """Everything a link emitted, in order, and how its life ended."""

    def __init__(self) -> None:
        self.all: list[Report] = []
        self.end: MesError | None = None
        self._news = asyncio.Condition()

    @property
    def samples(self) -> list[Sample]:
        """Every value."""
        return [one for one in self.all if isinstance(one, Sample)]

    @property
    def reports(self) -> list[LinkReport]:
        """What was said of the link."""
        return [one for one in self.all if isinstance(one, LinkReport)]

    @property
    def gaps(self) -> list[DataGap]:
        """What was missed."""
        return [one for one in self.all if isinstance(one, DataGap)]

    def of(self, tag: str) -> list[Sample]:
        """Every value of a tag."""
        return [sample for sample in self.samples if sample.tag == tag]

    def values(self, tag: str) -> list[bool | int | float | str | None]:
        """The same, alone."""
        return [sample.value for sample in self.of(tag)]

    def counts(self, tag: str) -> list[int]:
        """The same, where they are whole numbers."""
        return [value for value in self.values(tag) if isinstance(value, int)]

    def last(self, tag: str) -> bool | int | float | str | None:
        """The newest value of a tag."""
        values = self.values(tag)
        return values[-1] if values else None

    async def add(self, one: Report) -> None:
        """Take what a link has emitted."""
        async with self._news:
            self.all.append(one)
            self._news.notify_all()

    async def finish(self, end: MesError) -> None:
        """Take how its life ended."""
        async with self._news:
            self.end = end
            self._news.notify_all()

    async def until(
        self, holds: Callable[["Heard"], object], *, within_s: float = 15
    ) -> None:
        """Wait until ``holds``; fails with what was heard instead."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: bool(holds(self)))
        except TimeoutError:
            raise AssertionError(
                f"not in {within_s} s; end: {self.end!r}; last: {self.all[-8:]}"
            ) from None


def grows(tag: str) -> Callable[[Heard], bool]:
    """Whether a counter has moved, more than once."""
    return lambda heard: len(set(heard.counts(tag))) > ENOUGH


def shows(tag: str, value: int) -> Callable[[Heard], bool]:
    """Whether a tag is ``value`` now."""
    return lambda heard: heard.last(tag) == value


async def life(link: Link, *, within_s: float = 30) -> tuple[Heard, MesError]:
    """Run ``link`` to the end of its life, which has to come in time."""
    heard = Heard()
    try:
        async with asyncio.timeout(within_s):
            await link.run(heard.add)
    except MesError as error:
        return heard, error
    raise AssertionError("the link ended without an error")


@asynccontextmanager
async def listening(link: Link, *, emit_delay_s: float = 0) -> AsyncIterator[Heard]:
    """Run ``link`` beside the test; it is cancelled at the end."""
    heard = Heard()

    async def emit(one: Report) -> None:
        await heard.add(one)
        if emit_delay_s:
            await asyncio.sleep(emit_delay_s)

    async def run() -> None:
        try:
            await link.run(emit)
        except MesError as error:
            await heard.finish(error)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        try:
            yield heard
        finally:
            task.cancel()


@asynccontextmanager
async def supervising(
    link: Link, heard: H, *, first_s: float = 0.05, longest_s: float = 0.3
) -> AsyncIterator[H]:
    """Run ``link`` life after life beside the test, with short pauses.

    Args:
        link: What to run.
        heard: Where it is heard.
        first_s: The first pause between two lives.
        longest_s: The longest.
    """
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(
            supervise(
                "link",
                link,
                heard.add,
                clock=lambda: time.time_ns() // 1000,
                back_off=BackOff(first_s=first_s, longest_s=longest_s),
            )
        )
        try:
            yield heard
        finally:
            task.cancel()


@asynccontextmanager
async def supervised(link: Link, *, longest_s: float = 0.3) -> AsyncIterator[Heard]:
    """Run ``link`` life after life beside the test, with short pauses."""
    async with supervising(link, Heard(), longest_s=longest_s) as heard:
        yield heard
