"""Pages of a list: at most so many at a time, and where the next page begins."""

import base64
import binascii
from collections.abc import Iterable
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from starlette.exceptions import HTTPException

from mes_engine.http.fields import View

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_CURSOR = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR, description="`next` of the page before"),
]


class Page(View, Generic[T]):
    """Some items of a list; ``next`` is the cursor of those after, if there are any."""

    items: list[T]
    next: str | None = None


def to_cursor(key: str | int) -> str:
    """Return the cursor of what comes after ``key``.

    Example:
        >>> of_cursor(to_cursor("JO-12"))
        'JO-12'
    """
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def of_cursor(cursor: str) -> str:
    """Return the key that ``cursor`` was made of.

    Raises:
        HTTPException: It is no cursor of ours.
    """
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise HTTPException(400, "The cursor is not one that a page gave.") from None


def number_of_cursor(cursor: str | None) -> int:
    """Return the number that ``cursor`` was made of; 0 where there is none.

    Raises:
        HTTPException: It is no cursor of ours.
    """
    if cursor is None:
        return 0
    digits = of_cursor(cursor)
    if not digits.isdecimal() or len(digits) > 18:  # noqa: PLR2004
        raise HTTPException(400, "The cursor is not one that a page gave.")
    return int(digits)


def page_of(found: Iterable[tuple[str | int, T]], limit: int) -> Page[T]:
    """Return the first ``limit`` of ``found``, which comes in order, with its keys."""
    items: list[T] = []
    last: str | int = 0
    for key, item in found:
        if len(items) == limit:
            return Page(items=items, next=to_cursor(last))
        items.append(item)
        last = key
    return Page(items=items)
