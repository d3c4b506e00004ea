"""What OPC UA's values, qualities and times mean."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mes_adapters.opcua.mapping import (
    has_overflow,
    in_chunks,
    is_gone,
    next_sequence,
    node_id,
    to_micros,
    to_sample,
)
from mes_adapters.opcua.settings import OpcUaSettings, OpcUaTag
from mes_engine.core.samples import Quality

BAD_COMMUNICATION = 0x8005_0000
UNCERTAIN = 0x4000_0000
TAG = OpcUaTag(ns="urn:line", id="s=Mill1.GoodCount")


def data(value: Any, status: int = 0) -> ua.DataValue:
    there = ua.Variant(value, ua.VariantType.Variant)  # the type does not matter here
    return ua.DataValue(there, StatusCode=ua.StatusCode(ua.UInt32(status)))


plain = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=50),
)


@given(value=plain)
def test_a_good_value_is_told_as_it_is(value: bool | float | str) -> None:  # noqa: FBT001
    sample = to_sample("t", data(value), received_at=5)
    assert (sample.value, sample.quality, sample.received_at) == (
        value,
        Quality.GOOD,
        5,
    )


@given(value=plain, status=st.integers(0x8000_0000, 0xFFFF_FFFF))
def test_the_value_of_a_bad_sample_is_dropped(
    value: bool | float | str,  # noqa: FBT001
    status: int,
) -> None:
    """Devices send 0 with it, which would look like a counter that was reset."""
    sample = to_sample("t", data(value, status), received_at=0)
    assert (sample.value, sample.quality) == (None, Quality.BAD)


def test_an_uncertain_value_is_kept_and_flagged() -> None:
    sample = to_sample("t", data(7, UNCERTAIN), received_at=0)
    assert (sample.value, sample.quality) == (7, Quality.UNCERTAIN)


@pytest.mark.parametrize(
    "hostile",
    [
        math.nan,
        math.inf,
        "x" * 5000,
        b"bytes",
        [1, 2, 3],
        datetime(2026, 1, 1, tzinfo=UTC),
        ua.LocalizedText("a"),
    ],
)
def test_a_value_that_is_nothing_plain_is_bad(hostile: object) -> None:
    sample = to_sample("t", data(hostile), received_at=0)
    assert (sample.value, sample.quality) == (None, Quality.BAD)


def test_a_sample_without_value_or_status_is_bad() -> None:
    empty = ua.DataValue()
    empty.Value = None
    empty.StatusCode = None
    assert to_sample("t", empty, received_at=0).quality is Quality.BAD


@pytest.mark.parametrize(
    ("status", "overflows"),
    [(0x480, True), (0x4000_0480, True), (0x80, False), (0x400, False), (0, False)],
)
def test_dropped_values_are_told(status: int, overflows: bool) -> None:  # noqa: FBT001
    assert has_overflow(status) is overflows
    assert to_sample("t", data(1, status), received_at=0).overflow is overflows


@given(micros=st.integers(1, 4_000_000_000_000_000))
def test_times_are_exact_to_the_microsecond(micros: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    assert to_micros(at) == micros
    assert to_micros(at.replace(tzinfo=None)) == micros
    assert to_micros(at.astimezone(timezone(timedelta(hours=-5)))) == micros


@pytest.mark.parametrize("at", [None, datetime(1601, 1, 1, tzinfo=UTC)])
def test_a_device_without_a_clock_has_no_time(at: datetime | None) -> None:
    assert to_micros(at) is None


def test_a_node_is_found_by_the_name_of_its_namespace() -> None:
    """Its index has moved, and another machine's node has the old one."""
    assert node_id(TAG, ["ua", "urn:line"]) == ua.NodeId.from_string(
        "ns=1;s=Mill1.GoodCount"
    )
    assert node_id(TAG, ["ua", "urn:decoy", "urn:line"]) == ua.NodeId.from_string(
        "ns=2;s=Mill1.GoodCount"
    )
    assert node_id(TAG, ["ua", "urn:decoy"]) is None


@pytest.mark.parametrize("identifier", ["i=2258", "s=a;b=c", "b=AQI="])
def test_every_kind_of_identifier_is_understood(identifier: str) -> None:
    assert node_id(OpcUaTag(ns="u", id=identifier), ["u"]) is not None


def test_an_identifier_that_cannot_be_is_no_node() -> None:
    assert node_id(OpcUaTag(ns="u", id="g=no-guid"), ["u"]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "ns=2;s=Mill1.GoodCount"},
        {"ns": "urn:line", "id": "ns=2;s=Mill1.GoodCount"},
        {"ns": "", "id": "s=x"},
        {"ns": "urn:line", "id": "Mill1.GoodCount"},
        {"ns": "urn:line", "id": "i=abc"},
        {"ns": "urn:line", "id": "s=x", "index": 2},
    ],
)
def test_a_node_by_index_alone_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OpcUaTag.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://mill"},
        {"url": "opc.tcp://mill", "silent_s": 1, "keepalive_s": 1},
        {"url": "opc.tcp://mill", "lifetime_s": 2},
        {"url": "opc.tcp://mill", "publish_ms": 0},
        {"url": "opc.tcp://mill", "auto_reconnect": True},
    ],
)
def test_watches_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OpcUaSettings.model_validate(wrong)


def test_silence_is_three_reports_and_follows_the_server() -> None:
    settings = OpcUaSettings(url="opc.tcp://mill")
    assert settings.silence_s() == 3
    assert settings.silence_s(5000) == 15
    strict = OpcUaSettings(url="opc.tcp://mill", silent_s=2)
    assert (strict.silence_s(), strict.silence_s(5000)) == (2, 15)


def test_numbers_of_reports_leave_out_0() -> None:
    assert [next_sequence(n) for n in (0, 1, 2**32 - 1)] == [1, 2, 1]


@given(items=st.lists(st.integers()), size=st.integers(1, 10))
def test_chunks_keep_everything_in_order(items: list[int], size: int) -> None:
    chunks = list(in_chunks(items, size))
    assert [item for chunk in chunks for item in chunk] == items
    assert all(0 < len(chunk) <= size for chunk in chunks)


def test_a_node_that_went_away_is_told_from_one_in_trouble() -> None:
    assert is_gone(data(0, ua.StatusCodes.BadNodeIdUnknown))
    assert not is_gone(data(0, BAD_COMMUNICATION))
    assert not is_gone(data(0))
