"""A lot's genealogy from a database that may be in use."""

from sqlalchemy import Connection

from mes_engine.core.carriers import Carrier, carrier_code
from mes_engine.core.errors import SettingsError
from mes_engine.migrations import current, head
from mes_engine.storage.database import Database
from mes_engine.storage.genealogy import (
    Direction,
    Genealogy,
    genealogy,
    genealogy_of_carrier,
)
from mes_engine.storage.journal import MAIN, one
from mes_engine.storage.serials import lot_called


async def traced(
    database_url: str, lot: str, direction: Direction, *, depth: int | None
) -> Genealogy:
    """Return what ``lot`` came of, or went into; or a carrier with all that is in it.

    Raises:
        NotFound: There is no such lot, serial or carrier.
        SettingsError: The database cannot be used, or is of another schema.
    """
    found = current(database_url)
    if found != head():
        raise SettingsError(
            f"{database_url} is at revision {found or 'none'}; this version needs "
            f"{head()}.",
            hint="Run `mes db upgrade` first.",
        )
    database = Database.open(database_url)
    try:
        return await database.read(
            lambda connection: _followed(connection, lot, direction, depth)
        )
    finally:
        await database.close()


def _followed(
    connection: Connection, name: str, direction: Direction, depth: int | None
) -> Genealogy:
    carrier: Carrier | None = one(connection, "carrier", MAIN, carrier_code(name))
    if carrier is not None:
        return genealogy_of_carrier(connection, MAIN, carrier, direction, depth=depth)
    known = lot_called(connection, MAIN, name)
    return genealogy(connection, MAIN, known.id, direction, depth=depth)
