"""Raise postings: what a job order has come to since the last one goes to the ERP."""

from collections.abc import Collection
from decimal import Decimal

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.periods import open_day, why_held
from mes_engine.core.errors import NotFound, Refused
from mes_engine.core.job_order import JobOrder, JobOrderState, JobOrderTrigger
from mes_engine.core.messages import RecordPosting, RetryPosting, WaivePosting
from mes_engine.core.plant import PostingPolicy
from mes_engine.core.postings import (
    SETTLED,
    WAITING_FOR_A_PERSON,
    Posting,
    PostingKind,
    PostingState,
)
from mes_engine.core.quantity import MILLION
from mes_engine.core.readiness import posting_settled, visit_of
from mes_engine.core.repeats import repeated_of


def raise_posting(draft: Draft, job_order: str, *, is_final: bool) -> None:
    """Post what the job order has reported and not posted yet.

    Args:
        draft: The decision.
        job_order: Whose.
        is_final: Whether nothing more will be confirmed for the operation.
    """
    job = draft.job(job_order)
    center = draft.state.site.work_center(job.work_center)
    if center.posting is PostingPolicy.NONE:
        return
    good, scrap = job.good - job.posted_good, job.scrap - job.posted_scrap
    setup_us = job.setup_us - job.posted_setup_us
    processing_us = job.processing_us - job.posted_processing_us
    labour_us = job.labour_us - job.posted_labour_us
    if not is_final and not (good or scrap or setup_us or processing_us or labour_us):
        return
    request = draft.request(job.request)
    day, held = _day_of(draft)
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
                business_date=day,
                state=PostingState.HELD if held else PostingState.PENDING,
                reason=held,
                labour_s=_seconds(labour_us),
                repeated=repeated_of(draft.state, job, good),
                pass_number=visit_of(draft.state, job).pass_number,
            )
        )
    )


def _day_of(draft: Draft) -> tuple[str, str]:
    """Return the day that is posted on, and why it cannot be if it cannot."""
    day = draft.state.site.business_date(draft.at)
    if draft.is_into_open_period:
        return open_day(draft, day), ""
    return day, why_held(draft, day)


def post_report(draft: Draft, job: JobOrder) -> None:
    """Post a report at once, where the work center does not wait for the run."""
    center = draft.state.site.work_center(job.work_center)
    if center.posting is PostingPolicy.REPORT:
        raise_posting(draft, job.id, is_final=False)


def correct_postings(
    draft: Draft, job_order: str, *, first: Collection[str] = ()
) -> None:
    """Take back what is posted and no longer reported; post what remains of it.

    Args:
        draft: The decision.
        job_order: Whose reports were reversed.
        first: The postings that went up with them, to be taken back before others.
    """
    confirmed = _standing(draft, job_order)
    confirmed.sort(key=lambda one: (one.key not in first, -one.stream_seq))
    was_final = draft.job(job_order).is_final_posted
    for posting in confirmed:
        if not _is_overstated(draft.job(job_order)):
            break
        _reverse(draft, posting)
    job = draft.job(job_order)
    visit = draft.state.visit.get(job.visit)
    is_final = was_final and visit is not None and visit.is_done
    if job.is_over:
        is_missing = is_final and not job.is_final_posted
        raise_posting(draft, job.id, is_final=is_missing)
    else:
        post_report(draft, job)
    _seal(draft, job.id)


def retell_repeats(draft: Draft, job: JobOrder) -> None:
    """Post anew, and not as the last word, what told pieces as confirmed before."""
    for posting in _standing(draft, job.id):
        if posting.repeated:
            _reverse(draft, posting)
    raise_posting(draft, job.id, is_final=False)
    _seal(draft, job.id)


def take_back_final(draft: Draft, job_order: str) -> None:
    """Post anew, and not as the last word, what was posted as that."""
    for posting in _standing(draft, job_order):
        if posting.is_final:
            _reverse(draft, posting)
    if not _is_overstated(draft.job(job_order)):  # Else more is still to be reversed.
        raise_posting(draft, job_order, is_final=False)


def _standing(draft: Draft, job_order: str) -> list[Posting]:
    """Return what is posted of a job order, and not reversed."""
    stream = draft.state.posting.find("stream", draft.job(job_order).request)
    reversed_keys = {one.reverses for one in stream}
    return [
        one
        for one in stream
        if one.job_order == job_order
        and one.kind is PostingKind.CONFIRM
        and one.key not in reversed_keys
    ]


def _is_overstated(job: JobOrder) -> bool:
    return (
        job.posted_good > job.good
        or job.posted_scrap > job.scrap
        or job.posted_setup_us > job.setup_us
        or job.posted_processing_us > job.processing_us
        or job.posted_labour_us > job.labour_us
    )


def _reverse(draft: Draft, posting: Posting) -> None:
    """Raise the reversal of a posting, in its stream, on the day that it is made."""
    day, reason = _day_of(draft)
    state = PostingState.HELD if reason else PostingState.PENDING
    if posting.state is PostingState.WAIVED:
        state, reason = PostingState.WAIVED, f"{posting.key} was waived"
    elif _is_unsent(draft, posting):
        state, reason = PostingState.NETTED, "reversed before it was sent"
        _moved(draft, posting, state, "", reason)
    draft.emit(
        f.PostingRaised(
            posting=msgspec.structs.replace(
                posting,
                key=f"{draft.state.partition}-{draft.next_seq}",
                stream_seq=draft.request(posting.stream).posted + 1,
                kind=PostingKind.REVERSE,
                occurred_at=draft.at,
                business_date=day,
                reverses=posting.key,
                state=state,
                reference="",
                reason=reason,
            )
        )
    )


def _is_unsent(draft: Draft, posting: Posting) -> bool:
    """Whether it is certain that nobody has tried to send it.

    What is first in its stream may be on its way at this moment. What waits for another
    cannot be: a posting is sent when all before it are settled. Neither was one that is
    held, or the ledger did not take it.
    """
    if posting.state is PostingState.HELD:
        return True
    return posting.state is PostingState.PENDING and any(
        one.stream_seq < posting.stream_seq and one.state not in SETTLED
        for one in draft.state.posting.find("stream", posting.stream)
    )


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
    if posting.state not in WAITING_FOR_A_PERSON:
        raise Refused(
            f"Posting {posting.key} is {posting.state}; only one that is parked or "
            "held is waived."
        )
    _moved(draft, posting, PostingState.WAIVED, "", command.reason)
    for other in draft.state.posting.find("stream", posting.stream):
        if other.reverses == posting.key and other.state not in SETTLED:
            # There is nothing in the ledger for it to take back.
            _moved(draft, other, PostingState.WAIVED, "", command.reason)
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
