"""Pages of a list."""

import pytest
from starlette.exceptions import HTTPException

from mes_engine.http.paging import number_of_cursor, of_cursor, page_of, to_cursor


def test_the_next_page_begins_after_the_last_item() -> None:
    page = page_of([(number, f"item {number}") for number in (3, 4, 5)], limit=2)
    assert page.items == ["item 3", "item 4"]
    assert number_of_cursor(page.next) == 4


def test_the_last_page_has_no_next() -> None:
    assert page_of([(1, "one"), (2, "two")], limit=2).next is None
    assert page_of([], limit=2).items == []


@pytest.mark.parametrize("cursor", ["!", "a", "5", "ÿÿ", to_cursor("x"), to_cursor(-1)])
def test_what_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(HTTPException):
        number_of_cursor(cursor)


def test_a_cursor_keeps_any_key() -> None:
    assert of_cursor(to_cursor("Auftrag Ä/1")) == "Auftrag Ä/1"
