"""Sales orders become work requests, and show how these fare."""

from decimal import Decimal

import httpx
import pytest

from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.messages import (
    AssertTrigger,
    BeginJobOrder,
    CreateWorkRequest,
    LoadJobOrder,
    Outcome,
    ReleaseRouting,
    ReleaseWorkRequest,
    ReportQuantity,
    WithdrawRouting,
)
from mes_engine.core.requests import WorkRequestState
from mes_engine.modules.crm import CONSUMER, handle
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
from tests.modules.floor import NOW, Crash, Floor
from tests.modules.orders import CRM, ORDER, an_order, sawn, the_line


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
