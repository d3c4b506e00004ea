"""What was booked on job orders that reported pieces may have come to since."""

from collections.abc import Collection, Iterable
from decimal import Decimal

from sqlalchemy import Connection

from mes_engine.core.bookings import Booking, BookingKind
from mes_engine.core.job_order import JobOrder
from mes_engine.core.parts import good_left_of
from mes_engine.core.quantity import ZERO
from mes_engine.storage import tables as t
from mes_engine.storage.bookings import (
    consumption_of_job,
    newest_bookings,
    reversals_of,
)
from mes_engine.storage.codec import CODECS

AT_A_TIME = 200


def bookings_onward(
    connection: Connection,
    partition: str,
    job: JobOrder,
    *,
    lots: Collection[str],
    quantity: Decimal,
) -> list[Booking]:
    """Return what the other job orders of a request booked, as far as it is needed.

    Args:
        connection: Where to read.
        partition: Whose.
        job: The job order that the pieces come from.
        lots: As which they went on.
        quantity: How many of them are looked for: no more is read of a job order than
            speaks of as many good ones of each lot.
    """
    codec, column = CODECS["job_order"], t.job_order.c
    query = codec.query(partition).where(
        column.request == job.request,
        column.id != job.id,
        column.last_report.is_not(None),
    )
    found: list[Booking] = []
    for other in codec.values(connection.execute(query)):
        made = _newest(connection, partition, other, lots, quantity)
        made |= {
            one.seq: one for one in consumption_of_job(connection, partition, other)
        }
        found += made.values()
    return found


def _newest(
    connection: Connection,
    partition: str,
    job: JobOrder,
    lots: Collection[str],
    quantity: Decimal,
) -> dict[int, Booking]:
    found: dict[int, Booking] = {}
    good, before = dict.fromkeys(lots, ZERO), None
    while any(amount < quantity for amount in good.values()):
        page = newest_bookings(
            connection, partition, job, before=before, limit=AT_A_TIME
        )
        if not page:
            break
        before = page[-1].seq
        found |= {one.seq: one for one in page}
        for lot, amount in _good_of(connection, partition, page, lots):
            good[lot] += amount
    return found


def _good_of(
    connection: Connection,
    partition: str,
    page: list[Booking],
    lots: Iterable[str],
) -> list[tuple[str, Decimal]]:
    reversals = reversals_of(connection, partition, (one.seq for one in page))
    known = {one.booking: one for one in reversals}
    return [
        (lot, good_left_of(one, known.get(one.seq), lot))
        for one in page
        if one.kind is BookingKind.REPORT
        for lot in lots
    ]
