"""Raise postings: what a job order has come to since the last one goes to the ERP."""

from decimal import Decimal

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.messages import RecordPosting, RetryPosting, WaivePosting
from mes_engine.core.plant import PostingPolicy
from mes_engine.core.postings import SETTLED, Posting, PostingKind, PostingState
from mes_engine.core.quantity import MILLION
from mes_engine.core.readiness import posting_settled


def raise_posting(draft: Draft, job_order: str, *, is_final: bool) -> None:
    """Post what the job order has reported and not posted yet.

    Args:
        draft: The decision.
        job_order: Whose.
        is_final: Whether nothing more will be confirmed for the operation.
    """
    job = draft.job(job_order)
    good, scrap = job.good - job.posted_good, job.scrap - job.posted_scrap
    setup_us = job.setup_us - job.posted_setup_us
    processing_us = job.processing_us - job.posted_processing_us
    if not is_final and not (good or scrap or setup_us or processing_us):
        return
    request = draft.request(job.request)
    draft.emit(
        f.PostingRaised(
            posting=Posting(
                key=f"{draft.state.partition}-{draft.next_seq}",
                stream=request.id,
                stream_seq=request.posted + 1,
                kind=PostingKind.CONFIRM,
                job_order=job.id,
                step=job.step,
                work_center=job.work_center,
                material=request.material,
                unit=job.unit,
                good=good,
                scrap=scrap,
                setup_s=_seconds(setup_us),
                processing_s=_seconds(processing_us),
                is_final=is_final,
                occurred_at=draft.at,
                business_date=draft.state.site.business_date(draft.at),
            )
        )
    )


def post_report(draft: Draft, job: JobOrder) -> None:
    """Post a report at once, where the work center does not wait for the run."""
    center = draft.state.site.work_center(job.work_center)
    if center.posting is PostingPolicy.REPORT:
        raise_posting(draft, job.id, is_final=False)


def record_posting(draft: Draft, command: RecordPosting) -> dict[str, str]:
    """Take note of how far the relay has come with a posting."""
    posting = _posting(draft, command.posting)
    if posting.state in SETTLED:
        return _told(posting, posting.state)
    _moved(draft, posting, command.state, command.reference, command.reason)
    _seal(draft, posting.job_order)
    return _told(posting, command.state)


def retry_posting(draft: Draft, command: RetryPosting) -> dict[str, str]:
    """Send a parked posting again."""
    posting = _posting(draft, command.posting)
    if posting.state is not PostingState.PARKED:
        raise Refused(
            f"Posting {posting.key} is {posting.state}; only a parked one is retried."
        )
    _moved(draft, posting, PostingState.PENDING, "", "")
    return _told(posting, PostingState.PENDING)


def waive_posting(draft: Draft, command: WaivePosting) -> dict[str, str]:
    """Do without the ledger's booking of a parked posting."""
    posting = _posting(draft, command.posting)
    if posting.state is not PostingState.PARKED:
        raise Refused(
            f"Posting {posting.key} is {posting.state}; only a parked one is waived."
        )
    _moved(draft, posting, PostingState.WAIVED, "", command.reason)
    _seal(draft, posting.job_order)
    return _told(posting, PostingState.WAIVED)


def _posting(draft: Draft, key: str) -> Posting:
    posting = draft.state.posting.get(key)
    if posting is None:
        raise NotFound(f"There is no posting '{key}'.")
    return posting


def _moved(
    draft: Draft, posting: Posting, state: PostingState, reference: str, reason: str
) -> None:
    draft.emit(
        f.PostingMoved(
            posting=posting.key,
            state=state,
            reference=reference,
            reason=reason,
            at=draft.at,
        )
    )


def _seal(draft: Draft, job_order: str) -> None:
    """Close a completed job order once the ledger has everything of it."""
    job = draft.job(job_order)
    if (
        job.state is JobOrderState.ENDED_COMPLETED
        and posting_settled(draft.state, job).is_met
    ):
        draft.move_state(job, JobOrderTrigger.CLOSE, JobOrderState.ENDED_CLOSED)


def _told(posting: Posting, state: PostingState) -> dict[str, str]:
    return {"posting": posting.key, "state": state.value}


def _seconds(microseconds: int) -> Decimal:
    return Decimal(microseconds) / MILLION
