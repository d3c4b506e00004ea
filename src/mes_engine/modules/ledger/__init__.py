"""The embedded work-centre ledger: what each work center has done, booked once."""

from mes_engine.modules.ledger.api import ledger_router
from mes_engine.modules.ledger.model import (
    Amounts,
    Entry,
    StreamTotals,
    Totals,
    canonical,
)
from mes_engine.modules.ledger.service import (
    CONSUMER,
    LISTENS_TO,
    Booked,
    LedgerService,
    book_again,
    handle,
)
from mes_engine.modules.ledger.tables import (
    booked,
    ledger_announced,
    ledger_entry,
    stream_totals,
)

__all__ = [
    "CONSUMER",
    "LISTENS_TO",
    "Amounts",
    "Booked",
    "Entry",
    "LedgerService",
    "StreamTotals",
    "Totals",
    "book_again",
    "booked",
    "canonical",
    "handle",
    "ledger_announced",
    "ledger_entry",
    "ledger_router",
    "stream_totals",
]
