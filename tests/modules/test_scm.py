"""Receipts become lots in stock, and the stock is what the moves add up to."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mes_engine.core.messages import ApplyPlant, Outcome
from mes_engine.modules.scm import CONSUMER, ScmService, handle, scm_router
from mes_engine.storage.database import Database
from mes_engine.storage.intents import pending_intents
from tests.builders import a_plant, a_sawn_request, a_site
from tests.modules.floor import MARIA, Crash, Floor, client_of, clock

SCM = "/api/v1/scm"
RECEIPT = f"{SCM}/receipts/GR-1"


def a_receipt(**changes: Any) -> dict[str, Any]:
    receipt = {
        "supplier": "STEEL",
        "material": "BAR",
        "quantity": "6.25",
        "supplier_lot": "HEAT-4711",
    }
    return receipt | changes


@pytest.fixture
async def scm(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(scm_router(ScmService(database, clock))) as client:
        client.headers.update(MARIA)
        await client.put(f"{SCM}/suppliers/STEEL", json={"name": "Steel Inc"})
        bar = {"unit": "MTR", "name": "Round bar"}
        await client.put(f"{SCM}/materials/BAR", json=bar)
        yield client


async def test_masters_are_taken_down_once(scm: httpx.AsyncClient) -> None:
    again = await scm.put(f"{SCM}/suppliers/STEEL", json={"name": "Steel Inc"})
    assert again.status_code == 200
    other = await scm.put(f"{SCM}/suppliers/STEEL", json={"name": "Iron Inc"})
    assert other.status_code == 409
    bar = {"unit": "KGM", "name": "Round bar"}
    assert (await scm.put(f"{SCM}/materials/BAR", json=bar)).status_code == 409
    bad = {"unit": "pcs", "name": "Screw"}
    assert (await scm.put(f"{SCM}/materials/SCREW", json=bad)).status_code == 422
    listed = (await scm.get(f"{SCM}/materials")).json()["items"]
    assert listed == [{"code": "BAR", "unit": "MTR", "name": "Round bar"}]
    listed = (await scm.get(f"{SCM}/suppliers")).json()["items"]
    assert listed == [{"id": "STEEL", "name": "Steel Inc"}]


async def test_a_receipt_becomes_a_lot_in_stock(
    scm: httpx.AsyncClient, floor: Floor
) -> None:
    first = await scm.put(RECEIPT, json=a_receipt())
    assert first.status_code == 202, first.text
    assert (first.json()["state"], first.json()["lot"]) == ("requested", None)
    again = await scm.put(RECEIPT, json=a_receipt(quantity="6.250"))
    assert again.content == first.content
    assert (await scm.put(RECEIPT, json=a_receipt(quantity="7"))).status_code == 409
    assert [one.outcome for one in await floor.relay()] == [Outcome.ACCEPTED]
    assert (await scm.get(RECEIPT)).json()["state"] == "received"
    await floor.tell(CONSUMER, handle)
    shown = (await scm.get(RECEIPT)).json()
    (lot,) = floor.shop.committed.lot.values()
    assert (shown["state"], shown["lot"]) == ("received", lot.id)
    assert shown["received_by"] == "Maria"
    lots = (await scm.get(f"{SCM}/stock/lots")).json()["items"]
    assert lots == [
        {
            "lot": lot.id,
            "location": "DOCK",
            "material": "BAR",
            "quantity": "6.25",
            "unit": "MTR",
            "supplier": "STEEL",
            "supplier_lot": "HEAT-4711",
            "work_request": None,
        }
    ]


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"quantity": "0"}, 422, "of nothing"),
        ({"quantity": "-1"}, 422, "negative"),
        ({"quantity": "0.0000001"}, 422, "6 decimals"),
        ({"supplier": "NOBODY"}, 409, "names what is not known"),
        ({"material": "NOTHING"}, 409, "names what is not known"),
        ({"supplier_lot": "a\u0000b"}, 422, "control character"),
    ],
)
async def test_a_receipt_that_cannot_be_leaves_no_trace(
    scm: httpx.AsyncClient,
    database: Database,
    changes: dict[str, str],
    status: int,
    told: str,
) -> None:
    answer = await scm.put(RECEIPT, json=a_receipt(**changes))
    assert answer.status_code == status
    assert told in answer.json()["detail"]
    assert (await scm.get(RECEIPT)).status_code == 404
    assert await database.read(lambda c: pending_intents(c, 10)) == []


async def test_a_quantity_finer_than_the_unit_is_malformed(
    scm: httpx.AsyncClient,
) -> None:
    screw = {"unit": "C62", "name": "Screw"}
    await scm.put(f"{SCM}/materials/SCREW", json=screw)
    answer = await scm.put(RECEIPT, json=a_receipt(material="SCREW"))
    assert answer.status_code == 422


async def test_only_a_refused_receipt_is_tried_again(
    scm: httpx.AsyncClient, floor: Floor
) -> None:
    await scm.put(RECEIPT, json=a_receipt())
    retry = f"{RECEIPT}/retry"
    assert (await scm.post(retry, json={"attempt": 1})).status_code == 409
    await floor.relay()
    assert (await scm.post(retry, json={"attempt": 1})).status_code == 409
    assert (await scm.post(retry, json={"attempt": 2})).status_code == 409


async def test_what_the_engine_refused_is_tried_again(
    scm: httpx.AsyncClient, database: Database
) -> None:
    floor = Floor(database)  # without a plant, there is no place to put it
    await scm.put(RECEIPT, json=a_receipt())
    await floor.relay()
    shown = (await scm.get(RECEIPT)).json()
    assert (shown["state"], shown["attempt"]) == ("refused", 1)
    assert shown["refusal"]["message"] == "There is no plant yet."
    await floor.do(ApplyPlant(plant=a_plant()))
    tried = await scm.post(f"{RECEIPT}/retry", json={"attempt": 1})
    assert (tried.status_code, tried.json()["state"]) == (202, "requested")
    again = await scm.post(f"{RECEIPT}/retry", json={"attempt": 1})
    assert again.content == tried.content
    assert [one.outcome for one in await floor.relay()] == [Outcome.ACCEPTED]
    await floor.tell(CONSUMER, handle)
    (lot,) = floor.shop.committed.lot.values()
    assert (await scm.get(RECEIPT)).json()["lot"] == lot.id


async def test_receipts_are_listed_by_pages(scm: httpx.AsyncClient) -> None:
    for number in range(3):
        await scm.put(f"{SCM}/receipts/GR-{number}", json=a_receipt())
    page = (await scm.get(f"{SCM}/receipts?limit=2&material=BAR")).json()
    assert [one["id"] for one in page["items"]] == ["GR-0", "GR-1"]
    rest = (await scm.get(f"{SCM}/receipts?cursor={page['next']}")).json()
    assert [one["id"] for one in rest["items"]] == ["GR-2"]


@pytest.mark.parametrize("at_a_time", [1, 7, 1000])
async def test_the_stock_is_what_the_ledger_of_moves_says(
    scm: httpx.AsyncClient, floor: Floor, at_a_time: int
) -> None:
    a_site(floor.shop)
    a_sawn_request(floor.shop, "WR-1")
    await floor.note()
    with pytest.raises(Crash):
        await floor.tell(CONSUMER, handle, crash=True)
    while await floor.tell(CONSUMER, handle, limit=at_a_time):
        pass
    assert await floor.tell(CONSUMER, handle) == 0
    shown = {
        (one["lot"], one["location"]): Decimal(one["quantity"])
        for one in (await scm.get(f"{SCM}/stock/lots")).json()["items"]
    }
    positions = floor.shop.committed.position.values()
    in_stock = {(one.lot, one.place): one.stock for one in positions if one.stock}
    assert shown == in_stock
    (bars,) = (await scm.get(f"{SCM}/stock?material=BAR")).json()
    assert Decimal(bars["quantity"]) == Decimal("12.5") - Decimal("2.5")
    assert bars["lots"] == 2
    page = (await scm.get(f"{SCM}/stock/lots?limit=1")).json()
    rest = (await scm.get(f"{SCM}/stock/lots?cursor={page['next']}")).json()
    assert len(rest["items"]) == len(shown) - 1
