"""Check a part of a document with a pydantic model; errors become problems in place."""

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import ErrorDetails

from mes_engine.settings.document import Document, KeyPath
from mes_engine.settings.fields import NO_SUCH_NAME
from mes_engine.settings.problems import Problems, guess

T = TypeVar("T")

Names = Mapping[str, Collection[str]]
"""What fields may refer to: kind of thing -> the names that exist."""

_LONGEST_GIVEN = 60
_SECRET = re.compile(r"password|passwd|secret|token|key", re.IGNORECASE)
_NOT_REPEATED = {"missing", "extra_forbidden", "wrong", NO_SUCH_NAME}

_PLAIN = {
    "missing": "missing",
    "extra_forbidden": "unknown key",
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "decimal_parsing": "should be a number",
    "decimal_type": "should be a number",
    "float_parsing": "should be a number",
    "float_type": "should be a number",
    "finite_number": "should be a finite number",
    "bool_parsing": "should be yes or no",
    "bool_type": "should be yes or no",
    "string_type": "should be a text",
    "dict_type": "should be a mapping of keys",
    "model_type": "should be a mapping of keys",
    "model_attributes_type": "should be a mapping of keys",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "enum": "should be {expected}",
    "literal_error": "should be {expected}",
    "greater_than": "should be above {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be below {lt}",
    "less_than_equal": "should be at most {le}",
    "decimal_max_places": "should have at most {decimal_places} decimals",
    "too_short": "should have at least {min_length}",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should match {pattern}",
    "value_error": "{error}",
}


def checked(
    document: Document,
    path: KeyPath,
    kind: Any,
    problems: Problems,
    *,
    names: Names | None = None,
    without: str = "",
) -> Any | None:
    """Return what is at ``path`` as a ``kind``, adding to ``problems`` what is wrong.

    Args:
        document: Where to look.
        path: The part to check.
        kind: A model, or any type that pydantic knows.
        problems: Takes what is found.
        names: What the fields may refer to. A kind that is not in it is not checked.
        without: A key of the part that is not the model's business.

    Returns:
        None if the part cannot be used. A name that does not exist is a problem, and
        yet the rest is returned, so that further checks can be made.
    """
    adapter = _adapter(kind)
    data = document.at(path)
    if data is None:
        problems.add(document.problem(path, "missing"))
        return None
    if without and isinstance(data, dict):
        data = {key: value for key, value in data.items() if key != without}
    try:
        return adapter.validate_python(data, context=names)
    except ValidationError as error:
        details = error.errors(include_url=False)
    for detail in details:
        _add(document, path, detail, adapter, problems)
    if all(detail["type"] == NO_SUCH_NAME for detail in details):
        return adapter.validate_python(data)
    return None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Building one costs far more than using it."""
    return TypeAdapter(kind)


def _add(
    document: Document,
    base: KeyPath,
    detail: ErrorDetails,
    adapter: TypeAdapter[Any],
    problems: Problems,
) -> None:
    context = detail.get("ctx", {})
    path = _path(document, base, (*detail["loc"], *context.get("field", ())))
    kind, given = detail["type"], detail["input"]
    of_key = kind == "extra_forbidden" or "[key]" in detail["loc"]
    if kind == "missing":
        path = (*path, detail["loc"][-1])
    if given == "" and kind not in _NOT_REPEATED:
        problems.add(document.problem(path, "is empty", of_key=of_key))
        return
    text = _PLAIN.get(kind, "{msg}").format(msg=_sentence(detail["msg"]), **context)
    if kind not in _NOT_REPEATED and _can_be_shown(document, path, given):
        text += f" (got '{given}')"
    word = str(path[-1]) if of_key else str(given)
    known = [*_known(adapter, detail), *context.get("known", ())]
    problems.add(document.problem(path, text + guess(word, known), of_key=of_key))


def _path(document: Document, base: KeyPath, loc: tuple[int | str, ...]) -> KeyPath:
    """Join ``loc`` to the file: pydantic adds parts, such as a union's branch."""
    path = base
    for part in loc:
        if (*path, part) in document.values:
            path = (*path, part)
    return path


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:]


def _can_be_shown(document: Document, path: KeyPath, given: Any) -> bool:
    is_secret = path in document.hidden or bool(path and _SECRET.search(str(path[-1])))
    return (
        isinstance(given, str)
        and len(given) <= _LONGEST_GIVEN
        and "@" not in given  # an address with a password in it
        and not is_secret
    )


def _known(adapter: TypeAdapter[Any], detail: ErrorDetails) -> Iterator[str]:
    if detail["type"] in {"enum", "literal_error"}:
        yield from re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
    elif detail["type"] == "extra_forbidden":
        yield from _keys_beside(adapter, detail["loc"])


def _keys_beside(
    adapter: TypeAdapter[Any], loc: tuple[int | str, ...]
) -> Iterator[str]:
    """Yield the keys that a model knows beside ``loc``, by its JSON schema."""
    try:
        schema = adapter.json_schema()
    except PydanticInvalidForJsonSchema:  # an adapter's own type: no suggestion
        return
    definitions = schema.get("$defs", {})
    nodes = list(_resolved(schema, definitions))
    for part in loc[:-1]:
        children: list[dict[str, Any]] = []
        for node in nodes:
            child = (
                node.get("items")
                if isinstance(part, int)
                else node.get("properties", {}).get(part)
                or node.get("additionalProperties")
            )
            if isinstance(child, dict):
                children.extend(_resolved(child, definitions))
        nodes = children or nodes  # a part that is a union's branch has no child
    for node in nodes:
        yield from node.get("properties", {})


def _resolved(
    node: dict[str, Any], definitions: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _resolved(definitions[node["$ref"].rsplit("/", 1)[1]], definitions)
    branches = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
    for branch in branches:
        yield from _resolved(branch, definitions)
    yield node
