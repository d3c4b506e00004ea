"""Revisions of routings are drafted, released with their hash, and withdrawn."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml
from pydantic import BaseModel

from mes_engine.core.messages import Outcome, ReleaseRouting
from mes_engine.core.routing import Routing
from mes_engine.core.steps import Component, Connection, Step
from mes_engine.modules.plm import (
    CONSUMER,
    PlmService,
    canonical,
    digest_of,
    handle,
    plm_router,
)
from mes_engine.modules.plm.api import (
    ComponentBody,
    ConnectionBody,
    RoutingBody,
    StepBody,
)
from mes_engine.modules.plm.model import plain
from mes_engine.storage.database import Database
from tests.builders import a_routing
from tests.modules.floor import MARIA, Crash, Floor, client_of, clock

REVISION = "/api/v1/plm/routings/bracket/revisions/1"
ROUTINGS = Path(__file__).parents[2] / "routings"


def a_body(**changes: Any) -> dict[str, Any]:
    return plain(a_routing()) | changes


@pytest.fixture
async def plm(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(plm_router(PlmService(database, clock))) as client:
        client.headers.update(MARIA)
        yield client


async def test_a_draft_shows_its_body_and_its_hash(plm: httpx.AsyncClient) -> None:
    first = await plm.put(REVISION, json=to_send(a_body()))
    assert first.status_code == 200, first.text
    shown = first.json()
    assert shown["state"] == "draft"
    assert shown["imported_by"] == "Maria"
    assert shown["body"] == json.loads(canonical(a_routing()))
    assert shown["sha256"] == digest_of(a_routing())
    assert (await plm.put(REVISION, json=to_send(a_body()))).json() == shown
    assert (await plm.get(REVISION)).json() == shown


async def test_a_draft_gives_way_to_another_body(plm: httpx.AsyncClient) -> None:
    first = await plm.put(REVISION, json=to_send(a_body()))
    other = await plm.put(REVISION, json=to_send(a_body(under_tolerance="0.02")))
    assert other.status_code == 200
    assert other.json()["body"]["under_tolerance"] == "0.02"
    assert other.json()["sha256"] != first.json()["sha256"]


FILES = {path.stem: path.read_text() for path in sorted(ROUTINGS.glob("*.yaml"))}


@pytest.mark.parametrize("file", FILES)
async def test_a_file_of_routings_is_a_body(plm: httpx.AsyncClient, file: str) -> None:
    body = yaml.safe_load(FILES[file])
    path = f"/api/v1/plm/routings/{body['id']}/revisions/{body['revision']}"
    answer = await plm.put(path, json=body)
    assert answer.status_code == 200, answer.text
    steps = [step["id"] for step in answer.json()["body"]["steps"]]
    assert steps == [step["id"] for step in body["steps"]]


async def test_every_problem_of_a_body_is_told_at_once_with_its_path(
    plm: httpx.AsyncClient,
) -> None:
    body = to_send(a_body(unit="pcs"))
    body["steps"][0]["consumes"][0]["unit"] = "bar"
    body["steps"][1]["id"] = "10"
    body["connections"][0]["target"] = "30"
    answer = await plm.put(REVISION, json=body)
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {
        "#/unit",
        "#/steps/0/consumes/0/unit",
        "#/steps/1/id",
        "#/connections/0/target",
    }
    assert (await plm.get(REVISION)).status_code == 404


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    [
        (("steps", 0, "setup_s"), "-1", "#/steps/0/setup_s"),
        (("steps", 0, "begin_on"), "wish", "#/steps/0/begin_on"),
        (("steps", 0, "colour"), "red", "#/steps/0/colour"),
        (("connections", 0, "share"), "1.5", "#/connections/0/share"),
        (("connections", 0, "share"), "0.5", "#/steps/0"),
        (("connections", 0, "transfer_batch"), "0", "#/connections/0/transfer_batch"),
        (("connections", 0, "transfer_batch"), "0.5", "#/connections/0/transfer_batch"),
        (("connections", 0, "kind"), "precedence", "#/connections/0/transfer_batch"),
        (("revision",), "2", "#/id"),
    ],
)
async def test_a_value_that_cannot_be_is_told_where(
    plm: httpx.AsyncClient, where: tuple[str | int, ...], value: str, pointer: str
) -> None:
    body = to_send(a_body())
    part: Any = body
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    answer = await plm.put(REVISION, json=body)
    assert answer.status_code == 422
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]


async def test_a_release_gives_the_engine_the_body(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    await plm.put(REVISION, json=to_send(a_body()))
    asked = await plm.post(f"{REVISION}/release")
    assert (asked.status_code, asked.json()["state"]) == (202, "releasing")
    assert (await plm.post(f"{REVISION}/release")).json() == asked.json()
    assert [one.outcome for one in await floor.relay()] == [Outcome.ACCEPTED]
    assert floor.shop.committed.routing.get(("bracket", "1")) == a_routing()
    assert (await plm.get(REVISION)).json()["state"] == "released"
    await floor.tell(CONSUMER, handle)
    shown = (await plm.get(REVISION)).json()
    assert (shown["state"], shown["effective"]) == ("released", True)
    assert shown["released_by"] == "Maria"


async def test_a_released_body_stays_what_it_is(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    await plm.put(REVISION, json=to_send(a_body()))
    await plm.post(f"{REVISION}/release")
    for _ in range(2):
        other = await plm.put(REVISION, json=to_send(a_body(over_tolerance="0.1")))
        assert other.status_code == 409
        same = await plm.put(REVISION, json=to_send(a_body(over_tolerance="0.00")))
        assert same.status_code == 200
        await floor.relay()


async def test_a_refused_release_can_be_mended(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    body = to_send(a_body())
    body["steps"][0]["work_center"] = "LASERS"
    await plm.put(REVISION, json=body)
    await plm.post(f"{REVISION}/release")
    await floor.relay()
    shown = (await plm.get(REVISION)).json()
    assert shown["state"] == "refused"
    assert shown["refusal"]["unmet"] == ["steps.0.work_center: there is no 'LASERS'"]
    mended = await plm.put(REVISION, json=to_send(a_body()))
    assert (mended.json()["state"], mended.json()["refusal"]) == ("draft", None)
    await plm.post(f"{REVISION}/release")
    assert [one.outcome for one in await floor.relay()] == [Outcome.ACCEPTED]
    assert (await plm.get(REVISION)).json()["state"] == "released"


async def test_a_released_revision_can_be_withdrawn(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    await plm.put(REVISION, json=to_send(a_body()))
    assert (await plm.post(f"{REVISION}/withdraw")).status_code == 409
    await plm.post(f"{REVISION}/release")
    await floor.relay()
    await floor.tell(CONSUMER, handle)
    asked = await plm.post(f"{REVISION}/withdraw")
    assert (asked.status_code, asked.json()["state"]) == (202, "withdrawing")
    await floor.relay()
    await floor.tell(CONSUMER, handle)
    shown = (await plm.get(REVISION)).json()
    assert (shown["state"], shown["effective"]) == ("withdrawn", False)
    assert shown["withdrawn_by"] == "Maria"
    assert (await plm.post(f"{REVISION}/release")).status_code == 409


async def test_only_the_effective_revision_is_withdrawn(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    await plm.put(REVISION, json=to_send(a_body()))
    await plm.post(f"{REVISION}/release")
    await floor.relay()
    await floor.do(ReleaseRouting(routing=a_routing("2")))
    await floor.tell(CONSUMER, handle)
    listed = (await plm.get("/api/v1/plm/routings")).json()["items"]
    assert [(one["revision"], one["effective"]) for one in listed] == [
        ("1", False),
        ("2", True),
    ]
    await plm.post(f"{REVISION}/withdraw")
    await floor.relay()
    shown = (await plm.get(REVISION)).json()
    assert shown["state"] == "released"
    assert "not the effective one" in shown["refusal"]["message"]


async def test_what_was_released_elsewhere_is_shown_too(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    """A file imported at the start, and a draft of the same name that lost."""
    await plm.put(REVISION, json=to_send(a_body(over_tolerance="0.5")))
    await floor.do(ReleaseRouting(routing=a_routing()))
    await floor.do(ReleaseRouting(routing=a_routing("2")))
    with pytest.raises(Crash):
        await floor.tell(CONSUMER, handle, crash=True)
    while await floor.tell(CONSUMER, handle, limit=1):
        pass
    shown = (await plm.get(REVISION)).json()
    assert shown["state"] == "released"
    assert shown["sha256"] == digest_of(a_routing())
    assert shown["released_by"] == "anna"


async def test_revisions_are_listed_by_pages(
    plm: httpx.AsyncClient, floor: Floor
) -> None:
    for revision in "123":
        await floor.do(ReleaseRouting(routing=a_routing(revision)))
    await floor.tell(CONSUMER, handle)
    page = (await plm.get("/api/v1/plm/routings?limit=2")).json()
    assert [one["revision"] for one in page["items"]] == ["1", "2"]
    assert "body" not in page["items"][0]
    rest = await plm.get("/api/v1/plm/routings?cursor=" + page["next"])
    assert [one["revision"] for one in rest.json()["items"]] == ["3"]


@pytest.mark.parametrize(
    ("body", "core"),
    [
        (RoutingBody, Routing),
        (StepBody, Step),
        (ConnectionBody, Connection),
        (ComponentBody, Component),
    ],
)
def test_a_body_says_all_that_the_core_knows(
    body: type[BaseModel], core: type[msgspec.Struct]
) -> None:
    assert set(body.model_fields) == set(core.__struct_fields__)


def test_the_hash_is_of_what_is_meant_not_of_how_it_is_written() -> None:
    routing = a_routing()
    same = msgspec.structs.replace(routing, over_tolerance=Decimal("0.000"))
    other = msgspec.structs.replace(routing, over_tolerance=Decimal("0.001"))
    assert digest_of(same) == digest_of(routing) != digest_of(other)
    assert msgspec.json.decode(canonical(routing), type=Routing) == routing


def to_send(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as a client writes it: without what says nothing."""
    written: dict[str, Any] = json.loads(json.dumps(body))
    for one in written["connections"]:
        if one["kind"] != "quantity":
            del one["share"]
    return written
