"""Limits on every request, before anything reads it: size, depth, headers, time, host.

Pure ASGI, so that streams pass untouched.
"""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mes_engine.http.problems import problem

MAX_BODY = 1024 * 1024
MAX_DISCARDED = 8 * MAX_BODY
MAX_DEPTH = 32
MAX_HEADERS = 100
MSGPACK = b"application/msgpack"
RECEIVE_S = 10.0

# Possessive, and with the closing quote optional: linear on hostile bodies too.
_NESTING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class _Rejected(Exception):
    """A request breaks a limit.

    Attributes:
        is_coming: Whether the client may still be sending its body.
    """

    def __init__(self, slug: str, detail: str, *, is_coming: bool = False) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.is_coming = is_coming


class RequestLimits:
    """ASGI middleware: receive the whole body within limits, then pass it on."""

    def __init__(
        self, app: ASGIApp, *, max_body: int = MAX_BODY, receive_s: float = RECEIVE_S
    ) -> None:
        self._app = app
        self._max_body = max_body
        self._receive_s = receive_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request within the limits on; answer for any other."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._received(scope, receive)
        except _Rejected as rejected:
            if rejected.is_coming:
                await self._discard(receive)
            answer = problem(
                rejected.slug, rejected.detail, headers={"Connection": "close"}
            )
            await answer(scope, receive, send)
            return
        except ClientDisconnect:
            return
        await self._app(scope, _replayed(body, receive), send)

    async def _received(self, scope: Scope, receive: Receive) -> bytes:
        headers = scope["headers"]
        if len(headers) > MAX_HEADERS:
            raise _Rejected("too-many-headers", f"{len(headers)} headers were sent.")
        self._check_declared(headers)
        chunks: list[bytes] = []
        size, has_more = 0, True
        try:
            async with asyncio.timeout(self._receive_s):
                while has_more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    has_more = message.get("more_body", False)
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > self._max_body:
                        raise _too_large(self._max_body, is_coming=has_more)
        except TimeoutError:
            raise _Rejected(
                "too-slow", f"The body took longer than {self._receive_s:g} s."
            ) from None
        body = b"".join(chunks)
        # MessagePack is read into types of known depth, and its bytes are no brackets.
        is_text = (b"content-type", MSGPACK) not in headers
        if is_text and not is_shallow(body):
            raise _Rejected(
                "not-json", f"The body is nested deeper than {MAX_DEPTH} levels."
            )
        return body

    def _check_declared(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        for name, value in headers:
            is_length = name == b"content-length" and value.isdigit()
            if is_length and int(value) > self._max_body:
                raise _too_large(self._max_body, is_coming=True)

    async def _discard(self, receive: Receive) -> None:
        """Let the body come to its end, within limits, and forget it.

        A connection that is closed on someone who still sends takes the answer along.
        """
        size, has_more = 0, True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._receive_s):
                while has_more and size <= MAX_DISCARDED:
                    message = await receive()
                    size += len(message.get("body", b""))
                    has_more = message.get("more_body", False)


class KnownHosts:
    """ASGI middleware: only requests to these host names get in.

    A page elsewhere that has its own name resolve to this machine is kept out.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to one of the hosts on; answer 400 to any other."""
        if scope["type"] != "http" or self._is_known(scope):
            await self._app(scope, receive, send)
            return
        answer = problem(
            "bad-request",
            "This server is not known by the host name of the request.",
            hint="Add the name to `http.hosts` of the site's settings.",
        )
        await answer(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1:
            return False
        host = named[0].decode("latin-1").lower()
        name = host if host.endswith("]") else re.sub(r":\d*$", "", host)
        return "*" in self._hosts or name in self._hosts


class SafetyHeaders:
    """ASGI middleware: what browsers are told about every answer."""

    HEADERS = (
        (
            b"content-security-policy",
            b"default-src 'self'; base-uri 'none'; form-action 'self'; "
            b"frame-ancestors 'none'; object-src 'none'",
        ),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its answer."""

        async def adding_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self.HEADERS]
            await send(message)

        await self._app(scope, receive, adding_send)


def is_shallow(body: bytes, most: int = MAX_DEPTH) -> bool:
    """Whether JSON brackets in ``body`` nest at most ``most`` deep.

    Example:
        >>> is_shallow(b"[[1]]", 2), is_shallow(b'{"a": [["]"]]}', 2)
        (True, False)
    """
    depth = 0
    for found in _NESTING.finditer(body):
        match found.group()[:1]:
            case b"[" | b"{":
                depth += 1
                if depth > most:
                    return False
            case b"]" | b"}":
                depth -= 1
    return True


def _too_large(most: int, *, is_coming: bool) -> _Rejected:
    detail = f"The body has more than {most} bytes."
    return _Rejected("too-large", detail, is_coming=is_coming)


def _replayed(body: bytes, receive: Receive) -> Receive:
    is_told = False

    async def receive_again() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
