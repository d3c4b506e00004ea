"""A person's time is shared anew: it is told late what he or she was on."""

from collections.abc import Iterable, Sequence

import msgspec

from mes_engine.core import facts as f
from mes_engine.core.batching import weights_of
from mes_engine.core.decide.draft import Draft
from mes_engine.core.decide.labour import is_full
from mes_engine.core.decide.posting import correct_postings, raise_posting
from mes_engine.core.decide.reopening import reopen
from mes_engine.core.decide.visits import settle_afterwards
from mes_engine.core.errors import Refused
from mes_engine.core.job_order import JobOrder
from mes_engine.core.labour import LabourInterval, closed_of
from mes_engine.core.labour_shares import Span, fair_parts
from mes_engine.core.readiness import visit_of
from mes_engine.core.requests import OVER
from mes_engine.core.runs import Run
from mes_engine.core.sharing import shared_out

replace = msgspec.structs.replace


def known_of(
    draft: Draft, person: str, known: Iterable[LabourInterval], known_seq: int
) -> dict[str, LabourInterval]:
    """Return a person's intervals: those that are over as the door has read them.

    Raises:
        Refused: One of them is over, or another, since.
    """
    last = draft.state.last_number(closed_of(person))
    if last > known_seq:
        raise Refused(
            f"Time of {person} has been booked meanwhile.",
            hint="Say it again.",
            unmet=[f"known_seq: {last} came after {known_seq}"],
        )
    found = {one.id: one for one in known if one.person == person}
    here = draft.state.labour_interval.find("person", person)
    return found | {one.id: one for one in here}


def share_anew(
    draft: Draft,
    before: Iterable[LabourInterval],
    after: Sequence[LabourInterval],
) -> None:
    """Give each run its fair part of a person's time, as it is known now.

    What is on a request whose books are closed stays there.

    Args:
        draft: The decision.
        before: Every interval of the person that touches the time, as it was.
        after: As it is; with those that are new.
    """
    had = fair_parts(_span(draft, one) for one in before)
    has = fair_parts(_span(draft, one) for one in after)
    was = {one.id: one for one in before}
    jobs: dict[str, None] = {}
    for one in after:
        run = draft.state.run.get(one.run)
        delta = has.get(one.id, 0) - had.get(one.id, 0)
        if run is None or not _is_open(draft, run):
            delta = 0
        elif delta:
            delta = _book(draft, run, one, delta)
            jobs.update(dict.fromkeys(run.job_orders))
        if delta or was.get(one.id) != one:
            changed = replace(one, labour_us=one.labour_us + delta)
            draft.emit(f.LabourChanged(interval=changed))
    for name in jobs:
        _correct(draft, draft.job(name))


def _span(draft: Draft, one: LabourInterval) -> Span:
    until = one.since if one.ended_at is None else one.ended_at
    return Span(one.id, one.started_at, until, is_full(draft, one))


def _is_open(draft: Draft, run: Run) -> bool:
    jobs = [draft.state.job_order.get(name) for name in run.job_orders]
    return all(
        job is not None and draft.request(job.request).state not in OVER for job in jobs
    )


def _book(draft: Draft, run: Run, interval: LabourInterval, delta: int) -> int:
    """Book more or less of a person's time on a run; return how much it was.

    No job order has less than none of it.
    """
    jobs = [draft.job(name) for name in run.job_orders]
    if delta < 0:
        delta = -min(-delta, interval.labour_us, sum(job.labour_us for job in jobs))
    left = delta
    for job, share in zip(
        jobs, shared_out(delta, weights_of(draft.state, run)), strict=True
    ):
        left -= _book_on(draft, run, job, interval.person, share)
    for job in jobs:
        if left:  # Of one that has not as much any more, another has it.
            left -= _book_on(draft, run, draft.job(job.id), interval.person, left)
    return delta


def _book_on(draft: Draft, run: Run, job: JobOrder, person: str, share: int) -> int:
    part = max(share, -job.labour_us)
    if part:
        draft.emit(
            f.LabourBooked(
                job_order=job.id,
                run=run.id,
                person=person,
                labour_us=part,
                labour_total_us=job.labour_us + part,
            )
        )
    return part


def _correct(draft: Draft, job: JobOrder) -> None:
    """Post what is more; what is less than was posted is posted anew."""
    if job.posted_labour_us <= job.labour_us:
        if job.is_over:
            raise_posting(draft, job.id, is_final=False)
        return
    visit = visit_of(draft.state, job)
    is_others = visit.is_done and not job.is_final_posted
    if is_others:
        reopen(draft, visit.id)
    correct_postings(draft, job.id)
    if is_others:
        settle_afterwards(draft, visit)
