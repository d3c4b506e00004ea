"""Postings."""

from typing import Any

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers, known
from mes_engine.core.postings import PostingKind
from mes_engine.core.requests import WorkRequest
from mes_engine.core.state import State

replace = msgspec.structs.replace


def _posting_raised(state: State, fact: f.PostingRaised) -> None:
    posting = fact.posting
    state.posting.put(posting)
    request: WorkRequest = known(state.work_request.get(posting.stream))
    state.work_request.put(replace(request, posted=posting.stream_seq))
    job = known(state.job_order.get(posting.job_order))
    sign = -1 if posting.kind is PostingKind.REVERSE else 1
    state.job_order.put(
        replace(
            job,
            posted_good=job.posted_good + sign * posting.good,
            posted_scrap=job.posted_scrap + sign * posting.scrap,
            posted_setup_us=job.posted_setup_us + sign * _us(posting.setup_s),
            posted_processing_us=job.posted_processing_us
            + sign * _us(posting.processing_s),
            posted_labour_us=job.posted_labour_us + sign * _us(posting.labour_s),
            is_final_posted=(
                job.is_final_posted and not posting.is_final
                if posting.kind is PostingKind.REVERSE
                else job.is_final_posted or posting.is_final
            ),
        )
    )


def _posting_moved(state: State, fact: f.PostingMoved) -> None:
    posting = known(state.posting.get(fact.posting))
    day = fact.business_date
    state.posting.put(
        replace(
            posting,
            state=fact.state,
            reference=fact.reference,
            reason=fact.reason,
            business_date=posting.business_date if day is None else day,
        )
    )


def _us(seconds: Any) -> int:
    return int(seconds * 1_000_000)


HANDLERS: Handlers = {
    f.PostingRaised: _posting_raised,
    f.PostingMoved: _posting_moved,
}
