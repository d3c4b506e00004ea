"""Whatever is sent, and however often: the balances are the sums."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_engine.core.postings import Posting, PostingKind
from mes_engine.modules.ledger import (
    LedgerService,
    booked,
    canonical,
    stream_totals,
)
from mes_engine.modules.ledger.model import MEASURES
from mes_engine.storage.database import Database
from mes_engine.storage.metadata import metadata
from tests.databases import url_in
from tests.modules.floor import clock
from tests.modules.postings import a_posting, a_reversal


@st.composite
def sendings(draw: st.DrawFn) -> list[Posting]:
    """Postings of a few streams in their orders, each sent once or more."""
    made: dict[str, list[Posting]] = {"A": [], "B": []}
    sent: list[Posting] = []
    for _ in range(draw(st.integers(1, 12))):
        stream = made[name := draw(st.sampled_from("AB"))]
        undone = {one.reverses for one in stream}
        open_ones = [
            one
            for one in stream
            if one.kind is PostingKind.CONFIRM and one.key not in undone
        ]
        seq = len(stream) + 1
        is_reversal: bool = draw(st.booleans())
        if open_ones and is_reversal:
            posting = a_reversal(draw(st.sampled_from(open_ones)), seq)
        else:
            amount = st.integers(0, 10**12).map(lambda n: Decimal(n).scaleb(-6))
            posting = a_posting(
                seq,
                stream=name,
                good=draw(amount),
                scrap=draw(amount),
                setup_s=draw(amount),
                processing_s=draw(amount),
                labour_s=draw(amount),
            )
        stream.append(posting)
        sent.append(posting)
        sent += draw(st.lists(st.sampled_from(sent), max_size=2))
    return sent


@settings(max_examples=15, deadline=None)
@given(sent=sendings())
def test_balances_are_the_sums_of_the_postings_however_often_sent(
    sent: list[Posting],
) -> None:
    asyncio.run(_check_balances(sent))


async def _check_balances(sent: list[Posting]) -> None:
    with TemporaryDirectory() as folder:
        async with _database(Path(folder)) as database:
            ledger = LedgerService(database, clock)
            references: dict[str, str] = {}
            for posting in sent:
                reference = await ledger.post(posting)
                assert references.setdefault(posting.key, reference) == reference
            once = {one.key: one for one in sent}
            assert await database.read(booked) == {
                key: canonical(one) for key, one in once.items()
            }
            totals = await database.read(stream_totals)
            for stream in {one.stream for one in sent}:
                of_stream = [one for one in once.values() if one.stream == stream]
                for measure in MEASURES:
                    assert getattr(totals[stream].amounts, measure) == sum(
                        -getattr(one, measure)
                        if one.kind is PostingKind.REVERSE
                        else getattr(one, measure)
                        for one in of_stream
                    )
                assert totals[stream].last_seq == len(of_stream)
            numbers = [one.number for one in await ledger.entries(limit=1000)]
            assert numbers == list(range(1, len(once) + 1))


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[Database]:
    database = Database.open(url_in(folder))
    try:
        await database.write(metadata.create_all)
        yield database
    finally:
        await database.close()
