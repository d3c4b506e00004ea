"""The stream of facts: every fact once, in order, whatever happens in between."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mes_engine.core.facts import Recorded
from mes_engine.storage.journal import head
from mes_engine.web import streams
from mes_engine.web.parts import Parts
from mes_engine.web.streams import BATCHES_BUFFERED, committed_after
from tests.plant import API, RunningPlant, now, running_plant, served, until

STREAM = f"{API}/facts/stream"


class Heard:
    """What came over a stream."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.is_over = False

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.events if "type" in event]

    async def listen(self, client: httpx.AsyncClient, **params: Any) -> None:
        headers = params.pop("headers", {})
        async with client.stream(
            "GET", STREAM, params=params, headers=headers
        ) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    self.events.append(json.loads(line.removeprefix("data: ")))
        self.is_over = True


@asynccontextmanager
async def listening(plant: RunningPlant, **params: Any) -> AsyncIterator[Heard]:
    async with (
        served(plant) as address,
        httpx.AsyncClient(base_url=address, timeout=10) as client,
        asyncio.TaskGroup() as tasks,
    ):
        heard = Heard()
        task = tasks.create_task(heard.listen(client, **params))
        yield heard
        task.cancel()


async def test_facts_come_as_they_are_committed(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant, listening(plant, after=0) as heard:
        await until(lambda: len(heard.seqs) == plant.state.seq)
        await plant.request("WR-1")
        await until(lambda: len(heard.seqs) == plant.state.seq)
        assert heard.seqs == list(range(1, plant.state.seq + 1))


async def test_a_reader_resumes_after_the_last_that_it_saw(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        await plant.request("WR-1")
        headers = {"Last-Event-ID": "3"}
        async with listening(plant, headers=headers, after=0) as heard:
            await until(lambda: len(heard.seqs) == plant.state.seq - 3)
            assert heard.seqs[0] == 4


async def test_a_new_reader_begins_with_the_next(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant, listening(plant) as heard:
        await until(lambda: len(plant.feed) == 1)
        before = plant.state.seq
        await plant.request("WR-1")
        await until(lambda: len(heard.seqs) == plant.state.seq - before)
        assert heard.seqs[0] == before + 1


async def test_a_terminal_hears_of_its_own_work_center_only(tmp_path: Path) -> None:
    async with (
        running_plant(tmp_path) as plant,
        listening(plant, work_center="MILLS", after=0) as heard,
    ):
        job = await plant.request("WR-1")
        await plant.done(f"/job-orders/{job}/load", work_unit="saw-1")
        await plant.done(f"/job-orders/{job}/begin")
        await plant.done(f"/job-orders/{job}/report", good="5")
        await until(
            lambda: any(event.get("type") == "quantity_moved" for event in heard.events)
        )
        assert all(
            event["fact"]["job_order"] != job
            for event in heard.events
            if event.get("type") in {"job_order_moved", "quantity_reported"}
        )


async def test_only_facts_of_the_types_asked_for_come(tmp_path: Path) -> None:
    async with (
        running_plant(tmp_path) as plant,
        listening(plant, type="work_request_created", after=0) as heard,
    ):
        await plant.request("WR-1")
        await plant.request("WR-2")
        await until(lambda: len(heard.events) == 2)
        assert {event["type"] for event in heard.events} == {"work_request_created"}


async def test_the_stream_says_bye_when_the_engine_stops(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant, listening(plant) as heard:
        await until(lambda: len(plant.feed) == 1)
        plant.stopping.set()
        await until(lambda: heard.is_over)
        assert heard.events[-1] == {"seq": plant.state.seq}


async def test_a_crowd_of_readers_hears_everything_once(tmp_path: Path) -> None:
    async with (
        running_plant(tmp_path) as plant,
        served(plant) as address,
        httpx.AsyncClient(base_url=address, timeout=10) as client,
        asyncio.TaskGroup() as tasks,
    ):
        crowd = [Heard() for _ in range(40)]
        for one in crowd:
            tasks.create_task(one.listen(client, after=0))
        await until(lambda: len(plant.feed) == len(crowd))
        for number in range(10):
            await plant.request(f"WR-{number}")
        every = list(range(1, plant.state.seq + 1))
        await until(lambda: all(one.seqs == every for one in crowd))
        plant.stopping.set()


async def test_a_stream_on_which_nothing_comes_is_kept_awake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PING_S", 0.05)
    async with (
        running_plant(tmp_path) as plant,
        served(plant) as address,
        httpx.AsyncClient(base_url=address, timeout=10) as client,
        client.stream("GET", STREAM) as answer,
    ):
        lines = answer.aiter_lines()
        while await anext(lines) != ": ping":
            pass


def test_all_streams_together_get_so_many_pieces() -> None:
    assert streams.pause_s(200) == 0.5
    assert streams.pause_s(10_000) == streams.LONGEST_PAUSE_S


async def test_a_reader_that_leaves_is_forgotten(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant, served(plant) as address:
        async with (
            httpx.AsyncClient(base_url=address) as client,
            client.stream("GET", STREAM),
        ):
            await until(lambda: len(plant.feed) == 1)
        await until(lambda: len(plant.feed) == 0)


async def numbers(batches: AsyncIterator[Sequence[Sequence[Recorded]]]) -> list[int]:
    return [one.seq for batch in await anext(batches) for one in batch]


async def test_a_slow_reader_misses_nothing(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        parts = Parts(
            engine=plant.engine, database=plant.database, feed=plant.feed, clock=now
        )
        async with aclosing(committed_after(parts, 0)) as batches:
            seen = await numbers(batches)
            for number in range(BATCHES_BUFFERED):
                await plant.request(f"WR-{number}")
            assert plant.feed.cuts == 1
            last = await plant.database.read(head)
            while seen[-1] < last:
                seen += await numbers(batches)
        assert seen == list(range(1, last + 1))


@pytest.mark.parametrize("last", ["x", "-1"])
async def test_what_is_no_number_of_a_fact_is_a_400(tmp_path: Path, last: str) -> None:
    async with running_plant(tmp_path) as plant:
        answer = await plant.client.get(STREAM, headers={"Last-Event-ID": last})
    assert answer.status_code == 400


async def test_facts_are_read_in_pages(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        await plant.request("WR-1")
        seen: list[int] = []
        after: str | None = "0"
        while after is not None:
            page = await plant.get("/facts", after=after, limit=5)
            seen += [one["seq"] for one in page["items"]]
            after = page["next"]
        assert seen == list(range(1, plant.state.seq + 1))
        assert (await plant.get("/set-aside"))["items"] == []
