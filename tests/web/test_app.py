"""The app as a whole: readiness, help, the API's description, the pages."""

import asyncio
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from sqlalchemy import Connection, text

from mes_engine.http.catalogue import PROBLEMS
from tests.plant import RunningPlant, module_routers, running_plant

PAGES = ("/", "/t/saw-1", "/docs", "/problems", "/problems/refused")
ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9.-]+", re.IGNORECASE)
READERS = 4
NAMESPACES = {"http://www.w3.org"}


async def found(plant: RunningPlant, path: str) -> str:
    answer = await plant.client.get(path)
    assert answer.status_code == 200, path
    return answer.text


async def test_a_plant_that_runs_is_ready(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        assert (await plant.client.get("/healthz")).json() == {"status": "ok"}
        ready = (await plant.client.get("/readyz")).json()
    assert ready["is_ready"]
    assert ready["checks"] == {"database": "ok", "engine": "ok", "plant": "ok"}


async def test_tables_of_another_revision_are_not_ready(tmp_path: Path) -> None:
    made = (
        "CREATE TABLE alembic_version (version_num TEXT)",
        "INSERT INTO alembic_version VALUES ('0001')",
    )

    def make(connection: Connection) -> None:
        for statement in made:
            connection.execute(text(statement))

    async with running_plant(tmp_path, schema="0001") as plant:
        without = await plant.client.get("/readyz")
        await plant.database.write(make)
        right = await plant.client.get("/readyz")
    async with running_plant(tmp_path, schema="0002") as plant:
        wrong = await plant.client.get("/readyz")
    assert [one.status_code for one in (without, right, wrong)] == [503, 200, 503]
    assert "0002 is needed" in wrong.json()["checks"]["database"]


async def test_a_database_that_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    busy = threading.Barrier(READERS + 1)
    is_free = threading.Event()

    def keep_busy(_: Connection) -> None:
        busy.wait()
        is_free.wait()

    async with running_plant(tmp_path) as plant, asyncio.TaskGroup() as tasks:
        for _ in range(READERS):
            tasks.create_task(plant.database.read(keep_busy))
        await asyncio.to_thread(busy.wait)
        answer = await plant.client.get("/readyz")
        is_free.set()
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["checks"]["database"]


async def test_nothing_of_any_page_comes_from_elsewhere(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        pages = [await found(plant, path) for path in PAGES]
        links = {
            link
            for page in pages
            for link in re.findall(r'(?:src|href)="([^"#]+)"', page)
            if link.startswith("/static/")
        }
        static = [await found(plant, link) for link in sorted(links)]
    for content in (*pages, *static):
        assert set(ADDRESS.findall(content)) <= NAMESPACES
        assert not re.search(r"<script(?![^>]*\ssrc=)", content)
        assert not re.search(r"\son\w+=|\sstyle=", content)


async def test_every_problem_has_its_page(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        for slug, kind in PROBLEMS.items():
            assert kind.title in await found(plant, f"/problems/{slug}")
        assert (await plant.client.get("/problems/nonsense")).status_code == 404


async def test_the_description_of_the_api_is_not_made_on_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_plant(tmp_path) as plant:
        threads: list[int] = []
        make = plant.app.openapi

        def noted() -> dict[str, Any]:
            threads.append(threading.get_ident())
            return make()

        monkeypatch.setattr(plant.app, "openapi", noted)
        answer = await plant.client.get("/openapi.json")
        assert "/api/v1/job-orders" in answer.json()["paths"]
        assert (await plant.client.get("/docs")).status_code == 200
    assert len(threads) == 2
    assert threading.get_ident() not in threads


async def test_operations_are_named_after_their_functions(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modules=module_routers) as plant:
        described = plant.app.openapi()
        docs = await found(plant, "/docs")
    names = [
        operation["operationId"]
        for item in described["paths"].values()
        for operation in item.values()
    ]
    assert len(set(names)) == len(names)
    assert {"show_job_order", "load_job_order", "complete_job_order"} <= set(names)
    for name in names:
        assert f'id="{name}"' in docs


async def test_commands_say_that_they_need_their_headers(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        paths = plant.app.openapi()["paths"]
    for path, item in paths.items():
        if "post" in item:
            if "/gateways/" in path:  # reports have numbers, and nobody says them
                assert "401" in item["post"]["responses"], path
                continue
            needed = {
                one["name"] for one in item["post"]["parameters"] if one["required"]
            }
            assert "X-Person" in needed, path
            if path.endswith("/preview"):
                continue  # It does nothing, so there is nothing to repeat.
            assert "Idempotency-Key" in needed, path
            assert "409" in item["post"]["responses"], path


async def test_names_of_the_plant_are_escaped(tmp_path: Path) -> None:
    async with running_plant(tmp_path) as plant:
        answer = await plant.client.get("/t/<script>alert(1)</script>")
        missing = await plant.client.get("/t/nowhere")
    assert answer.status_code in {404, 422}
    assert missing.status_code == 404


async def test_a_modules_router_is_part_of_the_app(tmp_path: Path) -> None:
    router = APIRouter(prefix="/api/v1/greetings")

    @router.get("")
    async def greet() -> str:
        return "hello"

    async with running_plant(tmp_path, modules=lambda _: [router]) as plant:
        assert await plant.get("/greetings") == "hello"
