"""The database taken by somebody else for a while: nothing lost, nothing doubled."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pysqlite3
import pytest

from tests.faults.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


@contextmanager
def taken(database_url: str) -> Iterator[None]:
    """Hold the database's one lock for writing, as a careless tool may do."""
    path = database_url.removeprefix("sqlite:///")
    with closing(pysqlite3.connect(path, isolation_level=None)) as thief:
        thief.execute("BEGIN IMMEDIATE")
        yield
        thief.execute("ROLLBACK")


async def test_commands_wait_out_an_outage_under_their_keys(shop: Shop) -> None:
    job = await shop.begun("D-OUTAGE", 10)
    path, key = f"/job-orders/{job}/report", "outage-1"

    async def once(key: str) -> int:
        answer = await shop.clerk.tried("POST", path, key=key, json={"good": "1"})
        return answer.status_code

    with taken(shop.engine.database_url):
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(once(key))
            others = [tasks.create_task(once(f"outage-{n}")) for n in range(2, 5)]
            shown = await shop.clerk.get(f"/job-orders/{job}")
            assert shown["good"] == "0", "who only reads is served meanwhile"
        assert {first.result(), *(one.result() for one in others)} == {503}

    answers = [
        await shop.clerk.command(path, {"good": "1"}, key=f"outage-{n}")
        for n in range(1, 5)
    ]
    assert {one.status for one in answers} == {200}
    assert (await shop.clerk.get(f"/job-orders/{job}"))["good"] == "4"
    facts = await shop.clerk.items("/facts", type="quantity_reported")
    causes = Counter(one["cause"] for one in facts)
    assert [causes[f"http:outage-{n}"] for n in range(1, 5)] == [1, 1, 1, 1]
    await shop.cleared(job)
