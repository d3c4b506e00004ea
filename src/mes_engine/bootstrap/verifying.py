"""``verify`` on a database that may be in use: it reads, and changes nothing."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mes_engine.core.errors import SettingsError
from mes_engine.migrations import current, head
from mes_engine.modules.ledger import booked, canonical
from mes_engine.storage.chain import keyring, read_keys
from mes_engine.storage.chain.anchors import read_anchors
from mes_engine.storage.database import Database
from mes_engine.storage.verify import (
    Anchored,
    LedgerView,
    VerifyReport,
    verify,
    verify_chain,
)

EMBEDDED = LedgerView(booked=booked, content=canonical)


async def verified(
    database_url: str,
    *,
    key_file: Path | None = None,
    anchor_files: Sequence[Path] = (),
    is_chain_only: bool = False,
) -> VerifyReport:
    """Rebuild and check everything that the database holds.

    Args:
        database_url: Where it is.
        key_file: The keys of the journal's chain; None if they are not known here.
        anchor_files: Where its head was written; with the keys only.
        is_chain_only: Follow the chain, and rebuild nothing.

    Raises:
        SettingsError: The database cannot be used, or is of another schema; or the
            keys cannot be read.
    """
    keys = None if key_file is None else keyring(read_keys(key_file))
    found = current(database_url)
    if found != head():
        raise SettingsError(
            f"{database_url} is at revision {found or 'none'}; this version needs "
            f"{head()}.",
            hint="Run `mes db upgrade` first.",
        )
    anchored = None
    if keys is not None and anchor_files:
        read = partial(read_anchors, anchor_files, keys)
        anchored = Anchored(read(), read)
    look = (
        partial(verify_chain, keys=keys, anchored=anchored)
        if is_chain_only
        else partial(verify, ledger=EMBEDDED, keys=keys, anchored=anchored)
    )
    database = Database.open(database_url)
    try:
        return await database.read(look)
    finally:
        await database.close()
