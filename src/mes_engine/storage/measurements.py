"""Measurements, read from the rows that they are kept in."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection

from mes_engine.core.lots import MaterialLot
from mes_engine.core.measurements import ALL_LOTS, Measurement, MeasurementVoid
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.journal import one

AT_ONCE = 500


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement, and what voided it, if anything did."""

    measurement: Measurement
    void: MeasurementVoid | None


def measurements(
    connection: Connection,
    partition: str,
    *where: ColumnElement[bool],
    limit: int | None = None,
) -> list[Told]:
    """Return the measurements that meet every condition, in order.

    Args:
        connection: One that reads.
        partition: Whose.
        where: Conditions on the columns of ``measurement``.
        limit: At most so many; all if None.
    """
    codec = CODECS["measurement"]
    query = codec.query(partition).where(*where).order_by(t.measurement.c.seq)
    found = codec.values(connection.execute(query.limit(limit)))
    voids = voids_of(connection, partition, [one.seq for one in found])
    return [Told(measurement=one, void=voids.get(one.seq)) for one in found]


def voids_of(
    connection: Connection, partition: str, seqs: Sequence[int]
) -> dict[int, MeasurementVoid]:
    """Return what voided these measurements, by their numbers."""
    codec, void = CODECS["measurement_void"], t.measurement_void.c
    found: dict[int, MeasurementVoid] = {}
    for first in range(0, len(seqs), AT_ONCE):
        query = codec.query(partition).where(
            void.measurement.in_(seqs[first : first + AT_ONCE])
        )
        found |= {
            one.measurement: one for one in codec.values(connection.execute(query))
        }
    return found


def measurement_before(
    connection: Connection, partition: str, mistaken: Measurement
) -> Measurement | None:
    """Return the one that counted before ``mistaken``; None if there is none.

    That of the lot; else that of the one which it was split from, until then.
    """
    lot: str | None = mistaken.lot
    until = mistaken.at, mistaken.seq
    while lot is not None:
        columns = t.measurement.c
        told = measurements(
            connection,
            partition,
            columns.job_order == mistaken.job_order,
            columns.lot == lot,
            columns.characteristic == mistaken.characteristic,
        )
        order = {(one.measurement.at, one.measurement.seq): one for one in told}
        earlier = [at for at, one in order.items() if at < until and one.void is None]
        if earlier:
            return order[max(earlier)].measurement
        known: MaterialLot | None = one(connection, "lot", partition, lot)
        lot = None if known is None else known.parent
        if known is not None:
            until = min(until, (known.created_at, mistaken.seq))
    return None


def measurements_of_lots(
    connection: Connection,
    partition: str,
    lots: Sequence[str],
    job_orders: Iterable[str],
) -> list[Told]:
    """Return what was measured of any of these lots, or of all at these job orders."""
    columns = t.measurement.c
    found: dict[int, Told] = {}
    for name, wanted in (("lot", list(lots)), ("job_order", sorted(set(job_orders)))):
        for first in range(0, len(wanted), AT_ONCE):
            some = columns[name].in_(wanted[first : first + AT_ONCE])
            for told in measurements(connection, partition, some):
                # Asked for here, SQLite would read all there ever was of all lots.
                if name == "lot" or told.measurement.lot == ALL_LOTS:
                    found[told.measurement.seq] = told
    return [found[seq] for seq in sorted(found)]
