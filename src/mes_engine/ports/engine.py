"""The engine, as far as others need it."""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Sequence,
)
from contextlib import AbstractContextManager
from dataclasses import dataclass

from mes_engine.core.facts import Recorded
from mes_engine.core.messages import Answer, Commanded
from mes_engine.core.state import State

Submit = Callable[[Commanded], Awaitable[Answer]]
"""Hand a command to the engine; its answer means that what it did is committed.

Raises ``Overloaded`` (nothing was taken) or ``OutcomeUnknown`` (ask again, same key).
"""

Changes = AbstractContextManager[AsyncIterator[Sequence[Recorded]]]
"""What is committed from now on, in order; it ends early for who does not keep up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The engine, as far as an adapter needs it that serves others.

    Attributes:
        committed: The engine's state; for reading.
        submit: How everything goes in that changes work in progress.
        changes: Subscribe to what is committed.
        clock: Microseconds of UTC.
    """

    committed: State
    submit: Submit
    changes: Callable[[], Changes]
    clock: Callable[[], int]
