"""Bodies are read exactly, and what cannot be true is refused by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.http.bodies import exact_json, is_clean
from tests.http.asking import HEADERS, asking, reported


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("0.1", "0.1"),
        ('"0.10"', "0.1"),
        ("12", "12"),
        ("1e3", "1000"),
        ('"1E+3"', "1000"),
        ("999999999.999999", "999999999.999999"),
        ("0E-400", "0"),
    ],
)
async def test_a_quantity_is_exact_as_a_number_and_as_text(
    sent: str, read: str
) -> None:
    answer = await reported(f'{{"good": {sent}}}')
    assert answer.status_code == 200, answer.text
    assert answer.json()["good"] == read


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("NaN", "NaN is not a number"),
        ('"NaN"', "NaN is not a number"),
        ("-Infinity", "-Infinity is not a number"),
        ("1e400", "above the maximum"),
        ("1e99999999999999999999", "Infinity is not a number"),
        ("1000000000.000001", "above the maximum"),
        ("-0.5", "-0.5 is negative"),
        ("0.0000001", "more than 6 decimals"),
        ("1e-400", "more than 6 decimals"),
        ('"1_000"', "'1_000' is no decimal number"),
        ('"\\u0661"', "is no decimal number"),
        ("true", "a quantity is a number"),
        ("null", "a quantity is a number"),
        ("[1]", "a quantity is a number"),
    ],
)
async def test_what_is_no_quantity_is_refused_by_name(sent: str, told: str) -> None:
    answer = await reported(f'{{"good": {sent}}}')
    assert answer.status_code == 422, answer.text
    [error] = answer.json()["errors"]
    assert error["pointer"] == "#/good"
    assert told in error["detail"]


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "\\u001b[2J", "\\u0085"])
async def test_hidden_characters_are_refused(text: str) -> None:
    answer = await reported(f'{{"note": "{text}"}}')
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/note"


async def test_text_is_normalised_and_a_reason_is_not_empty() -> None:
    composed = await reported('{"reason": " Zoe\\u0308 "}')
    assert composed.json()["reason"] == "Zoë"
    empty = await reported('{"reason": "  "}')
    assert "say why" in empty.json()["detail"]


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-01-01T00:00:00", "has no zone"),
        ("yesterday", "is no ISO 8601 time"),
        ("1969-12-31T23:59:59Z", "is before 1970"),
        ("0001-01-01T00:00:00+14:00", "is before 1970"),
    ],
)
async def test_a_time_has_a_zone(at: str, told: str) -> None:
    answer = await reported(json.dumps({"at": at}))
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


async def test_a_time_is_microseconds_inside() -> None:
    answer = await reported('{"at": "2026-01-05T07:00:00.25+01:00"}')
    assert answer.json()["at"] == 1_767_592_800_250_000


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b'{"good": 1, "good": 2}',
        b"[" * 33 + b"]" * 33,
        b'{"good": ' + b"9" * 50 + b"}",
        b'{"good": 1} x',
    ],
)
async def test_what_is_not_json_is_a_400(content: bytes) -> None:
    answer = await reported(content)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/not-json"


async def test_another_content_type_is_a_415() -> None:
    answer = await reported('{"good": 1}', **{"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["type"] == "/problems/not-json-media"


async def test_a_body_that_is_not_needed_may_be_missing() -> None:
    async with asking() as client:
        answer = await client.post("/things/a/release", headers=HEADERS)
    assert answer.json()["has_body"] is False


CLEAN = st.text().filter(is_clean)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | CLEAN,
        lambda inner: st.lists(inner) | st.dictionaries(CLEAN, inner),
        max_leaves=20,
    )
)
def test_clean_json_is_read_as_it_was_written(value: object) -> None:
    assert exact_json(json.dumps(value).encode()) == value
    assert exact_json(json.dumps(value, ensure_ascii=False).encode()) == value
