"""Quantities: exact, bounded, never negative, no finer than their unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_engine.core.errors import Malformed
from mes_engine.core.quantity import (
    MAX_QUANTITY,
    MILLION,
    UNITS,
    checked_quantity,
    checked_unit,
    floored,
    from_millionths,
    shortest,
    to_millionths,
)

units = st.sampled_from(sorted(UNITS))


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "sNaN",
        "-NaN",
        "Infinity",
        "-Infinity",
        "-1",
        "-0.000001",
        "-1E-1000",
        "1000000001",
        "1E+1000000",
        "0.5",
        "1E-1000",
        "1.0000000000000000000000000000000000000001",
    ],
)
def test_what_is_no_number_of_pieces_is_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        checked_quantity(Decimal(value), unit="C62")


@pytest.mark.parametrize(
    "value", ["0", "-0", "1", "1.000", "1E+9", "1E+2", str(MAX_QUANTITY)]
)
def test_what_is_a_number_of_pieces_is_returned_as_it_is(value: str) -> None:
    assert str(checked_quantity(Decimal(value), unit="C62")) == value


@pytest.mark.parametrize("value", ["0.000001", "12.345678", "999999999.999999"])
def test_a_weight_has_at_most_six_decimals(value: str) -> None:
    assert checked_quantity(Decimal(value), unit="KGM") == Decimal(value)
    with pytest.raises(Malformed, match="at most 6 decimals"):
        checked_quantity(Decimal(f"{value}1"), unit="KGM")


def test_a_refusal_names_what_the_amount_is_of() -> None:
    with pytest.raises(Malformed, match="The scrap quantity -1 is negative"):
        checked_quantity(Decimal(-1), unit="C62", of="scrap quantity")


@pytest.mark.parametrize("unit", ["", "kg", "c62", "XXX"])
def test_a_unit_that_is_no_code_is_malformed(unit: str) -> None:
    with pytest.raises(Malformed, match="Rec 20"):
        checked_unit(unit)


@given(value=st.decimals(allow_nan=True, allow_infinity=True), unit=units)
def test_a_checked_quantity_fits_the_database_or_is_malformed(
    value: Decimal, unit: str
) -> None:
    try:
        checked = checked_quantity(value, unit=unit)
    except Malformed:
        return
    assert 0 <= to_millionths(checked) < 2**63
    assert from_millionths(to_millionths(checked)) == checked


@given(st.integers(-(2**62), 2**62))
def test_millionths_there_and_back(value: int) -> None:
    assert to_millionths(from_millionths(value)) == value


@given(
    value=st.decimals(0, MAX_QUANTITY, allow_nan=False, allow_infinity=False),
    unit=units,
)
def test_flooring_leaves_what_can_be_counted(value: Decimal, unit: str) -> None:
    down = floored(value, unit=unit)

    assert down <= value
    assert value - down < Decimal(1).scaleb(-UNITS[unit][0])
    assert checked_quantity(down, unit=unit) == down


@given(st.integers(0, 10**15))
def test_the_shortest_form_is_the_one_that_the_database_gives_back(value: int) -> None:
    exact = (Decimal(value) / MILLION).quantize(Decimal("0.000001"))
    assert str(shortest(exact)) == str(from_millionths(value))
