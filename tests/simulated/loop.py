"""An event loop on virtual time, and an executor without threads."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

T = TypeVar("T")

REAL_S = 10.0


class NothingToDo(Exception):
    """Every task waits for another: the simulation hangs."""


class _Skipping(selectors.SelectSelector):
    """Instead of waiting for the next timer, it is that late at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout is not None:
            self.now += max(timeout, 0.0)
        if ready or timeout is not None:
            return ready
        ready = super().select(REAL_S)  # A real thread may end: a database is closed.
        if not ready:
            raise NothingToDo
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """The standard loop, on a clock that jumps from timer to timer."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Tell the virtual time, in seconds from 0."""
        return self._skipping.now


class InlineExecutor(Executor):
    """Runs what it is given at once, where it is given."""

    def __init__(self, _workers: int, _name: str) -> None:
        pass

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run ``fn``, and return what came of it."""
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  its caller gets it
            done.set_exception(error)
        return done
