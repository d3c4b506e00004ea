"""A sales order, and the floor that works on it."""

from decimal import Decimal
from typing import Any

import httpx

from mes_engine.core.job_order import JobOrderTrigger
from mes_engine.core.messages import (
    AssertTrigger,
    BeginJobOrder,
    LoadJobOrder,
    ReceiveMaterial,
    ReportQuantity,
    Scrapped,
)
from tests.modules.floor import Floor

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
