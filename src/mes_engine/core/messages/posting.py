"""How postings fare."""

from mes_engine.core.messages.command import BaseCommand
from mes_engine.core.postings import PostingState


class RecordPosting(BaseCommand, frozen=True, kw_only=True, tag="record_posting"):
    """The relay: how far a posting has come with the ledger."""

    posting: str
    state: PostingState
    reference: str = ""
    reason: str = ""


class RetryPosting(BaseCommand, frozen=True, kw_only=True, tag="retry_posting"):
    """Send a parked posting again."""

    posting: str


class WaivePosting(BaseCommand, frozen=True, kw_only=True, tag="waive_posting"):
    """Do without the ledger's booking of a parked posting."""

    posting: str
    reason: str


PostingCommand = RecordPosting | RetryPosting | WaivePosting
