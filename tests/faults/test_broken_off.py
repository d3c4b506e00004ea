"""Requests broken off at any time: each is done once, whole, or not at all.

Clients hang up in mid-request, or before the answer; a go-between loses answers; and,
inside the process, requests are cancelled at any point where they wait. Whoever then
asks again under the same key gets the first answer, and nothing is left open: no
transaction, no session, no lock, no place.

A few run with every torture; all 1,500 on each database:

    make test-slow ARGS="-s tests/faults/test_broken_off.py"
"""

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests import postgres
from tests.faults.breaking_off import answered, hung_up, losing_answers, request_of
from tests.faults.conftest import Shop, at_work
from tests.faults.harness import NOWHERE, EngineProcess, until, verified
from tests.plant import API, RunningPlant, running_plant

BODY = b'{"good":"1"}'
AT_ONCE = 8
A_FEW, ALL = 40, 1_500
QUANTITY = 100_000


def sessions(engine: EngineProcess) -> Counter[str]:
    """Return the states of the engine's sessions on PostgreSQL."""
    name = urlsplit(engine.database_url).path.strip("/")
    rows = postgres.shared().run(
        "SELECT coalesce(state, '-') FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND backend_type = 'client backend'"
    )
    return Counter(state for (state,) in rows)


def is_writer_free(engine: EngineProcess) -> bool:
    """Whether another may write to the file."""
    path = engine.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path, timeout=0, isolation_level=None) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    connection.close()
    return True


async def in_hand(engine: EngineProcess) -> float:
    """Return how many requests the engine says it works on."""
    async with httpx.AsyncClient(trust_env=False) as http:
        lines = (await http.get(f"{engine.url}/metrics")).text.splitlines()
    found = next(one for one in lines if one.startswith("mes_http_in_hand "))
    return float(found.split()[1])


EFFECT, HANDLED = "quantity_reported", "command_handled"


async def left_by(shop: Shop, keys: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Return how often each command did what it does, and was handled."""
    found = {EFFECT: Counter[str](), HANDLED: Counter[str]()}
    wanted = {f"http:{key}": key for key in keys}
    for one in await shop.clerk.items("/facts"):
        if one["type"] in found and one["cause"] in wanted:
            found[one["type"]][wanted[one["cause"]]] += 1
    return found[EFFECT], found[HANDLED]


async def broken_off(shop: Shop, *, trials: int, seed: str) -> None:
    """Break off so many requests, ask each again, and look at what is left."""
    engine, rng = shop.engine, random.Random(seed)
    job = await shop.begun("BROKEN-1", QUANTITY)
    path = f"/job-orders/{job}/report"
    first: dict[str, bytes] = {}
    room = asyncio.Semaphore(AT_ONCE)

    async def broken(key: str, near: str) -> None:
        request = request_of(engine.url, path, key, BODY)
        async with room:
            if rng.random() < 0.5:
                first[key] = await hung_up(engine.url, request, rng)
            else:
                await answered(near, request)
                first[key] = b""

    async def again(key: str) -> None:
        request, answer = request_of(engine.url, path, key, BODY), b"503"
        async with room:
            while answer.startswith(b"503") or not answer:
                answer = await answered(engine.url, request)
        assert answer.startswith(b"200 "), answer
        if first[key] and not first[key].startswith(b"503"):
            assert answer == first[key], key
        first[key] = answer

    keys = [f"broken-{seed}-{number:05}" for number in range(trials)]
    async with losing_answers(engine.url, rng) as near:
        async with asyncio.TaskGroup() as tasks:
            for key in keys:
                tasks.create_task(broken(key, near))
        done, handled = await left_by(shop, keys)
        assert done == handled, "half a command"
        assert 0 < done.total() < trials
        for _ in range(2):
            async with asyncio.TaskGroup() as tasks:
                for key in keys:
                    tasks.create_task(again(key))

    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == str(trials)
    done, handled = await left_by(shop, keys)
    assert done == handled == dict.fromkeys(keys, 1)

    async def is_idle() -> bool:
        return await in_hand(engine) == 0

    await until(is_idle)


async def over_sockets(folder: Path, dialect: str, *, trials: int) -> None:
    engine = EngineProcess(
        folder,
        opcua=NOWHERE,
        modbus=NOWHERE,
        token="no-gateway-of-its-own",
        database_url=postgres.shared().fresh() if dialect == "postgresql" else None,
    )
    async with at_work(engine, folder) as shop:
        before = sessions(engine).total() if dialect == "postgresql" else 0
        await broken_off(shop, trials=trials, seed=f"{dialect}-{trials}")

        async def is_as_before() -> bool:
            if dialect == "sqlite":
                return is_writer_free(engine)
            now = sessions(engine)
            is_open = any(state.startswith("idle in") for state in now)
            return not is_open and now.total() <= max(before, 6)

        await until(is_as_before)
    found = await verified(engine)
    assert found["ok"], found


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    if request.param == "postgresql":
        postgres.skip_without()
    return str(request.param)


@pytest.mark.timeout(120)
async def test_a_few_requests_are_broken_off(tmp_path: Path, dialect: str) -> None:
    await over_sockets(tmp_path, dialect, trials=A_FEW)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_many_requests_are_broken_off(tmp_path: Path, dialect: str) -> None:
    await over_sockets(tmp_path, dialect, trials=ALL)


async def cancelled(folder: Path, *, trials: int, seed: str) -> None:
    """Cancel so many requests inside the process, wherever they wait just then."""
    rng = random.Random(seed)
    async with running_plant(folder) as plant:
        job = await plant.request("WR-1", quantity=4_000)
        await plant.done(f"/job-orders/{job}/load", work_unit="saw-1")
        await plant.done(f"/job-orders/{job}/begin")
        keys = [f"cancelled-{number:05}" for number in range(trials)]
        for at in range(0, trials, AT_ONCE):
            await asyncio.gather(
                *(_cancelled(plant, job, key, rng) for key in keys[at : at + AT_ONCE])
            )
        first = [await _reported(plant, job, key) for key in keys]
        assert [await _reported(plant, job, key) for key in keys] == first
        assert (await plant.get(f"/job-orders/{job}"))["good"] == str(trials)
        # The writer and every reader are there to be used, at once.
        reads = (plant.get(f"/facts?limit={n}") for n in range(1, 9))
        assert len(await asyncio.gather(*reads)) == 8
        await plant.request("WR-2")


async def _cancelled(
    plant: RunningPlant, job: str, key: str, rng: random.Random
) -> None:
    task = asyncio.ensure_future(_reported(plant, job, key))
    await asyncio.sleep(rng.uniform(0, 0.03))
    task.cancel()
    await asyncio.wait([task])


async def _reported(plant: RunningPlant, job: str, key: str) -> bytes:
    answer = await plant.client.post(
        f"{API}/job-orders/{job}/report",
        content=BODY,
        headers={
            "X-Person": "Maria",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        },
    )
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_few_requests_are_cancelled(
    tmp_path: Path, either_database: str
) -> None:
    await cancelled(tmp_path, trials=A_FEW, seed=either_database)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_many_requests_are_cancelled(
    tmp_path: Path, either_database: str
) -> None:
    await cancelled(tmp_path, trials=ALL, seed=either_database)
