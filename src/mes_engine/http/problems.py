"""Every error as ``application/problem+json`` (RFC 9457), in this one place.

A problem's ``type`` is a stable relative path that opens a page of help.
"""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mes_engine.core.errors import (
    KeyReused,
    Malformed,
    MesError,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    Refused,
)
from mes_engine.http.catalogue import PROBLEMS, ProblemKind
from mes_engine.ports import StoreUnavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "1"}

_log = structlog.get_logger(__name__)
_encoder = msgspec.json.Encoder()

# The most special comes first: a KeyReused is a Refused.
_KIND_OF: tuple[tuple[type[MesError], str], ...] = (
    (KeyReused, "key-reused"),
    (Refused, "refused"),
    (Malformed, "malformed"),
    (NotFound, "not-found"),
    (Overloaded, "overloaded"),
    (OutcomeUnknown, "outcome-unknown"),
)

_SLUG_OF_STATUS: dict[int, str] = {
    kind.status: kind.slug for kind in reversed(PROBLEMS.values()) if kind.is_general
}


def problem(
    slug: str,
    detail: str,
    *,
    hint: str = "",
    unmet: Sequence[str] = (),
    allowed: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return the answer for a problem of the catalogue.

    Args:
        slug: Its name in the catalogue.
        detail: What happened, in one sentence that names the thing.
        hint: What to do next; empty if there is nothing.
        unmet: The conditions that do not hold, each as ``name: why``.
        allowed: The triggers that would be accepted instead.
        headers: To be sent besides.
        more: Members of this kind of problem alone.
    """
    kind = PROBLEMS[slug]
    return _as_response(
        kind,
        kind.status,
        detail=detail,
        headers=headers,
        members={"hint": hint, "unmet": unmet, "allowed": allowed} | more,
    )


def of_error(error: MesError) -> Response:
    """Return the answer for a deliberate error of the engine or a module."""
    slug = next((slug for kind, slug in _KIND_OF if isinstance(error, kind)), None)
    if slug is None:
        return unexpected(error)
    unmet, allowed = (
        (error.unmet, error.allowed) if isinstance(error, Refused) else ((), ())
    )
    return problem(
        slug,
        error.message,
        hint=error.hint,
        unmet=unmet,
        allowed=allowed,
        headers=RETRY_AFTER if PROBLEMS[slug].is_worth_a_retry else None,
    )


def unexpected(error: Exception) -> Response:
    """Log an error that nobody meant, and return an answer that names the log entry."""
    reference = secrets.token_hex(8)
    _log.error("request_failed", reference=reference, exc_info=error)
    return problem(
        "unexpected",
        f"Something went wrong here, and it is not your doing. Reference {reference}.",
        reference=reference,
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem."""
    app.add_exception_handler(MesError, _on_mes_error)
    app.add_exception_handler(StoreUnavailable, _on_store_unavailable)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


class UnexpectedErrors:
    """ASGI middleware: an exception that nothing else caught becomes a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for it where it fails."""
        is_answering = False

        async def noting_send(message: Message) -> None:
            nonlocal is_answering
            is_answering = is_answering or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except Exception as error:
            # A stream that broke half-way cannot be answered any more.
            if is_answering or scope["type"] != "http":
                raise
            await unexpected(error)(scope, receive, send)


async def _on_store_unavailable(_: Request, error: Exception) -> Response:
    return of_error(
        Overloaded(
            f"The database does not answer: {error}.",
            hint="Nothing was done. Try again in a moment.",
        )
    )


async def _on_mes_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, MesError):
        raise error
    return of_error(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    slug = _SLUG_OF_STATUS.get(error.status_code)
    status = HTTPStatus(error.status_code)
    detail = str(error.detail)
    if detail == status.phrase:
        detail = f"{request.method} {request.url.path}: {status.phrase}."
    kind = PROBLEMS[slug or "other"]
    return _as_response(
        kind, error.status_code, detail=detail, headers=error.headers, members={}
    )


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = [_invalid(one) for one in error.errors()]
    broken_json = any(one["type"] == "json_invalid" for one in error.errors())
    if broken_json:
        return problem("not-json", f"The body is not JSON: {found[0]['detail']}.")
    slug = "bad-header" if all("header" in one for one in found) else "invalid"
    what = "; ".join(
        f"{one.get('pointer') or one.get('header') or one.get('parameter')}: "
        f"{one['detail']}"
        for one in found[:3]
    )
    return problem(slug, f"{what}.", errors=found)


def _invalid(error: Mapping[str, Any]) -> dict[str, str]:
    where, *path = error["loc"]
    detail = str(error["msg"]).removeprefix("Value error, ")
    if where == "body":
        parts = (str(one).replace("~", "~0").replace("/", "~1") for one in path)
        return {"pointer": "#" + "".join(f"/{one}" for one in parts), "detail": detail}
    name = str(path[0]) if path else str(where)
    return {"header" if where == "header" else "parameter": name, "detail": detail}


def _as_response(
    kind: ProblemKind,
    status: int,
    *,
    detail: str,
    headers: Mapping[str, str] | None,
    members: Mapping[str, Any],
) -> Response:
    body = {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": status,
        "detail": detail,
        **{name: value for name, value in members.items() if value},
    }
    return Response(
        _encoder.encode(body),
        status_code=status,
        headers=None if headers is None else dict(headers),
        media_type=MEDIA_TYPE,
    )
