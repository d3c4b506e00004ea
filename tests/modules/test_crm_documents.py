"""Customers and sales orders are taken down once, and as they may be."""

from typing import Any

import httpx
import pytest

from tests.modules.orders import CRM, ORDER, an_order


async def test_a_customer_is_taken_down_once(crm: httpx.AsyncClient) -> None:
    again = await crm.put(f"{CRM}/customers/ACME", json={"name": "Acme"})
    assert (again.status_code, again.json()) == (200, {"id": "ACME", "name": "Acme"})
    other = await crm.put(f"{CRM}/customers/ACME", json={"name": "Apex"})
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    listed = (await crm.get(f"{CRM}/customers")).json()
    assert listed == {"items": [{"id": "ACME", "name": "Acme"}], "next": None}


async def test_a_draft_is_taken_down_once(crm: httpx.AsyncClient) -> None:
    first = await crm.put(ORDER, json=an_order())
    assert first.status_code == 200, first.text
    assert first.json()["state"] == "draft"
    assert first.json()["lines"][0]["promised_at"] == "2026-11-30T12:00:00Z"
    again = await crm.put(ORDER, json=an_order(quantity=10))
    assert again.content == first.content
    other = await crm.put(ORDER, json=an_order(quantity="11"))
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (an_order(quantity="-1"), 422, "#/lines/0/quantity"),
        (an_order(quantity="a lot"), 422, "#/lines/0/quantity"),
        (an_order(material="../etc"), 422, "#/lines/0/material"),
        (an_order(promised_at="2026-11-30"), 422, "#/lines/0/promised_at"),
        (an_order(line="1"), 422, "#/lines/0/line"),
        (an_order(colour="red"), 422, "#/lines/0/colour"),
        ({"customer": "ACME", "lines": []}, 422, "#/lines"),
    ],
)
async def test_a_body_of_another_shape_is_told_where(
    crm: httpx.AsyncClient, body: dict[str, Any], status: int, pointer: str
) -> None:
    answer = await crm.put(ORDER, json=body)
    assert answer.status_code == status
    assert pointer in [one["pointer"] for one in answer.json()["errors"]]
    assert (await crm.get(ORDER)).status_code == 404


async def test_a_line_of_nothing_or_twice_is_malformed(crm: httpx.AsyncClient) -> None:
    twice = an_order(quantity="0")
    twice["lines"] *= 2
    answer = await crm.put(ORDER, json=twice)
    assert answer.status_code == 422
    assert "line 1 is there twice" in answer.json()["detail"]
    assert "must be above 0" in answer.json()["detail"]


async def test_an_order_is_of_a_known_customer_and_person(
    crm: httpx.AsyncClient,
) -> None:
    unknown = await crm.put(ORDER, json=an_order() | {"customer": "NOBODY"})
    assert unknown.status_code == 409
    del crm.headers["X-Person"]
    nobody = await crm.put(ORDER, json=an_order())
    assert nobody.status_code == 400


async def test_a_draft_is_cancelled_at_once(crm: httpx.AsyncClient) -> None:
    await crm.put(ORDER, json=an_order())
    cancelled = await crm.post(f"{ORDER}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert (await crm.post(f"{ORDER}/cancel")).content == cancelled.content
    assert (await crm.post(f"{ORDER}/confirm")).status_code == 409


async def test_orders_are_listed_by_pages(crm: httpx.AsyncClient) -> None:
    await crm.put(f"{CRM}/customers/APEX", json={"name": "Apex"})
    for number in range(3):
        order = an_order() | {"customer": "APEX" if number == 1 else "ACME"}
        await crm.put(f"{CRM}/sales-orders/SO-{number}", json=order)
    page = (await crm.get(f"{CRM}/sales-orders?limit=2")).json()
    assert [one["id"] for one in page["items"]] == ["SO-0", "SO-1"]
    rest = (await crm.get(f"{CRM}/sales-orders?cursor={page['next']}")).json()
    assert [one["id"] for one in rest["items"]] == ["SO-2"]
    of_one = (await crm.get(f"{CRM}/sales-orders?customer=APEX")).json()
    assert [one["id"] for one in of_one["items"]] == ["SO-1"]
