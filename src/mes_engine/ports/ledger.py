"""The ERP's account of the work centers."""

from typing import Protocol

from mes_engine.core.postings import Posting


class LedgerRefused(Exception):
    """The ledger understood a posting and will not book it as it is."""


class PeriodClosed(LedgerRefused):
    """The ledger books nothing on the posting's business day any more."""


class WorkCenterLedger(Protocol):
    """The ERP's account of what each work center has done."""

    async def post(self, posting: Posting) -> str:
        """Book ``posting`` and return the ledger's reference; once for each key.

        Raises:
            SourceLost: The ledger could not be asked; it may have booked it or not.
            LedgerRefused: It will not, and a repeat would be refused again;
                ``PeriodClosed`` if it would on another business day.
        """
        ...
