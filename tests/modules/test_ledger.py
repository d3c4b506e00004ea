"""The ledger books each posting once, in order, and for ever."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mes_engine.core.facts import BooksClosed, Recorded
from mes_engine.core.messages import RecordPosting, WaivePosting
from mes_engine.core.periods import Books
from mes_engine.core.postings import Posting, PostingState
from mes_engine.modules.ledger import (
    CONSUMER,
    Amounts,
    LedgerService,
    booked,
    canonical,
    handle,
    stream_totals,
)
from mes_engine.ports import LedgerRefused, PeriodClosed, WorkCenterLedger
from mes_engine.storage.database import Database
from tests.builders import a_sawn_request, a_site
from tests.modules.floor import NOW, Crash, Floor
from tests.modules.postings import a_posting, a_reversal

replace = msgspec.structs.replace


async def test_a_posting_is_booked_under_a_number_of_the_ledger(
    ledger: LedgerService,
) -> None:
    port: WorkCenterLedger = ledger
    assert await port.post(a_posting(1)) == "WCL-1"
    assert await port.post(a_posting(2)) == "WCL-2"
    (first, second) = await ledger.entries()
    assert first.amounts == Amounts(
        good=Decimal(10),
        scrap=Decimal(1),
        setup_s=Decimal("12.5"),
        processing_s=Decimal("33.000001"),
    )
    assert (first.key, second.key) == ("WR-1:1", "WR-1:2")
    assert first.booked_at == NOW


async def test_the_same_posting_again_is_the_same_booking(
    ledger: LedgerService,
) -> None:
    first = await ledger.post(a_posting())
    further = replace(
        a_posting(),
        state=PostingState.IN_DOUBT,
        reason="no answer",
        good=Decimal("10.00"),
    )
    assert await ledger.post(further) == first
    assert len(await ledger.entries()) == 1


async def test_the_same_key_with_another_content_is_refused(
    ledger: LedgerService,
) -> None:
    await ledger.post(a_posting())
    with pytest.raises(LedgerRefused, match="another content"):
        await ledger.post(a_posting(good=Decimal(11)))


async def test_a_gap_in_a_stream_is_refused(ledger: LedgerService) -> None:
    with pytest.raises(LedgerRefused, match="posting 1 of WR-1 is missing"):
        await ledger.post(a_posting(2))
    await ledger.post(a_posting(1))
    await ledger.post(a_posting(2))
    with pytest.raises(LedgerRefused, match="posting 3 of WR-1 is missing"):
        await ledger.post(a_posting(5))


async def test_a_number_of_a_stream_is_booked_once(ledger: LedgerService) -> None:
    await ledger.post(a_posting(1))
    with pytest.raises(LedgerRefused, match="up to number 1 already"):
        await ledger.post(a_posting(1, key="another"))


async def test_one_stream_does_not_wait_for_another(ledger: LedgerService) -> None:
    await ledger.post(a_posting(1, stream="WR-1"))
    assert await ledger.post(a_posting(1, stream="WR-2")) == "WCL-2"


async def test_a_reversal_takes_away_what_its_original_brought(
    ledger: LedgerService, database: Database
) -> None:
    await ledger.post(a_posting(1))
    await ledger.post(a_reversal(a_posting(1), 2))
    totals = await database.read(stream_totals)
    assert totals["WR-1"].amounts == Amounts()
    assert totals["WR-1"].last_seq == 2


@pytest.mark.parametrize(
    ("reversal", "why"),
    [
        (a_reversal(a_posting(9), 2), "WR-1:9, which it reverses, is not booked"),
        (replace(a_reversal(a_posting(1), 2), good=Decimal(9)), "amounts are not"),
        (replace(a_reversal(a_posting(1), 2), work_center="MILLS"), "has work_center"),
        (replace(a_reversal(a_posting(1), 2), reverses=None), "names no posting"),
    ],
)
async def test_a_reversal_that_is_no_mirror_is_refused(
    ledger: LedgerService, reversal: Posting, why: str
) -> None:
    await ledger.post(a_posting(1))
    with pytest.raises(LedgerRefused, match=why):
        await ledger.post(reversal)


async def test_a_posting_is_reversed_once_and_a_reversal_never(
    ledger: LedgerService,
) -> None:
    await ledger.post(a_posting(1))
    await ledger.post(a_reversal(a_posting(1), 2))
    with pytest.raises(LedgerRefused, match="is reversed already"):
        await ledger.post(a_reversal(a_posting(1), 3))
    with pytest.raises(LedgerRefused, match="is a reversal itself"):
        await ledger.post(replace(a_reversal(a_posting(1), 3), reverses="WR-1:2"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"good": Decimal(-1)}, "'good' is -1"),
        ({"scrap": Decimal("NaN")}, "'scrap' is NaN"),
        ({"setup_s": Decimal("0.0000001")}, "'setup_s'"),
        ({"processing_s": Decimal(10) ** 10}, "'processing_s'"),
        ({"unit": "pcs"}, "the unit 'pcs' is unknown"),
        ({"business_date": "2026-02-30"}, "is no date"),
        ({"stream_seq": 0}, "begins with 1"),
        ({"reverses": "WR-1:0"}, "a confirmation that names"),
    ],
)
async def test_an_unlawful_posting_is_refused(
    ledger: LedgerService, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(LedgerRefused, match=why):
        await ledger.post(a_posting(**changes))
    assert await ledger.entries() == []


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE ledger_entry SET good = 0",
        "DELETE FROM ledger_entry",
        "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry",
        "REPLACE INTO ledger_entry SELECT number + 1, key, stream, stream_seq + 1,"
        " kind, job_order, step, work_center, material, unit, 0, 0, 0, 0, 0, 0, 1,"
        " is_final, occurred_at, business_date, reverses, content, booked_at"
        " FROM ledger_entry",
    ],
)
async def test_the_database_refuses_to_change_an_entry(
    ledger: LedgerService, database: Database, tamper: str
) -> None:
    if "REPLACE" in tamper and database.dialect != "sqlite":
        pytest.skip("PostgreSQL has no REPLACE")
    await ledger.post(a_posting())
    before = await ledger.entries()
    with pytest.raises(IntegrityError, match="ledger_entry is written once"):
        await database.write(
            lambda connection: connection.execute(text(tamper)).close()
        )
    assert await ledger.entries() == before


async def test_what_is_booked_can_be_verified_by_key(
    ledger: LedgerService, database: Database
) -> None:
    postings = [a_posting(1), a_posting(2), a_reversal(a_posting(2), 3)]
    for one in postings:
        await ledger.post(one)
    assert await database.read(booked) == {one.key: canonical(one) for one in postings}


async def test_a_waived_posting_leaves_no_gap(
    ledger: LedgerService, floor: Floor
) -> None:
    waived = await _waived(floor)
    # The ledger's consumer has heard nothing of it yet: the gap makes it look.
    assert await ledger.post(replace(waived, key="next", stream_seq=2)) == "WCL-1"
    with pytest.raises(LedgerRefused, match="posting 3 of WR-1 is missing"):
        await ledger.post(replace(waived, key="later", stream_seq=4))


async def test_a_waived_posting_is_not_booked_afterwards(
    ledger: LedgerService, floor: Floor
) -> None:
    waived = await _waived(floor)
    await floor.tell(CONSUMER, handle)
    with pytest.raises(LedgerRefused, match="it was waived"):
        await ledger.post(waived)


async def test_a_crashed_consumer_begins_where_it_was(
    ledger: LedgerService, floor: Floor
) -> None:
    waived = await _waived(floor)
    with pytest.raises(Crash):
        await floor.tell(CONSUMER, handle, crash=True)
    while await floor.tell(CONSUMER, handle, limit=1):
        pass
    assert await ledger.post(replace(waived, key="next", stream_seq=2)) == "WCL-1"


async def test_postings_at_once_are_booked_one_after_the_other(
    ledger: LedgerService,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        for stream in range(20):
            for _ in range(2):
                tasks.create_task(ledger.post(a_posting(1, stream=f"WR-{stream}")))
    numbers = [entry.number for entry in await ledger.entries()]
    assert numbers == list(range(1, 21))


async def test_closed_books_take_nothing_and_know_what_they_have(
    ledger: LedgerService, database: Database
) -> None:
    first = a_posting(1)
    assert await ledger.post(first) == "WCL-1"
    books = Books(closed_until="2026-09-30", at=NOW, person="Eva", reason="September")
    closed = Recorded(
        partition="main",
        seq=1,
        occurred_at=NOW,
        recorded_at=NOW,
        cause="desk:1",
        person="Eva",
        fact=BooksClosed(books=books),
    )
    await database.write(lambda connection: handle(connection, [closed]))

    assert await ledger.post(first) == "WCL-1"  # A repeat is no new entry.
    with pytest.raises(PeriodClosed, match="closed until 2026-09-30"):
        await ledger.post(a_posting(2))
    moved = a_posting(2, business_date="2026-10-01")
    assert await ledger.post(moved) == "WCL-2"


async def _waived(floor: Floor) -> Posting:
    """Saw something, have its posting parked, and do without it."""
    a_site(floor.shop)
    a_sawn_request(floor.shop, "WR-1")
    (posting,) = floor.shop.batch.posting.values()
    parked = RecordPosting(posting=posting.key, state=PostingState.PARKED)
    await floor.do(parked)
    await floor.do(WaivePosting(posting=posting.key, reason="counted twice"))
    return posting
