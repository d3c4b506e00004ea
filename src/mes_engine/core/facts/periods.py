"""What became of accounting periods."""

from mes_engine.core.facts.fact import BaseFact
from mes_engine.core.periods import Books


class BooksClosed(BaseFact, frozen=True, kw_only=True, tag="books_closed"):
    """Up to this day, and no further, the books are closed from now on."""

    books: Books


PeriodsFact = BooksClosed
