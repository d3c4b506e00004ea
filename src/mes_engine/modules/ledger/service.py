"""Book postings once each and in order, and say what is booked."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from mes_engine.core.errors import OutcomeUnknown, Overloaded, SourceLost
from mes_engine.core.facts import BooksClosed, PostingMoved, PostingRaised, Recorded
from mes_engine.core.postings import Posting, PostingKind, PostingState
from mes_engine.modules.ledger.model import (
    REFERENCE,
    Entry,
    Totals,
    canonical,
    entry_of,
    number_of,
    posting_problems,
    reversal_problems,
)
from mes_engine.modules.ledger.tables import (
    entry_of_key,
    insert_entry,
    ledger_announced,
    ledger_books,
    ledger_entry,
    read_entries,
    read_totals,
)
from mes_engine.ports import LedgerRefused, PeriodClosed, StoreUnavailable
from mes_engine.storage.cursors import advance_cursor, cursor_of
from mes_engine.storage.database import Database
from mes_engine.storage.journal import facts_after

CONSUMER = "ledger"
LISTENS_TO = (PostingRaised, PostingMoved, BooksClosed)

_NAMES = frozenset({"posting_raised", "posting_moved", "books_closed"})

NEVER_SENT = frozenset({PostingState.WAIVED, PostingState.NETTED})
"""The states in which a posting is settled without being booked."""

_CATCH_UP = 500


class LedgerService:
    """The ledger inside: implements ``ports.WorkCenterLedger``."""

    def __init__(
        self, database: Database, clock: Callable[[], int], *, partition: str = "main"
    ) -> None:
        self._database = database
        self._clock = clock
        self._partition = partition

    async def post(self, posting: Posting) -> str:
        """Book ``posting``, unless it is booked already, and return its reference.

        Raises:
            LedgerRefused: It is no lawful entry, its key is booked with another
                content, one before it in its stream is missing, or it reverses what
                cannot be reversed; ``PeriodClosed`` if its day is closed.
            SourceLost: The database did not take it.
        """
        now = self._clock()

        def work(connection: Connection) -> str:
            return _book(connection, posting, now=now, partition=self._partition)

        try:
            return await self._database.write(work)
        except (StoreUnavailable, OutcomeUnknown, Overloaded) as error:
            raise SourceLost(
                "The database did not take a booking of the ledger, or did not say so.",
                hint="It is posted again by itself.",
            ) from error

    async def entries(
        self,
        *,
        work_center: str | None = None,
        stream: str | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[Entry]:
        """Return entries by number, from the one after ``after``."""
        where = [ledger_entry.c.number > after]
        if work_center is not None:
            where.append(ledger_entry.c.work_center == work_center)
        if stream is not None:
            where.append(ledger_entry.c.stream == stream)
        return await self._database.read(
            lambda connection: read_entries(connection, *where, limit=limit)
        )

    async def work_center_totals(
        self,
        *,
        first_day: str | None = None,
        last_day: str | None = None,
        is_by_day: bool = False,
    ) -> list[Totals]:
        """Return the totals per work center and unit, of business dates in a period."""
        entry = ledger_entry.c
        where: list[ColumnElement[bool]] = []
        if first_day is not None:
            where.append(entry.business_date >= first_day)
        if last_day is not None:
            where.append(entry.business_date <= last_day)
        by = ["work_center", *(["business_date"] if is_by_day else []), "unit"]
        return await self._database.read(
            lambda connection: read_totals(connection, by, where=where)
        )

    async def order_totals(self, *, after: str = "", limit: int = 100) -> list[Totals]:
        """Return the totals per order, of the orders whose id comes after ``after``."""
        where = [ledger_entry.c.stream > after]
        return await self._database.read(
            lambda connection: read_totals(
                connection, ["stream", "material", "unit"], where=where, limit=limit
            )
        )

    async def order_steps(self, stream: str) -> list[Totals]:
        """Return the totals of one order, per step and work center."""
        where = [ledger_entry.c.stream == stream]
        return await self._database.read(
            lambda connection: read_totals(
                connection, ["step", "work_center", "unit"], where=where
            )
        )


class Booked(NamedTuple):
    """A posting that the ledger had acknowledged.

    Attributes:
        reference: What it was acknowledged by, which has the entry's number.
    """

    posting: Posting
    reference: str
    at: int


def book_again(connection: Connection, acknowledged: Sequence[Booked]) -> None:
    """Book what was booked before, under the same numbers; skip what still is.

    For a ledger that was restored, and a journal that has gone on from there: nothing
    is asked of periods and streams, as that was asked when it was booked. What another
    ledger has booked is none of ours.
    """
    ours = [one for one in acknowledged if one.reference.startswith(REFERENCE)]
    for one in sorted(ours, key=lambda one: number_of(one.reference)):
        if entry_of_key(connection, one.posting.key) is None:
            number = number_of(one.reference)
            entry = entry_of(one.posting, number=number, booked_at=one.at)
            insert_entry(connection, entry)


def handle(connection: Connection, records: Sequence[Recorded]) -> None:
    """Note which postings are on their way, and which will never come.

    A waived or netted posting leaves a gap in its stream that
    :meth:`LedgerService.post` must not take for a loss.
    """
    facts = [one.fact for one in records]
    for one in records:
        if isinstance(one.fact, BooksClosed):
            _close(connection, one.partition, one.fact.books.closed_until)
    raised = [one.posting for one in facts if isinstance(one, PostingRaised)]
    if raised:
        connection.execute(
            insert(ledger_announced),
            [
                {
                    "key": one.key,
                    "stream": one.stream,
                    "stream_seq": one.stream_seq,
                    "is_waived": one.state in NEVER_SENT,
                }
                for one in raised
            ],
        )
    waived = [
        one.posting
        for one in facts
        if isinstance(one, PostingMoved) and one.state in NEVER_SENT
    ]
    if waived:
        connection.execute(
            update(ledger_announced)
            .where(ledger_announced.c.key.in_(waived))
            .values(is_waived=True)
        )


def _close(connection: Connection, partition: str, closed_until: str) -> None:
    connection.execute(
        delete(ledger_books).where(ledger_books.c.partition == partition)
    )
    connection.execute(
        insert(ledger_books).values(partition=partition, closed_until=closed_until)
    )


def _book(connection: Connection, posting: Posting, *, now: int, partition: str) -> str:
    _refuse(posting, posting_problems(posting))
    known = entry_of_key(connection, posting.key)
    if known is not None:
        if known.content != canonical(posting):
            _refuse(posting, ["its key is booked already, with another content"])
        return known.reference
    missing = _missing_before(connection, posting)
    if missing:
        _catch_up(connection, partition)
        missing = _missing_before(connection, posting)
    _refuse(posting, missing)
    closed_until = _closed_until(connection, partition)
    if posting.business_date <= closed_until:
        raise PeriodClosed(
            f"{posting.business_date} is in a closed period: the books are closed "
            f"until {closed_until}"
        )
    if posting.kind is PostingKind.REVERSE:
        _refuse(posting, _reversal_problems(connection, posting))
    last = connection.scalar(select(func.max(ledger_entry.c.number))) or 0
    entry = entry_of(posting, number=last + 1, booked_at=now)
    insert_entry(connection, entry)
    return entry.reference


def _closed_until(connection: Connection, partition: str) -> str:
    """Return the last day on which nothing is booked any more; empty if none is."""
    books = ledger_books.c
    query = select(books.closed_until).where(books.partition == partition)
    return connection.scalar(query) or ""


def _refuse(posting: Posting, problems: Sequence[str]) -> None:
    if problems:
        raise LedgerRefused(f"posting {posting.key}: {'; '.join(problems)}")


def _missing_before(connection: Connection, posting: Posting) -> list[str]:
    """Say what is not as it must be in the stream before ``posting``."""
    entry, announced = ledger_entry.c, ledger_announced.c
    last = connection.scalar(
        select(func.max(entry.stream_seq)).where(entry.stream == posting.stream)
    )
    last = last or 0
    if posting.stream_seq <= last:
        return [f"{posting.stream} is booked up to number {last} already"]
    waived = set(
        connection.scalars(
            select(announced.stream_seq).where(
                announced.stream == posting.stream,
                announced.stream_seq > last,
                announced.is_waived == 1,
            )
        )
    )
    if posting.stream_seq in waived:
        return ["it was waived"]
    missing = last + 1
    while missing in waived:
        missing += 1
    if missing < posting.stream_seq:
        return [f"posting {missing} of {posting.stream} is missing"]
    return []


def _catch_up(connection: Connection, partition: str) -> None:
    """Handle now what the journal has for us: the gap may be a posting just waived."""
    while True:
        cursor = cursor_of(connection, CONSUMER, partition)
        records = facts_after(connection, partition, cursor, _CATCH_UP, _NAMES)
        if not records:
            return
        handle(connection, records)
        advance_cursor(connection, CONSUMER, records[-1].seq, partition)


def _reversal_problems(connection: Connection, posting: Posting) -> list[str]:
    key = posting.reverses or ""
    reversal = select(ledger_entry.c.key).where(ledger_entry.c.reverses == key)
    return reversal_problems(
        posting,
        entry_of_key(connection, key),
        is_reversed=connection.scalar(reversal) is not None,
    )
