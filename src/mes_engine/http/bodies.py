"""Request bodies, read exactly: no float, no doubled name, no hidden character.

JSON numbers become ``int`` or ``Decimal``, so that ``0.1`` is a tenth.
"""

import json
import unicodedata
from collections.abc import Callable, Coroutine
from decimal import Decimal, InvalidOperation
from email.message import Message
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

MAX_DIGITS = 40
"""A number of more digits is no quantity of anything."""


class ExactRequest(Request):
    """A request whose JSON is read by :func:`exact_json`."""

    async def json(self) -> Any:
        """Return the body; ``None`` where there is none.

        Raises:
            RequestValidationError: It is not JSON, or holds text that may not be.
            HTTPException: It is not declared as JSON.
        """
        if not hasattr(self, "_json"):
            body = await self.body()
            if body and not _is_json(self.headers.get("content-type", "")):
                raise HTTPException(415, "The Content-Type is not application/json.")
            self._json = exact_json(body) if body else None
        return self._json


class ExactRoute(APIRoute):
    """A route whose requests are :class:`ExactRequest`."""

    def get_route_handler(
        self,
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI made, given exact requests."""
        handle = super().get_route_handler()

        async def handle_exactly(request: Request) -> Response:
            exact = ExactRequest(request.scope, request.receive)
            await exact.json()
            return await handle(exact)

        return handle_exactly


def api_router(*, prefix: str = "", tags: list[str] | None = None) -> APIRouter:
    """Return a router whose bodies are read exactly."""
    return APIRouter(prefix=prefix, tags=list(tags or ()), route_class=ExactRoute)


def exact_json(body: bytes) -> Any:
    """Read ``body`` as JSON.

    Raises:
        RequestValidationError: It is none, or a string of it holds a control
            character or half a surrogate pair.
    """
    try:
        value = json.loads(
            body.decode(),
            parse_float=_number,
            parse_int=_number,
            parse_constant=Decimal,  # whoever wants a number refuses NaN by name
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise _invalid((), str(error), kind="json_invalid") from error
    _check_text(value, ())
    return value


def is_clean(text: str) -> bool:
    """Whether ``text`` has no surrogate, and no control character but white space."""
    return text.isprintable() or not any(
        unicodedata.category(one) in {"Cc", "Cs"} and one not in "\t\n\r"
        for one in text
    )


def _number(digits: str) -> int | Decimal:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} characters")
    if digits.lstrip("-").isdigit():
        return int(digits)
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond everything
        return Decimal("-Infinity" if digits.startswith("-") else "Infinity")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has {twice!a} twice")
    return made


def _check_text(value: Any, path: tuple[str | int, ...]) -> None:
    match value:
        case str():
            if not is_clean(value):
                raise _invalid(path, "has a control character or half a surrogate pair")
        case dict():
            for name, one in value.items():
                _check_text(name, path)
                _check_text(one, (*path, name))
        case list():
            for index, one in enumerate(value):
                _check_text(one, (*path, index))


def _invalid(
    path: tuple[str | int, ...], message: str, *, kind: str = "value_error"
) -> RequestValidationError:
    error = {"type": kind, "loc": ("body", *path), "msg": message, "input": None}
    return RequestValidationError([error])


def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (
        subtype == "json" or subtype.endswith("+json")
    )
