"""What goes to the ledger."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.postings import Posting, PostingState


class PostingRaised(BaseFact, frozen=True, kw_only=True, tag="posting_raised"):
    """Something is to be booked in the ledger."""

    posting: Posting


class PostingMoved(BaseFact, frozen=True, kw_only=True, tag="posting_moved"):
    """A posting has come further with the ledger.

    Attributes:
        business_date: Its new day, where it was released into the open period.
    """

    posting: str
    state: PostingState
    reference: str
    reason: str
    at: int
    business_date: str | None = None


PostingFact = PostingRaised | PostingMoved
