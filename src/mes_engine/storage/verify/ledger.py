"""The ledger's own account of what was posted, held against the journal's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from mes_engine.core.postings import Posting, PostingState
from mes_engine.storage.verify.findings import Findings

UNDER_WAY = (PostingState.PENDING, PostingState.RETRYING, PostingState.IN_DOUBT)


@dataclass(frozen=True, slots=True)
class LedgerView:
    """How to ask a ledger that is kept in the same database.

    Attributes:
        booked: The content of every posting that it has booked, by key.
        content: What of a posting the ledger keeps, in the same form.
    """

    booked: Callable[[Connection], Mapping[str, str]]
    content: Callable[[Posting], str]


def check_ledger(
    findings: Findings,
    booked: Mapping[str, str],
    view: LedgerView,
    postings: Iterable[Posting],
) -> None:
    """Note what is acknowledged and not booked, and the other way round."""
    known = set()
    for posting in postings:
        known.add(posting.key)
        content = booked.get(posting.key)
        is_acknowledged = posting.state is PostingState.ACKNOWLEDGED
        if content is None:
            if is_acknowledged:
                findings.add("ledger", posting.key, "acknowledged, but not booked")
        elif content != view.content(posting):
            findings.add(
                "ledger",
                posting.key,
                f"booked as {content}, posted as {view.content(posting)}",
            )
        elif posting.state in UNDER_WAY:
            findings.in_flight += 1
        elif not is_acknowledged:
            findings.add("ledger", posting.key, f"booked, but {posting.state}")
    for key in sorted(booked.keys() - known):
        findings.add("ledger", key, "booked, but no fact has raised it")
