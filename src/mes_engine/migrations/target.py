"""What the newest revision comes to: every table of the engine and of its modules."""

from importlib import import_module

from sqlalchemy import MetaData

from mes_engine.storage.metadata import metadata

DECLARING = (
    "mes_engine.storage.tables",
    "mes_engine.storage.intents",
    "mes_engine.storage.cursors",
    "mes_engine.modules.crm.tables",
    "mes_engine.modules.ledger.tables",
    "mes_engine.modules.plm.tables",
    "mes_engine.modules.scm.tables",
    "mes_engine.runtime.tables",
)


def target() -> MetaData:
    """Return the metadata once every table has been declared on it."""
    for module in DECLARING:
        import_module(module)
    return metadata
