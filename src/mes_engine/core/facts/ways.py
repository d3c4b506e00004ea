"""Pieces went another way than straight on."""

from decimal import Decimal

import msgspec

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.measurements import Seen


class ReworkSent(BaseFact, frozen=True, kw_only=True, tag="rework_sent"):
    """Pieces of a job order go back along a rework loop.

    Attributes:
        quantity: How many, of the lot ``lot``.
        parent: The lot that they were split from; None where the whole lot goes.
        pass_number: Of the loop: the first way back leads into pass 2.
        reworked: Of these, what was not reported good before; ``reworked_total`` is the
            job order's afterwards.
        visit: Where they go.
    """

    job_order: str
    loop: str
    pass_number: int
    quantity: Decimal
    lot: str
    parent: str | None
    reworked: Decimal
    reworked_total: Decimal
    visit: str
    reason: str
    at: int
    person: str


class LotDeviated(BaseFact, frozen=True, kw_only=True, tag="lot_deviated"):
    """Pieces of a job order go another way than the routing's.

    Attributes:
        quantity: How many, of the lot ``lot``.
        parent: The lot that they were split from; None where the whole lot goes.
        deviated: Of these, what was not reported good; ``deviated_total`` is the job
            order's afterwards.
        visit: Where they go.
        skipped: The steps that they do not come through because of it.
        repeats: By visit, how many of them it had confirmed as good already.
    """

    job_order: str
    quantity: Decimal
    lot: str
    parent: str | None
    deviated: Decimal
    deviated_total: Decimal
    visit: str
    skipped: tuple[str, ...]
    reason: str
    at: int
    person: str
    repeats: dict[str, Decimal] = msgspec.field(default_factory=dict)


class StepSampled(BaseFact, frozen=True, kw_only=True, tag="step_sampled"):
    """A lot, or a request, came to a step that takes a sample.

    Attributes:
        counter: What is counted; ``number`` is its count, from 1.
        lot: None where all lots of the request are sampled together.
        is_taken: Whether it is worked there.
    """

    counter: str
    number: int
    visit: str
    lot: str | None
    is_taken: bool


class AlternativeChosen(BaseFact, frozen=True, kw_only=True, tag="alternative_chosen"):
    """A lot takes one of the alternatives out of a step, by measured data or a person.

    Attributes:
        why: The condition that holds; or that none does; or the person's reason.
        saw: The values that it was decided by.
        is_set: Whether a person chose it.
    """

    visit: str
    step: str
    lot: str
    target: str
    why: str
    saw: tuple[Seen, ...]
    is_set: bool
    at: int
    person: str


class StepSkipped(BaseFact, frozen=True, kw_only=True, tag="step_skipped"):
    """Pieces of a lot go past a step without being worked there, and why.

    Attributes:
        saw: The measured values that it was decided by, if any were.
    """

    visit: str
    step: str
    lot: str
    quantity: Decimal
    why: str
    at: int
    person: str
    saw: tuple[Seen, ...] = ()


WaysFact = ReworkSent | LotDeviated | StepSampled | AlternativeChosen | StepSkipped
