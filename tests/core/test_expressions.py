"""Conditions on measured data: what they say, and what cannot be read of them."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core.characteristics import RESERVED, number_told
from mes_engine.core.expressions import (
    MOST_CHARACTERS,
    Both,
    Comparison,
    Either,
    Expression,
    ExpressionError,
    Negation,
    Reference,
    comparisons,
    holds,
    parsed,
)

DATA = {"width": "10.0", "inspect.result": "pass", "tight": "true", "10.depth": "-3"}


def said(text: str, **changed: str | None) -> bool | None:
    return holds(parsed(text), lambda of: (DATA | changed).get(str(of)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("width == 10", True),
        ("width != 10.00", False),
        ("width>=10", True),
        ("width > 9.999999", True),
        ("width < 10 or width > 10", False),
        ("10.depth < -2.5", True),
        ("10.depth<-3", False),
        ('inspect.result == "pass"', True),
        ("inspect.result != 'pass'", False),
        ('inspect.result == "Pass"', False),
        ("tight", True),
        ("tight == false", False),
        ("tight != false", True),
        ("not tight", False),
        ("not not tight", True),
        ("not width == 9 and tight", True),
        ("not (width == 10 and tight)", False),
        ("tight or tight and not tight", True),
        ("(tight or tight) and not tight", False),
        ('inspect.result == "and" or tight', True),
    ],
)
def test_what_a_condition_says(text: str, *, expected: bool) -> None:
    assert said(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gone > 1", None),
        ("not gone > 1", None),
        ("gone > 1 or tight", True),
        ("gone > 1 and tight", None),
        ("gone > 1 and not tight", False),
        ("gone > 1 or not tight", None),
    ],
)
def test_what_is_not_measured_decides_only_where_nothing_else_does(
    text: str, *, expected: bool | None
) -> None:
    assert said(text) is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at character 1: the name of a characteristic is missing"),
        ("width >", "at character 8: a constant is missing"),
        ("width = 10", "at character 7: '=' says nothing here; equal is written '=='"),
        ("width == 10 tight", "at character 13: 'tight' is not expected here"),
        ("(tight", "at character 7: ')' is missing"),
        ("tight)", "at character 6: ')' is not expected here"),
        ("tight and", "at character 10: the name of a characteristic is missing"),
        ("10 < width", "at character 1: the name of a characteristic is missing "),
        ("width < depth", "at character 9: a constant (a number, a text in quotes"),
        ("width * 2 > 1", "at character 7: '*' says nothing here"),
        ("width == 'x", "at character 10: ''x' says nothing here"),
        ("and", "at character 1: the name of a characteristic is missing before"),
        ("__import__('os')", "at character 11: '(' is not expected here"),
        ("a.b.c == 1", "at character 4: '.c' says nothing here"),
        ("(" * 21 + "tight" + ")" * 21, "at character 21: is more than 20 deep"),
        ("not " * 500 + "tight", f"is longer than {MOST_CHARACTERS} characters"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parsed(text)

    assert why in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        assert holds(parsed(text), lambda _: None) is None


names = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True).filter(
    lambda name: name not in RESERVED
)
constants = st.one_of(
    st.decimals(-1000, 1000, places=3).map(lambda one: Decimal(number_told(one))),
    st.text("abc def", max_size=5),
)
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


def _compared(name: str, sign: str, constant: Decimal | str) -> Comparison:
    is_text = isinstance(constant, str)
    return Comparison(Reference("", name, 0), "==" if is_text else sign, constant)


expressions: st.SearchStrategy[Expression] = st.recursive(
    st.builds(_compared, names, signs, constants),
    lambda inner: st.one_of(
        st.builds(Negation, inner),
        st.builds(Both, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Either, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


def written(expression: Expression) -> str:
    match expression:
        case Comparison(of, sign, constant):
            told = f"'{constant}'" if isinstance(constant, str) else f"{constant:f}"
            return f"{of} {sign} {told}"
        case Negation(term):
            return f"not ({written(term)})"
        case Both(terms):
            return " and ".join(f"({written(term)})" for term in terms)
        case Either(terms):
            return " or ".join(f"({written(term)})" for term in terms)


@given(expressions, st.dictionaries(names, st.decimals(-9, 9, places=1).map(str)))
def test_what_is_written_means_the_same_when_it_is_read(
    expression: Expression, data: dict[str, str]
) -> None:
    text = written(expression)
    if len(text) > MOST_CHARACTERS:
        return
    again = parsed(text)
    kinds = {one.of.name: type(one.constant) for one in comparisons(expression)}
    known: dict[str, Any] = {
        name: value for name, value in data.items() if kinds.get(name) is Decimal
    }
    told = {(one.of.name, type(one.constant)) for one in comparisons(again)}
    if len(kinds) < len(told):
        return  # One name for a number and a text: no routing may say so.

    assert holds(again, lambda of: known.get(of.name)) == holds(
        expression, lambda of: known.get(of.name)
    )
