"""Serials, and the lots that they name: those that nothing is left of as well."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, literal_column

from mes_engine.core.errors import NotFound
from mes_engine.core.lot_names import ambiguous
from mes_engine.core.lots import MaterialLot
from mes_engine.core.serials import KnownSerial
from mes_engine.storage import tables as t
from mes_engine.storage.codec import CODECS
from mes_engine.storage.dialect import sql
from mes_engine.storage.journal import one
from mes_engine.storage.tables.material import IS_SERIAL

_TAKEN = sql(
    "SELECT lot.serial, lot.id FROM json_each(:serials) AS wanted "  # noqa: S608 - ours
    "CROSS JOIN lot INDEXED BY ix_lot_serial ON lot.partition = :partition "
    f"AND lot.serial = wanted.value AND lot.material = :material AND lot.{IS_SERIAL}"
)


def lot_called(connection: Connection, partition: str, name: str) -> MaterialLot:
    """Return the lot of this number; else the one with this serial.

    Raises:
        NotFound: There is none.
        Refused: Lots of several materials have the serial.
    """
    known: MaterialLot | None = one(connection, "lot", partition, name)
    if known is not None:
        return known
    found = lots_with_serial(connection, partition, name)
    if not found:
        raise NotFound(f"There is no lot '{name}'.")
    if len(found) > 1:
        raise ambiguous(name, found)
    return found[0]


def lots_with_serial(
    connection: Connection, partition: str, serial: str
) -> list[MaterialLot]:
    """Return the lots that have, or had, this serial: one of each material."""
    codec = CODECS["lot"]
    query = codec.query(partition).where(
        t.lot.c.serial == serial, literal_column(IS_SERIAL)
    )
    return codec.values(connection.execute(query))


def taken_serials(
    connection: Connection, partition: str, material: str, serials: Sequence[str]
) -> list[KnownSerial]:
    """Return which of these serials lots of a material have, or had."""
    asked = {
        "serials": json.dumps(serials),
        "partition": partition,
        "material": material,
    }
    return [
        KnownSerial(serial=row[0], lot=row[1])
        for row in connection.execute(_TAKEN, asked)
    ]
