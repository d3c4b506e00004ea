"""The engine killed with SIGKILL again and again, while machines count and people work.

The judges are outside of it: the file of answers that people got, and the simulated
plant's own file of pieces. Nothing acknowledged is lost, nothing is doubled, and the
pieces made meanwhile arrive.

A few kills run with every test. A hundred, and the numbers they came to:

    make test-slow ARGS="-s tests/faults/test_kill.py"
"""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import pytest

from mes_adapters.simulator.plant import count_pieces
from tests.adapters.plant import running_plant
from tests.faults.crew import Crew, a_crew
from tests.faults.harness import EngineProcess, an_engine, until, verified
from tests.faults.judge import are_posted, have_arrived, judged
from tests.faults.load import (
    mind_machine,
)
from tests.faults.people import (
    Acknowledged,
)

A_FEW = 8
MOST_ANSWERS = 40
LONGEST_LIFE_S = 20.0
DIES_STARTING = 0.2
PLANT = ("--free-run", "--speed", "4", "--scrap-rate", "0.1")


@dataclass
class Deaths:
    """How the engine died, and how long it took to come up the last time."""

    while_starting: int = 0
    while_working: int = 0
    start_s: float = 2.0


async def one_life(
    engine: EngineProcess, crew: Crew, rng: random.Random, deaths: Deaths
) -> None:
    """Start it and kill it: while it starts, or after some answers, at any moment."""
    began = monotonic()
    await engine.spawn()
    if rng.random() < DIES_STARTING:
        await asyncio.sleep(rng.uniform(0.5, 1) * deaths.start_s)
        deaths.while_starting += 1
    else:
        await engine.ready()
        deaths.start_s = monotonic() - began
        await crew.answers_more(rng.randint(0, MOST_ANSWERS), within_s=LONGEST_LIFE_S)
        await asyncio.sleep(rng.uniform(0, 0.05))
        deaths.while_working += 1
    await engine.kill()


def spoiled(answers: list[Acknowledged]) -> list[Acknowledged]:
    """Return the answers, with one piece more in the first report of good ones."""
    for index, one in enumerate(answers):
        body = one.body or {}
        if one.is_done and "good" in body:
            more = body | {"good": str(int(body["good"]) + 1)}
            return [*answers[:index], replace(one, body=more), *answers[index + 1 :]]
    raise LookupError("nothing was reported")


async def kill_loop(folder: Path, *, kills: int, seed: int) -> None:
    rng, deaths = random.Random(seed), Deaths()
    async with AsyncExitStack() as stack:
        plant = await asyncio.to_thread(
            stack.enter_context, running_plant(folder, *PLANT, "--seed", str(seed))
        )
        engine = await stack.enter_async_context(
            an_engine(folder, opcua=plant.opcua, modbus=plant.modbus)
        )
        crew = await stack.enter_async_context(
            a_crew(str(seed), folder, lambda: engine.url)
        )
        await engine.start()
        minding = [
            mind_machine(await crew.hire(f"minds-{unit}"), unit, crew.shift)
            for unit in ("press-1", "press-2")
        ]
        async with crew.at_work(*minding):
            await crew.answers_more(rng.randint(0, MOST_ANSWERS))
            await engine.kill()
            for _ in range(kills - 1):
                await one_life(engine, crew, rng, deaths)
            await engine.start()
            await crew.answers_more(MOST_ANSWERS)

        for machine in {machine for machine, _ in count_pieces(plant.pieces)}:
            await plant.press(machine, "stop")
        await until(lambda: have_arrived(crew.clerk, plant), within_s=30)
        await until(lambda: are_posted(crew.clerk), within_s=30)
        answers = crew.file.read()
        verdict = await judged(crew.clerk, answers, plant)
        doubted = await judged(crew.clerk, spoiled(answers), plant)
        assert await engine.stop() == 0, engine.tail()
        found = await verified(engine)

    retries = sum(one.retries for one in crew.people)
    told = f"seed {seed}, {kills} kills, {deaths}, {retries} retries: {verdict}"
    print(told)  # noqa: T201 - `pytest -s` shows it
    assert not verdict.problems, told
    # The sum of its job order, and the answer to its key with that body.
    assert len(doubted.problems) == 2, f"the judge is blind: {doubted}"
    assert found["ok"], found
    assert verdict.commands > kills * MOST_ANSWERS / 10
    assert retries > 0


@pytest.mark.timeout(240)
async def test_nothing_is_lost_or_doubled_by_a_few_kills(tmp_path: Path) -> None:
    await kill_loop(tmp_path, kills=A_FEW, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_or_doubled_by_a_hundred_kills(tmp_path: Path) -> None:
    await kill_loop(tmp_path, kills=100, seed=2)
