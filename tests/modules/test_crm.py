"""Sales orders become work requests, and show how these fare."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.messages import (
    AssertTrigger,
    BeginJobOrder,
    CreateWorkRequest,
    LoadJobOrder,
    Outcome,
    ReceiveMaterial,
    ReleaseRouting,
    ReleaseWorkRequest,
    ReportQuantity,
    Scrapped,
    WithdrawRouting,
)
from mes_engine.core.requests import WorkRequestState
from mes_engine.modules.crm import CONSUMER, CrmService, crm_router, handle
from mes_engine.modules.crm.model import (
    LineProgress,
    LineState,
    OrderLine,
    OrderProgress,
    OrderStage,
    OrderState,
    SalesOrder,
    order_state,
)
from mes_engine.storage.database import Database
from mes_engine.storage.intents import pending_intents
from tests.builders import a_routing
from tests.modules.floor import MARIA, NOW, Crash, Floor, client_of, clock

CRM = "/api/v1/crm"
ORDER = f"{CRM}/sales-orders/SO-1001"


def an_order(**changes: Any) -> dict[str, Any]:
    line = {
        "line": 1,
        "material": "BRACKET",
        "quantity": "10",
        "promised_at": "2026-11-30T12:00:00Z",
        "priority": 5,
    }
    return {"customer": "ACME", "lines": [line | changes]}


@pytest.fixture
async def crm(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(crm_router(CrmService(database, clock))) as client:
        client.headers.update(MARIA)
        await client.put(f"{CRM}/customers/ACME", json={"name": "Acme"})
        yield client


@pytest.fixture
async def makeable(floor: Floor) -> Floor:
    """The floor, with brackets that can be made, which crm has heard of."""
    await floor.do(ReleaseRouting(routing=a_routing()))
    await floor.tell(CONSUMER, handle)
    return floor


async def sawn(floor: Floor) -> str:
    """Saw the pieces of the order but one; return the mill's job order."""
    shop = floor.shop
    await floor.do(
        ReceiveMaterial(
            material="BAR", unit="MTR", quantity=Decimal(9), supplier="Steel Inc"
        )
    )
    (saw,) = shop.batch.job_order.find("request", "SO-1001-1")
    await floor.do(LoadJobOrder(job_order=saw.id, work_unit="saw-1"))
    await floor.do(BeginJobOrder(job_order=saw.id))
    scrap = (Scrapped(quantity=Decimal(1), reason="crooked"),)
    await floor.do(ReportQuantity(job_order=saw.id, good=Decimal(9), scrap=scrap))
    await floor.do(AssertTrigger(job_order=saw.id, trigger=JobOrderTrigger.COMPLETE))
    jobs = shop.batch.job_order.find("request", "SO-1001-1")
    return next(job.id for job in jobs if job.step == "20")


async def the_line(crm: httpx.AsyncClient) -> dict[str, Any]:
    order = (await crm.get(ORDER)).json()
    line: dict[str, Any] = order["lines"][0]
    return line


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


