"""Limits hold before anything reads a request: size, depth, headers, time, host."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from mes_engine.http.limits import (
    MAX_BODY,
    MAX_DEPTH,
    RequestLimits,
    SafetyHeaders,
    is_shallow,
)
from tests.http.asking import HEADERS, asking


async def test_a_body_of_more_than_a_mebibyte_is_a_413() -> None:
    async with asking() as client:
        declared = await client.post(
            "/things/a/report", content=b"x" * (MAX_BODY + 1), headers=HEADERS
        )
        answer = await client.post(
            "/things/a/report", content=_pieces(MAX_BODY + 1), headers=HEADERS
        )
    assert declared.status_code == answer.status_code == 413
    assert answer.json()["type"] == "/problems/too-large"


async def test_a_body_of_exactly_a_mebibyte_is_read() -> None:
    frame = json.dumps({"note": ""})
    body = json.dumps({"note": " " * (MAX_BODY - len(frame))})
    async with asking() as client:
        answer = await client.post(
            "/things/a/report",
            content=body,
            headers=HEADERS | {"Content-Type": "application/json"},
        )
    # It was read: what is wrong with it is the length of the note.
    assert answer.json()["errors"][0]["pointer"] == "#/note"


async def test_more_than_a_hundred_headers_are_a_431() -> None:
    many = {f"X-{number}": "1" for number in range(100)}
    async with asking() as client:
        answer = await client.get("/things/fail/refused", headers=many)
    assert answer.status_code == 431


async def test_a_body_that_dribbles_in_is_a_408() -> None:
    async def dribbling() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    limits = RequestLimits(_nobody, receive_s=0.05)
    await limits({"type": "http", "headers": []}, dribbling, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize(("pieces", "is_heard_out"), [(40, True), (1_000, False)])
async def test_who_sends_too_much_is_answered_when_it_is_over(
    pieces: int, *, is_heard_out: bool
) -> None:
    """Or else the closing connection takes the answer along; but not without end."""
    left = pieces

    async def sending() -> Message:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": b" " * 65_536, "more_body": left > 0}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    limits = RequestLimits(_nobody)
    await limits({"type": "http", "headers": []}, sending, send)
    assert sent[0]["status"] == 413
    assert (left == 0) is is_heard_out


async def test_only_known_host_names_get_in() -> None:
    async with asking() as client:
        rebound = await client.get("http://evil.test/things/fail/refused")
        ported = await client.get("http://plant.test:8000/things/fail/refused")
    assert rebound.status_code == 400
    assert ported.status_code == 409


async def test_every_answer_tells_browsers_to_be_strict() -> None:
    async with asking() as client:
        answer = await client.get("/nowhere")
    for name, value in SafetyHeaders.HEADERS:
        assert answer.headers[name.decode()] == value.decode()


@pytest.mark.parametrize(
    ("body", "is_fine"),
    [
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, True),
        (b"[" * (MAX_DEPTH + 1), False),
        (b"[]" * 1000, True),
        (b'"' + b"[" * 1000 + b'"', True),
        (b'"\\"' + b"[" * 1000 + b'"', True),
        (b'{"a":' * (MAX_DEPTH + 1), False),
    ],
)
def test_only_brackets_outside_of_text_nest(body: bytes, *, is_fine: bool) -> None:
    assert is_shallow(body) is is_fine


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * (MAX_BODY // 2),
        b'"' * MAX_BODY,
        b"[]" * (MAX_BODY // 2),
        b"\\" * MAX_BODY,
    ],
)
def test_hostile_bodies_are_scanned_in_linear_time(body: bytes) -> None:
    began = time.process_time()
    assert is_shallow(body)
    assert time.process_time() - began < 2.0


async def _pieces(size: int) -> AsyncIterator[bytes]:
    while size > 0:
        yield b"x" * min(size, 65_536)
        size -= 65_536


async def _nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    pytest.fail("the app must not be asked")
