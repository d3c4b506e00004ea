"""Where orders stand: people's decisions, the engine's answers, and facts."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from mes_engine.core.messages import Answer, Outcome
from mes_engine.core.quantity import ZERO
from mes_engine.core.requests import WorkRequestState
from mes_engine.modules.crm.model.documents import OrderLine, SalesOrder
from mes_engine.modules.crm.model.intents import Verb


class OrderStage(StrEnum):
    """What people have decided of an order; the rest follows from facts."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    """Where an order stands."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    IN_PRODUCTION = "in_production"
    COMPLETED = "completed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class LineState(StrEnum):
    """Where an order line stands; from ``planned`` on, as its work request does."""

    DRAFT = "draft"
    REQUESTED = "requested"
    REFUSED = "refused"
    PLANNED = "planned"
    RELEASED = "released"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class LineProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a line.

    Attributes:
        attempt: How often the engine was asked about it; 0 in a draft.
        production: The state of its work request; None while there is none.
        finished: Good pieces that have come into stock.
        answers: Of the engine, to what the last attempt asked; None: not yet.
    """

    line: OrderLine
    attempt: int = 0
    production: WorkRequestState | None = None
    finished: Decimal = ZERO
    answers: dict[Verb, Answer | None] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether the engine has not answered everything yet."""
        return None in self.answers.values()

    @property
    def is_made_known(self) -> bool:
        """Whether the engine has a work request of it."""
        answer = self.answers.get(Verb.CREATE)
        is_accepted = answer is not None and answer.outcome is Outcome.ACCEPTED
        return self.production is not None or is_accepted

    @property
    def refusal(self) -> Answer | None:
        """The engine's first answer that is not a consent, if there is one."""
        return next(
            (
                answer
                for answer in self.answers.values()
                if answer is not None and answer.outcome is not Outcome.ACCEPTED
            ),
            None,
        )


class OrderProgress(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and what has become of it.

    Attributes:
        is_released: Whether its work requests are released as soon as they are made.
    """

    order: SalesOrder
    stage: OrderStage
    is_released: bool
    lines: tuple[LineProgress, ...]


_BEGUN = frozenset(
    {
        WorkRequestState.IN_PROGRESS,
        WorkRequestState.COMPLETED,
        WorkRequestState.CLOSED,
    }
)
_MADE = frozenset({LineState.COMPLETED, LineState.CLOSED})


def line_state(progress: LineProgress, stage: OrderStage) -> LineState:
    """Return where a line of an order at ``stage`` stands."""
    if progress.production is not None:
        return LineState(progress.production.value)
    if stage is OrderStage.DRAFT:
        return LineState.DRAFT
    if not progress.answers:
        return LineState.CANCELLED
    return LineState.REQUESTED if progress.refusal is None else LineState.REFUSED


def order_state(progress: OrderProgress) -> OrderState:
    """Return where an order stands."""
    states = {line_state(line, progress.stage) for line in progress.lines}
    if progress.stage is OrderStage.DRAFT:
        return OrderState.DRAFT
    if states == {LineState.CANCELLED}:
        return OrderState.CANCELLED
    if any(is_being_cancelled(line, progress.stage) for line in progress.lines):
        return OrderState.CANCELLING
    left = states - {LineState.CANCELLED}
    if left <= _MADE:
        return OrderState.COMPLETED
    if left & _MADE or LineState.IN_PROGRESS in left:
        return OrderState.IN_PRODUCTION
    return OrderState.CONFIRMED


def is_being_cancelled(progress: LineProgress, stage: OrderStage) -> bool:
    """Whether a line's end is asked for, and the engine has not refused it."""
    return (
        stage is OrderStage.CANCELLED
        and progress.refusal is None
        and line_state(progress, stage) is not LineState.CANCELLED
    )


def line_verbs(
    progress: LineProgress, stage: OrderStage, *, is_released: bool
) -> tuple[Verb, ...]:
    """Return what is to be asked of the engine, so that a line gets where it should."""
    production = progress.production
    if stage is OrderStage.CANCELLED:
        is_there = progress.is_made_known and production != WorkRequestState.CANCELLED
        return (Verb.CANCEL,) if is_there else ()
    if stage is OrderStage.DRAFT:
        return ()
    verbs = () if progress.is_made_known else (Verb.CREATE,)
    is_unreleased = production in {None, WorkRequestState.PLANNED}
    return (*verbs, Verb.RELEASE) if is_released and is_unreleased else verbs


def mendable(
    progress: LineProgress, stage: OrderStage, *, is_released: bool
) -> Answer | None:
    """Return the refusal after which the engine may be asked again, if there is one."""
    is_of_use = line_verbs(progress, stage, is_released=is_released)
    return progress.refusal if is_of_use else None


def begun_lines(progress: OrderProgress) -> list[str]:
    """Say which lines stand in the way of cancelling the order."""
    return [
        f"line {one.line.line}: {line_state(one, progress.stage).value}"
        for one in progress.lines
        if one.production in _BEGUN or one.is_waiting
    ]
