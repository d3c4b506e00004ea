"""Siblings: job orders of one visit that share its pieces, to be worked on in parallel.

A job order is split: a part of what it has left to do goes to another at the same visit
(ISA-95: two job orders of one segment). Each has its own plan; the pieces are a pool,
and what one does not take the other may.
"""

from decimal import Decimal

from mes_engine.core.job_order import AT_WORK, JobOrder
from mes_engine.core.quantity import ZERO
from mes_engine.core.state import State


def siblings(state: State, job: JobOrder) -> list[JobOrder]:
    """Return the others that ``job`` shares pieces with and that are not over."""
    if job.split_of is None:
        return []
    return [one for one in family(state, job) if one.id != job.id and not one.is_over]


def family(state: State, job: JobOrder) -> list[JobOrder]:
    """Return all that were split of the same job order, also what is over, and it."""
    if job.split_of is None:
        return [job]
    there = state.job_order.find("visit", job.visit)
    return [one for one in there if one.split_of == job.split_of]


def reserved(state: State, job: JobOrder, *, is_fed: bool) -> Decimal:
    """Return how many pieces at the visit are for the siblings of ``job``.

    Args:
        state: Where they stand.
        job: For whom they are not.
        is_fed: Whether pieces come from other steps; else each brings in its own, once
            it is at work.
    """
    return sum(
        (
            max(_left(one), ZERO)
            for one in siblings(state, job)
            if is_fed or one.state in AT_WORK
        ),
        ZERO,
    )


def to_start(state: State, job: JobOrder, unaccounted: Decimal) -> Decimal:
    """Return how many pieces ``job`` starts, at a step that begins a routing.

    What siblings at work have started and made, or made too many, is taken into
    account.
    """
    due = ZERO
    for one in family(state, job):
        left = _left(one)
        if one.id == job.id or one.state in AT_WORK:
            due += left
        elif one.is_over:
            due += min(left, ZERO)
    return due - unaccounted


def _left(job: JobOrder) -> Decimal:
    return job.planned - job.worked - job.deviated
