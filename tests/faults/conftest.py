"""What the tests here share: child processes that start fast, and one engine."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults.harness import EngineProcess, an_engine, until, verified
from tests.faults.load import BENCH, GAUGE, job_of, order
from tests.faults.people import Acknowledgements, Person, a_person, release_routing


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Let children share compiled modules, where Python is told to keep none.

    The engine is started some dozens of times here; compiling everything each time
    would be most of its life.
    """
    with pytest.MonkeyPatch.context() as patch:
        if sys.dont_write_bytecode:
            folder = (
                request.config.cache.mkdir("bytecode")
                if request.config.pluginmanager.has_plugin("cacheprovider")
                else tmp_path_factory.getbasetemp() / "bytecode"
            )
            patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
            patch.setenv("PYTHONPYCACHEPREFIX", str(folder))
        yield


@dataclass(frozen=True)
class Shop:
    """An engine that runs, with nothing but benches, and someone who works there."""

    engine: EngineProcess
    clerk: Person

    async def job(self, request: str, quantity: int, *, step: str = "10") -> str:
        """Plan and release a request; return its job order at ``step``."""
        await order(self.clerk, request, "gauge", quantity)
        return await job_of(self.clerk, request, step)

    async def begun(self, request: str, quantity: int) -> str:
        """Return the request's first job order, begun on the bench."""
        job = await self.job(request, quantity)
        await self.clerk.done(f"/job-orders/{job}/load", {"work_unit": BENCH})
        await self.clerk.done(f"/job-orders/{job}/begin")
        return job

    async def cleared(self, job: str) -> None:
        """Take a job order off the bench, so that others find room."""
        body = {"reason": "the test is over", "signature": "Clara"}
        await self.clerk.done(f"/job-orders/{job}/abort", body)


@asynccontextmanager
async def at_work(engine: EngineProcess, folder: Path) -> AsyncIterator[Shop]:
    """Start an engine, and have it end by itself after the work."""
    file = Acknowledgements(folder / "answers.jsonl")
    async with a_person("Clara", lambda: engine.url, file) as clerk:
        try:
            await engine.start()
            await release_routing(clerk, GAUGE)
            yield Shop(engine, clerk)
            assert await engine.stop() == 0, engine.tail()
        finally:
            await engine.close()


async def are_links_given_up(clerk: Person) -> bool:
    """Whether both links, which lead nowhere, have said so: nothing comes after it."""
    facts = await clerk.items("/facts", type="source_advanced")
    told = {one["fact"]["source"]: one["fact"]["n"] for one in facts}
    return bool(min(told.get("cell", 0), told.get("line", 0)) > 1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(
    tmp_path_factory: pytest.TempPathFactory, _compiled_once: None
) -> AsyncIterator[Shop]:
    """One engine for every test that leaves it as it was."""
    folder = tmp_path_factory.mktemp("shop")
    file = Acknowledgements(folder / "answers.jsonl")
    async with (
        an_engine(folder) as engine,
        a_person("Clara", lambda: engine.url, file) as clerk,
    ):
        await engine.start()
        await until(lambda: are_links_given_up(clerk), within_s=40)
        await release_routing(clerk, GAUGE)
        yield Shop(engine, clerk)
        assert await engine.stop() == 0, engine.tail()
        found = await verified(engine)
        assert found["ok"], found
