"""The demo's reckoning: each piece made is counted, or explained by a fact."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from mes_engine.demo.client import Api
from mes_engine.demo.reckoning import MachineReckoning, reckon

UNIT = {"id": "mill-1", "equipment": {"link": "connected"}}


def baseline(seq: int, role: str, value: int) -> dict[str, Any]:
    """Return the fact that a counter stood at ``value`` when it was first seen."""
    signal = {"tag": f"mill-1.{role}", "value": str(value)}
    return {"seq": seq, "fact": {"signal": signal, "change": "baseline"}}


def tally(role: str, counted: int) -> dict[str, str]:
    told = str(counted)
    return {"role": role, "counted": told, "booked": "0", "unassigned": told}


async def reckoned(
    folder: Path, *, made: tuple[int, int], counted: tuple[int, int], facts: list[Any]
) -> MachineReckoning:
    """Reckon up one machine; pieces are ``(good, scrap)``."""
    results = ["good"] * made[0] + ["scrap"] * made[1]
    pieces = folder / "pieces.jsonl"
    pieces.write_text(
        "".join(f"{json.dumps({'machine': 'mill-1', 'result': r})}\n" for r in results)
    )

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1")
        after = int(request.url.params.get("after", 0))
        told: dict[str, Any] = {
            "/work-units": [UNIT],
            "/work-units/mill-1": {
                "tallies": [tally("good", counted[0]), tally("scrap", counted[1])]
            },
            "/facts": {"items": [one for one in facts if one["seq"] > after]},
        }
        return httpx.Response(200, json=told.get(path, {"items": [], "next": None}))

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://mes") as http:
        (found,) = await reckon(Api(http, "Pat"), pieces)
    return found


async def test_what_was_made_and_counted_is_no_problem(tmp_path: Path) -> None:
    found = await reckoned(tmp_path, made=(9, 2), counted=(9, 2), facts=[])

    assert found.problems == []


async def test_a_baseline_explains_pieces_of_its_own_role(tmp_path: Path) -> None:
    facts = [baseline(5, "good", 3), baseline(6, "scrap", 1), baseline(7, "run", 4)]

    found = await reckoned(tmp_path, made=(9, 2), counted=(6, 1), facts=facts)

    assert found.problems == []
    assert found.as_plain()["explained"] == "4"
    assert (found.explained_good, found.explained_scrap) == (Decimal(3), Decimal(1))
    assert len(found.facts) == 2


async def test_explained_good_does_not_excuse_lost_scrap(tmp_path: Path) -> None:
    facts = [baseline(5, "good", 3)]

    found = await reckoned(tmp_path, made=(9, 2), counted=(7, 1), facts=facts)

    assert found.difference == 0
    assert found.problems == ["2 scrap made, 1 counted, 0 explained"]
