"""A crew: someone who plans and two at the bench, at work while something breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

from tests.faults.harness import until
from tests.faults.load import BLANK, GAUGE, Shift, plan, work_at_bench
from tests.faults.people import Acknowledgements, Person, a_person, release_routing

PATIENCE_S = 60.0


class Crew:
    """People at one engine, or at whichever leads.

    Attributes:
        file: What they were answered.
        shift: When their work ends.
        clerk: Who looks after routings, and asks.
        people: Who was hired, the clerk left out.
    """

    def __init__(
        self, file: Acknowledgements, shift: Shift, url: Callable[[], str]
    ) -> None:
        self.file = file
        self.shift = shift
        self.people: list[Person] = []
        self._url = url
        self._door = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.clerk = await self._enter("clerk")
        self._planner = await self.hire("Pat-the-planner")
        self._bench = [await self.hire(f"{name}-at-bench") for name in ("Ada", "Ben")]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._door.aclose()

    async def hire(self, name: str) -> Person:
        """Let one more in."""
        person = await self._enter(name)
        self.people.append(person)
        return person

    async def answers_more(self, count: int, *, within_s: float = PATIENCE_S) -> None:
        """Wait until they were answered so many times more."""
        wanted = self.file.written + count

        async def are_written() -> bool:
            return self.file.written >= wanted

        await until(are_written, within_s=within_s)

    @asynccontextmanager
    async def at_work(self, *more: Coroutine[None, None, None]) -> AsyncIterator[None]:
        """Work, and whatever else is to be done, until this is left."""
        for routing in (GAUGE, BLANK):
            await release_routing(self.clerk, routing)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(plan(self._planner, self.shift))
            for one in self._bench:
                tasks.create_task(work_at_bench(one, self.shift))
            for work in more:
                tasks.create_task(work)
            yield
            self.shift.is_over = True

    async def _enter(self, name: str) -> Person:
        return await self._door.enter_async_context(
            a_person(name, self._url, self.file)
        )


def a_crew(seed: str, folder: Path, url: Callable[[], str]) -> Crew:
    """Return a crew whose answers are in a file of ``folder``."""
    return Crew(Acknowledgements(folder / "answers.jsonl"), Shift(seed), url)
