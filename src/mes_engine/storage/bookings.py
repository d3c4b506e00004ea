"""Bookings of job orders, read from the journal.

Each report names the one before it on the same job order, so that they are found one
after the other by their numbers: no index of them is kept while pieces are reported.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import CTE, Connection, literal, select

from mes_engine.core import facts as f
from mes_engine.core.booked import bookings_of
from mes_engine.core.bookings import Booking, BookingKind, Reversal
from mes_engine.core.job_order import JobOrder
from mes_engine.core.lots import GenealogyEdge
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import NumberIn, Whole
from mes_engine.storage.journal import (
    fact_at,
    facts_of_cause,
    facts_of_causes,
    recorded,
)


def booking_at(connection: Connection, partition: str, seq: int) -> Booking | None:
    """Return what was booked by the fact of this number; None if nothing was."""
    found = fact_at(connection, partition, seq)
    job_order = None if found is None else _job_order_of(found.fact)
    if found is None or job_order is None:
        return None
    made = bookings_of(facts_of_cause(connection, partition, found.cause), job_order)
    return next((booking for booking in made if booking.seq == seq), None)


def bookings_of_job(
    connection: Connection, partition: str, job: JobOrder
) -> list[Booking]:
    """Return everything that was booked on a job order, in order."""
    reports = reports_of_job(connection, partition, job.last_report)
    causes = {one.cause for one in reports}
    reversals = reversals_of_job(connection, partition, job.id)
    others = [job.ended_seq, *(seq for one in reversals for seq in one.seqs)]
    causes |= _causes(connection, partition, others)
    causes |= _causes(connection, partition, _edges(connection, partition, job))
    return _booked(connection, partition, job.id, causes)


def newest_bookings(
    connection: Connection,
    partition: str,
    job: JobOrder,
    *,
    before: int | None = None,
    limit: int,
) -> list[Booking]:
    """Return up to ``limit`` bookings on a job order, the newest first.

    Args:
        connection: Where to read.
        partition: Whose.
        job: On which job order.
        before: Only what was booked before this one.
        limit: How many at most.
    """
    seqs = {
        *_seqs_of_reports(connection, partition, job.last_report),
        *(
            seq
            for one in reversals_of_job(connection, partition, job.id)
            for seq in one.seqs
        ),
        *_edges(connection, partition, job),
        *_ways(connection, partition, job),
        *(() if job.ended_seq is None else (job.ended_seq,)),
    }
    if before is not None:  # Its message may have booked more, before it.
        seqs = {seq for seq in seqs if seq < before} | {before}
    left, found = sorted(seqs, reverse=True), list[Booking]()
    while left and len(found) < limit:
        chunk, left = left[: limit + 1], left[limit + 1 :]
        causes = _causes(connection, partition, chunk)
        made = _booked(connection, partition, job.id, causes)
        known = {one.seq for one in found}
        found += [
            one
            for one in reversed(made)
            if (before is None or one.seq < before) and one.seq not in known
        ]
    return found[:limit]


def consumption_of_job(
    connection: Connection, partition: str, job: JobOrder
) -> list[Booking]:
    """Return what was consumed for a job order: at its end, by hand, and late."""
    if job.ended_seq is None:
        return []
    reports = reports_of_job(
        connection, partition, job.last_report, after=job.ended_seq
    )
    others = [job.ended_seq, *_edges(connection, partition, job)]
    causes = {one.cause for one in reports}
    causes |= _causes(connection, partition, others)
    found = _booked(connection, partition, job.id, causes)
    return [one for one in found if one.kind is BookingKind.CONSUMPTION]


def reports_of_job(
    connection: Connection, partition: str, last: int | None, *, after: int = 0
) -> list[f.Recorded]:
    """Return the reports on a job order, from the ``last`` back to those ``after``."""
    fact, chain = t.fact.c, _chain(partition, last, after=after)
    query = select(t.fact).where(
        fact.partition == partition, fact.seq.in_(select(chain.c.seq))
    )
    found = (recorded(row) for row in connection.execute(query))
    return [one for one in found if one.seq > after]


def _seqs_of_reports(
    connection: Connection, partition: str, last: int | None
) -> list[int]:
    if last is None:
        return []
    return list(connection.scalars(select(_chain(partition, last, after=0).c.seq)))


def _chain(partition: str, last: int | None, *, after: int) -> CTE:
    fact = t.fact.c
    chain = select(literal(last, Whole).label("seq")).cte("chain", recursive=True)
    before = NumberIn(fact.body, "previous")
    return chain.union_all(
        select(before)
        .join_from(chain, t.fact, fact.seq == chain.c.seq)
        .where(fact.partition == partition, before > after)
    )


def reversals_of_job(
    connection: Connection, partition: str, job_order: str
) -> list[Reversal]:
    """Return what of a job order's bookings was taken back."""
    query = CODECS["reversal"].query(partition)
    ours = query.where(t.reversal.c.job_order == job_order)
    return CODECS["reversal"].values(connection.execute(ours))


