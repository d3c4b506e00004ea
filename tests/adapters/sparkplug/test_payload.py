"""Payloads: what is written is read again, and bytes of anybody do no harm."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_adapters.sparkplug.payload import (
    SIGNED,
    TEXTS,
    UNSIGNED,
    DataType,
    Metric,
    Types,
    Value,
    as_born,
    decode,
    encode,
)
from mes_engine.core.errors import Malformed
from mes_engine.core.samples import Quality

AT = 1_795_000_000_000_000


def values(kind: DataType) -> st.SearchStrategy[Value]:
    if kind in SIGNED:
        half = 1 << (SIGNED[kind] - 1)
        return st.integers(-half, half - 1)
    if kind in UNSIGNED:
        return st.integers(0, (1 << UNSIGNED[kind]) - 1)
    if kind in TEXTS:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    if kind is DataType.BOOLEAN:
        return st.booleans()
    if kind is DataType.FLOAT:
        return st.floats(allow_nan=False, allow_infinity=False, width=32)
    return st.floats(allow_nan=False, allow_infinity=False)


METRICS = st.sampled_from(DataType).flatmap(
    lambda kind: st.builds(
        Metric,
        name=st.just("m"),
        type=st.just(kind),
        value=values(kind),
        at=st.just(AT),
    )
)


@given(METRICS)
def test_what_is_written_is_read_again(metric: Metric) -> None:
    payload = decode(encode([metric], at=AT))

    assert payload.metrics == (metric,)
    assert payload.at == AT


@given(METRICS)
def test_a_value_without_its_type_is_read_by_that_of_its_birth(metric: Metric) -> None:
    born = replace(metric, alias=7)
    raw = encode([replace(metric, name="", alias=7)], at=AT)
    (read,) = decode(raw).metrics
    told = replace(read, type=None, value=_unsigned(metric))

    found = Types([born]).of("", 7)

    assert found == born
    assert as_born(told, born) == replace(born, at=AT)


def _unsigned(metric: Metric) -> Value | None:
    """As it stands on the wire: a negative number in a field without a sign."""
    if metric.type in SIGNED and isinstance(metric.value, int):
        return metric.value % (1 << (64 if metric.type is DataType.INT64 else 32))
    return metric.value


@given(st.binary(max_size=300))
def test_any_bytes_are_a_payload_or_malformed(raw: bytes) -> None:
    try:
        payload = decode(raw)
    except Malformed:
        return
    for metric in payload.metrics:
        assert not isinstance(metric.value, float) or math.isfinite(metric.value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DataType.UINT8, -1),
        (DataType.INT8, 128),
        (DataType.UINT64, 1 << 64),
        (DataType.BOOLEAN, 1),
        (DataType.INT32, True),
        (DataType.DOUBLE, "x"),
        (DataType.FLOAT, 1e300),
        (None, 1),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    kind: DataType | None, value: Value
) -> None:
    with pytest.raises(Malformed):
        encode([Metric(name="m", type=kind, value=value)], at=AT)


def test_a_type_that_is_no_single_value_has_no_value() -> None:
    born = Metric(name="m", type=None)
    told = Metric(name="m", value=3)

    assert as_born(told, born).value is None
    assert as_born(told, born).quality is Quality.BAD
