"""A link at work in a test, and what it has told so far."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mes_engine.core.errors import MesError
from mes_engine.core.samples import DataGap, LinkReport, Report, Sample
from mes_engine.ports import Link


class Heard:
    """Everything a link emitted, in order, and how its life ended."""

    def __init__(self) -> None:
        self.all: list[Report] = []
        self.end: MesError | None = None
        self._news = asyncio.Condition()

    @property
    def samples(self) -> list[Sample]:
        return [one for one in self.all if isinstance(one, Sample)]

    @property
    def reports(self) -> list[LinkReport]:
        return [one for one in self.all if isinstance(one, LinkReport)]

    @property
    def gaps(self) -> list[DataGap]:
        return [one for one in self.all if isinstance(one, DataGap)]

    def of(self, tag: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.tag == tag]

    def values(self, tag: str) -> list[bool | int | float | str | None]:
        return [sample.value for sample in self.of(tag)]

    def counts(self, tag: str) -> list[int]:
        return [value for value in self.values(tag) if isinstance(value, int)]

    def last(self, tag: str) -> bool | int | float | str | None:
        values = self.values(tag)
        return values[-1] if values else None

    async def add(self, one: Report) -> None:
        async with self._news:
            self.all.append(one)
            self._news.notify_all()

    async def finish(self, end: MesError) -> None:
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
    return lambda heard: len(set(heard.counts(tag))) > 2


def shows(tag: str, value: int) -> Callable[[Heard], bool]:
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
