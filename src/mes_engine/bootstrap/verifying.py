"""``verify`` on a database that may be in use: it reads, and changes nothing."""

from functools import partial

from mes_engine.core.errors import SettingsError
from mes_engine.migrations import current, head
from mes_engine.modules.ledger import booked, canonical
from mes_engine.storage.database import Database
from mes_engine.storage.verify import LedgerView, VerifyReport, verify

EMBEDDED = LedgerView(booked=booked, content=canonical)


async def verified(database_url: str) -> VerifyReport:
    """Rebuild and check everything that the database holds.

    Raises:
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
        return await database.read(partial(verify, ledger=EMBEDDED))
    finally:
        await database.close()
