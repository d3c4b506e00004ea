"""Dispatch: which job order next on which work unit; pure, over the queue."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from mes_engine.core.conditions import Condition
from mes_engine.core.job_order import JobOrder
from mes_engine.core.plant import DispatchRule


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A job order that was looked at.

    Attributes:
        score: By the rule; the lowest goes first.
        unmet: Why it cannot be taken now; empty for one that can.
    """

    job_order: str
    score: Decimal
    unmet: tuple[Condition, ...] = ()


class DispatchDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What was dispatched to a work unit, and why nothing else was.

    Attributes:
        seq: The fact that it was written by.
        chosen: The job order; None if none could be taken.
        asked_for: The job order that a person named; None where the rule chose.
    """

    seq: int
    work_unit: str
    work_center: str
    rule: DispatchRule
    at: int
    person: str
    candidates: tuple[Candidate, ...]
    chosen: str | None
    asked_for: str | None = None


def score(rule: DispatchRule, job: JobOrder) -> Decimal:
    """Return the rule's score of ``job``: the lowest goes first.

    ``fifo`` is the time it entered the queue, ``edd`` its due date, ``priority`` its
    priority, the highest number first.
    """
    match rule:
        case DispatchRule.FIFO:
            return Decimal(
                job.queued_at if job.queued_at is not None else job.stored_at
            )
        case DispatchRule.EDD:
            return Decimal(job.due_at)
        case DispatchRule.PRIORITY:
            return Decimal(-job.priority)


def ranked(
    rule: DispatchRule,
    queue: Iterable[JobOrder],
    unmet: Mapping[str, tuple[Condition, ...]],
) -> tuple[Candidate, ...]:
    """Put ``queue`` in the order of ``rule``; equal scores by number.

    Args:
        rule: The work center's rule.
        queue: The job orders that wait there.
        unmet: By job order, why it cannot be taken on the work unit in question.
    """
    in_turn = sorted(queue, key=lambda job: (score(rule, job), job.number))
    return tuple(
        Candidate(job_order=job.id, score=score(rule, job), unmet=unmet.get(job.id, ()))
        for job in in_turn
    )


def first_takable(candidates: Iterable[Candidate]) -> str | None:
    """Return the first candidate that nothing speaks against."""
    return next((one.job_order for one in candidates if not one.unmet), None)
