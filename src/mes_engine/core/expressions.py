"""Conditions on measured data, as they are written: a small language, and no program.

    thickness >= 9.9 and thickness <= 10.1
    inspect.result == "pass" or not inspect.cracked

A characteristic is compared with a constant; a boolean one may stand alone. ``and``,
``or``, ``not`` and brackets put comparisons together. A name without a step is of the
step that the condition is written for, or of the only one before it that measures so.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from mes_engine.core.characteristics import MOST_DIGITS, RESERVED, ValueKind

MOST_CHARACTERS = 500
DEEPEST = 20
"""How many brackets and negations may be within each other."""

Constant = Decimal | str | bool

_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<number>-?\d{{1,{MOST_DIGITS}}}(?:\.\d{{1,{MOST_DIGITS}}})?(?![\w.-]))
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<sign>==|!=|<=|>=|<|>|\(|\))
    |(?P<name>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?)
    )""",
    re.ASCII | re.VERBOSE,
)
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_EQUALITY = frozenset({"==", "!="})


class ExpressionError(Exception):
    """A condition cannot be read, or not be used; ``at`` is a character, from 1."""

    def __init__(self, at: int, text: str) -> None:
        super().__init__(f"at character {at}: {text}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A characteristic that is named; ``step`` is empty where it is not said."""

    step: str
    name: str
    at: int

    def __str__(self) -> str:
        return f"{self.step}.{self.name}" if self.step else self.name


@dataclass(frozen=True, slots=True)
class Comparison:
    """A characteristic compared with a constant."""

    of: Reference
    sign: str
    constant: Constant


@dataclass(frozen=True, slots=True)
class Negation:
    """Not what ``term`` says."""

    term: "Expression"


@dataclass(frozen=True, slots=True)
class Both:
    """Everything that the terms say."""

    terms: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Anything that one of the terms says."""

    terms: tuple["Expression", ...]


Expression = Comparison | Negation | Both | Either


@cache
def parsed(text: str) -> Expression:
    """Return what a condition says.

    Raises:
        ExpressionError: It cannot be read.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(
            MOST_CHARACTERS + 1, f"is longer than {MOST_CHARACTERS} characters"
        )
    return _Parser(list(_tokens(text)), len(text) + 1).whole()


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """Yield every comparison of a condition, from left to right."""
    match expression:
        case Comparison():
            yield expression
        case Negation(term):
            yield from comparisons(term)
        case Both(terms) | Either(terms):
            for term in terms:
                yield from comparisons(term)


def holds(
    expression: Expression, value_of: Callable[[Reference], str | None]
) -> bool | None:
    """Say whether a condition holds; None where what is not measured would decide it.

    Args:
        expression: The condition, its constants of their characteristics' kinds.
        value_of: Tells a characteristic's value as text; None where it has none.
    """
    match expression:
        case Comparison(of, sign, constant):
            value = value_of(of)
            return None if value is None else _compared(value, sign, constant)
        case Negation(term):
            inner = holds(term, value_of)
            return None if inner is None else not inner
        case Both(terms):
            return _first(terms, value_of, decides=False)
        case Either(terms):
            return _first(terms, value_of, decides=True)


def check_use(comparison: Comparison, kind: ValueKind) -> None:
    """See that a characteristic of this kind may be compared so.

    Raises:
        ExpressionError: It may not.
    """
    name, sign, constant = comparison.of.name, comparison.sign, comparison.constant
    fitting = {
        ValueKind.NUMBER: isinstance(constant, Decimal),
        ValueKind.TEXT: isinstance(constant, str),
        ValueKind.BOOLEAN: isinstance(constant, bool),
    }[kind]
    if not fitting:
        raise ExpressionError(
            comparison.of.at,
            f"'{name}' is a {kind}, and is compared with a {_kind_of(constant)}",
        )
    if kind is not ValueKind.NUMBER and sign not in _EQUALITY:
        raise ExpressionError(
            comparison.of.at, f"'{name}' is a {kind}: '{sign}' says nothing of it"
        )


def _first(
    terms: tuple[Expression, ...],
    value_of: Callable[[Reference], str | None],
    *,
    decides: bool,
) -> bool | None:
    said = [holds(term, value_of) for term in terms]
    if decides in said:
        return decides
    return None if None in said else not decides


def _compared(value: str, sign: str, constant: Constant) -> bool:
    match constant:
        case bool():
            return ((value == "true") is constant) is (sign == "==")
        case str():
            return (value == constant) is (sign == "==")
    number = Decimal(value)
    return {
        "==": number == constant,
        "!=": number != constant,
        "<": number < constant,
        "<=": number <= constant,
        ">": number > constant,
        ">=": number >= constant,
    }[sign]


def _kind_of(constant: Constant) -> ValueKind:
    if isinstance(constant, bool):
        return ValueKind.BOOLEAN
    return ValueKind.TEXT if isinstance(constant, str) else ValueKind.NUMBER


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            start = len(text) - len(text[at:].lstrip())
            word = text[start:].split(maxsplit=1)[0]
            hint = "; equal is written '=='" if word.startswith("=") else ""
            raise ExpressionError(start + 1, f"'{word:.20}' says nothing here{hint}")
        kind = found.lastgroup
        yield _Token(kind, found[kind], found.start(kind) + 1)
        at = found.end()


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._end = end
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        found = self._either()
        left = self._peek()
        if left is not None:
            raise ExpressionError(left.at, f"'{left.text}' is not expected here")
        return found

    def _either(self) -> Expression:
        terms = [self._both()]
        while self._takes("or"):
            terms.append(self._both())
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def _both(self) -> Expression:
        terms = [self._term()]
        while self._takes("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else Both(tuple(terms))

    def _term(self) -> Expression:
        token = self._peek()
        if token is not None and token.text in {"not", "("}:
            self._depth += 1
            if self._depth > DEEPEST:
                raise ExpressionError(token.at, f"is more than {DEEPEST} deep")
            self._next += 1
            found = self._within() if token.text == "(" else Negation(self._term())
            self._depth -= 1
            return found
        return self._comparison()

    def _within(self) -> Expression:
        found = self._either()
        if not self._takes(")"):
            raise self._lacks("')'")
        return found

    def _comparison(self) -> Expression:
        token = self._peek()
        if token is None or token.kind != "name" or token.text in RESERVED:
            raise self._lacks("the name of a characteristic")
        self._next += 1
        step, _, name = token.text.rpartition(".")
        of = Reference(step, name, token.at)
        sign = self._peek()
        if sign is None or sign.text not in _COMPARISONS or sign.kind != "sign":
            return Comparison(of, "==", constant=True)
        self._next += 1
        return Comparison(of, sign.text, self._constant())

    def _constant(self) -> Constant:
        token = self._peek()
        if token is None:
            raise self._lacks("a constant")
        self._next += 1
        match token.kind, token.text:
            case "number", digits:
                return Decimal(digits)
            case "text", quoted:
                return quoted[1:-1]
            case "name", "true" | "false":
                return token.text == "true"
        self._next -= 1
        raise self._lacks("a constant (a number, a text in quotes, true or false)")

    def _takes(self, word: str) -> bool:
        token = self._peek()
        is_there = token is not None and token.text == word and token.kind != "text"
        self._next += is_there
        return is_there

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _lacks(self, what: str) -> ExpressionError:
        token = self._peek()
        if token is None:
            return ExpressionError(self._end, f"{what} is missing")
        return ExpressionError(token.at, f"{what} is missing before '{token.text}'")