async def test_only_what_a_released_routing_makes_can_be_confirmed(
    crm: httpx.AsyncClient, floor: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    refused = await crm.post(f"{ORDER}/confirm")
    assert refused.status_code == 409
    assert refused.json()["unmet"] == ["line 1: no released routing makes BRACKET"]
    assert (await crm.get(ORDER)).json()["state"] == "draft"
    await floor.do(ReleaseRouting(routing=a_routing()))
    await floor.tell(CONSUMER, handle)
    listed = (await crm.get(f"{CRM}/makeable")).json()
    assert [(one["material"], one["routing"]) for one in listed] == [
        ("BRACKET", "bracket")
    ]
    assert (await crm.post(f"{ORDER}/confirm")).status_code == 202


async def test_a_quantity_finer_than_the_unit_is_not_confirmed(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order(quantity="1.5"))
    refused = await crm.post(f"{ORDER}/confirm")
    assert refused.status_code == 409
    assert "finer than the unit" in refused.json()["unmet"][0]


async def test_what_was_withdrawn_cannot_be_confirmed(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await makeable.do(WithdrawRouting(routing="bracket", revision="1"))
    await makeable.tell(CONSUMER, handle)
    await crm.put(ORDER, json=an_order())
    assert (await crm.post(f"{ORDER}/confirm")).status_code == 409


async def test_a_confirmed_line_becomes_a_released_work_request(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    confirmed = await crm.post(f"{ORDER}/confirm")
    assert confirmed.status_code == 202
    assert confirmed.json()["state"] == "confirmed"
    assert (await the_line(crm))["state"] == "requested"
    again = await crm.post(f"{ORDER}/confirm")
    assert again.content == confirmed.content
    answers = await makeable.relay()
    assert [one.outcome for one in answers] == [Outcome.ACCEPTED] * 2
    request = makeable.shop.committed.work_request.get("SO-1001-1")
    assert request is not None
    assert request.demand == "SO-1001/1"
    assert request.quantity == Decimal(10)
    assert request.priority == 5
    await makeable.tell(CONSUMER, handle)
    line = await the_line(crm)
    assert (line["state"], line["work_request"]) == ("released", "SO-1001-1")
    assert line["refusal"] is None


async def test_a_line_may_be_planned_only(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    await crm.post(f"{ORDER}/confirm", json={"release": False})
    await makeable.relay()
    await makeable.tell(CONSUMER, handle)
    assert (await the_line(crm))["state"] == "planned"
    other = await crm.post(f"{ORDER}/confirm", json={"release": True})
    assert other.status_code == 409
    await makeable.do(ReleaseWorkRequest(work_request="SO-1001-1"))
    await makeable.tell(CONSUMER, handle)
    assert (await the_line(crm))["state"] == "released"


async def test_an_order_shows_how_its_work_fares(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    await crm.post(f"{ORDER}/confirm")
    await makeable.relay()
    mill = await sawn(makeable)
    with pytest.raises(Crash):
        await makeable.tell(CONSUMER, handle, crash=True)
    await makeable.tell(CONSUMER, handle)
    assert (await crm.get(ORDER)).json()["state"] == "in_production"
    await makeable.do(LoadJobOrder(job_order=mill, work_unit="mill-1"))
    await makeable.do(BeginJobOrder(job_order=mill))
    await makeable.do(ReportQuantity(job_order=mill, good=Decimal(9)))
    await makeable.do(AssertTrigger(job_order=mill, trigger=JobOrderTrigger.COMPLETE))
    while await makeable.tell(CONSUMER, handle, limit=3):
        pass
    line = await the_line(crm)
    assert line["finished"] == "9"
    assert line["state"] == "completed"
    assert (await crm.get(ORDER)).json()["state"] == "completed"


async def test_what_the_engine_refused_can_be_mended_and_tried_again(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await makeable.do(WithdrawRouting(routing="bracket", revision="1"))
    await crm.put(ORDER, json=an_order())
    await crm.post(f"{ORDER}/confirm")  # crm has not heard of it yet
    await makeable.relay()
    line = await the_line(crm)
    assert line["state"] == "refused"
    assert "routing_effective: it was withdrawn" in line["refusal"]["unmet"]
    await makeable.tell(CONSUMER, handle)
    attempt = {"attempt": line["attempt"]}
    still = await crm.post(f"{ORDER}/lines/1/retry", json=attempt)
    assert still.status_code == 409
    await makeable.do(ReleaseRouting(routing=a_routing("2")))
    await makeable.tell(CONSUMER, handle)
    tried = await crm.post(f"{ORDER}/lines/1/retry", json=attempt)
    assert tried.status_code == 202, tried.text
    again = await crm.post(f"{ORDER}/lines/1/retry", json=attempt)
    assert again.content == tried.content
    assert len(await makeable.relay()) == 2
    await makeable.tell(CONSUMER, handle)
    assert (await the_line(crm))["state"] == "released"
    nothing = await crm.post(f"{ORDER}/lines/1/retry", json={"attempt": 2})
    assert nothing.status_code == 409


async def test_a_work_request_of_somebody_else_is_not_taken_for_ours(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    await makeable.do(
        CreateWorkRequest(
            work_request="SO-1001-1",
            routing="bracket",
            quantity=Decimal(3),
            due_at=NOW,
            demand="by hand",
        )
    )
    await crm.post(f"{ORDER}/confirm", json={"release": False})
    await makeable.relay()
    await makeable.tell(CONSUMER, handle)
    line = await the_line(crm)
    assert line["state"] == "refused"
    assert "already" in line["refusal"]["message"]
    await crm.post(f"{ORDER}/cancel")
    assert await makeable.relay() == []
    assert (await crm.get(ORDER)).json()["state"] == "cancelled"


async def test_a_draft_is_cancelled_at_once(crm: httpx.AsyncClient) -> None:
    await crm.put(ORDER, json=an_order())
    cancelled = await crm.post(f"{ORDER}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    assert (await crm.post(f"{ORDER}/cancel")).content == cancelled.content
    assert (await crm.post(f"{ORDER}/confirm")).status_code == 409


async def test_an_order_not_begun_is_cancelled_with_its_work_requests(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    await crm.post(f"{ORDER}/confirm")
    too_soon = await crm.post(f"{ORDER}/cancel")
    assert too_soon.json()["unmet"] == ["line 1: requested"]
    await makeable.relay()
    asked = await crm.post(f"{ORDER}/cancel")
    assert (asked.status_code, asked.json()["state"]) == (202, "cancelling")
    await makeable.relay()
    await makeable.tell(CONSUMER, handle)
    assert (await crm.get(ORDER)).json()["state"] == "cancelled"
    request = makeable.shop.committed.work_request.get("SO-1001-1")
    assert request is None or request.state is WorkRequestState.CANCELLED


async def test_an_order_in_work_is_not_cancelled(
    crm: httpx.AsyncClient, makeable: Floor
) -> None:
    await crm.put(ORDER, json=an_order())
    await crm.post(f"{ORDER}/confirm")
    await makeable.relay()
    await sawn(makeable)
    await makeable.tell(CONSUMER, handle)
    refused = await crm.post(f"{ORDER}/cancel")
    assert refused.json()["unmet"] == ["line 1: in_progress"]


async def test_nothing_is_asked_of_the_engine_without_the_row(
    crm: httpx.AsyncClient, makeable: Floor, database: Database
) -> None:
    two = an_order()
    two["lines"].append(an_order(line=2, material="UNKNOWN")["lines"][0])
    await crm.put(ORDER, json=two)
    assert (await crm.post(f"{ORDER}/confirm")).status_code == 409
    assert await database.read(lambda c: pending_intents(c, 10)) == []


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


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("planned", "released"), OrderState.CONFIRMED),
        (("released", "in_progress"), OrderState.IN_PRODUCTION),
        (("released", "completed"), OrderState.IN_PRODUCTION),
        (("closed", "completed"), OrderState.COMPLETED),
        (("cancelled", "completed"), OrderState.COMPLETED),
        (("cancelled", "cancelled"), OrderState.CANCELLED),
        (("cancelled", "released"), OrderState.CONFIRMED),
    ],
)
def test_an_order_stands_where_its_lines_do(
    states: tuple[str, ...], expected: OrderState
) -> None:
    lines = tuple(
        LineProgress(
            line=OrderLine(
                line=number, material="M", quantity=Decimal(1), promised_at=NOW
            ),
            attempt=1,
            production=WorkRequestState(LineState(state).value),
        )
        for number, state in enumerate(states, 1)
    )
    progress = OrderProgress(
        order=SalesOrder(
            id="SO", customer="ACME", lines=tuple(one.line for one in lines)
        ),
        stage=OrderStage.CONFIRMED,
        is_released=True,
        lines=lines,
    )
    assert order_state(progress) is expected
