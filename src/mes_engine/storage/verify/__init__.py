"""Verify: what the database says, held against what its journal says.

First the journal's chain is followed, which says that nothing in it was changed. Then
the journal is read in order, and the state is built anew from it by the core's
own ``evolve``. Every row of every projection is compared with that, both ways; the laws
are checked over both; and the ledger is asked what it has booked.
"""

from mes_engine.storage.verify.anchors import Anchored
from mes_engine.storage.verify.findings import Findings, Problem, VerifyReport
from mes_engine.storage.verify.ledger import LedgerView
from mes_engine.storage.verify.run import verify, verify_chain

__all__ = [
    "Anchored",
    "Findings",
    "LedgerView",
    "Problem",
    "VerifyReport",
    "verify",
    "verify_chain",
]
