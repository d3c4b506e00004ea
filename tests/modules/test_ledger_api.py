"""The ledger is read over HTTP: totals and entries."""

from decimal import Decimal

from mes_engine.modules.ledger import (
    LedgerService,
    ledger_router,
)
from tests.modules.floor import client_of
from tests.modules.postings import a_posting, a_reversal


async def test_the_totals_over_http(ledger: LedgerService) -> None:
    await ledger.post(a_posting(1, business_date="2026-09-20"))
    await ledger.post(a_posting(2, step="20", work_center="MILLS"))
    await ledger.post(a_posting(1, stream="WR-2", good=Decimal("2.50"), unit="KGM"))
    async with client_of(ledger_router(ledger)) as client:
        centers = (await client.get("/api/v1/ledger/work-centers")).json()
        assert [(one["work_center"], one["unit"], one["good"]) for one in centers] == [
            ("MILLS", "C62", "10"),
            ("SAWS", "C62", "10"),
            ("SAWS", "KGM", "2.5"),
        ]
        of_a_day = await client.get(
            "/api/v1/ledger/work-centers",
            params={"first_day": "2026-09-21", "by_day": "true"},
        )
        days = [(one["work_center"], one["business_date"]) for one in of_a_day.json()]
        assert days == [("MILLS", "2026-09-21"), ("SAWS", "2026-09-21")]
        page = (await client.get("/api/v1/ledger/orders", params={"limit": 1})).json()
        assert page["items"][0]["order"] == "WR-1"
        assert page["items"][0]["good"] == "20"
        assert page["items"][0]["processing_s"] == "66.000002"
        rest = await client.get("/api/v1/ledger/orders?cursor=" + page["next"])
        assert [one["order"] for one in rest.json()["items"]] == ["WR-2"]
        steps = (await client.get("/api/v1/ledger/orders/WR-1")).json()
        assert [one["step"] for one in steps] == ["10", "20"]
        assert (await client.get("/api/v1/ledger/orders/WR-9")).status_code == 404


async def test_the_entries_over_http_by_pages(ledger: LedgerService) -> None:
    await ledger.post(a_posting(1))
    await ledger.post(a_reversal(a_posting(1), 2))
    async with client_of(ledger_router(ledger)) as client:
        page = (await client.get("/api/v1/ledger/entries?limit=1&order=WR-1")).json()
        assert page["items"][0]["reference"] == "WCL-1"
        rest = await client.get("/api/v1/ledger/entries?cursor=" + page["next"])
        (reversal,) = rest.json()["items"]
        assert (reversal["kind"], reversal["good"]) == ("reverse", "-10")
        assert reversal["reverses"] == "WR-1:1"
        assert rest.json()["next"] is None
        bad = await client.get("/api/v1/ledger/entries?cursor=!")
        assert bad.status_code == 400
