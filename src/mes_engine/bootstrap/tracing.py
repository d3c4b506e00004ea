"""A lot's genealogy from a database that may be in use."""

from mes_engine.core.errors import SettingsError
from mes_engine.migrations import current, head
from mes_engine.storage.database import Database
from mes_engine.storage.genealogy import Direction, Genealogy, genealogy
from mes_engine.storage.journal import MAIN
from mes_engine.storage.serials import lot_called


async def traced(
    database_url: str, lot: str, direction: Direction, *, depth: int | None
) -> Genealogy:
    """Return what ``lot`` came of, or went into.

    Raises:
        NotFound: There is no such lot.
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
        known = await database.read(
            lambda connection: lot_called(connection, MAIN, lot)
        )
        return await database.read(
            lambda connection: genealogy(
                connection, MAIN, known.id, direction, depth=depth
            )
        )
    finally:
        await database.close()