def reversals_of(
    connection: Connection, partition: str, bookings: Iterable[int]
) -> list[Reversal]:
    """Return what of these bookings was taken back."""
    query = CODECS["reversal"].query(partition)
    ours = query.where(t.reversal.c.booking.in_(sorted(bookings)))
    return CODECS["reversal"].values(connection.execute(ours))


def uses_of_lots(
    connection: Connection, partition: str, lots: Iterable[str]
) -> list[GenealogyEdge]:
    """Return the edges by which any of these lots went into others."""
    codec, edge = CODECS["genealogy_edge"], t.genealogy_edge.c
    query = codec.query(partition).where(edge.source.in_(sorted(set(lots))))
    return codec.values(connection.execute(query))


def _edges(connection: Connection, partition: str, job: JobOrder) -> list[int]:
    """Return the facts by which anything went into the lots that it worked on."""
    edge, position = t.genealogy_edge.c, t.position.c
    lots = select(position.lot).where(
        position.partition == partition, position.request == job.request
    )
    query = select(edge.seq).where(
        edge.partition == partition, edge.target.in_(lots), edge.job_order == job.id
    )
    return list(connection.scalars(query))


def _ways(connection: Connection, partition: str, job: JobOrder) -> Iterator[int]:
    """Yield the facts by which its pieces were sent another way than straight on."""
    move = t.move.c
    query = select(move.seq).where(
        move.partition == partition,
        move.job_order == job.id,
        move.connection != "",
        move.reason != "",
        move.reverses.is_(None),
    )
    causes = _causes(connection, partition, connection.scalars(query))
    for records in facts_of_causes(connection, partition, causes).values():
        for one in records:
            if isinstance(one.fact, f.ReworkSent | f.LotDeviated):
                yield one.seq


def _booked(
    connection: Connection, partition: str, job_order: str, causes: Iterable[str]
) -> list[Booking]:
    made: dict[int, Booking] = {}
    for records in facts_of_causes(connection, partition, set(causes)).values():
        made |= {one.seq: one for one in bookings_of(records, job_order)}
    return [made[seq] for seq in sorted(made)]


def _causes(
    connection: Connection, partition: str, seqs: Iterable[int | None]
) -> set[str]:
    wanted = sorted({seq for seq in seqs if seq is not None})
    query = select(t.fact.c.cause).where(
        t.fact.c.partition == partition, t.fact.c.seq.in_(wanted)
    )
    return set(connection.scalars(query))


def _job_order_of(fact: f.Fact) -> str | None:
    match fact:
        case (
            f.QuantityReported() | f.JobOrderMoved() | f.ReworkSent() | f.LotDeviated()
        ):
            return fact.job_order
        case f.QuantityMoved(move=move):
            return move.job_order
        case f.BookingReversed(reversal=reversal) | f.WayReversed(reversal=reversal):
            return reversal.job_order
        case _:
            return None
