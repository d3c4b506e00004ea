"""Whatever is sent, the answer is a problem and never an error of ours."""

import json
import re
from itertools import count
from pathlib import Path

from mes_engine.http.problems import MEDIA_TYPE
from tests.plant import RunningPlant, module_routers, running_plant

BODIES = (
    "null",
    "[]",
    "{}",
    '"text"',
    "0",
    json.dumps(
        {
            "work_unit": "saw-1",
            "reason": "r",
            "remainder": "scrap",
            "good": "1e9",
            "scrap": [{"quantity": "1e-6", "reason": "x"}],
            "occurred_at": "9999-12-31T23:59:59.999999Z",
        }
    ),
    '{"good": 999999999.999999, "suspect": 0.000001}',
    '{"good": 1e-400}',
    '{"good": ' + "9" * 39 + "}",
    '{"reason": "\\ud83d\\ude00\\u202e"}',
    '{"reason": "\\ud83d"}',
    '{"reason": {"$ne": 1}}',
    '{"priority": 99999999999999999999}',
    '{"due_at": "0001-01-01T00:00:00Z", "quantity": -0.0}',
    '{"remainder": "SCRAP", "reason": ""}',
    '{"__proto__": {}, "scope": "job_order"}',
    "[" * 32 + "]" * 32,
    "{",
    "\x00",
)
NAMES = ("JO-000001", "%00", "..%2f..", "a'%20OR%201=1", "%ff", "x" * 300, "💥")
QUERIES = (
    "limit=0",
    "limit=99999999999999999999",
    "cursor=%00",
    "cursor=////",
    "after=99999999999999999999",
    "after=-1",
    "state=nothing",
    "type=%00&type=x",
    "work_request=%ff",
    "material=%00",
    "is_open=perhaps",
)


async def check(plant: RunningPlant, method: str, path: str, body: str | None) -> None:
    answer = await plant.client.request(
        method,
        path,
        content=body,
        headers={
            "Content-Type": "application/json",
            "X-Person": "Mallory",
            "Idempotency-Key": f"hostile-{next(NUMBERS)}",
        },
    )
    told = f"{method} {path} {body}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, told
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == MEDIA_TYPE, told


NUMBERS = count()


def paths(plant: RunningPlant, method: str) -> list[str]:
    described = plant.app.openapi()["paths"]
    return [path for path, item in described.items() if method in item]


async def test_hostile_bodies_are_answered_with_problems(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modules=module_routers) as plant:
        await plant.request("WR-1")
        for method in ("post", "put"):
            for path in paths(plant, method):
                filled = re.sub(r"{\w+}", "JO-000001", path)
                for body in BODIES:
                    await check(plant, method.upper(), filled, body)


async def test_hostile_names_and_queries_are_answered_with_problems(
    tmp_path: Path,
) -> None:
    async with running_plant(tmp_path, modules=module_routers) as plant:
        for path in paths(plant, "get"):
            if path.endswith("/stream"):
                continue
            if "{" in path:
                for name in NAMES:
                    await check(plant, "GET", re.sub(r"{\w+}", name, path), None)
            for query in QUERIES:
                filled = re.sub(r"{\w+}", "WR-1", path)
                await check(plant, "GET", f"{filled}?{query}", None)
