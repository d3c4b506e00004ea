"""Accounting periods."""

from mes_engine.core import facts as f
from mes_engine.core.evolve.handler import Handlers
from mes_engine.core.state import State


def _books_closed(state: State, fact: f.BooksClosed) -> None:
    state.books.put(fact.books)


HANDLERS: Handlers = {f.BooksClosed: _books_closed}
