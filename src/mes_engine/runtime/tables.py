"""Tables of the moving parts: slots of scheduled work, and what was reconciled."""

import msgspec

from mes_engine.storage.columns import (
    body,
    number_key,
    partition,
    strict_table,
    string,
    whole,
)
from mes_engine.storage.columns import key as text_key

job_slot = strict_table(
    "job_slot",
    partition(),
    text_key("job"),
    number_key("slot_at"),
    whole("claimed_at"),
    whole("ended_at", is_optional=True),
    string("failure"),
)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where our acknowledged postings and the ledger's entries disagree.

    Attributes:
        stream: The work request.
        kind: ``missing`` in the ledger, ``orphan`` there, or ``changed`` amounts.
        ours: What is acknowledged; ``theirs`` what is booked.
    """

    stream: str
    kind: str
    ours: dict[str, str]
    theirs: dict[str, str]


reconciliation = strict_table(
    "reconciliation",
    partition(),
    number_key("at"),
    whole("streams"),
    whole("waiting"),
    whole("parked"),
    body("differences", tuple[Difference, ...]),
)
