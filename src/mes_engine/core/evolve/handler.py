"""What all handlers of facts have in common."""

from collections.abc import Callable
from typing import Any

from mes_engine.core.state import Counter, State

Handlers = dict[type, Callable[[State, Any], None]]


def known(value: Any) -> Any:
    """Return what a fact speaks of; without it the journal makes no sense."""
    if value is None:
        raise LookupError("a fact speaks of something that no fact has made")
    return value


def count(state: State, name: str, number: int) -> None:
    """Remember the last number given out for ids of the kind ``name``."""
    state.counter.put(Counter(name=name, last=number))
